"""The lake: appended once, replaced by days, read from the snapshot's own files, by several processes at once."""

import json
import multiprocessing
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from warehouse.datasets import CORE_SESSIONS, DATASETS, OUT_QOE_DAILY, RAW_SESSIONS, Dataset
from warehouse.lake import Lake

MONDAY, TUESDAY, WEDNESDAY = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)


def core(lake: Lake, day: date, *ids: str, tenant: str = "acme", **columns: object) -> pl.DataFrame:
    started = datetime(day.year, day.month, day.day, 1, 2, 3, 456_789, tzinfo=UTC)
    rows = [{"day": day, "tenant": tenant, "session_id": name, "started_at": started} | columns for name in ids]
    return pl.DataFrame(rows, schema=lake.schema(CORE_SESSIONS))


def held(lake: Lake, **selection: object) -> dict[date, list[str]]:
    frame = lake.scan(CORE_SESSIONS, **selection).collect()  # type: ignore[arg-type]
    return {day: sorted(group["session_id"]) for (day,), group in frame.group_by("day")}  # type: ignore[misc]


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_a_missing_table_is_empty(lake: Lake, dataset: Dataset) -> None:
    assert lake.scan(dataset).collect_schema() == lake.schema(dataset)
    assert lake.row_counts(dataset) == lake.fingerprints(dataset) == {}
    assert lake.delete(dataset, tenant="acme") == 0


def _value(dtype: pl.DataType) -> object:
    if isinstance(dtype, pl.List):
        return [_value(pl.Series(dtype=dtype.inner).dtype)] * 2
    values: dict[type[pl.DataType], object] = {
        pl.Date: MONDAY,
        pl.String: "ünï'\"\n\\\u2028\u0085\x1c",
        pl.Int64: 2**62,
        pl.Int32: -(2**31),
        pl.Float64: 0.1,
        pl.Boolean: True,
        pl.Datetime: datetime(2026, 1, 5, 1, 2, 3, 456_789, tzinfo=UTC),
    }
    return values[type(dtype)]


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_every_type_comes_back_as_it_went(lake: Lake, dataset: Dataset) -> None:
    schema = lake.schema(dataset)
    full = {name: _value(dtype) for name, dtype in schema.items()}
    frame = pl.DataFrame([full, {"day": MONDAY}], schema=schema)
    lake.append_once(dataset, frame, app_id="test", version=1)
    assert_frame_equal(lake.scan(dataset).collect(), frame, check_row_order=False)


def test_an_append_is_recognised_when_repeated(lake: Lake) -> None:
    frame = core(lake, MONDAY, "a", "b")
    assert lake.append_once(CORE_SESSIONS, frame, app_id="worker-1", version=1)
    assert not lake.append_once(CORE_SESSIONS, frame, app_id="worker-1", version=1)
    assert lake.append_once(CORE_SESSIONS, frame, app_id="worker-2", version=1)
    assert lake.append_once(CORE_SESSIONS, core(lake, TUESDAY), app_id="worker-1", version=2)
    assert not lake.append_once(CORE_SESSIONS, core(lake, TUESDAY, "late"), app_id="worker-1", version=2)
    assert lake.row_counts(CORE_SESSIONS) == {MONDAY: 4}


def test_replacing_days_leaves_the_others(lake: Lake) -> None:
    everything = pl.concat([core(lake, MONDAY, "a"), core(lake, TUESDAY, "b"), core(lake, WEDNESDAY, "c")])
    lake.replace_days(CORE_SESSIONS, everything, [MONDAY, TUESDAY, WEDNESDAY])
    before = lake.fingerprints(CORE_SESSIONS)
    lake.replace_days(CORE_SESSIONS, core(lake, TUESDAY, "d", "e"), [TUESDAY])
    assert held(lake) == {MONDAY: ["a"], TUESDAY: ["d", "e"], WEDNESDAY: ["c"]}
    after = lake.fingerprints(CORE_SESSIONS)
    assert {day for day in before if before[day] != after[day]} == {TUESDAY}


