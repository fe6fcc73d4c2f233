"""The checks every function of this room makes at its door."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError

LARGEST = 1e30
"""Numbers from here on are as good as infinite: of a sum of their squares they leave no digit for the others."""


def finite(x: Floats, where: str, *, axes: int = 1, at_least: int = 2) -> Floats:
    """The same array as float64, once it can carry evidence.

    Args:
        x: numbers in any unit.
        where: the function and argument, for the message.
        axes: how many axes the array must have.
        at_least: the smallest length of its last axis.

    Raises:
        EvidenceError: another number of axes, too few entries, NaN or infinity.
    """
    array = np.asarray(x, dtype=np.float64)
    if array.ndim != axes or 0 in array.shape or array.shape[-1] < at_least:
        raise EvidenceError(
            expected=f"{axes} axis(es) with at least {at_least} entries along the last",
            found=f"shape {array.shape}",
            where=where,
            fix="collect more independent units before asking for an interval",
        )
    if not np.isfinite(array).all():
        raise EvidenceError(
            expected="finite numbers",
            found=f"{int((~np.isfinite(array)).sum())} NaN or infinite of {array.size}",
            where=where,
            fix="find why they could not be measured; leaving them out would bias the figure",
        )
    return array


def share(value: float, name: str, where: str) -> float:
    """The same number, once it lies strictly between 0 and 1.

    Raises:
        EvidenceError: it does not, or it is NaN.
    """
    if not 0 < value < 1:
        raise EvidenceError(
            expected=f"{name} in (0, 1)", found=str(value), where=where, fix="give it as a share, such as 0.05"
        )
    return value


def same_length(where: str, **columns: int) -> None:
    """Nothing, once every column has the same length.

    Raises:
        EvidenceError: the lengths differ.
    """
    if len(set(columns.values())) > 1:
        raise EvidenceError(
            expected="one entry per row in every column",
            found=", ".join(f"{name}: {length}" for name, length in columns.items()),
            where=where,
            fix="build the columns from the same rows",
        )


def refusal(expected: str, found: str, where: str, fix: str) -> EvidenceError:
    """The room's one kind of error, ready to be raised."""
    return EvidenceError(expected=expected, found=found, where=where, fix=fix)
