"""Player events and CMCD: the raw tables that the endpoint and `load` land, and what is derived from them."""

from pipelines.assets.derived import derived
from pipelines.assets.metadata import spec
from pipelines.partitions import DAYS
from warehouse import live_derivations
from warehouse.cmcd_datasets import RAW_CMCD
from warehouse.event_datasets import RAW_EVENTS

raw_events = spec(RAW_EVENTS, "raw", partitions_def=DAYS)
core_events = derived(live_derivations.EVENTS, "core")
out_engagement = derived(live_derivations.ENGAGEMENT, "out")
raw_cmcd = spec(RAW_CMCD, "raw", partitions_def=DAYS)
core_cmcd = derived(live_derivations.CMCD, "core")
out_cmcd_sessions = derived(live_derivations.CMCD_SESSIONS, "out")
