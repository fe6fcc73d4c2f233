"""Which torques bring the tip of a two-joint arm to a target quickly, with little power and without jerks?

The arm is MuJoCo's Reacher (Gymnasium's `Reacher-v5`): two links in a plane, a motor in the shoulder and one in the
elbow, fifty decisions of 0.02 s for one target. A decision is two numbers, each motor's share of its full torque. A
metre between tip and target costs 100 points per decision, the square of a torque 10 points: a motor at its limit all
the time heats up. That ratio is the one Gymnasium documents for this arm. How suddenly torques change costs nothing
here, but it wears the gears, so it is a KPI of its own.

Today a controller decides: it works out the angles that put the tip on the target and pulls each joint there like a
damped spring. Its numbers were tuned by grid on train and selection targets (`python -m tenure.cases.arm.tune`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Box, Feature, Policy, Problem, Proposal, Reward, Signal, Term, Tradeoff
from tenure.core.arrays import Bools, Floats

from .body import FASTEST, NOISE_M, REACH_M, STEPS, TARGET_M, bent_to, pull, shortest

MOTORS = ("shoulder", "elbow")


def _each(name: str, unit: str, most: float, about: str, of: tuple[str, str] = MOTORS) -> tuple[Feature, ...]:
    return tuple(Feature(f"{name}_{part}", unit, -most, most, about) for part in of)


OBSERVATION = (
    *_each("cos", "", 1, "cosine of the joint's angle"),
    *_each("sin", "", 1, "sine of the joint's angle"),
    *_each("target", "m", TARGET_M, "where the target lies, from the shoulder", ("x", "y")),
    *_each("speed", "rad/s", FASTEST, "how fast the joint turns"),
    *_each("gap", "m", REACH_M + TARGET_M + NOISE_M, "from the target to the fingertip", ("x", "y")),
    *_each("last", "share of full torque", 1, "torque of the decision before"),
)

problem = Problem(
    name="arm",
    about="The torques of a two-joint arm that brings its fingertip to a target.",
    observation=OBSERVATION,
    action=Box(MOTORS, ("share of full torque",) * 2, (-1.0, -1.0), (1.0, 1.0)),
    signals=(
        Signal("distance", "m", 0, REACH_M + TARGET_M, "from fingertip to target after the decision"),
        Signal("effort", "square of full torque", 0, 2, "sum of both torques squared"),
        Signal("jerk", "square of full torque", 0, 8, "sum of both torques' changes squared"),
        Signal("miss", "m", 0, REACH_M + TARGET_M, "the distance after the last decision; 0 before"),
        Signal("moves", "moves", 0, 1, "1 in a move's first decision"),
    ),
    reward=Reward(
        (
            Term("distance", -100.0, "points/m", "the arm is there to be at the target", scale=0.1),
            Term("effort", -10.0, "points/square of full torque", "power costs, and motors at their limit heat up"),
        ),
        tradeoffs=(
            Tradeoff("distance", "effort", "the ratio that Gymnasium documents for Reacher-v5: 1 to 0.1 per metre"),
        ),
    ),
    kpis=(
        KPI("cost", "points per move", "lower", {"distance": 100, "effort": 10}, {"moves": 1}),
        KPI("distance", "m, mean over a move", "lower", {"distance": 1}),
        KPI("effort", "square of full torque, mean over a move", "lower", {"effort": 1}),
        KPI("jerk", "square of full torque, mean over a move", "lower", {"jerk": 1}),
        KPI("miss", "m at the end of a move", "lower", {"miss": 1}, {"moves": 1}),
    ),
    horizon=STEPS,
    discount=0.95,
)

drafts = {"no-effort": problem.reward.without("effort")}
"""A reward that was tried and not taken: motors then run at their limits all the time."""


@dataclass(frozen=True)
class Spring:
    """Pull each joint like a damped spring to the angles that put the tip on the target.

    Args:
        stiffness: share of full torque per rad of turn still to go, above 0.
        damping: share of full torque per rad/s, at least 0.
    """

    stiffness: float
    damping: float
    version: str = "spring"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        angles, target, speed, _ = parts(observation)
        turn = shortest(bent_to(target, angles) - angles)
        return _torques(self.stiffness * turn - self.damping * speed)


@dataclass(frozen=True)
class Pull:
    """Pull the tip straight to the target, whatever angles that makes: the transposed Jacobian.

    Args:
        force: share of full torque per square metre, above 0.
        damping: share of full torque per rad/s, at least 0.
    """

    force: float
    damping: float
    version: str = "pull"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        angles, _, speed, gap = parts(observation)
        return _torques(pull(angles, -self.force * gap) - self.damping * speed)


def parts(observation: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Angles in rad, target in m, speed in rad/s and gap in m; each [n, 2]."""
    seen = np.asarray(observation, dtype=np.float64)
    return np.arctan2(seen[:, 2:4], seen[:, 0:2]), seen[:, 4:6], seen[:, 6:8], seen[:, 8:10]


def _torques(wanted: Floats) -> Proposal:
    return Proposal(np.clip(wanted, -1.0, 1.0), np.ones(len(wanted)))


incumbent: Policy = Spring(stiffness=1.0, damping=0.1)
rules: dict[str, Policy] = {"pull": Pull(force=160.0, damping=0.3)}