def test_days_may_be_emptied_and_days_unknown(lake: Lake) -> None:
    lake.replace_days(CORE_SESSIONS, core(lake, MONDAY), [MONDAY])
    lake.replace_days(CORE_SESSIONS, core(lake, MONDAY, "a"), [MONDAY, TUESDAY])
    lake.replace_days(CORE_SESSIONS, core(lake, MONDAY), [TUESDAY])
    assert lake.row_counts(CORE_SESSIONS) == {MONDAY: 1}
    lake.replace_days(CORE_SESSIONS, core(lake, MONDAY), [MONDAY])
    assert lake.row_counts(CORE_SESSIONS) == lake.fingerprints(CORE_SESSIONS) == held(lake) == {}
    lake.replace_days(CORE_SESSIONS, core(lake, MONDAY), [])


def test_rows_of_other_days_or_other_columns_are_refused(lake: Lake) -> None:
    with pytest.raises(ValueError, match="2026, 1, 6"):
        lake.replace_days(CORE_SESSIONS, core(lake, TUESDAY, "a"), [MONDAY])
    with pytest.raises(ValueError, match="core_sessions"):
        lake.append_once(CORE_SESSIONS, core(lake, MONDAY, "a").drop("outcome"), app_id="w", version=1)
    assert held(lake) == {}


def test_scans_choose_days_and_tenant(lake: Lake) -> None:
    for version, (day, tenant) in enumerate([(MONDAY, "acme"), (TUESDAY, "acme"), (TUESDAY, "other")]):
        lake.append_once(CORE_SESSIONS, core(lake, day, tenant, tenant=tenant), app_id="w", version=version)
    assert held(lake, days=[TUESDAY, WEDNESDAY]) == {TUESDAY: ["acme", "other"]}
    assert held(lake, tenant="other") == {TUESDAY: ["other"]}
    assert held(lake, days=[]) == held(lake, tenant="nobody") == {}
    assert held(lake, days=iter([MONDAY])) == {MONDAY: ["acme"]}


def test_a_snapshot_outlives_a_replacement(lake: Lake) -> None:
    lake.replace_days(CORE_SESSIONS, core(lake, MONDAY, "old"), [MONDAY])
    scan = lake.scan(CORE_SESSIONS)
    lake.replace_days(CORE_SESSIONS, core(lake, MONDAY, "new"), [MONDAY])
    assert scan.collect()["session_id"].to_list() == ["old"]


@pytest.mark.parametrize("name", ["with space", "env=prod", "100% #1?*", "日本 é😀", "$HOME'\"{};&"])
def test_folders_of_any_name(tmp_path: Path, name: str) -> None:
    lake = Lake(str(tmp_path / name), {})
    lake.replace_days(CORE_SESSIONS, core(lake, MONDAY, "a"), [MONDAY])
    assert held(lake) == {MONDAY: ["a"]}


@pytest.mark.parametrize("name", ["a[1]", "a%20b", "day=5", "a|b"])
def test_a_folder_that_cannot_be_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="the lake cannot lie in"):
        Lake(str(tmp_path / name), {})


def test_a_dimension_may_be_added_and_taken_away(lake: Lake) -> None:
    narrow = Lake(lake.url, {"cdn": "cdn"})
    wide = Lake(lake.url, {"cdn": "cdn", "house": "houseId"})
    narrow.append_once(CORE_SESSIONS, core(narrow, MONDAY, "a", cdn="x"), app_id="w", version=1)
    assert wide.scan(CORE_SESSIONS).select("cdn", "house").collect().rows() == [("x", None)]
    wide.append_once(CORE_SESSIONS, core(wide, MONDAY, "b", house="h"), app_id="w", version=2)
    wide.replace_days(CORE_SESSIONS, core(wide, TUESDAY, "c", house="i"), [TUESDAY])
    assert wide.scan(CORE_SESSIONS).sort("session_id").select("cdn", "house").collect().rows() == [
        ("x", None),
        (None, "h"),
        (None, "i"),
    ]
    assert held(narrow) == {MONDAY: ["a", "b"], TUESDAY: ["c"]}
    narrow.append_once(CORE_SESSIONS, core(narrow, TUESDAY, "d"), app_id="w", version=3)
    narrow.replace_days(CORE_SESSIONS, core(narrow, MONDAY, "e"), [MONDAY])
    assert held(wide) == {MONDAY: ["e"], TUESDAY: ["c", "d"]}


