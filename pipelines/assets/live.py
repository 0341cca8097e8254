"""Live streams: `raw_streams`, `raw_chat` and `raw_viewers`, landed by the endpoint, and what is derived from them."""

from pipelines.assets.derived import derived
from pipelines.assets.metadata import spec
from pipelines.partitions import DAYS
from warehouse.datasets.live import RAW_CHAT, RAW_STREAMS, RAW_VIEWERS
from warehouse.derivations import live

raw_streams = spec(RAW_STREAMS, "raw", partitions_def=DAYS)
raw_chat = spec(RAW_CHAT, "raw", partitions_def=DAYS)
raw_viewers = spec(RAW_VIEWERS, "raw", partitions_def=DAYS)
core_streams = derived(live.STREAMS, "core")
core_chat = derived(live.CHAT, "core")
core_viewers = derived(live.VIEWERS, "core")
out_chat_minute = derived(live.MINUTES, "out")
