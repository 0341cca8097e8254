"""What of the content was watched, second by second: segments, watched seconds, completion, replay and drop-off curves.

Positions count here, not the clock: how long a session played and stalled is in `playback`.
"""

import polars as pl

from warehouse.datasets.events import CORE_WATCHED_SECONDS, OUT_ENGAGEMENT
from warehouse.metrics.events import ordered

COMPLETED_RATIO = 0.95
"""A session whose furthest second is this far into the content watched it to its end: credits are left out."""

SESSION = ("day", "tenant", "session_id", "content_id")
CONTENT = ("day", "tenant", "content_id")


def segments(core: pl.DataFrame) -> pl.DataFrame:
    """Return what was watched: [day, tenant, session_id, content_id, user_id, first_s, last_s], a row a piece.

    `core` holds rows of `CORE_EVENTS`, each event once, in any order. Within one session and content a start pairs
    with the last end before the next start. `play` is a start; `pause`, `complete`, a fatal error and a `seek`, at
    `from`, are ends. A seek that tells where it went also is a start there, while playing; while paused it is neither.
    Where a start has no end, the last heartbeat or stall after it serves as one; without that it counts nothing.
    Positions are rounded up; of a piece from `start` to `end` > `start`, the seconds from max(start, 1) to `end`
    count, both included. A content id or user that some event of a session does not tell is taken from its neighbours.

    Source: Open edX's rule for watched segments (openedx/aspects-dbt), which this keeps second by second.
    """
    marks = _marks(core)
    group = list(SESSION)
    piece = pl.col("start").cast(pl.Int64).cum_sum().over(group)
    position = pl.col("position_s")
    last = [position.filter(pl.col(kind)).last().alias(kind) for kind in ("end", "glimpse")]
    pieces = (
        marks.with_columns(piece=piece)
        .filter(pl.col("piece") > 0)
        .group_by(*group, "piece", maintain_order=True)
        .agg(pl.col("user_id").last(), position.first().alias("first"), *last)
        .with_columns(first_s=_second("first"), last_s=pl.coalesce(_second("end"), _second("glimpse")))
        .filter(pl.col("last_s") > pl.col("first_s"))
    )
    return pieces.select(*group, "user_id", pl.col("first_s").clip(lower_bound=1), "last_s")


def watched_seconds(pieces: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `CORE_WATCHED_SECONDS` of segments, sorted by key."""
    key = CORE_WATCHED_SECONDS.key
    seconds = _expanded(pieces).group_by(key).agg(count=pl.len())
    schema = CORE_WATCHED_SECONDS.schema()
    return seconds.select(*schema).cast(schema).sort(key)


def aggregate(core: pl.DataFrame, pieces: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `OUT_ENGAGEMENT` of core events and their segments, sorted by key.

    Per content and second: completion is reached_n / sessions_n of the totals, drop-off is last_n / reached_n, and
    replays are watches_sum − sessions_n. Sessions are counted, not viewers, so that days add up.
    """
    by_session = _expanded(pieces).group_by(*SESSION, "second").agg(watches=pl.len())
    furthest = by_session.group_by(SESSION).agg(second=pl.col("second").max(), watches=pl.col("watches").sum())
    seconds = (
        by_session.group_by(*CONTENT, "second")
        .agg(sessions_n=pl.len(), watches_sum=pl.col("watches").sum())
        .join(furthest.group_by(*CONTENT, "second").agg(last_n=pl.len()), on=[*CONTENT, "second"], how="left")
        .with_columns(pl.col("last_n").fill_null(0))
        .sort(*CONTENT, "second")
        .with_columns(reached_n=pl.col("last_n").cum_sum(reverse=True).over(CONTENT))
    )
    schema = OUT_ENGAGEMENT.schema()
    zeros = {"completed_n": pl.lit(0), "length_n": pl.lit(0), "length_s_max": pl.lit(None, pl.Float64)}
    rows = pl.concat(
        [part.select(*schema).cast(schema) for part in (seconds.with_columns(**zeros), _totals(core, furthest))]
    )
    return rows.sort(OUT_ENGAGEMENT.key)


def _totals(core: pl.DataFrame, furthest: pl.DataFrame) -> pl.DataFrame:
    length = _told(core).group_by(SESSION).agg(pl.col("duration_s").filter(pl.col("duration_s") > 0).max())
    known = furthest.join(length, on=SESSION, how="left")
    ended = pl.col("second") >= COMPLETED_RATIO * pl.col("duration_s")
    return known.group_by(CONTENT).agg(
        second=pl.lit(0),
        sessions_n=pl.len(),
        watches_sum=pl.col("watches").sum(),
        reached_n=pl.len(),
        last_n=pl.lit(0),
        completed_n=ended.fill_null(value=False).sum(),
        length_n=pl.col("duration_s").count(),
        length_s_max=pl.col("duration_s").max(),
    )


def _told(core: pl.DataFrame) -> pl.DataFrame:
    """Return the events in order, each with the content and user of its session."""
    session = ("day", "tenant", "session_id")
    near = [pl.col(name).forward_fill().backward_fill().over(session) for name in ("content_id", "user_id")]
    return ordered(core).with_columns(near)


def _marks(core: pl.DataFrame) -> pl.DataFrame:
    """Return starts, ends and glimpses (what serves where no end came) with their positions, in order."""
    kind, phase = pl.col("type"), pl.col("phase").fill_null("")
    left = pl.coalesce("from_s", "position_s")
    seeks = kind == "seek"
    jumps = (seeks & (pl.col("phase").is_not_null() | (pl.col("to_s") != left))).fill_null(value=False)
    fatal = (kind == "error") & pl.col("fatal").fill_null(value=True)
    stops = kind.is_in(["pause", "complete"]) | fatal | (seeks & ~jumps)
    running = pl.when(kind == "play").then(statement=True).when(stops).then(statement=False)
    events = (
        _told(core)
        .with_columns(jumps=jumps, stops=stops, running=running)
        .with_columns(running=pl.col("running").forward_fill().over(SESSION).fill_null(value=False))
        .with_row_index("number")
    )
    jumped = pl.col("jumps") & pl.col("running")
    at = pl.when(seeks).then(left).when(kind == "complete").then(pl.coalesce("position_s", "duration_s"))
    here = events.with_columns(
        position_s=at.otherwise("position_s"),
        start=kind == "play",
        end=pl.col("stops") | (jumped & (phase != "end")),
        glimpse=kind.is_in(["heartbeat", "buffer_start", "buffer_end"]),
        half=pl.lit(0),
    )
    there = events.filter(jumped & (phase != "start")).with_columns(
        position_s=pl.coalesce("to_s", "position_s"),
        start=pl.lit(value=True),
        end=pl.lit(value=False),
        glimpse=pl.lit(value=False),
        half=pl.lit(1),
    )
    marks = pl.concat([here, there]).filter(pl.any_horizontal("start", "end", "glimpse"))
    return marks.drop_nulls("position_s").sort("number", "half")


def _second(name: str) -> pl.Expr:
    return pl.col(name).ceil().cast(pl.Int64)


def _expanded(pieces: pl.DataFrame) -> pl.DataFrame:
    every = pl.int_ranges("first_s", pl.col("last_s") + 1)
    return pieces.with_columns(second=every).explode("second")