def test_deleting_a_tenant_counts_and_leaves_the_others(lake: Lake) -> None:
    quoted = "o'hara"
    both = pl.concat([core(lake, MONDAY, "a", "b"), core(lake, MONDAY, "c", tenant=quoted)])
    lake.replace_days(CORE_SESSIONS, both, [MONDAY])
    lake.append_once(CORE_SESSIONS, core(lake, TUESDAY, "d"), app_id="w", version=1)
    before = lake.fingerprints(CORE_SESSIONS)
    assert lake.delete(CORE_SESSIONS, tenant=quoted) == 1
    assert lake.delete(CORE_SESSIONS, tenant=quoted) == 0
    assert held(lake) == {MONDAY: ["a", "b"], TUESDAY: ["d"]}
    assert lake.fingerprints(CORE_SESSIONS)[TUESDAY] == before[TUESDAY]


def test_the_log_describes_the_table_and_holds_no_identifying_statistics(lake: Lake) -> None:
    secret = "somebody-in-particular"
    lake.append_once(CORE_SESSIONS, core(lake, MONDAY, secret, user_id=secret, country="NZ"), app_id="w", version=1)
    location = Path(lake.url) / CORE_SESSIONS.name
    log = "".join(path.read_text() for path in sorted((location / "_delta_log").glob("*.json")))
    assert secret not in log
    table = DeltaTable(location)
    assert table.metadata().description == CORE_SESSIONS.comment
    assert table.metadata().partition_columns == ["day"]
    fields = json.loads(table.schema().to_json())["fields"]
    assert all(field["metadata"]["comment"] for field in fields)
    statistics = [
        json.loads(json.loads(line)["add"]["stats"]) for line in log.splitlines() if line.startswith('{"add"')
    ]
    assert statistics[0]["minValues"]["country"] == "NZ"


def _append(url: str, worker: int, commits: int) -> None:
    lake = Lake(url, {})
    for version in range(commits):
        frame = core(lake, date(2026, 1, 1 + version % 3), f"{worker}-{version}")
        assert lake.append_once(CORE_SESSIONS, frame, app_id=f"worker-{worker}", version=version)
        assert not lake.append_once(CORE_SESSIONS, frame, app_id=f"worker-{worker}", version=version)


def test_processes_that_append_to_a_new_table_lose_nothing(lake: Lake) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_append, args=(lake.url, worker, 12)) for worker in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert sum(lake.row_counts(CORE_SESSIONS).values()) == 48


def _same(url: str, _: int) -> bool:
    lake = Lake(url, {})
    return lake.append_once(CORE_SESSIONS, core(lake, MONDAY, "once"), app_id="adopted", version=7)


def test_of_processes_that_seal_the_same_segment_one_appends(lake: Lake) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert sorted(pool.starmap(_same, [(lake.url, n) for n in range(6)])) == [False] * 5 + [True]
    assert lake.row_counts(CORE_SESSIONS) == {MONDAY: 1}


def test_hundreds_of_commits_leave_checkpoints(lake: Lake) -> None:
    frame = pl.DataFrame(schema=lake.schema(RAW_SESSIONS))
    for version in range(55):
        lake.append_once(RAW_SESSIONS, frame, app_id="w", version=version)
    assert list((Path(lake.url) / RAW_SESSIONS.name / "_delta_log").glob("*.checkpoint.parquet"))
    assert not lake.append_once(RAW_SESSIONS, frame, app_id="w", version=54)


def test_tables_that_are_published_have_no_dimensions(lake: Lake) -> None:
    assert lake.schema(OUT_QOE_DAILY) == OUT_QOE_DAILY.schema()
