"""Who watches: devices, networks, places, and the habits that make sessions of one viewer alike.

What a viewer does in one session is drawn in `lab.playbacks`; here is only what stays the same from session to session.
"""

import uuid
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab.titles import TITLES, popularity

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


class Device(NamedTuple):
    """A model: its share among devices of its kind, its slowness (log of startup) and the bitrate that it can show."""

    model: str
    os_version: str
    share: float
    slowness: float
    cap_bps: float


class Network(NamedTuple):
    """An access network: typical startup, stalls an hour in a session that stalls at all, typical bitrate."""

    name: str
    startup_ms: float
    stalls_per_hour: float
    bitrate_bps: float


class Country(NamedTuple):
    """A country: its share, its offset from UTC and the share of its sessions served by the first CDN."""

    code: str
    share: float
    offset_hours: float
    first_cdn: float


PHONES = (
    Device("Pixel 9", "Android 16", 0.16, -0.20, 4.5e6),
    Device("Pixel 7a", "Android 15", 0.14, 0.00, 4.0e6),
    Device("Galaxy S24", "Android 15", 0.22, -0.15, 4.5e6),
    Device("Galaxy A54", "Android 14", 0.20, 0.10, 3.5e6),
    Device("Redmi Note 13", "Android 14", 0.16, 0.15, 3.0e6),
    Device("Moto G34", "Android 13", 0.12, 0.30, 2.5e6),
)
TELEVISIONS = (
    Device("Fire TV Stick 4K", "Fire OS 8", 0.45, 0.10, 12e6),
    Device("Chromecast with Google TV", "Android 14", 0.30, 0.05, 10e6),
    Device("BRAVIA XR", "Android 12", 0.25, 0.20, 14e6),
)
DEVICES = PHONES + TELEVISIONS

NETWORKS = (
    Network("wifi", 700.0, 11.0, 6.0e6),
    Network("ethernet", 590.0, 6.0, 9.0e6),
    Network("cellular-5g", 830.0, 14.0, 4.5e6),
    Network("cellular-4g", 1120.0, 23.0, 2.2e6),
)
WIFI, ETHERNET, CELLULAR_5G, CELLULAR_4G = range(4)

COUNTRIES = (
    Country("DE", 0.34, 1.0, 0.8),
    Country("GB", 0.22, 0.0, 0.7),
    Country("FR", 0.14, 1.0, 0.6),
    Country("NL", 0.10, 1.0, 0.8),
    Country("PL", 0.10, 1.0, 0.3),
    Country("US", 0.10, -5.0, 0.1),
)
CDNS = ("northedge", "swiftlane")

FAVOURITES = 4
LEGACY_SHARE = 0.02
COUNTING_DEVICES = 2

CURRENT, LEGACY, COUNTING = range(3)
"""The builds in use: today's SDK, the backend's old schema, and an SDK whose ids count from 1 on every device."""


@dataclass(frozen=True)
class Viewers:
    """One array entry a viewer; `*_effect` add to logarithms, and are zero for the typical viewer."""

    user_ids: list[str | None]
    """None for those who watch without an account."""
    device_ids: list[tuple[str, str]]
    """Of the phone and of the television."""
    build: Integers
    activity: Floats
    """Share of all sessions."""
    country: Integers
    phone: Integers
    television: Integers
    television_share: Floats
    """Share of sessions on the television; 0 for those without one."""
    wired: Booleans
    cellular_share: Floats
    has_5g: Booleans
    peak_hour: Floats
    startup_effect: Floats
    stall_effect: Floats
    patience_ms: Floats
    """Typical wait for a first frame before giving up."""
    favourites: Integers
    """Shape (viewers, FAVOURITES): indices of titles."""
    update_lag_days: Floats
    """Days until an ordinary release is installed."""
    eager: Floats
    """Uniform in 0-1: a release given to a share of viewers goes to those below it."""

    def __len__(self) -> int:
        return len(self.user_ids)


def draw_viewers(rng: np.random.Generator, n: int) -> Viewers:
    """Draw `n` viewers; the same generator state gives the same viewers."""
    activity = rng.gamma(1.6, size=n)
    build = np.where(rng.random(n) < LEGACY_SHARE, LEGACY, CURRENT)
    build[:COUNTING_DEVICES] = COUNTING
    activity[:COUNTING_DEVICES] = 1.6
    network_quality = rng.normal(size=n)
    accounts = rng.random(n) < 0.85
    return Viewers(
        user_ids=[f"user-{_identifier(rng)[:12]}" if account else None for account in accounts],
        device_ids=[(_identifier(rng), _identifier(rng)) for _ in range(n)],
        build=build,
        activity=activity / activity.sum(),
        country=rng.choice(len(COUNTRIES), n, p=[country.share for country in COUNTRIES]),
        phone=rng.choice(len(PHONES), n, p=[device.share for device in PHONES]),
        television=len(PHONES) + rng.choice(len(TELEVISIONS), n, p=[device.share for device in TELEVISIONS]),
        television_share=np.where(rng.random(n) < 0.45, rng.beta(4, 3, n), 0.0),
        wired=rng.random(n) < 0.25,
        cellular_share=rng.beta(1.2, 4.0, n),
        has_5g=rng.random(n) < 0.45,
        peak_hour=np.where(rng.random(n) < 0.78, rng.normal(20.3, 1.2, n), rng.normal(13.0, 2.5, n)),
        startup_effect=0.34 * network_quality,
        stall_effect=0.40 * network_quality + rng.normal(0.0, 0.35, n),
        patience_ms=rng.lognormal(np.log(7_500.0), 0.5, n),
        favourites=rng.choice(len(TITLES), (n, FAVOURITES), p=popularity()),
        update_lag_days=rng.exponential(1.8, n),
        eager=rng.random(n),
    )


def _identifier(rng: np.random.Generator) -> str:
    return uuid.UUID(bytes=rng.bytes(16), version=4).hex
