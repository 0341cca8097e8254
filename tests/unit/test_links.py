"""Links of `watched.txt`: whatever an id is written into is read back as that id, and nothing else is a link."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.syncing.links import Link, links, read_link

VIDEO = st.text(string.ascii_letters + string.digits + "-_", min_size=11, max_size=11)
EPISODE = st.text(string.ascii_letters + string.digits, min_size=22, max_size=22)
QUERY = st.dictionaries(st.sampled_from(["t", "si", "list", "feature", "pp"]), st.text("abc019-_%", max_size=5))
VIDEO_FORMS = [
    "https://www.youtube.com/watch?v={id}&{query}",
    "https://www.youtube.com/watch?{query}&v={id}#t=30",
    "http://m.youtube.com/watch/?v={id}",
    "https://music.youtube.com/watch?v={id}&{query}",
    "youtube.com/watch?v={id}",
    "https://WWW.YouTube.com/watch?v={id}",
    "https://youtu.be/{id}?{query}",
    "youtu.be/{id}",
    "https://www.youtube.com/shorts/{id}?{query}",
    "https://www.youtube.com/live/{id}",
    "https://www.youtube-nocookie.com/embed/{id}?{query}",
    "{id}",
]
EPISODE_FORMS = [
    "https://open.spotify.com/episode/{id}",
    "https://open.spotify.com/episode/{id}?{query}",
    "https://open.spotify.com/intl-de/episode/{id}?{query}",
    "https://open.spotify.com/embed/episode/{id}/",
    "open.spotify.com/episode/{id}#top",
    "spotify:episode:{id}",
    "{id}",
]


def fill(form: str, one: str, query: dict[str, str]) -> str:
    return form.format(id=one, query="&".join(f"{name}={value}" for name, value in query.items()))


@given(VIDEO, st.sampled_from(VIDEO_FORMS), QUERY)
def test_a_video_is_read_from_every_form(one: str, form: str, query: dict[str, str]) -> None:
    assert links(f"  {fill(form, one, query)}\r\n") == [Link("youtube", one)]


@given(EPISODE, st.sampled_from(EPISODE_FORMS), QUERY)
def test_an_episode_is_read_from_every_form(one: str, form: str, query: dict[str, str]) -> None:
    assert links(fill(form, one, query)) == [Link("spotify", one)]


@given(st.lists(st.tuples(VIDEO, st.sampled_from(VIDEO_FORMS[:-1])), min_size=1), st.sampled_from([" ", " and ", "\t"]))
def test_a_line_may_hold_several_addresses_among_words(named: list[tuple[str, str]], between: str) -> None:
    line = "watched: " + between.join(f"<{fill(form, one, {})}>," for one, form in named)
    assert links(line) == [Link("youtube", one) for one, _ in named]


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert all(link == read_link(link.id) for link in links(text))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# https comment",
        "https://www.youtube.com/watch?v=tooshort",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQtoolong",
        "https://www.youtube.com/playlist?list=PLdQw4w9WgXcQ",
        "https://www.youtube.com/@dQw4w9WgXcQ",
        "https://www.youtube.com/post/UgkxJ9sgOk6qEOPECSGXqFaqqGdiKrgG5uJJ",
        "https://notyoutube.com/watch?v=dQw4w9WgXcQ",
        "https://youtube.com.example/watch?v=dQw4w9WgXcQ",
        "https://example.com/?u=youtube.com/watch?v=dQw4w9WgXcQ",
        "ftp://youtu.be/dQw4w9WgXcQ",
        "https://[youtu.be/dQw4w9WgXcQ",
        "https://open.spotify.com/show/2MAi0BvDc6GTFvKFPXnkCL",
        "https://open.spotify.com/episode/short",
        "dQw4w9WgXcQ dQw4w9WgXcQ",
    ],
)
def test_anything_else_is_no_link(line: str) -> None:
    assert links(line) == []
