"""Numbers as people read them: 1.23 %, 845 ms, 3.42 Mbit/s. Only text is made here; no metric is computed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from dashboards.catalogue import Unit

TOO_FEW = "too few"
NOT_MEASURED = "not measured"
NO_INTERVAL = "none, the sessions do not differ"
_NBSP = "\u00a0"


@dataclass(frozen=True)
class Scale:
    """How a unit is shown at some magnitude: value / divisor, with so many decimals and a suffix."""

    divisor: float
    suffix: str
    decimals: int

    def text(self, value: float) -> str:
        """Return the value without its suffix, thousands separated, with a true minus sign."""
        shown = round(value / self.divisor, self.decimals) + 0.0
        return f"{shown:,.{self.decimals}f}".replace("-", "\u2212")


def scale(unit: Unit, magnitude: float) -> Scale:
    """Return the scale that suits values of about `magnitude`, given in the metric's own unit."""
    size = abs(magnitude)
    if unit == "pct":
        return Scale(1, f"{_NBSP}%", 2 if size < 10 else 1)
    if unit == "ms":
        return Scale(1, f"{_NBSP}ms", 0) if size < 1000 else Scale(1000, f"{_NBSP}s", 2 if size < 10_000 else 1)
    if unit == "bps":
        return Scale(1e3, f"{_NBSP}kbit/s", 0) if size < 1e6 else Scale(1e6, f"{_NBSP}Mbit/s", 2)
    if unit == "hours":
        return Scale(1, f"{_NBSP}h", 0 if size >= 100 else 1)
    if unit == "points":
        return Scale(1, f"{_NBSP}points", 2 if size < 10 else 1)
    suffix = {"per_hour": f"{_NBSP}/h", "per_min": f"{_NBSP}/min"}.get(unit, "")
    return Scale(1, suffix, {"count": 0, "score": 1, "ratio": 4}.get(unit, 2))


def number(value: float, unit: Unit) -> str:
    """Return a value with its unit."""
    chosen = scale(unit, value)
    return chosen.text(value) + chosen.suffix


def signed(value: float, unit: Unit) -> str:
    """Return a value with its unit and always a sign: “+12.3 %”, “−4.50 %”; zero has none."""
    text = number(value, unit)
    return f"+{text}" if value > 0 and text != number(0.0, unit) else text


def time_scale(seconds: int) -> Scale:
    """Return the scale for durations of about so many seconds: minutes, or hours from 3 h on."""
    if seconds < 3 * 3600:
        return Scale(60, f"{_NBSP}min", 0)
    return Scale(3600, f"{_NBSP}h", 0 if seconds >= 20 * 3600 else 1)


def duration(seconds: int) -> str:
    """Return “45 min”, “12 h 5 min”, “1,204 h”: whole minutes, from 100 h on whole hours, truncated."""
    hours, minutes = divmod(seconds // 60, 60)
    if not hours:
        return f"{minutes}{_NBSP}min"
    return f"{hours:,}{_NBSP}h" if hours >= 100 or not minutes else f"{hours}{_NBSP}h{_NBSP}{minutes}{_NBSP}min"


def interval(low: float, high: float, unit: Unit) -> str:
    """Return both ends of an interval in one unit: “1.12–1.35 %”, or “−0.10 to 0.30 %” where an end is negative."""
    chosen = scale(unit, max(abs(low), abs(high)))
    between = "–" if low >= 0 else " to "
    return f"{chosen.text(low)}{between}{chosen.text(high)}{chosen.suffix}"


def bounds(low: float | None, high: float | None, unit: Unit) -> str:
    """Return both ends of an interval, or that there is none: sessions that do not differ say nothing of it."""
    return NO_INTERVAL if low is None or high is None else interval(low, high, unit)


def estimate(value: float | None, n: int, unit: Unit) -> str:
    """Return a value, or why there is none: nothing measured, or too few sessions for an interval."""
    if value is not None:
        return number(value, unit)
    return TOO_FEW if n else NOT_MEASURED


def p_value(p: float) -> str:
    """Return “p = 0.012”, or “p < 0.0001” below that."""
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def difference_unit(unit: Unit) -> Unit:
    """Return the unit of a difference: percentages and scores differ by points."""
    return "points" if unit in {"pct", "score"} else unit


def weight(value: float, unit: Unit) -> str:
    """Return by how much one session moves a metric, to two digits: “+0.0054 points”."""
    moved = difference_unit(unit)
    chosen = scale(moved, value)
    digits = f"{value / chosen.divisor:+.2g}"
    plain = f"{float(digits):+.10f}".rstrip("0").rstrip(".") if "e" in digits else digits
    return plain.replace("-", "\u2212") + chosen.suffix


def count(n: int, noun: str) -> str:
    """Write how many there are of something: "1 session", "8,030 sessions"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def day(value: date) -> str:
    """Return a day as “Mon 3 Mar 2025”."""
    return f"{value:%a} {value.day} {value:%b %Y}"


def period(first: date, last: date) -> str:
    """Return “3 Mar – 16 Mar 2025”, naming the year once where it is one."""
    if first == last:
        return day(first)
    start = f"{first.day} {first:%b}" if first.year == last.year else f"{first.day} {first:%b %Y}"
    return f"{start} – {last.day} {last:%b %Y}"


def moment(value: datetime) -> str:
    """Return an instant to the minute, in UTC."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
