"""The words everybody uses: problem, decision, policy, simulator, evidence, clock, errors.

Promises: standard library and NumPy only; every noun is a frozen dataclass that checks itself when built.
Leaves to others: everything that acts, reads files (but a project's own modules) or talks to the world.
"""

from tenure.core.clock import Clock, ManualClock, SystemClock
from tenure.core.decision import Arm, Decision, Kind, Outcome, Place, ShadowProposal
from tenure.core.evidence import Estimate, Finding, Verdict, worst
from tenure.core.history import History, Newest
from tenure.core.policy import Policy, Proposal, check_policy
from tenure.core.problem import Constraint, Limit, Problem, Shaping
from tenure.core.reward import KPI, Reward, Signal, Term, Tradeoff
from tenure.core.simulator import Panel, Simulator, Split, Step
from tenure.core.spaces import Box, Discrete, Feature

__all__ = [
    "KPI",
    "Arm",
    "Box",
    "Clock",
    "Constraint",
    "Decision",
    "Discrete",
    "Estimate",
    "Feature",
    "Finding",
    "History",
    "Kind",
    "Limit",
    "ManualClock",
    "Newest",
    "Outcome",
    "Panel",
    "Place",
    "Policy",
    "Problem",
    "Proposal",
    "Reward",
    "ShadowProposal",
    "Shaping",
    "Signal",
    "Simulator",
    "Split",
    "Step",
    "SystemClock",
    "Term",
    "Tradeoff",
    "Verdict",
    "check_policy",
    "worst",
]
