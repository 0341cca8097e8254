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
    played = outcome == "played"
    failed = (outcome == "video_start_failure") | (outcome == "playback_failure")
    in_vain = (outcome == "exit_before_video_start") & (nw.col("duration_ms") > EBVS_MIN_MS)
    score = _score(played)
    return (
        nw.when(failed)
        .then(nw.lit(0.0))
        .otherwise(nw.when(played).then(score).otherwise(nw.when(in_vain).then(0.5 * score)))
    )


def _score(played: nw.Expr) -> nw.Expr:
    """Return the mean of startup and smoothness; unless played, of the wait in vain.

    Quotients are of integers, which every engine divides; a power would cost more than all else that is summed.
    """

    def known(name: str) -> nw.Expr:
        return nw.when(played).then(nw.col(name)).otherwise(nw.col(name).fill_null(0))

    waited = nw.when(played).then(nw.col("startup_ms")).otherwise(nw.col("duration_ms"))
    stalls, rebuffer = known("rebuffer_count"), known("rebuffer_ms")
    whole = known("play_ms") + rebuffer
    stalled_share = rebuffer / nw.when(whole > 0).then(whole).otherwise(whole * 0 + 1)
    startup = nw.lit(800_000) / (waited + 8_000)
    by_count = 100.0 * (nw.lit(4) / (stalls * stalls + 4)).sqrt()
    by_time = 100.0 * (stalled_share * -10.0).exp()
    return 0.5 * startup + 0.25 * (by_count + by_time)
