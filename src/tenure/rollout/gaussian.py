"""Explored vectors: a Gaussian around the policy's own, cut off at the bounds, so that its density is known exactly.

Each number is drawn by itself: X ~ N(m, s) given that low <= X <= high, with m the policy's number and s a share of
the range. What lies beyond the bounds is never drawn, and so not piled up on them, as it would be by clipping.

    x = m + s * Q(F(low) + u * (F(high) - F(low)))        u uniform in [0, 1), F(y) = P((y - m) / s), Q the inverse of P
    density(x) = p((x - m) / s) / (s * (F(high) - F(low)))

P and p are the standard normal's distribution and density. A vector's density is the product over its numbers, in one
over the product of their units.

Source: Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, section 13.10.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from statistics import NormalDist

from tenure.core.spaces import Box

_LEAST = 2.0**-60
"""Stands for a probability of 0, whose quantile is no number."""


def drawn(space: Box, mean: Sequence[float], scale: float, uniform: Sequence[float]) -> tuple[float, ...]:
    """A vector within the bounds.

    >>> space = Box(("a",), ("m",), (-1.0,), (1.0,))
    >>> drawn(space, (0.0,), 0.5, (0.5,)), drawn(space, (1.0,), 0.5, (0.0,))[0] >= -1.0
    ((0.0,), True)

    Args:
        space: names and bounds, finite.
        mean: the policy's own vector, within the bounds.
        scale: standard deviation as a share of each number's range, in (0, 1].
        uniform: one draw in [0, 1) for each number.
    """
    return tuple(
        _drawn(NormalDist(m, scale * (high - low)), low, high, u)
        for m, low, high, u in zip(mean, space.low, space.high, uniform, strict=True)
    )


def density(space: Box, mean: Sequence[float], scale: float, action: Sequence[float]) -> float:
    """Probability density of a vector that `drawn` gives, above 0.

    With a spread of the whole range, a number in [-1, 1] around 0 is nearly even; even would be 0.5.

    >>> round(density(Box(("a",), ("m",), (-1.0,), (1.0,)), (0.0,), 1.0, (0.0,)), 4)
    0.5209

    Args:
        space, mean, scale: as of `drawn`.
        action: the vector, within the bounds.
    """
    return prod(
        _density(NormalDist(m, scale * (high - low)), low, high, x)
        for m, low, high, x in zip(mean, space.low, space.high, action, strict=True)
    )


def _drawn(normal: NormalDist, low: float, high: float, uniform: float) -> float:
    below, above = normal.cdf(low), normal.cdf(high)
    found = normal.inv_cdf(max(_LEAST, below + uniform * (above - below)))
    return min(high, max(low, found))  # rounding may lead a hair beyond


def _density(normal: NormalDist, low: float, high: float, x: float) -> float:
    return normal.pdf(x) / (normal.cdf(high) - normal.cdf(low))
