"""`out_progress_daily`: what each user watched of each title on each local day, from `core_watches`."""

from pipelines.assets.derived import derived
from warehouse.derivations import PROGRESS_DAILY

out_progress_daily = derived(PROGRESS_DAILY, "out")
