"""A logged decision decided again gives the same action and propensity to the bit, or says why it cannot."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tenure.serving
from tenure.core.decision import Arm
from tenure.rollout.settings import RolloutSettings, Settings
from tenure.serving.asking import Steady
from tenure.serving.replay import REASONS, Replay, Replayed, control_at
from tenure.store import Event

from .toy import NOON, Fixed, World, request


def staged(world: World, share: float) -> World:
    """The same by the moves of the table, so that events and head agree."""
    from tenure.rollout.stages import fold, head_columns

    moves: list[tuple[str, dict[str, Any]]] = [("start", {"version": "v1"})]
    moves += [("promote", {"to": share})] if share else []
    for kind, payload in moves:
        event = Event("toy", kind, "ann", "because", NOON, payload)
        world.store.append_event(event, control=head_columns(fold([*world.store.events("toy"), event])))
    return world


def again(world: World, name: str = "d1", **changed: Any) -> Replayed:
    row = replace(world.row(name), **changed)
    settings = Settings(rollout=RolloutSettings(salt="salt", exploration=world.exploration))
    replay = Replay(world.problem, world.incumbent, world.load, settings, None)
    return replay.again(row, control_at(world.store.control("toy"), world.store.events("toy"), row.sequence))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, candidate=Fixed(distribution=[0.1, 0.6, 0.2, 0.1]), exploration=0.25)


def test_every_decision_of_a_canary_is_the_same_to_the_bit(world: World) -> None:
    staged(world, 0.5)
    for number in range(60):
        world.one(f"d{number}", unit=f"u{number}")
    rows = [world.row(f"d{number}") for number in range(60)]
    assert {row.arm for row in rows} == {Arm.CANDIDATE, Arm.INCUMBENT}
    assert any(row.explored for row in rows)
    found = [again(world, row.decision_id) for row in rows]
    assert [one.same for one in found] == [True] * 60
    assert {one.exploration for one in found} == {0.25}
    for row, one in zip(rows, found, strict=True):
        assert (one.arm_draw < 0.5) == (row.arm is Arm.CANDIDATE)
        assert (one.action, one.propensity) == (row.action, row.propensity)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_it_is_the_same_in_shadow_and_at_full_share(world: World, share: float) -> None:
    staged(world, share)
    world.one()
    assert again(world).same


def test_a_row_somebody_changed_is_not_the_same(world: World) -> None:
    staged(world, 1.0)
    row = world.one()
    assert isinstance(row.action, int)
    assert again(world, action=(row.action + 1) % 4).same is False
    assert again(world, propensity=0.123).same is False


def test_a_budget_that_was_spent_is_found_out(world: World) -> None:
    staged(world, 1.0)
    world.exploration = 0.0
    world.service.chooser.exploring = Steady(0.0)
    world.one()
    world.exploration = 0.25
    found = again(world)
    assert (found.same, found.exploration) == (True, 0.0)


@pytest.mark.parametrize("named", ["c", 2])
def test_an_action_the_caller_named_is_recognised_by_the_requests_hash(world: World, named: Any) -> None:
    world.one(incumbent_action=named)
    assert world.row().action == 2
    assert again(world).same


def test_a_mask_is_kept_to(world: World) -> None:
    staged(world, 1.0)
    world.one(mask=[True, True, False, True])
    assert again(world).same
    world.one("d2", mask=[True, False, True, False], incumbent_action="c", unit="u2")
    assert again(world, "d2").same


def test_what_was_decided_before_a_kill_is_decided_under_the_head_of_then(world: World) -> None:
    staged(world, 1.0)
    world.one()
    world.store.stop()
    assert again(world).same


def test_a_fallback_cannot_be_decided_again_and_says_so(world: World) -> None:
    staged(world, 1.0)
    world.broken = True
    world.one()
    found = again(world)
    assert found.same is None
    assert "bundle_error" in found.told


def test_a_bundle_that_is_gone_is_told(world: World) -> None:
    staged(world, 1.0)
    world.one()
    world.broken = True
    found = again(world)
    assert found.same is None
    assert "bundle_error" in found.told


def test_erased_features_and_a_changed_problem_are_told(world: World) -> None:
    world.one()
    assert "erased" in again(world, observation=b"").told
    assert "changed" in again(world, problem_version="older").told


def test_a_rule_that_fails_now_is_told(world: World) -> None:
    world.one()

    def fail() -> None:
        raise ValueError("broken since")

    world.incumbent.before = fail
    found = again(world)
    assert found.same is None
    assert "cannot be decided again" in found.told


def test_every_word_the_path_writes_has_its_sentence() -> None:
    room = Path(tenure.serving.__file__).parent
    text = "\n".join((room / name).read_text() for name in ("choose.py", "service.py"))
    words = set(re.findall(r'(?:_failed\(|return |reason=)"([a-z_]+)"', text))
    assert {"bundle_error", "killed", "breaker"} <= words  # the search finds what there is
    assert words <= set(REASONS)


def test_draws_are_numbers_between_0_and_1(world: World) -> None:
    world.ask(request("d1"))
    found = again(world).as_dict()
    assert 0 <= found["arm_draw"] < 1
    assert 0 <= found["exploration_draw"] < 1
    assert np.isfinite([found["arm_draw"], found["exploration_draw"]]).all()
