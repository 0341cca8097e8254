"""`out_qoe_*` and `out_qoe_histogram_*`, daily and hourly: sums that add up, from `core_sessions`."""

from pipelines.assets.derived import derived
from warehouse.derivations import QOE_DAILY, QOE_HOURLY

out_qoe_daily = derived(QOE_DAILY, "out")
out_qoe_hourly = derived(QOE_HOURLY, "out")
