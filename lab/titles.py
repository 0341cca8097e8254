"""The catalogue that viewers choose from: invented titles, their stream types and lengths.

How often each is chosen is here (Zipf over the order below); who chooses what is in `lab.viewers`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ZIPF_EXPONENT = 0.9


class Title(NamedTuple):
    """One item of the catalogue; `strain` multiplies the rate of stalls, as a badly packaged title would."""

    content_id: str
    stream_type: str
    seconds: int
    strain: float = 1.0


TITLES = (
    Title("the-salt-road-s1e1", "dash", 3120),
    Title("harbour-lights-s2e6", "dash", 2640),
    Title("meridian", "dash", 6780),
    Title("kestrel-cup-final", "hls", 5700, 1.6),
    Title("the-salt-road-s1e2", "dash", 3060),
    Title("nine-winters", "dash", 7140),
    Title("cold-frame-trailer", "progressive", 148),
    Title("harbour-lights-s2e7", "dash", 2580),
    Title("paper-lanterns-s1e1", "hls", 1500),
    Title("the-salt-road-s1e3", "dash", 3180),
    Title("undertow", "dash", 6120, 1.9),
    Title("tiny-kitchens-dumplings", "progressive", 412),
    Title("paper-lanterns-s1e2", "hls", 1470),
    Title("a-map-of-rain", "dash", 5940),
    Title("the-salt-road-s1e4", "dash", 3240),
    Title("harbour-lights-s2e8", "dash", 2760),
    Title("city-derby-highlights", "hls", 660),
    Title("foxglove-lane-s3e1", "dash", 1740),
    Title("paper-lanterns-s1e3", "hls", 1530),
    Title("the-long-orbit", "dash", 8040),
    Title("tiny-kitchens-flatbread", "progressive", 388),
    Title("foxglove-lane-s3e2", "dash", 1680),
    Title("northern-line", "dash", 5580),
    Title("evening-bulletin", "hls", 1800, 1.3),
    Title("paper-lanterns-s1e4", "hls", 1490),
    Title("foxglove-lane-s3e3", "dash", 1710),
    Title("glass-orchard", "dash", 6300),
    Title("meridian-trailer", "progressive", 131),
    Title("owls-of-the-estuary-s1e1", "dash", 3000),
    Title("open-mic-at-the-granary", "hls", 4500),
    Title("owls-of-the-estuary-s1e2", "dash", 2940),
    Title("a-quiet-engine", "dash", 5760),
    Title("tiny-kitchens-plum-jam", "progressive", 455),
    Title("foxglove-lane-s3e4", "dash", 1760),
    Title("three-bridges", "dash", 6480),
    Title("owls-of-the-estuary-s1e3", "dash", 3030),
    Title("kestrel-cup-press-room", "hls", 960),
    Title("the-lamplighters", "dash", 6900),
    Title("undertow-trailer", "progressive", 119),
    Title("winter-concert", "hls", 5100),
)


def popularity() -> NDArray[np.float64]:
    """Return the share of choices of each title, most popular first, summing to 1."""
    weights = np.arange(1, len(TITLES) + 1, dtype=np.float64) ** -ZIPF_EXPONENT
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares
