"""Decisions that are vectors: probability or density by hand, and every road by which one may come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy.stats import truncnorm

from tenure.core.decision import Arm
from tenure.core.errors import RequestError
from tenure.core.policy import Proposal
from tenure.core.spaces import Box
from tenure.rollout.settings import Settings
from tenure.serving.behind import Shadow
from tenure.serving.observation import Reader
from tenure.serving.offers import Offer, checked
from tenure.serving.vectors import Done, split_vector
from tenure.serving.wire import Answer, encode
from tenure.store import SqliteStore

from .test_replay import again, staged
from .toy import Fixed, World, problem, request

SPACE = Box(("shoulder", "elbow"), ("Nm", "Nm"), (-1.0, -1.0), (1.0, 3.0))
OURS, THEIRS = (0.5, -0.25), (0.1, 0.2)
"""What the candidate and the incumbent do; the first is exact in binary, the second is not."""

Make = Callable[..., World]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    worlds: list[World] = []

    def made(**fields: Any) -> World:
        folder = tmp_path / str(len(worlds))
        folder.mkdir()
        rule = Fixed(THEIRS, 1.0, version="rule")
        worlds.append(World(folder, **{"candidate": Fixed(OURS, 1.0), "incumbent": rule, "action": SPACE, **fields}))
        return worlds[-1]

    yield made
    for world in worlds:
        world.store.close()


def split(candidate: Any = OURS, incumbent: Any = THEIRS, *, live: bool, exploration: float = 0.2) -> Done:
    return split_vector(SPACE, candidate, incumbent, 0.25, exploration, 0.1, live, "salt", "d1")


def test_a_proposed_vector_has_the_probability_of_its_arm() -> None:
    rare = 1e-9  # so that d1 is not explored
    assert split(live=False) == (THEIRS, False, 0.75, None)
    assert split(live=True, exploration=0.0) == (OURS, False, 0.25, None)
    assert split(live=True, exploration=rare).propensity == 0.25 * (1 - rare)


def test_where_both_arms_propose_the_same_vector_its_probabilities_add_up() -> None:
    assert split(incumbent=OURS, live=False).propensity == pytest.approx(0.25 * 0.8 + 0.75)


def test_a_drawn_vector_has_a_density_over_split_and_exploration() -> None:
    done = split(live=True, exploration=1.0)
    assert (done.explored, done.propensity) == (True, None)
    assert isinstance(done.action, tuple)
    shoulder = truncnorm((-1 - 0.5) / 0.2, (1 - 0.5) / 0.2, loc=0.5, scale=0.2)
    elbow = truncnorm((-1 + 0.25) / 0.4, (3 + 0.25) / 0.4, loc=-0.25, scale=0.4)
    assert done.density == pytest.approx(0.25 * float(shoulder.pdf(done.action[0]) * elbow.pdf(done.action[1])))


def test_the_incumbents_vector_is_never_drawn() -> None:
    assert split(live=False, exploration=1.0) == (THEIRS, False, 0.75, None)


def test_explored_vectors_are_as_many_as_exploration_says_and_differ_from_one_another() -> None:
    done = [split_vector(SPACE, OURS, THEIRS, 1.0, 0.2, 0.1, True, "salt", f"d{n}") for n in range(1000)]
    drawn = {each.action for each in done if each.explored}
    assert 160 <= len(drawn) <= 240  # 200 expected, and three standard deviations of 12.6


def test_an_answer_is_the_vector_and_its_row_holds_it_to_the_bit(make: Make) -> None:
    world = make().at("none", 0.0)
    answer, row = world.one(), world.row()
    assert (answer.action, answer.label) == (THEIRS, "shoulder 0.1, elbow 0.2")
    assert (row.action, row.arm, row.propensity, row.density) == (THEIRS, Arm.INCUMBENT, 1.0, None)
    assert world.store.verify("toy").intact


def test_an_answer_travels_as_a_list_and_names_a_density_only_where_there_is_one(make: Make) -> None:
    plain, drawn = make().at("full", 1.0).one(), make(exploration=1.0).at("full", 1.0).one()
    told = msgspec.json.decode(encode(plain))
    assert told["action"] == [0.5, -0.25]
    assert "density" not in told
    assert msgspec.json.decode(encode(drawn))["density"] == drawn.density
    assert (drawn.explored, drawn.propensity) == (True, None)


def test_an_explored_row_holds_a_density_and_is_marked(make: Make) -> None:
    world = make(exploration=1.0).at("full", 1.0)
    answer, row = world.one(), world.row()
    assert (row.action, row.density, row.propensity, row.explored) == (answer.action, answer.density, None, True)
    assert row.density is not None
    assert row.density > 0


def test_a_repeated_decision_gets_the_same_vector_and_one_after_a_kill_the_incumbents(make: Make) -> None:
    world = make(exploration=1.0).at("full", 1.0)
    first = world.one()
    assert world.one() == first
    world.store.stop()
    taken_back, row = world.one(), world.row()
    assert (taken_back.action, taken_back.arm, taken_back.density) == (THEIRS, "fallback", None)
    assert (row.action, row.propensity, row.density, row.reason) == (THEIRS, None, None, "killed")
    assert world.store.verify("toy").intact


@pytest.mark.parametrize(
    "wrong",
    [
        Proposal(np.array([[0.5, 3.5]]), np.ones(1)),
        Proposal(np.array([[0.5, np.nan]]), np.ones(1)),
        Proposal(np.array([[0.5]]), np.ones(1)),
        Proposal(np.array([1]), np.ones(1)),
        Proposal(np.array([[0, 1]]), np.ones(1)),
        Proposal(np.array([OURS]), np.array([np.nan])),
        Proposal(np.array([OURS]), np.ones(2)),
        Proposal(np.array([OURS]), np.ones(1), np.ones((1, 1))),
    ],
)
def test_what_no_vector_may_be_is_no_offer_and_the_incumbent_answers(make: Make, wrong: Proposal) -> None:
    assert checked(wrong, 1, SPACE) is None
    answer = make(candidate=Fixed(proposal=wrong)).at("full", 1.0).one()
    assert (answer.action, answer.arm, answer.reason) == (THEIRS, "fallback", "illegal_action")


def test_a_vector_on_its_bounds_is_an_offer() -> None:
    assert checked(Proposal(np.array([[-1.0, 3.0]]), np.ones(1)), 1, SPACE) == Offer([(-1.0, 3.0)], [1.0])


def test_a_caller_may_name_the_vector_it_was_about_to_do(make: Make) -> None:
    world = make().at("none", 0.0)
    (answer,) = world.ask(msgspec.structs.replace(request("d1"), incumbent_action=[0.0, 1.0]))
    assert isinstance(answer, Answer)
    assert answer.action == (0.0, 1.0)


@pytest.mark.parametrize("named", ["up", 0, [0.5], [0.0, 3.5], [0.0, float("nan")]])
def test_what_is_no_vector_within_the_bounds_is_refused_with_the_bounds(named: Any) -> None:
    with pytest.raises(RequestError, match=r"shoulder from -1 to 1, elbow from -1 to 3"):
        Reader(problem(action=SPACE)).action(named)


def test_a_list_is_no_labelled_action_and_a_mask_is_nothing_for_vectors() -> None:
    with pytest.raises(RequestError, match="a label of"):
        Reader(problem()).action([0.0, 1.0])
    with pytest.raises(RequestError, match="vectors have bounds"):
        Reader(problem(action=SPACE)).check_mask([True, True])


def test_the_shadow_logs_how_far_its_vector_lies_from_the_one_answered(make: Make) -> None:
    world = make().at("shadow", 0.0)
    shadow = Shadow(world.service)
    world.one()
    shadow.close()
    log = world.store.read_log("toy")
    assert (log.action.tolist(), log.shadow_action.tolist(), log.proposed.tolist()) == ([[*THEIRS]], [[*OURS]], [True])
    with world.store.database.reading() as connection:
        # shoulder 0.4 of a range of 2, elbow 0.45 of one of 4
        assert connection.execute("SELECT apart FROM proposal").get == pytest.approx(0.2)


def test_rows_that_waited_in_the_spool_keep_their_vector(make: Make) -> None:
    world = make().at("full", 1.0)
    world.store.away = frozenset({"append_decisions", "control", "kill_epoch"})
    assert world.one().action == THEIRS
    world.store.away = frozenset()
    world.wait(seconds=60)
    world.service.away.rests_until = float("-inf")
    assert world.service.away.drain() == 1
    assert world.row().action == THEIRS


def test_a_decision_is_decided_again_from_the_log_explored_or_not(make: Make) -> None:
    world = staged(make(exploration=0.25), 0.5)
    for number in range(40):
        world.one(f"d{number}", unit=f"u{number}")
    told = [again(world, f"d{number}") for number in range(40)]
    assert [each.same for each in told] == [True] * 40
    assert {world.row(f"d{number}").explored for number in range(40)} == {True, False}


def test_another_vector_or_density_than_the_logged_one_is_said(make: Make) -> None:
    world = staged(make(exploration=1.0), 1.0)
    world.one()
    row = world.row()
    assert row.density is not None
    assert again(world, action=(0.5, 0.0)).same is False
    assert again(world, density=row.density * 1.1).same is False
    assert again(world, density=None).same is False
    near = replace(row, action=tuple(number + 1e-6 for number in row.action))  # type: ignore[union-attr]
    assert again(world, action=near.action).same is True


def test_settings_for_labels_alone_are_refused(tmp_path: Path) -> None:
    from tenure.core.errors import SettingsError
    from tenure.rollout.settings import read_settings

    path = tmp_path / "tenure.toml"
    for text, found in (
        ('[[breaker]]\nmeasure = "action_share"\nabove = 0.5\nwindow = 9\n', "action_share"),
        ('[[human]]\nname = "all"\nconfidence_below = 0.5\n', "a Box"),
    ):
        path.write_text(text)
        assert isinstance(read_settings(path, problem()), Settings)
        with pytest.raises(SettingsError, match=found):
            read_settings(path, problem(action=SPACE))


def test_a_log_of_problems_with_labels_is_read_as_before(tmp_path: Path) -> None:
    world = World(tmp_path).at("full", 1.0)
    world.one()
    log = SqliteStore(tmp_path / "log.db").read_log("toy")
    assert (log.action.dtype, log.action.tolist(), log.proposed.tolist()) == (np.int64, [1], [False])
    world.store.close()
