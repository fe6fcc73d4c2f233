"""A policy in a process of its own: it may crash, hang, leak or lie, and the incumbent answers. Real children."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from tests.store.test_bundles import bundle as some_bundle

from tenure.core.arrays import Bools, Floats
from tenure.core.decision import Arm
from tenure.core.errors import BundleError
from tenure.core.policy import Proposal
from tenure.core.spaces import Box
from tenure.serving import apart
from tenure.serving.apart import Apart
from tenure.serving.deadline import LateError
from tenure.store import BundlePolicy, save_bundle
from tenure.store.standin import stand_in

from .conftest import Make
from .toy import problem, request, who

# Decides b until x is 9; what it does then is the test's.
CHILD = """
import os, signal, socket, sys, time
import numpy as np
from tenure.core.policy import Proposal
from tenure.serving.apart import answer, limit

limit({memory})

class Child:
    version = "v1"

    def propose(self, observation, allowed, draw):
        n, value = len(observation), observation[0, 0]
        action, sure = np.full(n, 1), np.full(n, .5)
        if value == 9:
            {harm}
        return Proposal(action, sure)

end = socket.socket(fileno=int(sys.argv[-1]))
{start}
answer(Child(), 4, end)
"""
WAIT_S = 30.0


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Apart]]:
    """Starts a child that does harm when it is told to."""
    monkeypatch.setattr(apart, "FIRST_PAUSE_S", 0.01)
    folder = tmp_path / "v1"
    folder.mkdir()
    (folder / "manifest.json").write_text(f'{{"problem_version": "{problem().version}"}}')
    started: list[Apart] = []

    def start(harm: str = "pass", begin: str = "", memory: int = 4 * 1024**3, seconds: float = 5.0) -> Apart:
        script = tmp_path / "child.py"
        script.write_text(CHILD.format(harm=harm, start=begin, memory=memory))
        started.append(Apart(folder, seconds, command=[sys.executable, str(script)]))
        return started[-1]

    yield start
    for child in started:
        child.close()


def propose(policy: Apart, x: float = 2.0) -> list[int]:
    observation = np.array([[x, 1.0]], dtype=np.float32)
    found: list[int] = policy.propose(observation, None, np.zeros(1)).action.tolist()
    return found


def until_alive(policy: Apart, restarts: int = 1) -> None:
    end = time.monotonic() + WAIT_S
    while policy.counters["restarted"] < restarts:
        assert time.monotonic() < end, f"not alive again: {policy.counters}"
        time.sleep(0.01)


def test_a_child_answers_as_the_policy_would(run: Callable[..., Apart]) -> None:
    policy = run()
    assert propose(policy) == [1]
    many = policy.propose(np.zeros((300, 2), np.float32), np.ones((300, 4), bool), np.zeros(300))
    assert (many.action.tolist(), many.confidence.tolist(), many.distribution) == ([1] * 300, [0.5] * 300, None)


@pytest.mark.parametrize(
    "harm",
    [
        "os.kill(os.getpid(), signal.SIGSEGV)",
        "os._exit(0)",
        "raise RuntimeError('boom')",
        "end.send(b'garbage that is no frame')",
        "end.send(bytes(8)); time.sleep(60)",
        "hoard = [np.zeros(2 ** 27) for _ in range(1000)]",
    ],
    ids=["segfault", "exit", "exception", "garbage", "empty frame", "leak"],
)
def test_a_child_that_dies_or_lies_is_an_error_and_another_takes_its_place(
    run: Callable[..., Apart], harm: str
) -> None:
    policy = run(harm)
    with pytest.raises(BundleError):
        propose(policy, 9.0)
    assert policy.counters["died"] == 1
    until_alive(policy)
    assert propose(policy) == [1]


def test_a_child_that_hangs_is_killed_at_the_deadline(run: Callable[..., Apart]) -> None:
    policy = run("time.sleep(600)", seconds=0.1)
    started = time.monotonic()
    with pytest.raises(LateError):
        propose(policy, 9.0)
    assert 0.1 <= time.monotonic() - started < 5
    assert policy.counters["late"] == 1


def test_half_an_answer_is_no_answer_at_the_deadline(run: Callable[..., Apart]) -> None:
    policy = run("end.send(bytes([200, 0, 0, 0]) + b'half'); time.sleep(600)", seconds=0.1)
    with pytest.raises(LateError):
        propose(policy, 9.0)


def test_an_answer_too_large_is_not_read(run: Callable[..., Apart]) -> None:
    policy = run("end.send(bytes([255, 255, 255, 255])); time.sleep(600)")
    with pytest.raises(BundleError, match="4294967295 bytes"):
        propose(policy, 9.0)


def test_while_none_is_alive_nobody_waits(run: Callable[..., Apart], monkeypatch: pytest.MonkeyPatch) -> None:
    policy = run("os._exit(1)")
    monkeypatch.setattr(policy, "_pause_s", 600.0)
    with pytest.raises(BundleError):
        propose(policy, 9.0)
    started = time.monotonic()
    with pytest.raises(BundleError, match="being started again"):
        propose(policy)
    assert time.monotonic() - started < 1


def test_a_child_that_cannot_start_is_a_bundle_error(run: Callable[..., Apart]) -> None:
    with pytest.raises(BundleError, match="loads the bundle"):
        run(begin="raise SystemExit(1)")


def test_a_child_cannot_fill_a_disk_or_see_a_secret(
    run: Callable[..., Apart], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENURE_SECRET", "s")
    policy = run(f"assert 'TENURE_SECRET' not in os.environ; os.write(os.open({str(tmp_path / 'big')!r}, 65), b'x')")
    with pytest.raises(BundleError):
        propose(policy, 9.0)
    assert (tmp_path / "big").stat().st_size == 0


def test_a_caller_gets_the_incumbents_action_whatever_the_child_does(make: Make, run: Callable[..., Apart]) -> None:
    world = make(candidate=run("os.kill(os.getpid(), signal.SIGSEGV)")).at("full", 1.0)
    assert who(world.one("d1"))[1] is Arm.CANDIDATE
    assert who(world.one("d2", x=9.0)) == ("a", Arm.FALLBACK, "bundle_error")
    until_alive(world.candidate)
    assert who(world.one("d3"))[1] is Arm.CANDIDATE


def test_a_child_that_answers_nan_or_an_illegal_action_is_not_believed(make: Make, run: Callable[..., Apart]) -> None:
    world = make(candidate=run("action, sure = action + 90, sure * np.nan")).at("full", 1.0)
    assert who(world.ask(request("d1", x=9.0))[0]) == ("a", Arm.FALLBACK, "illegal_action")


def test_a_bundle_runs_in_a_child_as_it_does_here(tmp_path: Path) -> None:
    bundle = some_bundle()
    save_bundle(bundle, tmp_path)
    here = BundlePolicy(bundle)
    there = apart.loader(tmp_path, WAIT_S)(bundle.version)
    try:
        observation = np.arange(10, dtype=np.float32).reshape(5, 2) - 4
        ours, theirs = (policy.propose(observation, None, np.zeros(5)) for policy in (here, there))
        assert ours.action.tolist() == theirs.action.tolist()
        assert ours.confidence.tolist() == theirs.confidence.tolist()
        assert (there.version, there.problem_version) == (bundle.version, bundle.manifest["problem_version"])
    finally:
        there.close()


def test_a_bundle_without_a_readable_manifest_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(BundleError, match="problem's version"):
        Apart(tmp_path, 1.0)


class Drawing:
    """Draws from the allowed actions."""

    version = "v1"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        assert allowed is not None
        chances = allowed / allowed.sum(axis=1, keepdims=True)
        return Proposal(allowed.argmax(axis=1), observation[:, 0].astype(float) + draw, chances)


def test_a_child_is_told_all_and_tells_all() -> None:
    ours, theirs = socket.socketpair()
    child = threading.Thread(target=apart.answer, args=(Drawing(), 4, theirs))
    child.start()
    with ours:
        policy = object.__new__(Apart)
        policy._lock, policy._seconds, policy._child = threading.Lock(), WAIT_S, apart._Child(cast(Any, Mute()), ours)
        allowed = np.array([[0, 1, 1, 0], [0, 0, 0, 1]], dtype=bool)
        found = policy.propose(np.array([[0.25, 1.0], [0.5, 1.0]], np.float32), allowed, np.array([0.125, 0.25]))
    child.join(WAIT_S)
    theirs.close()
    assert (found.action.tolist(), found.confidence.tolist()) == ([1, 3], [0.375, 0.75])
    assert found.distribution is not None
    assert found.distribution.tolist() == [[0.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.0, 1.0]]
    assert not child.is_alive()


class Mute:
    """Stands for a process nobody needs."""

    def kill(self) -> None: ...

    def wait(self) -> None: ...


def test_a_child_that_cannot_be_started_again_is_tried_again(
    run: Callable[..., Apart], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = run("os._exit(1)")
    start, failures = apart._start, [BundleError(expected="a", found="b", where="c", fix="d")]

    def unlucky(command: list[str]) -> Any:
        if failures:
            raise failures.pop()
        return start(command)

    monkeypatch.setattr(apart, "_start", unlucky)
    with pytest.raises(BundleError):
        propose(policy, 9.0)
    until_alive(policy)
    assert not failures
    assert propose(policy) == [1]


def test_a_closed_one_starts_no_child(run: Callable[..., Apart]) -> None:
    policy = run()
    policy.close()
    policy.close()
    policy._again()
    with pytest.raises(BundleError):
        propose(policy)
    assert policy.counters["restarted"] == 0


def test_a_child_that_spins_at_load_ends_even_where_nobody_is_left_to_kill_it() -> None:
    spins = (
        "import itertools, tenure.store; from tenure.serving import apart; apart.START_S = 0.5;"
        "tenure.store.load_bundle = lambda *_: sum(itertools.repeat(0)); apart.main(['v1', 2**40, 0])"
    )
    done = subprocess.run([sys.executable, "-c", spins], timeout=WAIT_S)
    assert done.returncode == -signal.SIGALRM


def test_a_bundle_of_vectors_answers_from_its_own_process(tmp_path: Path) -> None:
    boxed = problem(action=Box(("u", "v"), ("m", "m"), (-1.0, 0.0), (1.0, 0.25)))
    child = Apart(save_bundle(stand_in(boxed), tmp_path), 5.0)
    try:
        found = child.propose(np.zeros((3, 2), dtype=np.float32), None, np.zeros(3))
    finally:
        child.close()
    assert (found.action.dtype.kind, found.action.tolist()) == ("f", [[0.0, 0.125]] * 3)
