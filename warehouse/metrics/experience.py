"""The experience score of one session, 0-100. Its mean over sessions is made in `qoe`."""

import narwhals as nw

EBVS_MIN_MS = 1_000
"""An exit before video start within so long is taken for a slip of the finger and has no score."""


def experience_score() -> nw.Expr:
    """Return success / 100 x mean(startup, smoothness), or null where a term is unknown.

    - startup = 100 x 8 / (8 + s), s the startup time in seconds;
    - smoothness = mean(100 / sqrt(1 + (n/2)^2), 100 x e^(-10 r)), n the rebuffer count, r = rebuffer / (play +
      rebuffer), and 0 when nothing rebuffered;
    - success = 100 for `played`, 50 for `exit_before_video_start`, 0 for both failures.

    A failure scores 0, whatever else is known. An exit before start has waited in vain for the whole session: s is its
    duration, what was not measured of rebuffering counts as none, and it has no score when the duration is unknown or
    at most 1,000 ms. A played session needs every term.

    Source: the parts are Mux's published ones (viewer experience score). How Mux combines them is not published; this
    combination is our own, and its scores must not be compared with Mux's.
    """
    outcome = nw.col("outcome")
    waited = nw.col("duration_ms")
    waited_in_vain = 0.5 * _score(waited, nw.col("rebuffer_count").fill_null(0), _stalled_share(strict=False))
    played = _score(nw.col("startup_ms"), nw.col("rebuffer_count"), _stalled_share(strict=True))
    failed = (outcome == "video_start_failure") | (outcome == "playback_failure")
    in_vain = (outcome == "exit_before_video_start") & (waited > EBVS_MIN_MS)
    return (
        nw.when(failed)
        .then(nw.lit(0.0))
        .otherwise(nw.when(outcome == "played").then(played).otherwise(nw.when(in_vain).then(waited_in_vain)))
    )


def _score(startup_ms: nw.Expr, stalls: nw.Expr, stalled_share: nw.Expr) -> nw.Expr:
    startup = 800.0 * (8.0 + startup_ms * 1e-3) ** -1.0
    by_count = 100.0 * (1.0 + stalls * stalls * 0.25) ** -0.5
    by_time = 100.0 * (stalled_share * -10.0).exp()
    return 0.5 * startup + 0.25 * (by_count + by_time)


def _stalled_share(*, strict: bool) -> nw.Expr:
    """Return rebuffer / (play + rebuffer), 0 when nothing rebuffered; when strict, null unless both are known."""
    rebuffer, play = nw.col("rebuffer_ms"), nw.col("play_ms")
    if not strict:
        rebuffer, play = rebuffer.fill_null(0), play.fill_null(0)
    whole = play + rebuffer
    return rebuffer * nw.when(whole > 0).then(whole * 1.0).otherwise(whole * 0.0 + 1.0) ** -1.0
