"""95 % intervals from sums: the mean, a ratio of sums, a proportion.

Pure functions of Polars expressions, so that any number of rows is done at once. All take observations for
independent: sessions of one viewer are alike, so that intervals over sessions are too narrow where viewers return
often. Intervals of quantiles come from order statistics and are in `histogram`.
"""

import math

import polars as pl

Z = 1.959963984540054
"""97.5 % point of the standard normal distribution."""

_RELATIVE_NOISE = 1e-12
"""A variance below so much of the second moment it is the rest of cannot be told from rounding."""


def critical(n: pl.Expr, z: float = Z) -> pl.Expr:
    """Return the point of Student's t with n - 1 degrees of freedom that lies as far out as `z` does on the normal.

    By expansion around `z`, by default the 97.5 % point: off by less than 0.001 from 10 degrees on. Source: Abramowitz
    and Stegun 26.7.5.
    """
    freedom = n - 1
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def p_value(t: pl.Expr, freedom: pl.Expr) -> pl.Expr:
    """Return the two-sided p-value of Student's t; null where t is.

    By Hill's transformation to the normal distribution, off by less than 1e-4 from 9 degrees on. Source: Hill 1970,
    Algorithm 395.
    """
    a = freedom - 0.5
    b = 48 * a**2
    square = a * (1 + t**2 / freedom).log()
    series = (((-0.4 * square - 3.3) * square - 24) * square - 85.5) / (0.8 * square**2 + 100 + b)
    z = ((series + square + 3) / b + 1) * square.sqrt()
    return z.map_batches(_two_tails, return_dtype=pl.Float64(), is_elementwise=True)


def _two_tails(z: pl.Series) -> pl.Series:
    return pl.Series(z.name, [None if at is None else math.erfc(at / math.sqrt(2)) for at in z], dtype=pl.Float64())


def mean(n: pl.Expr, total: pl.Expr, squares: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the mean and the half width of its interval, from n, the sum and the sum of squares.

    Null without observations; the half width is null where they do not vary, for then nothing is known of it.
    """
    value = total / _positive(n)
    return value, critical(n) * _spread(squares - n * value**2, squares, n) / n


def ratio(
    n: pl.Expr, num: pl.Expr, den: pl.Expr, num_squares: pl.Expr, den_squares: pl.Expr, products: pl.Expr
) -> tuple[pl.Expr, pl.Expr]:
    """Return sum(num) / sum(den) and the half width of its interval, by the delta method.

    The variance of a ratio of sums is that of num - ratio x den, over the square of sum(den): n / (n - 1) x
    (sum num^2 - 2 ratio sum num den + ratio^2 sum den^2) / (sum den)^2. The value is null where the denominators add
    up to 0; the half width is null where num and den are proportional, for then nothing is known of it.
    """
    total = _positive(den)
    value = num / total
    residual = num_squares - 2 * value * products + value**2 * den_squares
    return value, critical(n) * _spread(residual, num_squares, n) / total


def around(value: pl.Expr, half: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return value - half, not below 0, and value + half."""
    return (value - half).clip(lower_bound=0.0), value + half


def on_log_scale(value: pl.Expr, half: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the bounds of a positive value whose half width is known, by the delta method on its logarithm.

    Sums of stalls, waits and dropped frames are skewed to the right; these bounds are, too, and so miss the truth less
    often than value +- half where n is small. Null where the value is 0.
    """
    spread = (half / _positive(value)).exp()
    return value / spread, value * spread


def _spread(residual: pl.Expr, reference: pl.Expr, n: pl.Expr) -> pl.Expr:
    real = (residual > _RELATIVE_NOISE * reference) & (n > 1)
    return pl.when(real).then(residual * n / (n - 1)).sqrt()


def _positive(value: pl.Expr) -> pl.Expr:
    return pl.when(value > 0).then(value)


def proportion(n: pl.Expr, hits: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return hits / n and the bounds of Wilson's score interval, all within 0 and 1; null where n is 0.

    Source: Wilson 1927; Brown, Cai and DasGupta 2001.
    """
    trials = _positive(n)
    share = hits / trials
    middle = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    half = Z / (1 + Z**2 / trials) * (share * (1 - share) / trials + Z**2 / (4 * trials**2)).sqrt()
    # At 0 and n hits a bound is the share itself; the formula misses it by rounding.
    return (
        share,
        pl.when(hits > 0).then(middle - half).otherwise(share),
        pl.when(hits < n).then(middle + half).otherwise(share),
    )
