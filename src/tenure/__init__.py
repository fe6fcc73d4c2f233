"""Tenure: from a repeated decision to a reinforcement-learning policy that is safely live.

The names a `problem.py` or `simulator.py` needs stand here; everything else lives in its room.
"""

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
