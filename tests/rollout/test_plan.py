"""What a rollout will take, from the real traffic; the figures are worked by hand."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tenure.core.errors import EvidenceError, ProblemError
from tenure.rollout import Settings
from tenure.rollout import past as module
from tenure.rollout.plan import plan
from tenure.rollout.rules import BreakerRule
from tenure.rollout.settings import Bake, Shadow

from .world import DAY, PROBLEM, World, decision, settings, signals


def lived(tmp_path: Path, limits: Settings | None = None, days: int = 10) -> World:
    """Twenty decisions of ten units a day, by the incumbent alone."""
    world = World(tmp_path / "log.db", limits)
    for day in range(days):
        world.day(rule=signals(cost=1.0 + 0.1 * (day % 3)))
    return world


def test_days_come_from_the_slowest_of_bake_time_and_samples(tmp_path: Path) -> None:
    """20 decisions and 10 units a day: 45 / 20 is 3 days, 41 / (.5 * 20) is 5, 31 / 10 is 4 of the units."""
    limits = settings(
        shadow=Shadow(min_decisions=45, min_days=2),
        bake=Bake(min_decisions=[1, 41, 1], min_units=[1, 1, 31], min_days=[6, 2, 1]),
    )
    world = lived(tmp_path, limits, days=10)
    found = plan(PROBLEM, world.limits, world.store, world.clock.now(), 0.25)
    assert (found.days_seen, found.decisions_per_day, found.units_per_day) == (10, 20.0, 10.0)
    assert [(stage.share, stage.days) for stage in found.stages] == [(0.0, 3), (0.2, 6), (0.5, 5), (1.0, 4)]
    assert found.days == 18
    told = [stage.reason.split(" for its ")[1].split(";")[0] for stage in found.stages]
    assert told == ["shadowed decisions", "bake time", "candidate decisions", "candidate units"]
    assert (found.stages[2].decisions, found.stages[2].units) == (50.0, 25.0)
    json.dumps(found.as_dict())


def test_a_large_harm_is_caught_more_surely_than_a_small_one_and_later_stages_never_less(tmp_path: Path) -> None:
    world = lived(tmp_path)
    chances = {}
    for harm in (0.02, 0.7):
        found = plan(PROBLEM, world.limits, world.store, world.clock.now(), harm)
        chances[harm] = [stage.chance for stage in found.stages if stage.chance is not None]
        assert chances[harm] == sorted(chances[harm])
        for stage in found.stages[1:]:
            assert stage.chance is not None
            assert stage.chance_low is not None
            assert stage.chance_high is not None
            assert 0 <= stage.chance_low <= stage.chance <= stage.chance_high <= 1
    assert chances[0.02][-1] == 0.0  # within the margin of .1 it is no harm
    assert chances[0.7][-1] > 0.9


def test_a_share_that_no_rule_guards_says_so(tmp_path: Path) -> None:
    """The toy's rules guard 20 % and 100 %, and nothing guards the 50 % between."""
    world = lived(tmp_path)
    found = plan(PROBLEM, world.limits, world.store, world.clock.now(), 0.25)
    told = [stage.share for stage in found.stages if "no promote rule: sizes and health only" in stage.reason]
    assert told == [0.2]


def test_the_same_log_gives_the_same_plan(tmp_path: Path) -> None:
    world = lived(tmp_path)
    plans = [plan(PROBLEM, world.limits, world.store, world.clock.now(), 0.5) for _ in range(2)]
    assert plans[0] == plans[1]


def test_little_traffic_says_that_only_breakers_can_promise_a_stop(tmp_path: Path) -> None:
    world = lived(tmp_path, settings(stages=[0.01, 0.5, 1.0], approval=[]))
    found = plan(PROBLEM, world.limits, world.store, world.clock.now(), 0.25)
    assert found.notes[0].startswith("at 1 % of this traffic")
    assert "only breakers can promise a stop there" in found.notes[0]


def test_a_kpi_nobody_guards_says_so(tmp_path: Path) -> None:
    world = lived(tmp_path)
    found = plan(PROBLEM, world.limits, world.store, world.clock.now(), 0.25, "served")
    assert found.notes == ["no guardrail watches served: only breakers can stop a harm to it"]
    assert {stage.chance for stage in found.stages} == {None}


def test_a_ratio_is_planned_by_its_own_guardrail(tmp_path: Path) -> None:
    """Half the service is gone: .45 less where .05 is allowed."""
    world = lived(tmp_path)
    found = plan(PROBLEM, world.limits, world.store, world.clock.now(), 0.5, "service")
    assert found.kpi == "service"
    assert found.stages[-1].chance is not None
    assert found.stages[-1].chance > 0.9


