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
        History,
        Limit,
        Newest,
        Panel,
        Policy,
        Problem,
        Proposal,
        Reward,
        Shaping,
        Signal,
        Split,
        Step,
        Term,
        Tradeoff,
    )
    from tenure.design.reward.scenarios import Behaviour, Order
    from tenure.evaluation.off_policy.anywhere import evaluate

__version__ = "0.1.0"

__all__ = [
    "KPI",
    "Behaviour",
    "Box",
    "Constraint",
    "Discrete",
    "Drawn",
    "Feature",
    "History",
    "Limit",
    "Newest",
    "Order",
    "Panel",
    "Policy",
    "Problem",
    "Proposal",
    "Reward",
    "Shaping",
    "Signal",
    "Split",
    "Step",
    "Term",
    "Tradeoff",
    "__version__",
    "evaluate",
    "observe",
]

_HOMES = {
    "Behaviour": "design.reward.scenarios",
    "Drawn": "client.observed",
    "Order": "design.reward.scenarios",
    "evaluate": "evaluation.off_policy.anywhere",
    "observe": "client.observed",
}

__getattr__ = exports(__name__, {name: _HOMES.get(name, "core") for name in __all__})
