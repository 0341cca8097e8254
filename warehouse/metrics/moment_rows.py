"""Moments as rows: the bins of whole days judged at once, and a moment in words. What a moment is is in `moments`."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from warehouse.datasets import INSTANT
from warehouse.datasets.live import OUT_MOMENTS
from warehouse.metrics.live_bins import by_stream
from warehouse.metrics.moments import Moment, StreamState, advance

LOOKBACK_S = 6 * 3600
"""Seconds before a day that its baselines remember: what lies further back weighs less than 1 in 8,000."""

NO_MOMENTS = OUT_MOMENTS.schema().to_frame()
NO_SCORES = pl.DataFrame(
    schema={
        "tenant": pl.String(),
        "stream_id": pl.String(),
        "at": INSTANT,
        "z_score": pl.Float64(),
        "over": pl.Boolean(),
    }
)
"""The shapes of what is detected."""


def detect(frame: pl.DataFrame, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of `OUT_MOMENTS` of one UTC day, and [tenant, stream_id, at, z_score, over] of its chat windows.

    `frame` is a frame of `live_bins.bins`, of any number of streams; of the bins before `day` the last `LOOKBACK_S`
    count, so that streams which run over midnight have a baseline. `at` is the end of a window that was judged.
    """
    midnight = round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    near = frame.filter(pl.col("bin_s").is_between(midnight - LOOKBACK_S, midnight + 86_400, closed="left"))
    found: list[dict[str, object]] = []
    judged: list[tuple[str, str, datetime, float, bool]] = []
    for (tenant, stream), bins in by_stream(near):
        _, moments, scores = advance(StreamState(), bins)
        found += [row(tenant, stream, moment) for moment in moments if moment.at_s // 86_400 * 86_400 == midnight]
        judged += [(tenant, stream, _instant(s.at_s), s.z_score, s.over) for s in scores if s.at_s > midnight]
    return (
        pl.DataFrame(found, schema=NO_MOMENTS.schema).sort(OUT_MOMENTS.key),
        pl.DataFrame(judged, schema=NO_SCORES.schema, orient="row"),
    )


def row(tenant: str, stream_id: str, moment: Moment) -> dict[str, object]:
    """Return the row of `OUT_MOMENTS` that tells of a moment."""
    at = _instant(moment.at_s)
    identity = json.dumps([tenant, stream_id, moment.moment_type, moment.at_s])
    return {
        "day": at.date(),
        "tenant": tenant,
        "stream_id": stream_id,
        "moment_id": hashlib.sha256(identity.encode()).hexdigest()[:32],
        "detected_at": at,
        "moment_type": moment.moment_type,
        "description": _describe(moment),
        "metric_name": moment.metric_name,
        "metric_value": moment.metric_value,
        "threshold": moment.threshold,
        "z_score": moment.z_score,
        "evidence": json.dumps(moment.evidence),
    }


def _describe(moment: Moment) -> str:
    value, usual = moment.metric_value, moment.evidence["baseline"]
    if moment.moment_type == "chat_spike":
        return f"Chat rose to {value:.1f} messages a second, usual {usual:.1f}"
    if moment.moment_type == "viewer_spike":
        return f"Viewers rose to {value:,.0f}, usual {usual:,.0f}"
    return f"Sentiment {'rose' if value > usual else 'fell'} to {value:+.2f}, usual {usual:+.2f}"


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def named(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of `OUT_MOMENTS` with the columns of the view `moments`, as the API tells it."""
    told = {name: row[name] for name in OUT_MOMENTS.columns if name not in {"day", "tenant", "detected_at", "evidence"}}
    return told | {"timestamp": row["detected_at"], "metadata": json.loads(row["evidence"])}
