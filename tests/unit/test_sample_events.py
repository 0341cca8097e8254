"""The demo's player events hold to their contract and tell of the same playback as the summaries."""

import json
from collections import defaultdict
from datetime import UTC, datetime

from ingest.payloads import events as contract
from ingest.payloads.instants import Arrival
from lab.events import LONGEST_S, events
from lab.population import Population

END = datetime(2026, 3, 1, tzinfo=UTC)


def test_events_tell_the_play_time_of_the_summary():
    bodies = list(Population(seed=4, end=END).sessions())
    summaries = {body["sessionId"]: body for body in bodies}
    told = defaultdict(list)
    for event in events(bodies, 4):
        contract.accept(json.dumps(event).encode(), tenant="t", arrival=Arrival.at(END))
        told[event["sessionId"]].append(event)
    assert len(told) > 300
    replays = 0
    for session, own in told.items():
        positions = {event["type"]: event["data"] for event in own}
        assert positions["load"]["duration"] <= LONGEST_S
        end = positions.get("pause") or positions["complete"]
        jump = positions.get("seek")
        watched = end["position"] + (jump["from"] - jump["to"] if jump else 0)
        assert abs(watched * 1000 - summaries[session]["playTimeMs"]) <= 1
        replays += jump is not None
    assert 0.1 < replays / len(told) < 0.4
    assert list(events(bodies, 4)) == [event for own in told.values() for event in own]
