"""Circles that pay are found and shown; circles that are the work, or that pay by luck, are not faults."""

from __future__ import annotations

from pathlib import Path

from tests.design.reward.worlds import picker

from tenure.core.evidence import Verdict
from tenure.core.project import Project
from tenure.design.reward.check import RewardCheck, known_conducts
from tenure.design.reward.loops import loop_finding, paid_loops


def circles(project: Project) -> set[tuple[str, ...]]:
    return {loop.actions for loop in paid_loops(project.problem, project.simulator)}


def test_delivering_again_and_again_is_a_circle_that_is_the_work(tmp_path: Path) -> None:
    project = picker(tmp_path)
    assert ("pick", "deliver") in circles(project)
    assert ("pick", "put") not in circles(project)
    found = loop_finding(project, known_conducts(project, RewardCheck((), (), ())))
    assert found.verdict is Verdict.PASS
    assert "none instead of the work" in found.reason


def test_pay_for_collect_undo_collect_is_shown(tmp_path: Path) -> None:
    project = picker(tmp_path, draft="pays-picks")
    best = max(
        (loop for loop in paid_loops(project.problem, project.simulator) if loop.actions == ("pick", "put")),
        key=lambda loop: loop.reward,
    )
    assert best.reward == 18.0  # 20 for the pick, a metre there and a metre back
    assert best.by_term == {"picked": 20.0, "metres": -2.0}
    found = loop_finding(project, known_conducts(project, RewardCheck((), (), ())))
    assert found.verdict is Verdict.FAIL
    assert "going pick > put changes nothing and pays 18 (picked +20, metres -2)" in found.reason
    assert "delivered is 0 parcels per decision (incumbent 0.5)" in found.reason


def test_what_comes_back_or_pays_by_luck_is_no_circle(tmp_path: Path) -> None:
    lucky = '"picked": pick * (rng.random(len(pick)) < 0.02),'
    assert circles(picker(tmp_path / "pay", ("simulator.py", '"picked": pick,', lucky), draft="pays-picks")) == set()
    drawn = "after = replace(state, distance=rng.integers(3, 9, len(pick)).astype(float), held="
    edit = ("simulator.py", "after = replace(state, held=", drawn)
    assert circles(picker(tmp_path / "way", edit, draft="pays-picks")) == set()


def test_every_circle_is_made_of_allowed_actions(tmp_path: Path) -> None:
    project = picker(tmp_path, draft="pays-picks")
    for loop in paid_loops(project.problem, project.simulator):
        held = loop.seen["held"]
        for action in loop.actions:
            assert action == "wait" or (action == "pick") == (held == 0), loop.actions
            held = held if action == "wait" else 1 - held


def test_what_ends_the_world_is_no_circle(tmp_path: Path) -> None:
    edit = (
        "simulator.py",
        "return Step(after, signals, np.zeros(len(action), dtype=bool))",
        "return Step(after, signals, put > 0)",
    )
    assert not any("put" in loop for loop in circles(picker(tmp_path, edit, draft="pays-picks")))


def test_circles_are_tried_from_the_middle_of_episodes_too(tmp_path: Path) -> None:
    # Picking pays only after a wait; the wait is remembered, so that from a fresh world no circle of three leads back.
    edits = (
        ("simulator.py", "    distance: Floats\n", "    distance: Floats\n    rested: Floats\n"),
        ("simulator.py", "rng.integers(3, 6, n).astype(float))", "rng.integers(3, 6, n).astype(float), np.zeros(n))"),
        ("simulator.py", '"picked": pick,', '"picked": pick * state.rested,'),
        ("simulator.py", "after = replace(state, held=", "after = replace(state, rested=np.ones(len(pick)), held="),
        (
            "simulator.py",
            "np.stack([state.held, state.distance]",
            "np.stack([state.held, state.distance + state.rested]",
        ),
    )
    assert ("pick", "put") in circles(picker(tmp_path, *edits, draft="pays-picks"))


def test_a_world_that_moves_on_has_no_circle(tmp_path: Path) -> None:
    moving = "after = replace(state, distance=state.distance + 0.01, held="
    project = picker(tmp_path, ("simulator.py", "after = replace(state, held=", moving), draft="pays-picks")
    assert circles(project) == set()


def test_episodes_shorter_than_a_circle_have_none(tmp_path: Path) -> None:
    project = picker(tmp_path, ("problem.py", "horizon=20", "horizon=1"), draft="pays-picks")
    assert circles(project) == set()


def test_without_a_simulator_nothing_is_searched(tmp_path: Path) -> None:
    project = picker(tmp_path)
    (project.folder / "simulator.py").unlink()
    found = loop_finding(project, ())
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "not searched" in found.reason
