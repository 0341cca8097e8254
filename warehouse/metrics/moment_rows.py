"""Moments as rows: the bins of whole days judged at once, and a moment in words. What a moment is is in `moments`."""

import hashlib
import json
from datetime import UTC, date, datetime

import polars as pl

from warehouse.datasets import INSTANT
from warehouse.live_datasets import OUT_MOMENTS
from warehouse.metrics.live_bins import by_stream
from warehouse.metrics.moments import Moment, StreamState, advance

LOOKBACK_S = 6 * 3600
"""Seconds before a day that its baselines remember: what lies further back weighs less than 1 in 8,000."""


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
    schema = OUT_MOMENTS.schema()
    columns: dict[str, pl.DataType] = {
        "tenant": pl.String(),
        "stream_id": pl.String(),
        "at": INSTANT,
        "z_score": pl.Float64(),
        "over": pl.Boolean(),
    }
    return (
        pl.DataFrame(found, schema=schema).sort(OUT_MOMENTS.key),
        pl.DataFrame(judged, schema=columns, orient="row"),
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
