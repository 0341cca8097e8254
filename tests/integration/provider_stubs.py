"""A real HTTP server that answers as all the metadata providers do, and as they do when they are unwell.

One server stands for all five origins: their paths do not meet. What it knows is set by the test.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from warehouse.providers.settings import ProviderSettings

KEYS = {
    "tvdb_api_key": "tvdb-key-0001",
    "tmdb_api_read_access_token": "tmdb-token-0002",
    "youtube_api_key": "youtube-key-0003",
    "spotify_client_id": "spotify-id-0004",
    "spotify_client_secret": "spotify-secret-0005",
}


@dataclass(frozen=True)
class Answer:
    """What is sent; a `hang` waits for the end of the test, `drop` closes the connection without a word."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    drop: bool = False

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    """One request that arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Providers:
    """What the stub knows, what it shall answer instead, and what it was asked."""

    origin: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    """Path → JSON of the answer, for TVDB, TMDB and Spotify."""
    items: dict[str, Any] = field(default_factory=dict)
    """Id → item, of YouTube."""
    faults: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    """Path → answers sent first, each once."""
    poison: dict[str, Answer] = field(default_factory=dict)
    """Id of YouTube → what any request that contains it is answered."""
    asked: list[Asked] = field(default_factory=list)
    expires_in: float = 3600
    log_ins: int = 0
    refused_tokens: set[str] = field(default_factory=set)
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def settings(self, **changes: Any) -> ProviderSettings:
        origins = ("tvdb", "tmdb", "youtube", "spotify_accounts", "spotify_api")
        fast = {f"{name}_requests_per_s": 10_000.0 for name in ("tvdb", "tmdb", "youtube", "spotify")}
        given = {f"{name}_origin": self.origin for name in origins} | KEYS | fast | {"timeout_s": 2.0} | changes
        return ProviderSettings(**given)

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def answer(self, asked: Asked) -> Answer:
        with self.lock:
            self.asked.append(asked)
            if self.faults[asked.path]:
                return self.faults[asked.path].pop(0)
            if asked.path in {"/v4/login", "/api/token"}:
                return self._log_in(asked)
        if asked.path.startswith("/youtube/v3/"):
            return self._youtube(asked)
        if asked.headers.get("authorization", "").removeprefix("Bearer ") in self.refused_tokens:
            return Answer(401, {"message": "Unauthorized"})
        full = f"{asked.path}?offset={asked.query['offset']}" if "offset" in asked.query else asked.path
        if full not in self.answers:
            return Answer(404, {"status": "failure", "message": "Not Found", "data": None})
        known = self.answers[full]
        return known if isinstance(known, Answer) else Answer(body=known)

    def _log_in(self, asked: Asked) -> Answer:
        self.log_ins += 1
        token = f"token-{self.log_ins}"
        if asked.path == "/v4/login":
            assert json.loads(asked.body) == {"apikey": KEYS["tvdb_api_key"]}
            return Answer(body={"status": "success", "data": {"token": token}})
        assert asked.body == b"grant_type=client_credentials"
        return Answer(body={"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in})

    def _youtube(self, asked: Asked) -> Answer:
        ids = asked.query["id"].split(",")
        if asked.query.get("key") != KEYS["youtube_api_key"]:
            return Answer(400, {"error": {"code": 400, "details": [{"reason": "API_KEY_INVALID"}]}})
        if len(ids) > 50:
            return Answer(400, {"error": {"code": 400, "errors": [{"reason": "invalidParameter"}]}})
        for one in ids:
            if one in self.poison:
                return self.poison[one]
        return Answer(body={"items": [self.items[one] for one in reversed(ids) if one in self.items]})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.providers.answer(Asked(self.command, parts.path, query, headers, body))
        if answer.hang:
            self.server.providers.released.wait(30)
        if answer.hang or answer.drop:
            self.close_connection = True
            return
        content = answer.content()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    providers: Providers


@contextmanager
def answering() -> Iterator[Providers]:
    """Serve on a free port; yield what it knows and what it was asked."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.providers = Providers(origin=f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.providers
        finally:
            server.providers.released.set()
            server.shutdown()
            thread.join()


def video(one: str, duration: str = "PT10M30S", **snippet: Any) -> dict[str, Any]:
    return {
        "id": one,
        "snippet": {"title": f"Video {one}", "channelId": "UC_1", "channelTitle": "Kanal"} | snippet,
        "contentDetails": {"duration": duration},
    }


def channel(one: str, *sizes: str) -> dict[str, Any]:
    thumbnails = {size: {"url": f"https://i.example/{one}/{size}.jpg"} for size in sizes}
    return {"id": one, "snippet": {"title": f"Channel {one}", "thumbnails": thumbnails}}


def listed(one: str, **changes: Any) -> dict[str, Any]:
    base = {"id": one, "name": f"第{one}話", "duration_ms": 388_284, "release_date": "2021-03-28"}
    return base | {"release_date_precision": "day"} | changes


def episode(one: str, **changes: Any) -> dict[str, Any]:
    show = {"id": "show1", "name": "日本語ラジオ", "images": [{"url": "https://i.example/a.jpg"}, {"url": "b"}]}
    return listed(one, show=show) | changes
