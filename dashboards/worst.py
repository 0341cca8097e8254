"""Which single sessions went worst: the rows to open first when asking what happened to a viewer."""

import polars as pl

MOST = 25
LONG_WAIT_MS = 10_000
LONG_STALL_SHARE = 0.1
RULE = (
    "Failures first, then sessions that waited 10 s or more for their start or in stalls, or stalled for over a tenth "
    "of their play; the longest wait leads, then the newest. No class crowds out another."
)
_CLASSES = 3
_DESCENDING = [True, True, True, False]
_SEVERITY = {"video_start_failure": 2, "playback_failure": 1}
_IDS = ("session_id", "day", "content_id", "stream_type", "ingest_id", "outcome")
_MEASURES = ("startup_ms", "rebuffer_ms", "rebuffer_count", "play_ms")


def worst_sessions(
    core: pl.DataFrame | pl.LazyFrame, dimensions: tuple[str, ...] = (), *, limit: int = MOST
) -> pl.DataFrame:
    """Return at most `limit` rows of CORE_SESSIONS by `RULE`: ids, outcome, the given dimensions, what was measured.

    A null time counts as no wait here, never as a long one. Sessions that were merely fair are left out, so the
    frame may be empty. Times are in ms.
    """
    rebuffer, startup = pl.col("rebuffer_ms").fill_null(0), pl.col("startup_ms").fill_null(0)
    stalled = rebuffer > LONG_STALL_SHARE * (pl.col("play_ms").fill_null(0) + rebuffer)
    waited = (rebuffer >= LONG_WAIT_MS) | (startup >= LONG_WAIT_MS) | (stalled & (rebuffer > 1000))
    severity = pl.col("outcome").replace_strict(_SEVERITY, default=0, return_dtype=pl.Int8())
    order = ["severity", "wait_ms", "started_at", "session_id"]
    known = core.lazy().with_columns(severity.alias("severity"), (rebuffer + startup).alias("wait_ms"))
    bad = known.filter((pl.col("severity") > 0) | waited).collect().sort(order, descending=_DESCENDING)
    place = pl.int_range(pl.len()).over("severity")
    chosen = bad.with_columns(late=place >= -(-limit // _CLASSES)).sort("late", maintain_order=True).head(limit)
    return chosen.sort(order, descending=_DESCENDING).select(*_IDS, *dimensions, *_MEASURES)
