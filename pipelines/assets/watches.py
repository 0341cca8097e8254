"""`raw_watches` and `raw_metadata`, landed by the endpoint, and `core_watches`, built from both."""

from pipelines.assets.derived import derived
from pipelines.assets.metadata import spec
from pipelines.partitions import DAYS
from warehouse.datasets.watches import RAW_METADATA, RAW_WATCHES
from warehouse.derivations import WATCHES

raw_watches = spec(RAW_WATCHES, "raw", partitions_def=DAYS)
raw_metadata = spec(RAW_METADATA, "raw", partitions_def=DAYS)
core_watches = derived(WATCHES, "core")
