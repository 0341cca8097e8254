"""The daily aggregate of content x stream type as one SQL statement for DuckDB: the peer of the benchmark `qoe`.

The same columns as `OUT_QOE_DAILY`, but quantiles of startup are exact and come at once, without a histogram.
"""

from collections.abc import Sequence

from warehouse.datasets import MEANS, OUTCOMES, RATIOS, SCALE, Ratio

KEYS = ("day", "tenant", "content_id", "stream_type")

_WATCHED = "startup_ms + play_ms + rebuffer_ms + seek_ms"
_TERMS = {
    "rebuffer_pct_play": ("rebuffer_ms", "play_ms + rebuffer_ms"),
    "rebuffer_pct_cta": ("rebuffer_ms", _WATCHED),
    "wait_pct": ("startup_ms + rebuffer_ms + seek_ms", _WATCHED),
    "rebuffers_per_hour": ("rebuffer_count", "play_ms"),
    "bitrate_bps": ("bitrate_bps * play_ms * 1e-3", "play_ms"),
    "dropped_frames_per_min": ("dropped_frames", "play_ms"),
    "mean_seek_ms": ("seek_ms", "seek_count"),
}


def daily_aggregate(files: Sequence[str]) -> str:
    """Return the statement over these Parquet files."""
    terms = [f"{value} AS v_{name}" for name, value in _means().items()]
    for name, (num, den) in _TERMS.items():
        terms.append(f"CASE WHEN {den} IS NOT NULL THEN {num} END AS {name}_num")
        terms.append(f"CASE WHEN {num} IS NOT NULL THEN {den} END AS {name}_den")
    sums = [
        "count(*) AS sessions",
        "count(outcome) AS outcome_n",
        *(f"count(*) FILTER (outcome = '{outcome}') AS {outcome}_n" for outcome in OUTCOMES),
        "count(*) FILTER (clock_suspect) AS clock_suspect_n",
        "count(play_ms) AS play_ms_n",
        "sum(play_ms) AS play_ms_sum",
        "sum(duration_ms) AS duration_ms_sum",
        *(column for ratio in RATIOS for column in _ratio(ratio)),
        *(column for name in MEANS for column in _mean(name)),
        "quantile_disc(v_startup_ms, [0.5, 0.95]) AS quantiles",
    ]
    keys = ", ".join(KEYS)
    kept = f"{keys}, outcome, clock_suspect, play_ms, duration_ms"
    source = f"read_parquet({list(files)!r}, hive_partitioning = true)"
    return f"SELECT {keys}, {', '.join(sums)} FROM (SELECT {kept}, {', '.join(terms)} FROM {source}) GROUP BY {keys}"


def _ratio(ratio: Ratio) -> list[str]:
    name = ratio.name
    num, den = f"({name}_num * {SCALE[ratio.num_unit]}::DOUBLE)", f"({name}_den * {SCALE[ratio.den_unit]}::DOUBLE)"
    return [
        f"count({name}_num) AS {name}_n",
        f"sum({name}_num) AS {name}_num_sum",
        f"sum({name}_den) AS {name}_den_sum",
        f"sum({num} * {num}) AS {name}_num_sq_sum",
        f"sum({den} * {den}) AS {name}_den_sq_sum",
        f"sum({num} * {den}) AS {name}_num_den_sum",
    ]


def _mean(name: str) -> list[str]:
    value = f"(v_{name} * {SCALE['ms'] if name == 'startup_ms' else 1.0}::DOUBLE)"
    return [
        f"count(v_{name}) AS {name}_n",
        f"sum(v_{name}) AS {name}_sum",
        f"sum({value} * {value}) AS {name}_sq_sum",
    ]


def _means() -> dict[str, str]:
    played = _score("startup_ms", "rebuffer_count", "play_ms", "rebuffer_ms")
    known = [f"coalesce({name}, 0)" for name in ("rebuffer_count", "play_ms", "rebuffer_ms")]
    score = f"""CASE
        WHEN outcome IN ('video_start_failure', 'playback_failure') THEN 0.0
        WHEN outcome = 'played' THEN {played}
        WHEN outcome = 'exit_before_video_start' AND duration_ms > 1000 THEN 0.5 * {_score("duration_ms", *known)}
    END"""
    return {
        "startup_ms": "startup_ms",
        "rebuffer_ratio_media3": "rebuffer_ratio_media3",
        "seeks_per_session": "seek_count",
        "experience_score": score,
    }


def _score(waited: str, stalls: str, play: str, rebuffer: str) -> str:
    share = f"(CASE WHEN {play} + {rebuffer} > 0 THEN {rebuffer} / ({play} + {rebuffer}) ELSE {rebuffer} * 0.0 END)"
    smooth = f"100 / sqrt(1 + {stalls} * {stalls} * 0.25) + 100 * exp(-10 * {share})"
    return f"(0.5 * 800 / (8 + {waited} * 1e-3) + 0.25 * ({smooth}))"
