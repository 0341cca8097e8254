"""`out_qoe_daily` and `out_qoe_histogram_daily`: sums that add up, from `core_sessions`."""

from pipelines.assets.derived import derived
from warehouse.derivations import QOE_DAILY

out_qoe_daily = derived(QOE_DAILY, "out")
