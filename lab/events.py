"""Player events of sessions whose summaries `population` sends: what a player of short titles tells while it plays.

Seeded. Whoever comes to a title's best scene may watch it again. Nothing here knows the service beyond its public
contract.
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from lab.titles import TITLES

LONGEST_S = 700
"""Players of longer titles send summaries only."""
SCENE_AT = 0.4
"""Where the best scene of a title begins, as a share of its length."""
SCENE_S = 12
AGAIN = 0.3
"""Share of those who came past the scene and watch it again."""
COMPLETE = 0.985
"""A playback that came this far ran to its end."""

_LENGTHS = {title.content_id: title.seconds for title in TITLES if title.seconds <= LONGEST_S}


def events(bodies: Iterable[Mapping[str, Any]], seed: int) -> Iterator[dict[str, Any]]:
    """Yield the events of the sessions of short titles that started, in the shape of `POST /analytics/events`.

    Of several sends of one session the last counts.
    """
    newest = {body["sessionId"]: body for body in bodies if body.get("contentId") in _LENGTHS and "userId" in body}
    rng = random.Random(seed + 2)  # noqa: S311 - plays, guards nothing
    for body in newest.values():
        if body["startupTimeMs"] is not None and body["playTimeMs"] > 0 and body["errorCount"] == 0:
            yield from _playback(rng, body, _LENGTHS[body["contentId"]])


def _playback(rng: random.Random, body: Mapping[str, Any], length_s: int) -> Iterator[dict[str, Any]]:
    start_ms = round(datetime.fromisoformat(body["sessionStartDateIso"]).timestamp() * 1000)
    startup_ms, watched_s = body["startupTimeMs"], min(body["playTimeMs"] / 1000, length_s)
    first_ms = start_ms + startup_ms
    told: list[tuple[int, str, dict[str, Any]]] = [
        (start_ms, "load", {"duration": length_s}),
        (first_ms, "ready", {"startup_ms": startup_ms}),
        (first_ms, "play", {"position": 0}),
    ]
    scene_s = round(SCENE_AT * length_s)
    left_s, last_s, at_s = watched_s, 0.0, 0.0
    if watched_s > scene_s + 2 * SCENE_S and rng.random() < AGAIN:
        # What is watched twice is missing at the end: the play time is that of the summary.
        at_s = scene_s + SCENE_S
        told.append((first_ms + round(at_s * 1000), "seek", {"from": at_s, "to": scene_s}))
        left_s, last_s = watched_s - at_s, float(scene_s)
    end_s = last_s + left_s
    kind = "complete" if end_s >= COMPLETE * length_s else "pause"
    told.append((first_ms + round(watched_s * 1000), kind, {"position": round(end_s, 3)}))
    for number, (at_ms, kind, data) in enumerate(told):
        yield {
            "eventId": f"{body['sessionId']}-{number}",
            "sessionId": body["sessionId"],
            "videoId": body["contentId"],
            "userId": body["userId"],
            "type": kind,
            "timestamp": at_ms,
            "data": data,
        }
