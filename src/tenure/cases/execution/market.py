"""The market an order is bought in: what a level's numbers are, and a look at them for many desks at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from tenure.core.arrays import Floats, Ints

NEVER = 10**9


@dataclass(frozen=True)
class Market:
    """Numbers of a market; prices in bp of the arrival price, for a whole order of 48 lots.

    Args:
        calm, wild: standard deviation of the price's move in a slot, in either regime.
        tight, wide: half the spread in a calm and in a wild market.
        thick, thin: temporary impact of buying a whole order in one slot, by regime of volume; half of it costs half.
        permanent: move of the price that a whole order leaves behind.
        drift: move of the price in a slot, where it drifts.
        volatility_stays, volume_stays, drift_stays: chance that a regime lasts another slot.
        blur: noise of what is seen; 0 shows the regimes as they are.
        turns_at: slot from which the imbalance of the order book foretells the opposite of what it did.
    """

    calm: float = 0.75
    wild: float = 1.75
    tight: float = 0.15
    wide: float = 0.3
    thick: float = 5.0
    thin: float = 20.0
    permanent: float = 1.0
    drift: float = 0.75
    volatility_stays: float = 0.98
    volume_stays: float = 0.85
    drift_stays: float = 0.9
    blur: float = 1.0
    turns_at: int = NEVER


MARKETS: Mapping[str, Market] = {
    "easy": Market(wild=1.25, thin=12.5, drift=0.4),
    "normal": Market(),
    "hard": Market(calm=1.0, wild=2.25, thick=7.0, thin=30.0, drift=1.0, blur=1.5),
    "new-regime": Market(turns_at=21 * 144),
}
"""The levels. In `new-regime` all is normal for three weeks; then the imbalance changes its sign."""


def table(markets: Mapping[str, Market]) -> dict[str, Floats]:
    """Every number as a column over the levels; [levels] each."""
    return {
        field.name: np.array([float(getattr(market, field.name)) for market in markets.values()])
        for field in fields(Market)
    }


def moved_on(regime: Ints, stays: Floats, drawn: Floats, among: int) -> Ints:
    """The next regime of each desk: it stays, or becomes one of the others, each as likely.

    Args:
        regime: now, in 0 to among - 1; [n].
        stays: chance that it lasts; [n].
        drawn: chance, in [0, 1); [n].
        among: how many regimes there are.
    """
    over = (drawn - stays) / np.maximum(1 - stays, 1e-12)
    jump = 1 + np.floor(np.clip(over, 0, 1 - 1e-12) * (among - 1)).astype(np.int64)
    return np.asarray(np.where(drawn < stays, regime, (regime + jump) % among))


def transition(stays: float, among: int) -> Floats:
    """Chance of each next regime from each, as `moved_on` draws it; [among, among]."""
    return np.where(np.eye(among, dtype=bool), stays, (1 - stays) / (among - 1))