def test_bounds_that_are_too_narrow_are_told(tmp_path: Path) -> None:
    limits = settings()
    limits.guardrail[0] = msgspec.structs.replace(limits.guardrail[0], bounds=(-0.2, 0.2))
    world = lived(tmp_path, limits)
    found = plan(PROBLEM, world.limits, world.store, world.clock.now(), 0.9)
    assert any("left the guardrail's bounds [-0.2, 0.2]" in note for note in found.notes)
    assert found.stages[-1].chance == 0.0


def test_only_the_last_ninety_days_count(tmp_path: Path) -> None:
    world = lived(tmp_path, days=2)
    world.clock.advance(95 * DAY)
    world.day()
    found = plan(PROBLEM, world.limits, world.store, world.clock.now(), 0.25)
    assert (found.units_per_day * found.days_seen, found.days_seen) == (10.0, 1)


def test_an_empty_log_and_an_unknown_kpi_are_refused(tmp_path: Path) -> None:
    world = World(tmp_path / "log.db")
    with pytest.raises(EvidenceError, match="closed day"):
        plan(PROBLEM, world.limits, world.store, world.clock.now(), 0.25)
    with pytest.raises(ProblemError, match="cots"):
        plan(PROBLEM, world.limits, world.store, world.clock.now(), 0.25, "cots")


def test_a_plan_writes_nothing(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(settings(), breaker=[BreakerRule(signal="cost", above=0.5, consecutive=2)])
    world = lived(tmp_path, limits)
    before = world.store.control("toy"), world.store.counts("toy")
    plan(PROBLEM, world.limits, world.store, world.clock.now(), 0.25)
    assert (world.store.control("toy"), world.store.counts("toy")) == before


def past(world: World, rule: BreakerRule) -> tuple[int, str | None, int]:
    limits = msgspec.structs.replace(world.limits, breaker=[rule])
    (found,) = plan(PROBLEM, limits, world.store, world.clock.now(), 0.25).tripped
    return found.times, found.first_decision, found.decisions


def test_breakers_are_tried_on_the_past_each_time_anew(tmp_path: Path) -> None:
    """Days cost 1.0, 1.1, 1.2 in turn, 20 decisions each: 1.2 comes on days 3, 6 and 9, twenty times in a row."""
    world = lived(tmp_path, days=9)
    run = BreakerRule(signal="cost", above=1.15, consecutive=7)
    assert past(world, run) == (6, "place-6/2011-10-03/6", 180)
    assert past(world, BreakerRule(signal="cost", above=1.2, consecutive=1)) == (0, None, 180)
    assert past(world, BreakerRule(measure="reward", below=-1.15, window=20))[0] == 3
    assert past(world, BreakerRule(measure="latency_ms", above=0.0, consecutive=180))[::2] == (1, 180)
    assert past(world, BreakerRule(measure="latency_ms", above=0.001, consecutive=1))[0] == 0
    assert past(world, BreakerRule(measure="failure_rate", above=0.0, window=5))[0] == 0
    assert past(world, BreakerRule(measure="action_share", above=0.9, window=90))[0] == 2
    assert past(world, BreakerRule(measure="missing_outcomes", above=0.0, window=5)) == (0, None, 180)
    assert past(world, BreakerRule(measure="disagreement", above=0.0, window=5)) == (0, None, 0)


def test_outcomes_that_may_still_come_are_not_missing(tmp_path: Path) -> None:
    world = lived(tmp_path, days=2)
    now = world.clock.now()
    rows = [decision(f"d{row}", decided_at=now - timedelta(hours=row)) for row in range(12, 0, -1)]
    world.store.append_decisions(rows)
    assert past(world, BreakerRule(measure="missing_outcomes", above=0.5, consecutive=7))[::2] == (1, 47)
    assert past(world, BreakerRule(measure="missing_outcomes", above=0.5, consecutive=8))[0] == 0


def test_a_trip_at_the_seam_of_two_chunks_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = BreakerRule(signal="cost", above=0.5, consecutive=3)
    rng = np.random.default_rng(0)
    values = (rng.random(500) < 0.5).astype(float)
    whole = module._ends(rule, values)
    monkeypatch.setattr(module, "CHUNK", 4)
    assert module._ends(rule, values) == whole
    assert len(whole) > 10
