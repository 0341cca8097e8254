"""What the landing tells whoever measures it: plain callables, so that it knows no metrics library."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def _ignore(*_: Any) -> None:
    """Measure nothing."""


@dataclass(frozen=True)
class Observer:
    """Called as things happen; `followed` and `sealed` from threads of the landing's own."""

    appended: Callable[[int], None] = _ignore
    """Records of one group commit."""
    followed: Callable[[int, float, float], None] = _ignore
    """Records of one statement, its seconds, the lag in seconds that it ended."""
    sealed: Callable[[int], None] = _ignore
    """Records of one sealed segment."""
