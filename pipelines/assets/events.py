"""Player events and CMCD: the raw tables that the endpoint and `load` land, and what is derived from them."""

from pipelines.assets.derived import derived
from pipelines.assets.metadata import spec
from pipelines.partitions import DAYS
from warehouse.datasets.cmcd import RAW_CMCD
from warehouse.datasets.events import RAW_EVENTS
from warehouse.derivations import live

raw_events = spec(RAW_EVENTS, "raw", partitions_def=DAYS)
core_events = derived(live.EVENTS, "core")
out_engagement = derived(live.ENGAGEMENT, "out")
raw_cmcd = spec(RAW_CMCD, "raw", partitions_def=DAYS)
core_cmcd = derived(live.CMCD, "core")
out_cmcd_sessions = derived(live.CMCD_SESSIONS, "out")
