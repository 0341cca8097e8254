"""TVDB, TMDB, YouTube and Spotify as far as the sample catalogue goes: one real HTTP server that stands for all.

An id of the real world is answered 400, "not sample data", never "unknown": nothing can be learnt here of what is
real. Keys and tokens are accepted whatever they are.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from socket import create_server
from typing import Annotated, Any, TypeVar

import uvicorn
from litestar import Litestar, get, post
from litestar.exceptions import ClientException
from litestar.params import FromPath, QueryParameter

from lab.watching.catalogue import CHANNELS, MOVIES, SERIES, Video, podcast_episode_of, video_of

ORIGINS = ("TVDB", "TMDB", "YOUTUBE", "SPOTIFY_ACCOUNTS", "SPOTIFY_API")
KEYS = ("TVDB_API_KEY", "TMDB_API_READ_ACCESS_TOKEN", "YOUTUBE_API_KEY", "SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET")
START_S = 10.0
_ARTWORK = "https://sample.invalid"

Json = dict[str, Any]
T = TypeVar("T")
_Ids = Annotated[str, QueryParameter(name="id")]


def environment(origin: str) -> Mapping[str, str]:
    """Return the variables that point a service at this server, which needs no real key."""
    origins = {f"IMMERSION_TRACKER_{name}_BASE_URL": origin for name in ORIGINS}
    return origins | dict.fromkeys(KEYS, "sample-data")


@contextmanager
def serving() -> Iterator[str]:
    """Serve on a free loopback port; yield the origin. Raises RuntimeError when it does not start."""
    routes = [tvdb_login, tvdb_series, tmdb_movie, videos, channels, spotify_token, spotify_episode]
    app = Litestar(routes, logging_config=None, openapi_config=None)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    with create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + START_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server of sample data did not start")
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@post("/v4/login", status_code=200, sync_to_thread=False)
def tvdb_login() -> Json:
    """Give a token."""
    return {"status": "success", "data": {"token": "sample-data"}}


@get("/v4/series/{tvdb_id:int}", sync_to_thread=False)
def tvdb_series(tvdb_id: FromPath[int]) -> Json:
    """Describe a series."""
    series = _known(next((one for one in SERIES if one.tvdb_id == tvdb_id), None))
    data = {"id": tvdb_id, "name": series.title, "image": f"{_ARTWORK}/{tvdb_id}.jpg", "averageRuntime": series.minutes}
    return {"status": "success", "data": data}


@get("/3/movie/{tmdb_id:int}", sync_to_thread=False)
def tmdb_movie(tmdb_id: FromPath[int]) -> Json:
    """Describe a movie."""
    movie = _known(next((one for one in MOVIES if one.tmdb_id == tmdb_id), None))
    names = {"original_title": movie.title, "original_language": movie.language}
    return {"id": tmdb_id, **names, "poster_path": f"/sample/{tmdb_id}.jpg", "runtime": movie.minutes}


@get("/youtube/v3/videos", sync_to_thread=False)
def videos(ids: _Ids) -> Json:
    """Describe videos."""
    return {"items": [_video(_known(video_of(one))) for one in ids.split(",")]}


@get("/youtube/v3/channels", sync_to_thread=False)
def channels(ids: _Ids) -> Json:
    """Describe channels."""
    known = {channel.channel_id: channel for channel in CHANNELS}
    return {
        "items": [
            {"id": one, "snippet": {"title": _known(known.get(one)).title, "thumbnails": _thumbnails(one)}}
            for one in ids.split(",")
        ]
    }


@post("/api/token", status_code=200, sync_to_thread=False)
def spotify_token() -> Json:
    """Give a token."""
    return {"access_token": "sample-data", "token_type": "Bearer", "expires_in": 3600}


@get("/v1/episodes/{episode_id:str}", sync_to_thread=False)
def spotify_episode(episode_id: FromPath[str]) -> Json:
    """Describe an episode."""
    episode = _known(podcast_episode_of(episode_id))
    podcast, n = episode.podcast, episode.n
    show = {"id": podcast.show_id, "name": podcast.title, "images": [{"url": f"{_ARTWORK}/{podcast.show_id}.jpg"}]}
    released = {"release_date": f"{2020 + n // 12}-{1 + n % 12:02}", "release_date_precision": "month"}
    length = {"duration_ms": podcast.minutes * 60_000, "languages": [podcast.language]}
    return {"id": episode_id, "name": f"{podcast.title} #{n + 1}", "show": show, **released, **length}


def _video(video: Video) -> Json:
    channel = video.channel
    names = {"title": video.title, "channelId": channel.channel_id, "channelTitle": channel.title}
    snippet = {**names, "defaultAudioLanguage": channel.language, "thumbnails": _thumbnails(video.video_id)}
    return {"id": video.video_id, "snippet": snippet, "contentDetails": {"duration": f"PT{video.seconds}S"}}


def _thumbnails(one: str) -> Json:
    return {"high": {"url": f"{_ARTWORK}/{one}.jpg"}}


def _known(found: T | None) -> T:
    if found is None:
        raise ClientException("This is not sample data")
    return found
