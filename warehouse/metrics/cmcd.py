"""Quality of experience from CMCD: requests become rows, rows become one row a session.

Keys are read in `cmcd_keys`, logs in `cmcd_logs`. What a player's own session tells is in `sessions` and `watching`.

Source: CTA-5004, Common Media Client Data.
"""

import polars as pl

from warehouse.datasets.cmcd import CORE_CMCD, OUT_CMCD_SESSIONS, REQUEST_COLUMNS

KEY = ("day", "tenant", "session_id")

MEDIA = ("v", "av", "a")
"""Types of objects that are played; muxed and plain video are one kind."""


def build_core(raw: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `CORE_CMCD` from rows of `RAW_CMCD` in any order and repetition, sorted by key.

    Rows that Postgres refused are left out. Payloads are JSON objects of CMCD keys, as `cmcd_keys` returns them.
    """
    keys = pl.Struct({key: dtype for key, dtype, _ in REQUEST_COLUMNS.values()})
    sound = raw.filter(pl.col("refused").is_null()).with_columns(pl.col("payload").str.json_decode(keys).alias("keys"))
    columns = {name: pl.col("keys").struct.field(key) for name, (key, _, _) in REQUEST_COLUMNS.items()}
    columns |= {name: columns[name].fill_null(value=False) for name in ("starved", "urgent")}
    columns["playback_rate"] = columns["playback_rate"].fill_null(1.0)
    rows = sound.sort("received_at", "ingest_id").unique(subset=CORE_CMCD.key, keep="first").with_columns(**columns)
    schema = CORE_CMCD.schema()
    return rows.select(*schema).cast(schema).sort(CORE_CMCD.key)


def sessions(core: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `OUT_CMCD_SESSIONS` from rows of `CORE_CMCD` in any order; requests without sid are left out.

    - rebuffer_count: `bs` says that the buffer ran empty since the request before, so requests that say so in a row
      tell of one stall. Audio and video tell of the same stall each for itself: the kind that tells of more counts;
    - bitrate_bps: sum of br·d / sum of d over video objects, the plain mean where d is not sent; where the player asked
      for no video, over audio objects;
    - rebuffer_ms, startup_ms, dropped_frames: version 1 has no such keys; null unless the player speaks version 2.
    """
    order = (*KEY, "occurred_at", "number", "request_id")
    requests = core.drop_nulls("session_id").sort(*order, nulls_last=False)
    kind = pl.when(pl.col("object_type").is_in(["v", "av"])).then(pl.lit("v")).when(pl.col("object_type") == "a")
    marked = requests.with_columns(kind=kind.then(pl.lit("a")))
    # "v" is the greater: where there is any video, only that counts.
    marked = marked.with_columns(counted=pl.col("kind") == pl.col("kind").max().over(KEY))
    out = marked.group_by(KEY).agg(**_of_all(), **_of_counted()).join(_stalls(marked), on=KEY, how="left")
    schema = OUT_CMCD_SESSIONS.schema()
    return out.select(*schema).cast(schema).sort(OUT_CMCD_SESSIONS.key)


def _of_all() -> dict[str, pl.Expr]:
    media = pl.col("kind").is_not_null()
    buffers = pl.col("buffer_ms").filter(media)
    told = {name: pl.col(name).drop_nulls().last() for name in ("content_id", "stream_format", "stream_kind")}
    return told | {
        "first_at": pl.col("occurred_at").min(),
        "last_at": pl.col("occurred_at").max(),
        "requests_n": pl.len(),
        "media_requests_n": media.sum(),
        "starved_requests_n": pl.col("starved").sum(),
        "rebuffer_ms": pl.when(pl.col("starved_ms").count() > 0).then(pl.col("starved_ms").sum().round()),
        "urgent_requests_n": pl.col("urgent").sum(),
        "startup_ms": pl.col("startup_ms").drop_nulls().first().round(),
        "dropped_frames": pl.col("dropped_frames").max().round(),
        "buffer_ms_mean": buffers.mean(),
        "buffer_ms_min": pl.col("buffer_ms").filter(media & ~pl.col("urgent")).min(),
        "throughput_bps": (pl.col("throughput_kbps").median() * 1000).round(),
        "requested_bps": (pl.col("requested_kbps").median() * 1000).round(),
    }


def _of_counted() -> dict[str, pl.Expr]:
    counted = pl.col("counted").fill_null(value=False)
    bitrate, length = pl.col("bitrate_kbps").filter(counted), pl.col("object_ms").filter(counted)
    both = bitrate.is_not_null() & length.is_not_null()
    weighted = (bitrate * length).filter(both).sum() / length.filter(both).sum()
    mean = pl.when(length.filter(both).sum() > 0).then(weighted).otherwise(bitrate.mean())
    top = pl.col("top_bitrate_kbps").filter(counted)
    return {
        "media_ms": pl.when(length.count() > 0).then(length.sum().round()),
        "bitrate_bps": (mean * 1000).round(),
        "top_bitrate_bps": (top.max() * 1000).round(),
        "bitrate_share_ratio": (bitrate / top).filter(top > 0).mean(),
    }


def _stalls(marked: pl.DataFrame) -> pl.DataFrame:
    of_kind = (*KEY, "kind")
    began = pl.col("starved") & ~pl.col("starved").shift(1, fill_value=False).over(of_kind)
    runs = marked.with_columns(began=began).group_by(of_kind).agg(runs=pl.col("began").sum())
    return runs.group_by(KEY).agg(rebuffer_count=pl.col("runs").max())
