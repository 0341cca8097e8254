"""The rule that incidents are measured against: an hour more than 3 standard deviations above the last 7 days' mean."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from warehouse.metrics.incident_series import METRICS, series

WINDOW = 7 * 24
Alarm = tuple[str, datetime, datetime]


def naive_alarms(out: pl.DataFrame, cohort: int) -> list[Alarm]:
    """Return (metric, begin, end); those of all slices that overlap count as one, which such rules do not do."""
    given = series(out, "hour", cohort)
    alarms: list[Alarm] = []
    for metric in METRICS:
        seen = given.moments[metric]
        enough = (seen.n >= cohort) & (seen.den > 0)
        value = np.where(enough, np.divide(seen.num, seen.den, out=np.zeros_like(seen.num), where=seen.den > 0), 0.0)
        sums = [np.vstack([np.zeros(value.shape[1]), np.cumsum(part, axis=0)]) for part in (enough, value, value**2)]
        count, total, squares = (part[WINDOW:-1] - part[: -WINDOW - 1] for part in sums)
        mean = total / np.maximum(count, 1)
        sd = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0.0))
        high = enough[WINDOW:] & (count >= 24) & (value[WINDOW:] - mean > 3 * sd)
        hours = np.flatnonzero(high.any(axis=1)) + WINDOW
        runs = np.split(hours, np.flatnonzero(np.diff(hours) > 3) + 1)
        hour = timedelta(hours=1)
        alarms += [(metric, given.time(int(run[0])), given.time(int(run[-1])) + hour) for run in runs if len(run)]
    return alarms
