"""The published QoE aggregates of hours, and what is published of each day."""

# One column a line, as Alembic writes them.
# ruff: noqa: E501
# fmt: off

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "published_days",
        sa.Column("dataset", sa.Text(), nullable=False, comment="The table, in the lake and here"),
        sa.Column("day", sa.Date(), nullable=False, comment="Its partition"),
        sa.Column("fingerprint", sa.Text(), nullable=False, comment="Hash of the lake's files whose rows are published"),
        sa.PrimaryKeyConstraint("dataset", "day", name=op.f("pk_published_days")),
        comment="What was published of each day, so that publishing it again writes only what differs",
    )
    op.create_table(
        "out_qoe_hourly",
        sa.Column("day", sa.Date(), nullable=False, comment="UTC day of the session's start"),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False, comment="UTC hour of the session's start"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("dimension", sa.Text(), nullable=True, comment="'content' for content x stream type, else the name of a configured dimension"),
        sa.Column("value", sa.Text(), nullable=True, comment="Value of the dimension, rare ones as 'other'; null in content rows and where not sent"),
        sa.Column("content_id", sa.Text(), nullable=True, comment="Content, in content rows"),
        sa.Column("stream_type", sa.Text(), nullable=True, comment="Stream type, in content rows"),
        sa.Column("sessions", sa.BigInteger(), nullable=True, comment="Sessions, whatever is known of them"),
        sa.Column("outcome_n", sa.BigInteger(), nullable=True, comment="Sessions whose outcome is known: the attempts of failure rates"),
        sa.Column("played_n", sa.BigInteger(), nullable=True, comment="Outcome: played"),
        sa.Column("video_start_failure_n", sa.BigInteger(), nullable=True, comment="Outcome: never started, with an error"),
        sa.Column("exit_before_video_start_n", sa.BigInteger(), nullable=True, comment="Outcome: never started, without error"),
        sa.Column("playback_failure_n", sa.BigInteger(), nullable=True, comment="Outcome: started, ended by a fatal error"),
        sa.Column("clock_suspect_n", sa.BigInteger(), nullable=True, comment="Sessions placed by arrival, for their clock cannot be right"),
        sa.Column("play_ms_n", sa.BigInteger(), nullable=True, comment="Sessions with a known play time"),
        sa.Column("play_ms_sum", sa.BigInteger(), nullable=True, comment="Play time, ms"),
        sa.Column("duration_ms_sum", sa.BigInteger(), nullable=True, comment="Session duration, ms"),
        sa.Column("rebuffer_pct_play_n", sa.BigInteger(), nullable=True, comment="Sessions for which every term of rebuffer_pct_play is known"),
        sa.Column("rebuffer_pct_play_num_sum", sa.BigInteger(), nullable=True, comment="Numerator of rebuffer_pct_play, ms"),
        sa.Column("rebuffer_pct_play_den_sum", sa.BigInteger(), nullable=True, comment="Denominator of rebuffer_pct_play, ms"),
        sa.Column("rebuffer_pct_play_num_sq_sum", sa.Double(), nullable=True, comment="Squares of the numerator of rebuffer_pct_play, in seconds, counts or Mbit"),
        sa.Column("rebuffer_pct_play_den_sq_sum", sa.Double(), nullable=True, comment="Squares of the denominator of rebuffer_pct_play, in seconds or counts"),
        sa.Column("rebuffer_pct_play_num_den_sum", sa.Double(), nullable=True, comment="Cross products of the terms of rebuffer_pct_play"),
        sa.Column("rebuffer_pct_cta_n", sa.BigInteger(), nullable=True, comment="Sessions for which every term of rebuffer_pct_cta is known"),
        sa.Column("rebuffer_pct_cta_num_sum", sa.BigInteger(), nullable=True, comment="Numerator of rebuffer_pct_cta, ms"),
        sa.Column("rebuffer_pct_cta_den_sum", sa.BigInteger(), nullable=True, comment="Denominator of rebuffer_pct_cta, ms"),
        sa.Column("rebuffer_pct_cta_num_sq_sum", sa.Double(), nullable=True, comment="Squares of the numerator of rebuffer_pct_cta, in seconds, counts or Mbit"),
        sa.Column("rebuffer_pct_cta_den_sq_sum", sa.Double(), nullable=True, comment="Squares of the denominator of rebuffer_pct_cta, in seconds or counts"),
        sa.Column("rebuffer_pct_cta_num_den_sum", sa.Double(), nullable=True, comment="Cross products of the terms of rebuffer_pct_cta"),
        sa.Column("wait_pct_n", sa.BigInteger(), nullable=True, comment="Sessions for which every term of wait_pct is known"),
        sa.Column("wait_pct_num_sum", sa.BigInteger(), nullable=True, comment="Numerator of wait_pct, ms"),
        sa.Column("wait_pct_den_sum", sa.BigInteger(), nullable=True, comment="Denominator of wait_pct, ms"),
        sa.Column("wait_pct_num_sq_sum", sa.Double(), nullable=True, comment="Squares of the numerator of wait_pct, in seconds, counts or Mbit"),
        sa.Column("wait_pct_den_sq_sum", sa.Double(), nullable=True, comment="Squares of the denominator of wait_pct, in seconds or counts"),
        sa.Column("wait_pct_num_den_sum", sa.Double(), nullable=True, comment="Cross products of the terms of wait_pct"),
        sa.Column("rebuffers_per_hour_n", sa.BigInteger(), nullable=True, comment="Sessions for which every term of rebuffers_per_hour is known"),
        sa.Column("rebuffers_per_hour_num_sum", sa.BigInteger(), nullable=True, comment="Numerator of rebuffers_per_hour, count"),
        sa.Column("rebuffers_per_hour_den_sum", sa.BigInteger(), nullable=True, comment="Denominator of rebuffers_per_hour, ms"),
        sa.Column("rebuffers_per_hour_num_sq_sum", sa.Double(), nullable=True, comment="Squares of the numerator of rebuffers_per_hour, in seconds, counts or Mbit"),
        sa.Column("rebuffers_per_hour_den_sq_sum", sa.Double(), nullable=True, comment="Squares of the denominator of rebuffers_per_hour, in seconds or counts"),
        sa.Column("rebuffers_per_hour_num_den_sum", sa.Double(), nullable=True, comment="Cross products of the terms of rebuffers_per_hour"),
        sa.Column("bitrate_bps_n", sa.BigInteger(), nullable=True, comment="Sessions for which every term of bitrate_bps is known"),
        sa.Column("bitrate_bps_num_sum", sa.Double(), nullable=True, comment="Numerator of bitrate_bps, bit"),
        sa.Column("bitrate_bps_den_sum", sa.BigInteger(), nullable=True, comment="Denominator of bitrate_bps, ms"),
        sa.Column("bitrate_bps_num_sq_sum", sa.Double(), nullable=True, comment="Squares of the numerator of bitrate_bps, in seconds, counts or Mbit"),
        sa.Column("bitrate_bps_den_sq_sum", sa.Double(), nullable=True, comment="Squares of the denominator of bitrate_bps, in seconds or counts"),
        sa.Column("bitrate_bps_num_den_sum", sa.Double(), nullable=True, comment="Cross products of the terms of bitrate_bps"),
        sa.Column("dropped_frames_per_min_n", sa.BigInteger(), nullable=True, comment="Sessions for which every term of dropped_frames_per_min is known"),
        sa.Column("dropped_frames_per_min_num_sum", sa.BigInteger(), nullable=True, comment="Numerator of dropped_frames_per_min, count"),
        sa.Column("dropped_frames_per_min_den_sum", sa.BigInteger(), nullable=True, comment="Denominator of dropped_frames_per_min, ms"),
        sa.Column("dropped_frames_per_min_num_sq_sum", sa.Double(), nullable=True, comment="Squares of the numerator of dropped_frames_per_min, in seconds, counts or Mbit"),
        sa.Column("dropped_frames_per_min_den_sq_sum", sa.Double(), nullable=True, comment="Squares of the denominator of dropped_frames_per_min, in seconds or counts"),
        sa.Column("dropped_frames_per_min_num_den_sum", sa.Double(), nullable=True, comment="Cross products of the terms of dropped_frames_per_min"),
        sa.Column("mean_seek_ms_n", sa.BigInteger(), nullable=True, comment="Sessions for which every term of mean_seek_ms is known"),
        sa.Column("mean_seek_ms_num_sum", sa.BigInteger(), nullable=True, comment="Numerator of mean_seek_ms, ms"),
        sa.Column("mean_seek_ms_den_sum", sa.BigInteger(), nullable=True, comment="Denominator of mean_seek_ms, count"),
        sa.Column("mean_seek_ms_num_sq_sum", sa.Double(), nullable=True, comment="Squares of the numerator of mean_seek_ms, in seconds, counts or Mbit"),
        sa.Column("mean_seek_ms_den_sq_sum", sa.Double(), nullable=True, comment="Squares of the denominator of mean_seek_ms, in seconds or counts"),
        sa.Column("mean_seek_ms_num_den_sum", sa.Double(), nullable=True, comment="Cross products of the terms of mean_seek_ms"),
        sa.Column("startup_ms_n", sa.BigInteger(), nullable=True, comment="Sessions with a value of startup_ms"),
        sa.Column("startup_ms_sum", sa.BigInteger(), nullable=True, comment="Sum of startup_ms"),
        sa.Column("startup_ms_sq_sum", sa.Double(), nullable=True, comment="Sum of squares of startup_ms (startup in seconds)"),
        sa.Column("rebuffer_ratio_media3_n", sa.BigInteger(), nullable=True, comment="Sessions with a value of rebuffer_ratio_media3"),
        sa.Column("rebuffer_ratio_media3_sum", sa.Double(), nullable=True, comment="Sum of rebuffer_ratio_media3"),
        sa.Column("rebuffer_ratio_media3_sq_sum", sa.Double(), nullable=True, comment="Sum of squares of rebuffer_ratio_media3 (startup in seconds)"),
        sa.Column("seeks_per_session_n", sa.BigInteger(), nullable=True, comment="Sessions with a value of seeks_per_session"),
        sa.Column("seeks_per_session_sum", sa.BigInteger(), nullable=True, comment="Sum of seeks_per_session"),
        sa.Column("seeks_per_session_sq_sum", sa.Double(), nullable=True, comment="Sum of squares of seeks_per_session (startup in seconds)"),
        sa.Column("experience_score_n", sa.BigInteger(), nullable=True, comment="Sessions with a value of experience_score"),
        sa.Column("experience_score_sum", sa.Double(), nullable=True, comment="Sum of experience_score"),
        sa.Column("experience_score_sq_sum", sa.Double(), nullable=True, comment="Sum of squares of experience_score (startup in seconds)"),
        sa.UniqueConstraint("day", "hour", "tenant", "dimension", "value", "content_id", "stream_type", name="uq_out_qoe_hourly_key", postgresql_nulls_not_distinct=True),
        comment="QoE sums an hour, by content x stream type and by each configured dimension; ratios come at read time",
    )
    op.create_table(
        "out_qoe_histogram_hourly",
        sa.Column("day", sa.Date(), nullable=False, comment="UTC day of the session's start"),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False, comment="UTC hour of the session's start"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("dimension", sa.Text(), nullable=True, comment="'content' for content x stream type, else the name of a configured dimension"),
        sa.Column("value", sa.Text(), nullable=True, comment="Value of the dimension, rare ones as 'other'; null in content rows and where not sent"),
        sa.Column("content_id", sa.Text(), nullable=True, comment="Content, in content rows"),
        sa.Column("stream_type", sa.Text(), nullable=True, comment="Stream type, in content rows"),
        sa.Column("metric", sa.Text(), nullable=True, comment="What was measured"),
        sa.Column("bucket", sa.Integer(), nullable=True, comment="Bucket number; see warehouse.metrics.histogram"),
        sa.Column("n", sa.BigInteger(), nullable=True, comment="Sessions in the bucket"),
        sa.UniqueConstraint("day", "hour", "tenant", "dimension", "value", "content_id", "stream_type", "metric", "bucket", name="uq_out_qoe_histogram_hourly_key", postgresql_nulls_not_distinct=True),
        comment="Log-spaced histograms an hour, by the same keys as out_qoe_hourly: quantiles come at read time",
    )


def downgrade() -> None:
    op.drop_table("out_qoe_histogram_hourly")
    op.drop_table("out_qoe_hourly")
    op.drop_table("published_days")
