"""The demo's traffic: its shape, its habits, its planted facts, and its truth against a second computation."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from statistics import median
from typing import Any

import numpy as np
import pytest

from lab.population import Population
from lab.releases import VERSIONS
from lab.titles import TITLES
from lab.truth import figures, known_truth, nearest_rank, newest

END = datetime(2026, 3, 20, 12, 30, tzinfo=UTC)
SEEDS = (1, 7, 42)

SDK_FIELDS = {
    "sessionId", "sessionStartDateIso", "sessionDurationMs", "startupTimeMs", "rebufferTimeMs", "rebufferCount",
    "playTimeMs", "rebufferRatio", "totalDroppedFrames", "totalSeekCount", "totalSeekTimeMs",
    "meanVideoFormatBitrate", "errorCount",
}  # fmt: skip
TODAYS_FIELDS = SDK_FIELDS | {
    "timestamp", "contentId", "streamType", "userId", "deviceId", "appVersion", "deviceModel", "osVersion",
    "networkType", "country", "cdn", "player",
}  # fmt: skip
LEGACY_FIELDS = {
    "sessionId", "timestamp", "contentId", "streamType", "playerStartupMs", "rebufferTimeMs", "rebufferCount",
    "errorCount", "payload",
}  # fmt: skip


@pytest.fixture(scope="module")
def population() -> Population:
    return Population(7, END)


@pytest.fixture(scope="module")
def bodies(population: Population) -> list[dict[str, Any]]:
    return list(population.sessions())


@pytest.fixture(scope="module")
def todays(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [dict(body) for body in newest(bodies) if "appVersion" in body]


def _day(body: Mapping[str, Any]) -> date:
    return date.fromisoformat(body["sessionStartDateIso"][:10])


def _start_ms(body: dict[str, Any]) -> int:
    return round(datetime.fromisoformat(body["sessionStartDateIso"]).timestamp() * 1000)


def test_same_arguments_give_the_same_bodies(bodies: list[dict[str, Any]]) -> None:
    assert bodies == list(Population(7, END.replace(hour=1)).sessions())
    assert bodies != list(Population(8, END).sessions())
    assert len(bodies) == len(Population(7, END))


def test_iterating_twice_gives_the_same_and_callers_may_change_what_they_got(population: Population) -> None:
    first = list(population.sessions())
    first[0]["sessionId"] = "changed"
    assert next(population.sessions())["sessionId"] != "changed"


def test_viewers_stay_the_same_when_the_window_moves() -> None:
    def users(end: datetime) -> set[str]:
        return {body["userId"] for body in Population(7, end).sessions() if body.get("userId")}

    before, after = users(END), users(datetime(2026, 3, 21, tzinfo=UTC))
    assert len(before & after) > 0.9 * len(before)


@pytest.mark.parametrize(
    ("end", "days", "viewers"),
    [(END.replace(tzinfo=None), 14, 700), (END, 7, 700), (END, 14, 9)],
)
def test_arguments_that_leave_no_room_are_refused(end: datetime, days: int, viewers: int) -> None:
    with pytest.raises(ValueError, match="needs"):
        Population(1, end, days, viewers)


@pytest.mark.parametrize("seed", SEEDS)
def test_there_is_enough_of_everything(seed: int) -> None:
    bodies = list(Population(seed, END).sessions())
    kinds = Counter(frozenset(body) for body in bodies)
    assert set(kinds) == {frozenset(TODAYS_FIELDS), frozenset(SDK_FIELDS), frozenset(LEGACY_FIELDS)}
    assert len(bodies) >= 6_000
    assert 0.005 < kinds[frozenset(LEGACY_FIELDS)] / len(bodies) < 0.05
    assert kinds[frozenset(SDK_FIELDS)] >= 6


def test_every_body_is_json_within_the_limits_of_the_contract(bodies: list[dict[str, Any]]) -> None:
    for body in bodies:
        assert json.loads(json.dumps(body, allow_nan=False)) == body
        numbers = {name: value for name, value in body.items() if isinstance(value, int) and name != "timestamp"}
        assert all(0 <= value < 2**31 for name, value in numbers.items() if name != "meanVideoFormatBitrate")
        assert body.get("sessionDurationMs", 1) > 0
        assert len(str(body["sessionId"])) <= 128
        assert len(body.get("streamType", "")) <= 16
        assert "meanVideoFormatBitrate" not in body or body["meanVideoFormatBitrate"] >= -1


def test_fields_of_a_body_agree_with_each_other(bodies: list[dict[str, Any]]) -> None:
    for body in (body for body in bodies if "playTimeMs" in body):
        join = body["startupTimeMs"] or 0
        spent = body["playTimeMs"] + join + body["rebufferTimeMs"] + body["totalSeekTimeMs"]
        assert spent <= body["sessionDurationMs"]
        if body["startupTimeMs"] is None:
            assert (body["playTimeMs"], body["rebufferRatio"], body["meanVideoFormatBitrate"]) == (0, 0.0, -1)
        else:
            assert body["rebufferRatio"] == pytest.approx(body["rebufferTimeMs"] / spent)
        assert body["rebufferTimeMs"] == 0 or body["rebufferCount"] > 0
        if "timestamp" in body:
            assert body["timestamp"] == _start_ms(body) + body["sessionDurationMs"]


def test_string_ids_are_unique_but_for_resends_and_these_come_later(bodies: list[dict[str, Any]]) -> None:
    sends = defaultdict(list)
    for body in bodies:
        if isinstance(body["sessionId"], str):
            sends[body["sessionId"]].append(body)
    resent = [group for group in sends.values() if len(group) > 1]
    assert 0.01 < len(resent) / len(sends) < 0.04
    updated = [group for group in resent if group[-1]["timestamp"] > group[0]["timestamp"]]
    assert 40 < len(updated) < len(resent)
    for group in resent:
        stamps = [body["timestamp"] for body in group]
        assert stamps == sorted(stamps)
        assert len({body["sessionStartDateIso"] for body in group}) == 1


def test_two_old_devices_both_count_from_one(bodies: list[dict[str, Any]]) -> None:
    counted = Counter(body["sessionId"] for body in bodies if isinstance(body["sessionId"], int))
    assert set(counted.values()) <= {1, 2}
    assert counted[1] == counted[2] == 2
    assert sorted(counted) == list(range(1, max(counted) + 1))


def test_one_clock_is_plainly_wrong_and_the_others_lie_in_the_window(
    population: Population, bodies: list[dict[str, Any]]
) -> None:
    outside = {_day(b) for b in bodies if "sessionStartDateIso" in b} - set(population.days)
    assert outside == {date(2001, 1, 1)}
    assert sum(_day(body).year == 2001 for body in newest(bodies) if "sessionStartDateIso" in body) == 1


def test_some_sends_arrive_days_late(todays: list[dict[str, Any]]) -> None:
    latest, late = 0, 0
    for body in (body for body in todays if _day(body).year > 2001):
        latest = max(latest, body["timestamp"])
        late += body["timestamp"] < latest - 12 * 3_600_000
    assert 0.008 < late / len(todays) < 0.03


def test_viewers_have_habits(todays: list[dict[str, Any]]) -> None:
    """Intra-class correlation by one-way analysis of variance, of log startup, some ten sessions a viewer."""
    groups = defaultdict(list)
    for body in todays:
        if body["userId"] and body["startupTimeMs"] and body["appVersion"] != "4.2.0":
            groups[body["userId"]].append(np.log(body["startupTimeMs"]))
    sizes = np.array([len(group) for group in groups.values() if len(group) > 1])
    values = [np.array(group) for group in groups.values() if len(group) > 1]
    grand = np.concatenate(values).mean()
    between = sum(len(v) * (v.mean() - grand) ** 2 for v in values) / (len(values) - 1)
    within = sum(((v - v.mean()) ** 2).sum() for v in values) / (sizes.sum() - len(values))
    typical = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / (len(values) - 1)
    assert 8 < sizes.mean() < 15
    assert 0.15 < (between - within) / (between + (typical - 1) * within) < 0.7


def test_evenings_and_weekends_are_busy(todays: list[dict[str, Any]]) -> None:
    days, hours = Counter(_day(body) for body in todays), Counter(int(b["sessionStartDateIso"][11:13]) for b in todays)
    weekend = [n for day, n in days.items() if day.weekday() >= 5 and day.year > 2001]
    assert min(weekend) > 1.2 * median(n for day, n in days.items() if day.weekday() < 4 and day.year > 2001)
    assert sum(hours[hour] for hour in range(17, 22)) > 5 * sum(hours[hour] for hour in range(3, 8))


def test_few_titles_get_most_of_the_plays(todays: list[dict[str, Any]]) -> None:
    plays = Counter(body["contentId"] for body in todays)
    assert len(plays) == len(TITLES) == len({title.content_id for title in TITLES}) == 40
    assert sum(n for _, n in plays.most_common(8)) > 0.45 * len(todays)
    assert {body["streamType"] for body in todays} == {"dash", "hls", "progressive"}


@pytest.mark.parametrize("seed", SEEDS)
def test_quality_is_that_of_a_believable_service(seed: int) -> None:
    truth = Population(seed, END).truth()
    assert 600 < truth.others.startup_ms_p50 < 1_200
    assert 0.3 < truth.others.rebuffer_pct_play < 1.5
    assert 0.4 < truth.others.vsf_pct < 1.6
    assert 0.8 < truth.others.ebvs_pct < 3.5
    assert 0.5 < truth.others.vpf_pct < 1.7
    assert 3e6 < truth.others.bitrate_bps < 6e6


def test_networks_and_devices_matter_and_stalls_are_zero_inflated(todays: list[dict[str, Any]]) -> None:
    def startup(field: str, value: str) -> float:
        return median(float(b["startupTimeMs"]) for b in todays if b[field] == value and b["startupTimeMs"] is not None)

    assert startup("networkType", "cellular-4g") > 1.3 * startup("networkType", "wifi")
    assert startup("deviceModel", "Moto G34") > 1.3 * startup("deviceModel", "Pixel 9")
    played = [body for body in todays if body["playTimeMs"] > 0]
    assert 0.5 < sum(body["rebufferTimeMs"] == 0 for body in played) / len(played) < 0.85
    assert any(body["rebufferCount"] > 0 and body["rebufferTimeMs"] == 0 for body in played)
    assert any(body["meanVideoFormatBitrate"] == -1 for body in played)


def test_the_longer_the_wait_the_more_leave(todays: list[dict[str, Any]]) -> None:
    def exits(network: str) -> float:
        return figures([body for body in todays if body["networkType"] == network]).ebvs_pct

    assert exits("cellular-4g") > 1.5 * exits("wifi")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bad_release_is_plainly_visible_by_version_and_by_day(seed: int) -> None:
    population = Population(seed, END)
    truth = population.truth()
    assert (truth.bad_release, truth.bad_day) == ("4.2.0", date(2026, 3, 15))
    assert 1.8 < truth.startup_ratio < 2.6
    assert 2.0 < truth.rebuffer_ratio < 4.2
    assert truth.bad.vsf_pct > 2.5 * truth.others.vsf_pct
    days = defaultdict(list)
    for body in newest(population.sessions()):
        if "sessionStartDateIso" in body and _day(body).year > 2001:
            days[_day(body)].append(body)
    by_day = {day: figures(sessions) for day, sessions in days.items()}
    ordinary = [figure for day, figure in by_day.items() if day != truth.bad_day]
    assert by_day[truth.bad_day].startup_ms_p50 > 1.3 * max(figure.startup_ms_p50 for figure in ordinary)
    assert by_day[truth.bad_day].rebuffer_pct_play > 1.2 * max(figure.rebuffer_pct_play for figure in ordinary)
    assert by_day[truth.bad_day].vsf_pct > median(figure.vsf_pct for figure in ordinary) * 2


def test_releases_roll_out_over_days_and_the_bad_one_is_fixed(
    population: Population, todays: list[dict[str, Any]]
) -> None:
    shares: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for body in todays:
        shares[_day(body)][body["appVersion"]] += 1
    bad = {day: shares[day]["4.2.0"] / shares[day].total() for day in population.days}
    assert 0.5 < bad[population.bad_day] < 0.8
    assert sum(share > 0 for share in bad.values()) in {2, 3}
    assert all(share < 0.12 for day, share in bad.items() if day != population.bad_day)
    minor = [shares[day]["4.1.0"] / shares[day].total() for day in population.days[2:6]]
    assert minor == sorted(minor)
    assert set().union(*shares.values()) == set(VERSIONS)


def test_truth_of_a_case_worked_by_hand() -> None:
    def body(identifier: str | int, timestamp: int | None, startup: int | None, play: int, **more: Any) -> Any:
        sent = {} if timestamp is None else {"timestamp": timestamp}
        base = {"rebufferTimeMs": 0, "meanVideoFormatBitrate": -1, "errorCount": 0, "sessionStartDateIso": "x"}
        return base | sent | {"sessionId": identifier, "startupTimeMs": startup, "playTimeMs": play} | more

    legacy = {"sessionId": "l", "timestamp": 5, "playerStartupMs": 400, "rebufferTimeMs": 9_000, "errorCount": 1}
    truth = known_truth(
        [
            body("a", 1, 100, 1_000, appVersion="9"),
            body("a", 2, 200, 9_000, rebufferTimeMs=1_000, meanVideoFormatBitrate=2_000_000, appVersion="9"),
            body("b", 3, None, 0, errorCount=1, appVersion="8"),
            body("c", 3, None, 0, appVersion="8"),
            body(1, None, 300, 1_000, meanVideoFormatBitrate=1_000_000),
            body(1, None, 100, 80_000, sessionStartDateIso="y"),
            legacy | {"meanVideoFormatBitrate": None},
        ],
        bad_release="9",
        bad_day=date(2026, 1, 1),
    )
    found = truth.overall
    assert (truth.sends, found.sessions, truth.bad.sessions, truth.others.sessions) == (7, 6, 1, 2)
    assert (found.startup_ms_p50, found.startup_ms_p95, found.startup_ms_mean) == (200, 400, 250)
    assert found.play_hours == pytest.approx(90_000 / 3_600_000)
    assert found.rebuffer_pct_play == pytest.approx(100 * 1_000 / 91_000)
    assert found.bitrate_bps == pytest.approx(1_900_000)
    assert (found.vsf_pct, found.ebvs_pct) == pytest.approx((100 / 6, 100 / 6))
    assert found.vpf_pct == pytest.approx(25)


@pytest.mark.parametrize(("q", "expected"), [(0.5, 2), (0.75, 3), (0.76, 4), (0.95, 4), (1.0, 4), (0.01, 1)])
def test_nearest_rank(q: float, expected: int) -> None:
    assert nearest_rank([4, 1, 3, 2], q) == expected


def test_nothing_has_no_quantile() -> None:
    assert np.isnan(nearest_rank([], 0.5))
