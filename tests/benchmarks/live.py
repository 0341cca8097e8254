"""How late 500 WebSocket clients learn what landed, and what they cost landing: `python -m tests.benchmarks.live`.

One worker. Every second and a half each stream gets a viewer sample with a greater count, and some chat; the delay is
from the answer 200 to each client. Meanwhile sessions are landed as fast as a few connections can, with the clients and
without, in turn. All watch one stream, or as many as `--streams` says.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from statistics import median
from typing import Any

import httpx
from rich.console import Console

from tests.benchmarks.landing_load import drive, requests
from tests.benchmarks.landing_peers import Ours, running
from tests.benchmarks.live_clients import stream_id

CLIENTS = 500
CONNECTIONS = 16
ROUND_S = 8.0
SETTLE_S = 6.0
ROUNDS = 2
SAMPLE_EVERY_S = 1.5
MESSAGES = 3
"""To each stream with every sample."""
MOST_DELAY_S = 2.0
MOST_HARM = 0.2


class Sampler(threading.Thread):
    """Lands chat and viewer samples until stopped; `landed` holds when each count was acknowledged."""

    def __init__(self, ours: Ours, streams: int) -> None:
        super().__init__(daemon=True)
        self._streams = [stream_id(number) for number in range(streams)]
        self.landed: dict[int, float] = {}
        self.stopping = threading.Event()
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{ours.port}", headers={"X-API-Key": ours.key})

    def run(self) -> None:
        for stream in self._streams:
            self._land("streams", {"stream_id": stream, "public": True})
        count = 0
        while not self.stopping.wait(SAMPLE_EVERY_S):
            count += 1
            at = {"timestamp": time.time_ns() // 1_000_000}
            said = [
                at | {"stream_id": stream, "message_id": f"{count}-{n}", "user_id": f"u{n}", "message": "great game"}
                for stream in self._streams
                for n in range(MESSAGES)
            ]
            self._land("chat", {"messages": said})
            samples = [at | {"stream_id": stream, "viewer_count": count} for stream in self._streams]
            self._land("viewers", {"samples": samples})
            self.landed[count] = time.time()

    def _land(self, kind: str, body: dict[str, Any]) -> None:
        self._client.post(f"/v1/{kind}", json=body).raise_for_status()


def rate(ours: Ours, name: str, seconds: float) -> float:
    """Return the sessions a second that are landed and followed."""
    began = time.perf_counter()
    load = drive(ours.port, requests("/v1/sessions", ours.key, name), seconds=seconds, connections=CONNECTIONS)
    ours.wait_followed()
    return load.stored / (time.perf_counter() - began)


def main() -> int:
    """Print delays and rates; return 0 where both hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1, help="that the clients are spread over")
    streams = parser.parse_args().streams
    console = Console()
    alone: list[float] = []
    watched: list[float] = []
    delays: list[float] = []
    with running() as (ours, _):
        sampler = Sampler(ours, streams)
        sampler.start()
        rate(ours, "warm", 3.0)
        for turn in range(ROUNDS):
            alone.append(rate(ours, f"alone{turn}", ROUND_S))
            asked = (ours.port, CLIENTS, streams, SETTLE_S + ROUND_S)
            command = [sys.executable, "-m", "tests.benchmarks.live_clients", *map(str, asked)]
            began = time.time()
            with subprocess.Popen(command, stdout=subprocess.PIPE) as clients:
                time.sleep(SETTLE_S)
                watched.append(rate(ours, f"watched{turn}", ROUND_S - 1))
                told, _ = clients.communicate()
            settled = began + SETTLE_S
            seen = [(at, sampler.landed[n]) for at, n in json.loads(told) if sampler.landed.get(n, 0) > settled]
            delays += [at - landed for at, landed in seen]
        sampler.stopping.set()
        sampler.join()
    delays.sort()
    harm = 1 - median(watched) / median(alone)
    p99 = delays[int(len(delays) * 0.99)]
    console.print(f"{CLIENTS} clients of {streams} streams, {len(delays):,} updates: ", end="")
    console.print(f"delay median {median(delays):.2f} s, p99 {p99:.2f} s")
    console.print(f"Landing {median(alone):,.0f}/s alone, {median(watched):,.0f}/s watched: {harm:+.1%} lost")
    return 0 if median(delays) <= MOST_DELAY_S and harm <= MOST_HARM else 1


if __name__ == "__main__":
    sys.exit(main())
