"""`raw_sessions`, landed by the endpoint, and `core_sessions`, built from it."""

from pipelines.assets.derived import derived
from pipelines.assets.metadata import spec
from pipelines.partitions import DAYS
from warehouse.datasets import RAW_SESSIONS
from warehouse.derivations import SESSIONS

raw_sessions = spec(RAW_SESSIONS, "raw", partitions_def=DAYS)
core_sessions = derived(SESSIONS, "core")
