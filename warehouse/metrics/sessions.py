"""Raw session payloads become core sessions: typed, deduplicated to the newest send, cleaned.

Here belong the rules that a row must keep, the choice among the sends of a session, and cleaning. JSON is read in
`decoding`, by the mapping in `fields`; outcome classes are in `outcomes`, aggregates in `qoe` and `histogram`;
reading and writing tables is the business of `warehouse.lake`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from warehouse.datasets import CORE_SESSIONS, CORE_SESSIONS_QUARANTINE
from warehouse.metrics.decoding import decode
from warehouse.metrics.fields import FIELDS as FIELDS
from warehouse.metrics.fields import Field as Field
from warehouse.metrics.outcomes import outcome

NEWEST = ("sent_at", "received_at", "ingest_id")
"""The newest send of a session is the one whose values of these columns are greatest, in this order."""


@dataclass(frozen=True)
class CoreBuild:
    """What raw sessions became; every raw row is in exactly one of the three.

    `core` has the schema of `CORE_SESSIONS` with the configured dimensions, sorted by its key; `quarantine` that of
    `CORE_SESSIONS_QUARANTINE`; `superseded` counts, for each day that has any, the sends that a newer one replaced.
    """

    core: pl.DataFrame
    quarantine: pl.DataFrame
    superseded: Mapping[date, int]


def build_core(raw: pl.LazyFrame | pl.DataFrame, dimensions: Mapping[str, str]) -> CoreBuild:
    """Build core sessions from rows of `RAW_SESSIONS`, of any number of days and tenants, in any order.

    `dimensions` maps the name of each configured dimension to its payload field. A row that breaks a rule is
    quarantined and takes no part in deduplication: `refused_by_postgres`, `unreadable_payload`, `wrong_type`,
    `out_of_range`. Each day is deduplicated for itself, so that days built together and alone are equal; all sends of
    a session share the day of its first arrival.
    """
    decoded = _apply_rules(decode(raw.lazy(), dimensions))
    sound = decoded.filter(pl.col("rule").is_null())
    key = ("day", *CORE_SESSIONS.key)
    newest = sound.sort(*key, *NEWEST).unique(subset=key, keep="last", maintain_order=True)
    schema = CORE_SESSIONS.schema(dimensions)
    told = newest.lazy().with_columns(_clean()).with_columns(outcome=outcome())
    absent = [pl.lit(None).alias(name) for name in schema if name not in newest.columns and name != "outcome"]
    core = told.with_columns(absent).select(*schema).cast(schema)
    return CoreBuild(core.collect(), _quarantine(decoded), _superseded(sound, newest))


def _apply_rules(decoded: pl.DataFrame) -> pl.DataFrame:
    """Name the rule that a row breaks in `rule`, and what was found in `detail`."""
    unsound = pl.any_horizontal([broken for field in FIELDS for broken in _broken(field).values()]).fill_null(
        value=False
    )
    suspect = decoded["rule"].is_not_null() | decoded["refused"].is_not_null() | decoded.select(unsound).to_series()
    found: dict[str, list[pl.Expr]] = {"rule": [pl.col("rule")], "detail": [pl.col("detail")]}
    for field in FIELDS:
        for rule, broken in _broken(field).items():
            value = pl.col(field.column).cast(pl.String).str.slice(0, 64)
            found["rule"].append(pl.when(broken).then(pl.lit(rule)))
            found["detail"].append(pl.when(broken).then(pl.format("{} is {}", pl.lit(field.sdk), value)))
    refused = pl.col("refused").is_not_null()
    named = decoded.filter(suspect).with_columns(
        rule=pl.when(refused).then(pl.lit("refused_by_postgres")).otherwise(pl.coalesce(found["rule"])),
        detail=pl.when(refused).then("refused").otherwise(pl.coalesce(found["detail"])),
    )
    return pl.concat([decoded.filter(~suspect), named])


def _broken(field: Field) -> dict[str, pl.Expr]:
    """Return what makes a value unsound, by rule. The door refuses such values; these rules say so if it did not."""
    value = pl.col(field.column)
    if not field.dtype.is_numeric():
        return {"out_of_range": value.str.len_chars() > field.high}
    rules = {"out_of_range": ~value.is_between(field.low, field.high)}
    return {"wrong_type": value != value.floor()} | rules if field.dtype.is_integer() else rules


def _clean() -> list[pl.Expr]:
    """Return what Media3 reports of things it never measured, as the null that it means; raw keeps the value.

    A mean bitrate of -1 is unknown, and a rebuffer ratio is 0.0 when nothing was played.
    """
    played = pl.col("play_ms").fill_null(0) > 0
    return [
        pl.when(pl.col("bitrate_bps") > 0).then("bitrate_bps"),
        pl.when(played).then("rebuffer_ratio_media3"),
    ]


def _quarantine(decoded: pl.DataFrame) -> pl.DataFrame:
    schema = CORE_SESSIONS_QUARANTINE.schema()
    bad = decoded.filter(pl.col("rule").is_not_null()).sort("day", "tenant", "ingest_id")
    return bad.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _superseded(sound: pl.DataFrame, newest: pl.DataFrame) -> Mapping[date, int]:
    sends, kept = (dict(frame.group_by("day").len().iter_rows()) for frame in (sound, newest))
    return {day: sends[day] - kept[day] for day in sorted(sends) if sends[day] > kept[day]}
