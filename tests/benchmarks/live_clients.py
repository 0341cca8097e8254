"""The clients of the live benchmark, in a process of their own: arguments are the port, how many clients, of how many
streams, and for how long.

Prints one JSON array: for each viewer count that was seen, the time and the count, of every client.
"""

import asyncio
import json
import sys
import time

from websockets.asyncio.client import connect

WIDE = 50
"""Connections that are opened at the same time."""


def stream_id(number: int) -> str:
    """Return the name of a stream of the benchmark."""
    return f"benchmark-{number}"


async def watch(port: int, stream: str, seconds: float, seen: list[tuple[float, int]], turn: asyncio.Semaphore) -> None:
    """Note when each new viewer count comes."""
    async with turn:
        socket = await connect(f"ws://127.0.0.1:{port}/ws/live/{stream}", proxy=None, compression=None)
    async with socket:
        newest = 0
        try:
            async with asyncio.timeout(seconds):
                async for message in socket:
                    count = json.loads(message).get("viewer_count", 0)
                    if count > newest:
                        newest = count
                        seen.append((time.time(), count))
        except TimeoutError:
            return


async def run(port: int, clients: int, streams: int, seconds: float) -> list[tuple[float, int]]:
    """Watch with that many clients, spread over the streams."""
    seen: list[tuple[float, int]] = []
    turn = asyncio.Semaphore(WIDE)
    async with asyncio.TaskGroup() as tasks:
        for client in range(clients):
            tasks.create_task(watch(port, stream_id(client % streams), seconds, seen, turn))
    return seen


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(run(*map(int, sys.argv[1:4]), float(sys.argv[4])))))
