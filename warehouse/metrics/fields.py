"""The one mapping of payload fields to session columns, with the limits of each.

What is done with them is in `decoding` (JSON to columns), `sessions` (core) and `warehouse.landing` (Postgres).
"""

from dataclasses import dataclass

import polars as pl

INT4_MAX = 2_147_483_647


@dataclass(frozen=True)
class Field:
    """A payload field and the column it fills.

    `sdk` and `legacy` are its names in the two payload shapes; `legacy` is None where that shape has no such field.
    Whichever key is present and not null is taken, `sdk` first. `low` and `high` bound the value, both included; of a
    text they bound the number of characters.
    """

    column: str
    sdk: str
    legacy: str | None
    dtype: pl.DataType
    low: int = 0
    high: int = INT4_MAX

    @property
    def keys(self) -> tuple[str, ...]:
        """The payload keys that hold the field, the preferred one first."""
        return (self.sdk,) if self.legacy in {None, self.sdk} else (self.sdk, str(self.legacy))


FIELDS = (
    Field("content_id", "contentId", "contentId", pl.String(), high=256),
    Field("stream_type", "streamType", "streamType", pl.String(), high=16),
    Field("user_id", "userId", None, pl.String(), high=128),
    Field("device_id", "deviceId", None, pl.String(), high=128),
    Field("duration_ms", "sessionDurationMs", None, pl.Int64(), low=1),
    Field("startup_ms", "startupTimeMs", "playerStartupMs", pl.Int64()),
    Field("play_ms", "playTimeMs", None, pl.Int64()),
    Field("rebuffer_ms", "rebufferTimeMs", "rebufferTimeMs", pl.Int64()),
    Field("rebuffer_count", "rebufferCount", "rebufferCount", pl.Int64()),
    Field("rebuffer_ratio_media3", "rebufferRatio", None, pl.Float64(), high=1),
    Field("seek_ms", "totalSeekTimeMs", None, pl.Int64()),
    Field("seek_count", "totalSeekCount", None, pl.Int64()),
    Field("dropped_frames", "totalDroppedFrames", None, pl.Int64()),
    Field("bitrate_bps", "meanVideoFormatBitrate", None, pl.Int64(), low=-1),
    Field("error_count", "errorCount", "errorCount", pl.Int64()),
)
"""Every typed payload field, in the order of `CORE_SESSIONS`."""
