"""What pages and figures print of a metric and of a dimension: titles, the definition in one line, known disagreements.

Which metrics there are, and what they mean, is in `warehouse.metrics.registry`; nothing here computes.
"""

from warehouse.metrics.registry import METRICS as METRICS
from warehouse.metrics.registry import Unit as Unit

DIMENSION_TITLES = {
    "app_version": "App version",
    "device_model": "Device",
    "os_version": "OS version",
    "network_type": "Network",
    "cdn": "CDN",
}
"""Dimensions whose title is not simply their name."""


def dimension_title(name: str) -> str:
    """Return what a dimension is called on a page."""
    return DIMENSION_TITLES.get(name, name.replace("_", " ").capitalize())


_UNITS = {"pct": "percent", "ms": "ms", "bps": "bit/s", "score": "0–100"}


def definition(metric: str) -> str:
    """Return a metric's formula and unit in one line."""
    return f"{METRICS[metric].formula}{unit_name(metric)}."


def unit_name(metric: str) -> str:
    """Return a metric's unit as it follows a formula: ", percent"; empty where the formula tells it."""
    unit = _UNITS.get(METRICS[metric].unit)
    return f", {unit}" if unit else ""


def source_table(metric: str) -> str:
    """Return the table from which a metric is read."""
    return METRICS[metric].table


DISAGREEMENTS = (
    "Rebuffering here divides by play + rebuffer time. CTA-2066 also counts startup and seek time in the denominator "
    "and so gives a lower figure; Puffer counts stall hours over watch hours with startup apart.",
    "TUM's data counts stalls a minute of video; stalls an hour here divide by hours of play.",
    "Media3's own rebuffer ratio is a mean of ratios, in which a ten-second session weighs as much as a film; every "
    "other ratio here is a ratio of sums.",
    "A player that logs “buffering” every 100 ms has one stall, not many.",
    "Mean startup improves when the impatient leave, so exits before start stand beside it.",
    "The experience score combines the parts that Mux has published; Mux's own way of combining them is not public, "
    "so the two scores are not the same.",
    "Many tools test sessions as if they were independent. Sessions of one viewer are alike: at ten sessions a viewer "
    "such tests raise 10–14 % false alarms where 5 % are nominal. Comparisons here count viewers.",
)
"""Where others count differently, for the foot of a page."""
