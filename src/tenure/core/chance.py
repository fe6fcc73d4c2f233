"""Chance as a function: the same world and step always meet the same draw, whatever is decided in it."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats, Ints

_STEP, _USE = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)


def uniform(world: Ints, step: Ints, use: int) -> Floats:
    """One draw per world, a pure function of its number, the step and what the draw is for.

    For simulators whose worlds carry their chance with them: two policies in one world then meet exactly the same
    chance, in any order, in any batch.

    Args:
        world: number of each world, not negative; int64 [n].
        step: the step each world is at; int64 [n].
        use: tells several draws of one step apart, from 0.

    Returns:
        Numbers in [0, 1); [n].

    Source: the finaliser of SplitMix64, Steele, Lea and Flood (2014), applied twice.
    """
    key = _mixed(world.astype(np.uint64) * _USE + np.uint64(use + 1))
    return np.asarray((_mixed(key + step.astype(np.uint64) * _STEP) >> np.uint64(11)) * 2.0**-53)


def _mixed(bits: np.typing.NDArray[np.uint64]) -> np.typing.NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))
