"""A seeded two-hour live stream with planted moments: chat and viewers as a service would report them, and the truth.

Messages come as a negative-binomial count each second around a drifting rate; a planted burst triples it for 30 s.
Nothing here knows the service beyond its public contract.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lab import listing

LENGTH_S = 7_200
RATE = 3.0
"""Usual messages a second."""
DISPERSION = 8.0
"""Shape of the gamma that the rate of each second is drawn from."""
BURST_S = 30
BURST = 3.5
VIEWERS = 1_200
SAMPLE_EVERY_S = 10
PLANTED = ((1_500, "chat_spike"), (3_300, "viewer_spike"), (4_500, "chat_spike"), (6_000, "sentiment_shift"))
"""Seconds into the stream, and what begins there."""
VIEWERS_S = 240
MOOD_S = 180

_PLAIN = (
    "what is the plan now",
    "first time here",
    "which map is this",
    "ok then",
    "gg",
    "he is on the left",
    "again?",
)
_GLAD = ("what a great run", "love this", "nice one", "that was amazing", "haha good")
_SAD = ("this is terrible", "so bad", "awful lag again", "worst map ever", "I hate this boss")
_EMOTES = (("PogChamp", 5), ("LUL", 4), ("Kappa", 3), ("KEKW", 3), ("monkaS", 2), ("HeyGuys", 1))


@dataclass(frozen=True)
class Planted:
    """A moment that was planted."""

    moment_type: str
    at: datetime


class Stream:
    """One stream that ends at `end`, the same for the same seed."""

    stream_id = "speedrun-night"

    def __init__(self, seed: int, end: datetime) -> None:
        self._seed = seed
        self.start = end - timedelta(seconds=LENGTH_S)

    @property
    def planted(self) -> list[Planted]:
        """What a detector should find."""
        return [Planted(kind, self.start + timedelta(seconds=at)) for at, kind in PLANTED]

    def description(self) -> dict[str, Any]:
        """Return the body of `POST /v1/streams`."""
        return {
            "stream_id": self.stream_id,
            "title": "Speedrun night",
            "streamer_name": "ada",
            "game_category": "Platformer",
            "started_at": self.start.isoformat(),
            "is_live": True,
            "public": True,
        }

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield the chat, oldest first."""
        rng = random.Random(self._seed)  # noqa: S311 - plays, guards nothing
        names, weights = zip(*_EMOTES, strict=True)
        number = 0
        for second in range(LENGTH_S):
            rate = RATE * (1 + 0.25 * math.sin(second / 900)) * rng.gammavariate(DISPERSION, 1 / DISPERSION)
            rate *= BURST if _within(second, "chat_spike", BURST_S) else 1
            sad = _within(second, "sentiment_shift", MOOD_S)
            for at in sorted(rng.random() for _ in range(_poisson(rng, rate))):
                number += 1
                emotes = rng.choices(names, weights)[:1] if not sad and rng.random() < 0.35 else []
                told = rng.choice(_SAD if sad else _PLAIN + _GLAD)
                yield {
                    "message_id": f"{self.stream_id}-{number}",
                    "stream_id": self.stream_id,
                    "user_id": f"chatter-{min(int(rng.expovariate(1 / 60)), 400)}",
                    "message": " ".join([told, *emotes]),
                    "emotes": emotes,
                    "timestamp": self._ms(second + at),
                }

    def samples(self) -> Iterator[dict[str, Any]]:
        """Yield the viewer samples, oldest first."""
        rng = random.Random(self._seed + 1)  # noqa: S311
        for second in range(0, LENGTH_S, SAMPLE_EVERY_S):
            usual = VIEWERS * (1 + 0.1 * math.sin(second / 1_200))
            usual *= 1.8 if _within(second, "viewer_spike", VIEWERS_S) else 1
            count = max(round(rng.gauss(usual, math.sqrt(usual) / 2)), 0)
            yield {"stream_id": self.stream_id, "viewer_count": count, "timestamp": self._ms(second)}

    def _ms(self, second: float) -> int:
        return round((self.start + timedelta(seconds=second)).timestamp() * 1000)


def post(base_url: str, api_key: str, stream: Stream) -> int:
    """Post the stream; return how many messages were accepted. Raises `httpx.HTTPError` for what is refused."""
    with listing.client(base_url, api_key) as client:
        client.post("/v1/streams", json=stream.description()).raise_for_status()
        listing.post(client, "/v1/viewers", "samples", stream.samples())
        return listing.post(client, "/v1/chat", "messages", stream.messages())


def _within(second: int, kind: str, length_s: int) -> bool:
    return any(planted == kind and at <= second < at + length_s for at, planted in PLANTED)


def _poisson(rng: random.Random, mean: float) -> int:
    """Draw a Poisson count (Knuth): means here are small."""
    bound, product, count = math.exp(-mean), rng.random(), 0
    while product > bound:
        product *= rng.random()
        count += 1
    return count
