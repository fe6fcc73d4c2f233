"""A simulator in another process: it keeps the contract, and what goes wrong is mended or named with the fix."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenure.core import SystemClock, Verdict
from tenure.core.errors import DataError, ProjectError
from tenure.core.project import load_project
from tenure.simulators import check_simulator, put, take
from tenure.simulators.bridge import BridgeSimulator
from tenure.simulators.disturbances.sweep import sweep
from tenure.simulators.profile import profile

EXAMPLE = Path(__file__).parents[3] / "examples" / "bridge"
BAD = Path(__file__).parent / "misbehaving.py"
RNG = np.random.default_rng(0)
problem = load_project(EXAMPLE).problem
tank_rule = load_project(EXAMPLE).incumbent


@pytest.fixture
def opened() -> Iterator[list[BridgeSimulator]]:
    """Bridges that are closed at the end."""
    bridges: list[BridgeSimulator] = []
    yield bridges
    for bridge in bridges:
        bridge.close()


@pytest.fixture
def tank(opened: list[BridgeSimulator]) -> BridgeSimulator:
    """The example, sound."""
    opened.append(BridgeSimulator(problem, command=[sys.executable, str(EXAMPLE / "world.py")]))
    return opened[0]


def bad(opened: list[BridgeSimulator], how: str, after: int, once: Path | None = None, **more: Any) -> BridgeSimulator:
    """The example, misbehaving from so many requests on."""
    words = [sys.executable, str(BAD), how, str(after), *([] if once is None else [str(once)])]
    opened.append(BridgeSimulator(problem, command=words, **more))
    return opened[-1]


def walked(bridge: BridgeSimulator, steps: int = 6) -> list[Any]:
    """What three worlds go through."""
    state, told = bridge.seeded([1, 2, 3]), []
    for index in range(steps):
        step = bridge.step(state, np.full(3, index % 3), RNG)
        state = step.state
        told.append((bridge.observe(state).tolist(), {name: v.tolist() for name, v in step.signals.items()}))
    return told


def test_the_example_keeps_the_contract_at_every_level(tank: BridgeSimulator) -> None:
    findings = check_simulator(problem, tank, n=3, steps=6)
    assert {finding.verdict for finding in findings} == {Verdict.PASS}, findings
    assert list(tank.levels) == ["normal", "hard"]
    assert tank.incidents["restarts"] == tank.incidents["strayed"] == 0


def test_states_may_be_taken_apart_put_together_and_stepped_again(tank: BridgeSimulator) -> None:
    start = tank.seeded([1, 2, 3])
    onward = tank.step(tank.step(start, np.array([0, 1, 2]), RNG).state, np.array([1, 1, 1]), RNG)
    again = tank.step(start, np.array([0, 1, 2]), RNG).state
    mixed = put(again, np.array([0]), tank.seeded([1]))
    step = tank.step(take(again, np.array([2, 2, 0])), np.array([1, 0, 1]), RNG)
    assert step.state.observation[0].tolist() == onward.state.observation[2].tolist()
    assert step.state.observation[2].tolist() == onward.state.observation[0].tolist()
    assert step.state.observation[1].tolist() != step.state.observation[0].tolist()
    assert tank.observe(mixed)[0].tolist() == tank.observe(start)[0].tolist()


def test_levels_masks_and_ends_are_the_processs(tank: BridgeSimulator) -> None:
    rng = np.random.default_rng(0)
    state = tank.reset(20, rng, "hard")
    assert tank.mask(state).shape == (20, 3)
    over = np.zeros(20, dtype=bool)
    for _ in range(40):
        step = tank.step(state, np.zeros(20, dtype=int), rng)
        assert all(values[over].tolist() == [0.0] * over.sum() for values in step.signals.values())
        state, over = step.state, step.terminated
    assert over.all()


@pytest.mark.parametrize("how", ["die", "flood", "nonsense", "deep", "list", "other-id", "chatty", "close"])
def test_a_process_that_fails_once_is_started_again_and_the_run_goes_on(
    how: str, opened: list[BridgeSimulator], tank: BridgeSimulator, tmp_path: Path
) -> None:
    failing = bad(opened, how, 5, tmp_path / "failed")
    assert walked(failing) == walked(tank)
    assert failing.incidents == {"restarts": 1, "led_back": 3, "strayed": 0}


def test_a_process_that_hangs_once_is_ended_and_the_run_goes_on(
    opened: list[BridgeSimulator], tank: BridgeSimulator, tmp_path: Path
) -> None:
    failing = bad(opened, "hang", 5, tmp_path / "failed", timeout_s=1.5)
    assert walked(failing) == walked(tank)
    assert failing.incidents["restarts"] == 1


ALWAYS = [
    ("die", r"it died at 'step' \(exit code 7\); its last words: out of memory", "run the command by hand"),
    ("close", r"it died at 'step' \(it closed its standard output\)", "run the command by hand"),
    ("flood", r"it flooded: more than 65536 bytes without the end of a line, at 'step'", "log to standard error"),
    ("nonsense", r"it spoke nonsense at 'step': 'Gazebo started' \(.*\)", "log to standard error"),
    ("list", r"it spoke nonsense at 'step': '\[1, 2\]' \(a JSON list, not an object\)", "one JSON object"),
    ("other-id", r"it spoke nonsense at 'step': .* \(not the id \d\)", "with the request's id"),
    ("chatty", r"it spoke without being asked: 'warming up", "log to standard error"),
]


@pytest.mark.parametrize(("how", "found", "fix"), ALWAYS, ids=[row[0] for row in ALWAYS])
def test_a_process_that_keeps_failing_is_named_with_the_fix(
    how: str, found: str, fix: str, opened: list[BridgeSimulator]
) -> None:
    failing = bad(opened, how, 3, restarts=1, max_line_bytes=65536)
    with pytest.raises(ProjectError) as caught:
        walked(failing)
    assert re.search(found, caught.value.found)
    assert fix in caught.value.fix
    assert "1 times before, each after a restart" in caught.value.found
    assert "misbehaving.py" in caught.value.where


def test_a_process_that_fails_now_and_then_is_not_nursed_for_ever(opened: list[BridgeSimulator]) -> None:
    frail = bad(opened, "die", 6, most_restarts=2)
    with pytest.raises(ProjectError, match=r"it died .*, after 2 restarts in this run"):
        list(map(partial(walked, frail), [2] * 10))
    assert frail.incidents["restarts"] == 3  # the last drop is what ends it


def test_a_process_that_keeps_hanging_is_named_with_the_fix(opened: list[BridgeSimulator]) -> None:
    with pytest.raises(ProjectError, match=r"it hung: no answer to 'step' within 0.3 s.*raise timeout_s"):
        walked(bad(opened, "hang", 3, restarts=0, timeout_s=0.3))


WRONG = [
    ("nan", r"finite numbers; found nan in 'pumped' of world 1.*division by 0"),
    ("nan-seen", r"found nan in 'observations', 'rain' of world 2"),
    ("infinite", r"found inf in 'observations', 'level' of world 0"),
    ("short", r"expected 'observations' of shape \[3, 2\], numbers; found shape \[2, 2\].*2 for each world"),
    ("ragged", r"found rows of different lengths"),
    ("words", r"'observations' of shape \[3, 2\], numbers; found \['wet'\]"),
    ("booleans", r"'observations' of shape \[3, 2\], numbers; found \[True\]"),
    ("numbers-for-ends", r"expected 'terminated' of shape \[3\], true or false; found \[0.0\]"),
    ("no-signals", r"expected 'signals' as an object; found None"),
    ("other-signal", r"expected signals \['pumped', 'spilled'\]; found \['mood', 'pumped'\]"),
    ("no-masks", r"expected 'masks' of shape \[3, 3\], true or false; found none"),
    ("raises", r"its error: pump is stuck"),
]


@pytest.mark.parametrize(("how", "words"), WRONG, ids=[row[0] for row in WRONG])
def test_an_answer_that_is_no_step_is_named_with_world_and_field(
    how: str, words: str, opened: list[BridgeSimulator]
) -> None:
    failing = bad(opened, how, 3)
    with pytest.raises(ProjectError, match=words):
        walked(failing)
    assert failing.incidents["restarts"] == 0


@pytest.mark.parametrize(("how", "words"), [
    ("features", r"expected features \['level', 'rain'\]; found \['rain', 'level'\].*in this order"),
    ("protocol", r"expected protocol 1; found 2"),
    ("no-levels", r"'levels' at hello: a list of names, at least one; found \[\]"),
    ("no-room", r"'worlds' at hello: a whole number of at least 1, or no such field; found 0"),
    ("numbered", r"'version' at hello: a string; found 3"),
])  # fmt: skip
def test_a_process_of_another_problem_is_refused_at_hello(how: str, words: str, opened: list[BridgeSimulator]) -> None:
    with pytest.raises(ProjectError, match=words):
        _ = bad(opened, how, 1).version


def test_after_an_answer_that_is_no_step_the_worlds_stand_where_they_stood(
    opened: list[BridgeSimulator], tank: BridgeSimulator, tmp_path: Path
) -> None:
    failing = bad(opened, "nan", 3, tmp_path / "failed")
    state, action = failing.seeded([1, 2, 3]), np.array([1, 1, 1])
    with pytest.raises(ProjectError, match="found nan"):
        failing.step(state, action, RNG)
    step, sound = failing.step(state, action, RNG), tank.step(tank.seeded([1, 2, 3]), action, RNG)
    assert failing.observe(step.state).tolist() == tank.observe(sound.state).tolist()


def test_a_process_that_never_answered_is_not_started_again(opened: list[BridgeSimulator], tmp_path: Path) -> None:
    failing = bad(opened, "die", 1, tmp_path / "failed")
    with pytest.raises(ProjectError, match=r"died at 'hello' \(exit code 7\)"):
        _ = failing.version
    assert failing.incidents["restarts"] == 0


def test_a_process_that_comes_back_as_another_version_ends_the_run(
    opened: list[BridgeSimulator], tmp_path: Path
) -> None:
    with pytest.raises(ProjectError, match=r"version .* after a restart.*do not mix"):
        walked(bad(opened, "new-version", 4, tmp_path / "failed"))


def test_worlds_their_seed_does_not_decide_go_on_and_are_counted(opened: list[BridgeSimulator], tmp_path: Path) -> None:
    failing = bad(opened, "random", 5, tmp_path / "failed")
    assert len(walked(failing)) == 6
    assert failing.incidents == {"restarts": 1, "led_back": 3, "strayed": 3}


def test_few_places_are_shared_by_leading_worlds_back(opened: list[BridgeSimulator], tank: BridgeSimulator) -> None:
    small = bad(opened, "few", 2)
    one, other = small.seeded([1, 2]), small.seeded([3, 4])
    for action in (0, 1, 2):
        one, other = (small.step(each, np.full(2, action), RNG).state for each in (one, other))
    large = tank.seeded([1, 2, 3, 4])
    for action in (0, 1, 2):
        large = tank.step(large, np.full(4, action), RNG).state
    assert [*one.observation.tolist(), *other.observation.tolist()] == large.observation.tolist()
    assert small.incidents["led_back"] > 0
    with pytest.raises(ProjectError, match="expected at most 2 worlds, as the process said; found 3"):
        small.seeded([1, 2, 3])


def test_worlds_nobody_needs_are_forgotten_by_the_process(tank: BridgeSimulator) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        state = tank.reset(3, rng)
        state = tank.step(state, np.zeros(3, dtype=int), rng).state
    assert len(tank._host._held) <= 6
    held = set(tank._host._held)
    del state
    assert set(tank._host._free) == held
    tank.reset(1, rng)
    assert tank._host._free == [max(held) + 1]  # the one that was just made and is already forgotten


def test_a_request_longer_than_a_line_may_be_is_refused(opened: list[BridgeSimulator]) -> None:
    with pytest.raises(ProjectError, match=r"a request of at most 400 bytes; found .*fewer worlds"):
        bad(opened, "few", 99, max_line_bytes=400).seeded(list(range(90)))


def test_it_must_be_told_how_to_reach_the_process() -> None:
    for told in ({}, {"command": ["x"], "address": ("localhost", 1)}):
        with pytest.raises(ProjectError, match="a command or an address"):
            BridgeSimulator(problem, **told)  # type: ignore[arg-type]
    with pytest.raises(ProjectError, match="a command that starts"):
        _ = BridgeSimulator(problem, command=["no-such-program-anywhere"]).version


def test_panels_have_seeds_of_their_own(tank: BridgeSimulator) -> None:
    tank.worlds = 3
    panel = tank.panel("held_out")
    assert panel.worlds == ("seed-17179869184", "seed-17179869185", "seed-17179869186")
    assert (panel.steps, panel.independent) == (144, True)
    with pytest.raises(DataError, match="one episode"):
        tank.panel("train", days=3)


def test_a_process_that_listens_is_reached_by_its_address_and_again_after_it_hung_up(
    opened: list[BridgeSimulator], tank: BridgeSimulator
) -> None:
    command = [sys.executable, str(EXAMPLE / "world.py"), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            port = int(process.stderr.readline().split()[-1])
            opened.append(BridgeSimulator(problem, address=("127.0.0.1", port)))
            assert walked(opened[-1]) == walked(tank)
            state = opened[-1].seeded([1, 2, 3])
            opened[-1].close()
            step = opened[-1].step(state, np.zeros(3, dtype=int), RNG)
            assert step.state.observation.tolist() == walked(tank, 1)[0][0]
            opened[-1].close()
        finally:
            process.kill()
    with pytest.raises(ProjectError, match=rf"nobody answered at 127.0.0.1:{port}.*start the simulator's process"):
        _ = BridgeSimulator(problem, address=("127.0.0.1", port)).version


@pytest.mark.parametrize("most", [1, 5])
def test_a_process_with_little_room_is_profiled_swept_and_given_panels_of_what_it_holds(
    most: int, opened: list[BridgeSimulator]
) -> None:
    small = bad(opened, "few", most)
    assert small.most_worlds == most
    assert len(small.panel("selection").worlds) == most
    measured = profile(problem, small, SystemClock(), block_s=0.01)
    assert measured.rates[-1].worlds == measured.at == most
    short = replace(problem, horizon=2)
    swept = sweep(short, small, tank_rule, tank_rule, worlds=64)
    assert swept.worlds == most


def test_a_process_with_room_for_all_is_not_held_back(tank: BridgeSimulator) -> None:
    assert tank.most_worlds is None
    assert len(tank.panel("selection").worlds) == 64


def test_the_examples_rule_leaves_a_pump_off_that_may_not_run() -> None:
    told_of_water = np.array([[9.0, 0.1]], dtype=np.float32)
    for allowed, action in ((None, 2), (np.array([[True, True, True]]), 2), (np.array([[True, False, False]]), 0)):
        assert tank_rule.propose(told_of_water, allowed, np.zeros(1)).action.tolist() == [action]
