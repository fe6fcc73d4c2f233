"""Tenure: from a repeated decision to a reinforcement-learning policy that is safely live.

The names a `problem.py`, a `simulator.py`, the function that decides today or a notebook needs stand here;
everything else lives in its room. They load when first used, so that `tenure --help` does not wait for NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.lazily import exports

if TYPE_CHECKING:
    from tenure.client.observed import Drawn, observe
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
    from tenure.evaluation.off_policy.anywhere import evaluate

__version__ = "0.1.0"

__all__ = [
    "KPI",
    "Box",
    "Constraint",
    "Discrete",
    "Drawn",
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
    "evaluate",
    "observe",
]

_HOMES = {"Drawn": "client.observed", "observe": "client.observed", "evaluate": "evaluation.off_policy.anywhere"}

__getattr__ = exports(__name__, {name: _HOMES.get(name, "core") for name in __all__})
