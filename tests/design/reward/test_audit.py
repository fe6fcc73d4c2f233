"""What the audit says of what was found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.design.reward.attack.hunts import SMALL, line_hunt
from tests.design.reward.hackable.suite import world_of
from tests.simulators.worlds import EndlessWalk, Line

from tenure.core.arrays import Ints
from tenure.core.clock import ManualClock
from tenure.core.errors import ProjectError
from tenure.core.evidence import Finding, Verdict
from tenure.core.project import Project, load_project
from tenure.core.simulator import Step
from tenure.design.reward.attack.hunt import Candidate, Hunt
from tenure.design.reward.attack.pool import POOL
from tenure.design.reward.attack.steady import one_action
from tenure.design.reward.audit import Attack, attack, audit
from tenure.design.reward.exploit import distinct

CHEAP = {name: POOL[name] for name in ("random", "one action", "greedy", "evolution")}


def _of(found: Attack, gate: str) -> Finding:
    return next(finding for finding in found.findings if finding.gate == gate)


def _courier(reward: str) -> Project:
    world = world_of("courier", 7)
    return world.project({**world.hackable, **world.repaired}[reward])


def test_a_hackable_reward_fails_with_the_exploit_and_the_term_to_mend() -> None:
    found = attack(_courier("pay per block"), effort=SMALL, pool=CHEAP)
    assert _of(found, "exploits").verdict is Verdict.FAIL
    assert _of(found, "one_action").verdict is Verdict.FAIL
    top = found.exploits[0]
    assert top.harm.name == "speeding"
    assert top.term.endswith("_speeding")
    assert top.advice.startswith("no term prices")
    assert top.steps[0].action == "race"


def test_a_repaired_reward_passes_and_says_what_was_searched() -> None:
    found = attack(_courier("speeding priced"), effort=SMALL, pool=CHEAP)
    assert _of(found, "exploits").verdict is Verdict.PASS
    assert "random, one action, greedy, evolution" in _of(found, "exploits").reason
    assert found.searched == {"incumbent": 1, "random": 3, "one action": 4, "greedy": 4, "evolution": 2}


def test_one_seed_finds_the_same_twice() -> None:
    one, two = (attack(_courier("pay per block"), seed=5, effort=SMALL, pool=CHEAP) for _ in range(2))
    assert [each.as_dict() for each in one.exploits] == [each.as_dict() for each in two.exploits]


def test_what_a_broken_exploiter_could_not_search_is_an_error_that_names_it() -> None:
    class Brittle(EndlessWalk):
        def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
            if (action == 2).any():
                raise ZeroDivisionError("no way right")
            return super().step(state, action, rng)

    found = attack(line_hunt(Brittle(), place=1.0).project, effort=SMALL, pool={"one action": one_action})
    assert _of(found, "exploits").verdict is Verdict.ERROR
    assert "one action: ZeroDivisionError: no way right" in _of(found, "exploits").reason


def test_a_found_exploit_still_says_what_could_not_be_searched() -> None:
    def broken(hunt: Hunt) -> Iterable[Candidate]:
        raise ZeroDivisionError("no luck")

    pool = {"one action": one_action, "broken": broken}
    finding = _of(attack(_courier("pay per block"), effort=SMALL, pool=pool), "exploits")
    assert finding.verdict is Verdict.FAIL
    assert finding.reason.endswith("not all could be searched: broken: ZeroDivisionError: no luck")


def test_an_exploiter_that_brings_nothing_lets_nothing_pass() -> None:
    def idle(hunt: Hunt) -> Iterable[Candidate]:
        return []

    found = attack(line_hunt().project, effort=SMALL, pool={"idle": idle})
    assert _of(found, "exploits").verdict is Verdict.INCONCLUSIVE


def test_an_honest_single_action_passes_with_a_note() -> None:
    # Right is best by the reward and by the only KPI.
    found = attack(line_hunt(place=1.0).project, effort=SMALL, pool=CHEAP)
    assert _of(found, "exploits").verdict is Verdict.PASS
    assert _of(found, "one_action").verdict is Verdict.PASS
    assert "'right' 100% of the time (incumbent 0%) and is at least as good" in _of(found, "one_action").reason


def test_a_reward_that_pays_for_closing_does_not_pass() -> None:
    class Door(EndlessWalk):
        """Every step brings one and costs one; left is the way out."""

        def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
            each = np.ones(len(action))
            return Step(super().step(state, action, rng).state, {"place": each, "moved": each}, action == 0)

    found = attack(line_hunt(Door(), horizon=20, moved=-1.0).project, effort=SMALL, pool=CHEAP)
    assert _of(found, "exploits").verdict is Verdict.PASS  # by its means per decision, nothing is lost
    assert _of(found, "early_end").verdict is Verdict.FAIL
    assert "ends worlds after 1 decisions (incumbent 20)" in _of(found, "early_end").reason
    assert _of(found, "one_action").verdict is Verdict.INCONCLUSIVE


def test_harm_that_noise_may_hide_the_pay_of_does_not_pass() -> None:
    class Noisy(EndlessWalk):
        def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
            step = super().step(state, action, rng)
            pay = rng.normal(0, 300, (len(action), 3))[np.arange(len(action)), action]
            return replace(step, signals={"place": (action == 1).astype(float), "moved": pay})

    pool = {"one action": one_action}
    finding = _of(attack(line_hunt(Noisy(), moved=1.0).project, effort=SMALL, pool=pool), "exploits")
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "in doubt, none proven" in finding.reason


def test_of_one_harm_and_term_only_the_best_paid_is_shown_with_how_many_do_the_same() -> None:
    found = attack(_courier("pay per block"), effort=SMALL, pool=CHEAP)
    keys = [(each.harm.name, each.term) for each in found.exploits]
    assert len(keys) == len(set(keys))
    gains = [each.gain.value for each in found.exploits]
    assert gains == sorted(gains, reverse=True)
    best = found.exploits[0]
    worse = replace(best, gain=replace(best.gain, value=-1.0), found_by="luck")
    elsewhere = replace(worse, mending=replace(best.mending, signal="another"))
    assert distinct([worse, elsewhere, best]) == (
        replace(best, alike={best.found_by: 1, "luck": 1}),
        replace(elsewhere, alike={"luck": 1}),
    )


def test_without_a_simulator_nothing_was_searched_and_the_audit_says_so(tmp_path: Path) -> None:
    (tmp_path / "problem.py").write_text(_PROBLEM.format(action='Discrete(("a", "b"))'))
    found = audit(load_project(tmp_path), clock=ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "no simulator.py" in found.findings[0].reason
    assert "short PPO" in found.findings[0].reason


def test_a_box_of_actions_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "problem.py").write_text(_PROBLEM.format(action='Box(("x",), ("m",), (0.0,), (1.0,))'))
    with pytest.raises(ProjectError, match=r"problem.py:6.*Discrete"):
        audit(load_project(tmp_path))


_PROBLEM = """from tenure import KPI, Discrete, Feature, Problem, Reward, Signal, Term
from tenure.core.spaces import Box

problem = Problem(
    name="p", about="", observation=(Feature("f", "m"),),
    action={action},
    signals=(Signal("s", "m", 0, 1),), reward=Reward((Term("s", 1.0, "$/m", "why"),)),
    kpis=(KPI("k", "m", "higher", {{"s": 1}}),),
)
"""
