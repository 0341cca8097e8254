"""The sample people: repeatable, plausible, told truly, and never to be taken for real data."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from lab.watching import exports, providers, today
from lab.watching.catalogue import CHANNELS, MOVIES, PODCASTS, SERIES, Episode, podcast_episode_of, video_of
from lab.watching.history import histories
from lab.watching.people import PEOPLE
from lab.watching.truth import known_truth, longest_run
from playhead.imports import takeout, trakt
from playhead.imports.entries import Watch
from warehouse.providers.catalog import Catalog
from warehouse.providers.results import Failed, Found
from warehouse.providers.settings import read_provider_settings

END = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def watched():
    return histories(7, END)


def minutes_by_day(history, zone):
    days = Counter()
    for one in history:
        days[one.at.astimezone(zone).date()] += one.item.seconds / 60
    return days


def test_the_same_seed_gives_the_same_histories_and_another_does_not(watched):
    assert histories(7, END) == watched
    assert histories(8, END) != watched
    with pytest.raises(ValueError, match="time zone"):
        histories(7, END.replace(tzinfo=None))


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_nobody_watches_two_things_at_once_or_one_thing_twice_or_today(watched, person):
    history = watched[person.name]
    items = [one.item for one in history] + today.watched_today(person)
    assert len(items) == len(set(items))
    for before, after in pairwise(history):
        assert before.at <= after.at - timedelta(seconds=after.item.seconds)
    zone = ZoneInfo(person.time_zone)
    assert history[-1].at.astimezone(zone).date() < END.astimezone(zone).date()


def test_habits_show_in_the_days(watched):
    days = {person.name: minutes_by_day(watched[person.name], ZoneInfo(person.time_zone)) for person in PEOPLE}
    assert all(max(minutes.values()) > 240 for minutes in days.values()), "a weekend on one series"
    weekdays = Counter(day.weekday() for day in days["demo-mateo"])
    assert weekdays[0] + weekdays[2] < 6 < weekdays[6], "Mondays and Wednesdays are off"
    for minutes in days.values():
        gaps = [(after - before).days for before, after in pairwise(sorted(minutes))]
        assert max(gaps) >= 8, "holidays"
    languages = {one.item.series.language for name in watched for one in watched[name] if isinstance(one.item, Episode)}
    assert languages == {"ja", "es", "fr"}
    unknown = [one for one in watched["demo-odile"] if isinstance(one.item, Episode) and not one.item.series.tvdb_id]
    assert unknown


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_the_exports_hold_the_history_and_a_known_number_of_other_entries(watched, person):
    history = watched[person.name]
    views, strange = exports.takeout(history)
    read = [one for entry in views for one in takeout.read_entry(entry)]
    read += [one for entry in exports.trakt(history) for one in trakt.read_entry(entry)]
    watches = [one for one in read if isinstance(one, Watch)]
    assert len(read) - len(watches) == strange == 3
    known = known_truth(history, [], ZoneInfo(person.time_zone))
    assert Counter(kind for kind, _, _ in {(one.kind, one.folder, one.item) for one in watches}) == Counter(known.items)
    first = {}
    for one in watches:
        at = datetime.fromisoformat(one.watched_at)
        first[one.kind, one.folder, one.item] = min(at, first.get((one.kind, one.folder, one.item), at))
    spread = Counter(at.astimezone(ZoneInfo(person.time_zone)).date() for at in first.values())
    assert spread == Counter(one.at.astimezone(ZoneInfo(person.time_zone)).date() for one in history)
    assert json.loads(json.dumps(views)) == views


def test_ids_are_of_no_real_thing_and_names_say_sample():
    works = [*SERIES, *MOVIES, *CHANNELS, *PODCASTS]
    assert all(work.title.endswith("(sample)") for work in works)
    assert all(len(channel.channel_id) == 24 and len(channel.video(12).video_id) == 11 for channel in CHANNELS)
    assert all(len(podcast.show_id) == len(podcast.episode(3).episode_id) == 22 for podcast in PODCASTS)
    assert video_of(CHANNELS[2].video(900_001).video_id) == CHANNELS[2].video(900_001)
    assert podcast_episode_of(PODCASTS[1].episode(5).episode_id) == PODCASTS[1].episode(5)


def test_the_sample_server_knows_its_catalogue_and_says_nothing_of_real_ids():
    async def look_up(origin):
        async with Catalog.open(read_provider_settings(providers.environment(origin))) as catalog:
            return (
                await catalog.tvdb_series([SERIES[0].tvdb_id, 81189], 5.0),
                await catalog.tmdb_movies([MOVIES[0].tmdb_id, 155], 5.0),
                await catalog.videos([CHANNELS[0].video(1).video_id, "dQw4w9WgXcQ"], 5.0),
                await catalog.channels([CHANNELS[0].channel_id, "UC_x5XG1OV2P6uZZ5FSM9Ttw"], 5.0),
                await catalog.episodes([PODCASTS[0].episode(1).episode_id, "4qjerzMw8jfD30VOG0tjpK"], 5.0),
            )

    with providers.serving() as origin:
        series, movies, videos, channels, episodes = asyncio.run(look_up(origin))
    for sample, real in (series, movies, videos, channels, episodes):
        assert isinstance(sample, Found)
        assert isinstance(real, Failed), "a real id is not known to be unknown"
    assert series[0].metadata.runtime_minutes * 60 == Episode(SERIES[0], 0).seconds
    assert movies[0].metadata.runtime_minutes * 60 == MOVIES[0].seconds
    assert videos[0].metadata.duration_s == CHANNELS[0].video(1).seconds
    assert episodes[0].metadata.duration_s == PODCASTS[0].episode(1).seconds


def test_runs_of_days():
    day = END.date()
    assert longest_run(set()) == 0
    assert longest_run({day, day - timedelta(1), day - timedelta(2), day + timedelta(2)}) == 3
