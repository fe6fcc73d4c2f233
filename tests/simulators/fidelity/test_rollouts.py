"""Roll-outs from logged states: by hand on a tank that leaks, whose course is known in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tenure.core import KPI, Discrete, Feature, Problem, Reward, Signal, Step, Term, Verdict
from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError
from tenure.core.policy import Proposal
from tenure.core.simulator import Panel, Split
from tenure.core.trajectories import Trajectories, from_trace
from tenure.simulators.fidelity.rollouts import rolled
from tenure.simulators.fidelity.validation import Question, validate
from tenure.simulators.rollout import run

EPISODES, STEPS = 60, 48
START = datetime(2024, 1, 1, tzinfo=UTC)
problem = Problem(
    name="leak",
    about="Fill a tank that leaks.",
    observation=(Feature("level", "l", -1000, 1000),),
    action=Discrete(("0", "1"), unit="l"),
    signals=(Signal("leaked", "l", -1000, 1000),),
    reward=Reward((Term("leaked", -1.0, "EUR/l", "water"),)),
    kpis=(KPI("leaked", "l", "lower", {"leaked": 1.0}),),
    horizon=STEPS,
)


@dataclass(frozen=True)
class Tanks:
    level: Floats


@dataclass(frozen=True)
class Leak:
    """Each step a share stays, what is poured in comes to it, and noise."""

    stays: float = 0.9
    noise: float = 0.0
    version: str = "leak"

    @property
    def levels(self) -> Mapping[str, Any]:
        return {"normal": None}

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Tanks:
        return Tanks(rng.uniform(10, 20, n))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        seed = ("train", "selection", "held_out").index(split)
        names = tuple(f"tank-{k}" for k in range(EPISODES))
        state = self.reset(EPISODES, np.random.default_rng(seed))
        return Panel(state, STEPS, names, START, timedelta(hours=1), independent=True)

    def observe(self, state: Tanks) -> Floats:
        return state.level[:, None].astype(np.float32)

    def step(self, state: Tanks, action: Ints, rng: np.random.Generator) -> Step:
        after = self.stays * state.level + action + self.noise * rng.standard_normal(len(action))
        return Step(Tanks(after), {"leaked": (1 - self.stays) * state.level}, np.zeros(len(action), dtype=bool))

    def from_observation(self, observation: Floats, rng: np.random.Generator) -> Tanks:
        return Tanks(observation[:, 0].astype(np.float64))


@dataclass(frozen=True)
class Deaf(Leak):
    """Begins where it likes."""

    def from_observation(self, observation: Floats, rng: np.random.Generator) -> Tanks:
        return Tanks(observation[:, 0] + 3.0)


@dataclass(frozen=True)
class Torn(Leak):
    """Raises what it likes, where it should begin and where it should replay."""

    unaffected: tuple[str, ...] = ()

    def from_observation(self, observation: Floats, rng: np.random.Generator) -> Tanks:
        raise KeyError("tariff")

    def replayed(self, log: Trajectories) -> Panel:
        raise KeyError("tariff")


@dataclass(frozen=True)
class Half:
    """Pours by chance."""

    version: str = "half"

    def propose(self, observation: Floats, allowed: Any, draw: Floats) -> Proposal:
        even = np.full((len(draw), 2), 0.5)
        return Proposal((draw < 0.5).astype(np.int64), np.ones(len(draw)), even)


def log_of(world: Leak) -> Trajectories:
    return from_trace(run(problem, world, Half(), world.panel("held_out"), seed=5).trace, problem.feature_names)


def found_in(world: Leak, simulator: Leak) -> tuple[dict[str, Any], dict[str, Any]]:
    differences, growth = rolled(problem, simulator, log_of(world), "episode")
    return {each.field: each for each in differences}, {each["field"]: each for each in growth}


def test_without_noise_the_world_itself_has_no_error_at_any_horizon() -> None:
    found, growth = found_in(Leak(), Leak())
    assert found["level"].value == pytest.approx(0, abs=1e-6)
    assert list(growth["level"]["by_steps"]) == ["1", "2", "4", "8", "16"]
    assert max(growth["level"]["by_steps"].values()) < 1e-5
    assert max(growth["leaked"]["by_steps"].values()) < 1e-5


def test_the_error_of_a_wrong_leak_grows_as_the_closed_form_says() -> None:
    log = log_of(Leak(0.9))
    _, growth = found_in(Leak(0.9), Leak(0.8))
    levels = log.feature("level")
    starts = np.flatnonzero([row % STEPS < STEPS - 8 for row in range(len(log))])
    poured = np.asarray(log.action, dtype=float)
    for steps in (1, 2, 4, 8):
        # Level after k steps: stays**k times the first, and what was poured, each decayed since.
        apart = (0.8**steps - 0.9**steps) * levels[starts]
        apart += sum((0.8 ** (steps - 1 - j) - 0.9 ** (steps - 1 - j)) * poured[starts + j] for j in range(steps))
        expected = np.sqrt((apart**2).mean()) / levels.std()
        assert growth["level"]["by_steps"][str(steps)] == pytest.approx(expected, rel=0.1)  # 1,000 of 2,400 starts
        assert growth["level"]["own_chance"][str(steps)] == 0


def test_the_worlds_own_chance_is_no_error() -> None:
    found, growth = found_in(Leak(noise=1.0), Leak(noise=1.0))
    error, chance = (growth["level"][each]["8"] for each in ("by_steps", "own_chance"))
    assert error == pytest.approx(chance, rel=0.1)
    # Two courses of an AR(1) from one start: twice the variance of the noise that has come in.
    variance = 2 * sum(0.9 ** (2 * j) for j in range(8))
    spread = log_of(Leak(noise=1.0)).feature("level").std()
    assert chance == pytest.approx(np.sqrt(variance) / spread, rel=0.1)
    assert found["level"].verdict is Verdict.PASS


@pytest.mark.parametrize("simulator", [Leak(0.8, 1.0), Leak(0.9, 0.0)], ids=["leaks more", "no noise"])
def test_wrong_dynamics_and_missing_noise_fail_by_name(simulator: Leak) -> None:
    found, _ = found_in(Leak(0.9, 1.0), simulator)
    assert found["level"].verdict is Verdict.FAIL
    assert found["level"].low > found["level"].limit == 0.25


def test_a_course_stops_counting_where_the_log_ends() -> None:
    log = log_of(Leak()).take(np.arange(12))
    apart = replace(log, step=log.step * 2)  # no decision follows another one
    assert rolled(problem, Leak(), apart, "episode") == ([], [])
    cut = replace(log, step=log.step + log.step // 3)  # three in a row, then a gap
    found, growth = rolled(problem, Leak(), cut, "episode")
    assert {each.about[:6] for each in found} == {"2 step"}
    assert [list(each["by_steps"]) for each in growth] == [["1", "2"]] * 2
    rows = log.step < 9
    nine = replace(log, observation=log.observation[rows], action=log.action[rows], episode=log.episode[rows],
                   signals={name: each[rows] for name, each in log.signals.items()}, step=log.step[rows],
                   propensity=log.propensity[rows], at=None)  # fmt: skip
    _, growth = rolled(problem, Leak(), nine, "episode")
    assert list(growth[0]["by_steps"]) == ["1", "2", "4", "8"]


def test_a_simulator_that_does_not_begin_where_it_was_asked_is_named_with_the_fix() -> None:
    with pytest.raises(DataError, match=r"'level' .*found .* in 1000 of 1000 worlds; in `from_observation`"):
        rolled(problem, Deaf(), log_of(Leak()), "episode")


@pytest.mark.parametrize(("simulator", "verdict"), [
    (Leak(0.9, 1.0), Verdict.PASS), (Leak(0.8, 1.0), Verdict.FAIL), (Deaf(0.9, 1.0), Verdict.ERROR)
])  # fmt: skip
def test_the_validation_asks_for_roll_outs_where_the_simulator_can_begin_there(
    simulator: Leak, verdict: Verdict
) -> None:
    found = validate(Question(problem, simulator, log_of(Leak(0.9, 1.0)), {"incumbent": Half()}, delayed=False))
    assert {each.verdict for each in found.findings if each.gate.startswith("rollout")} >= {verdict}
    of = {each["of"] for each in found.growth}
    assert ("roll-outs from logged states" in of) == (verdict is not Verdict.ERROR)
    assert "distribution of changes" in of


def test_whatever_a_projects_hooks_raise_is_a_finding_with_its_line() -> None:
    found = validate(Question(problem, Torn(0.9, 1.0), log_of(Leak(0.9, 1.0)), {"incumbent": Half()}, delayed=False))
    told = {each.gate: each for each in found.findings}
    for gate in ("rollout", "replay", "gap: incumbent"):
        assert "KeyError: 'tariff' (test_rollouts.py:" in told[gate].reason
        assert told[gate].verdict is not Verdict.PASS
