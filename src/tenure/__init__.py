"""Tenure: from a repeated decision to a reinforcement-learning policy that is safely live.

The names a `problem.py` or `simulator.py` needs stand here; everything else lives in its room. They load when first
used, so that `tenure --help` does not wait for NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenure.core import (
        KPI,
        Box,
        Constraint,
        Discrete,
        Feature,
        Panel,
        Policy,
        Problem,
        Proposal,
        Reward,
        Signal,
        Split,
        Step,
        Term,
    )

__version__ = "0.1.0"

__all__ = [
    "KPI",
    "Box",
    "Constraint",
    "Discrete",
    "Feature",
    "Panel",
    "Policy",
    "Problem",
    "Proposal",
    "Reward",
    "Signal",
    "Split",
    "Step",
    "Term",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name in __all__:
        from tenure import core

        return getattr(core, name)
    raise AttributeError(f"module 'tenure' has no attribute {name!r}")
