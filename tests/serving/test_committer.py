"""Group commits: many callers each get their own, and a policy that hangs keeps nobody waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest

from tenure.core.decision import Arm
from tenure.core.errors import StoreError
from tenure.serving import DecisionRequest
from tenure.serving.committer import Delivery, GroupCommitter
from tenure.serving.deadline import MOST_HUNG, Deadline

from .conftest import Make
from .toy import Fixed, World, request, who

WAIT_S = 20.0
"""Most a test waits for what must come."""


class Gate:
    """Decides when opened, and remembers the sizes of its groups."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Event()
        self.groups: list[int] = []

    def decide(self, requests: Sequence[DecisionRequest]) -> Any:
        self.entered.set()
        self.open.wait()
        self.groups.append(len(requests))
        return [request.unit_id for request in requests]


class Desk:
    """A committer whose tickets are futures, for threads."""

    def __init__(self, decide: Callable[[Sequence[DecisionRequest]], Any], deadline: Deadline | None = None) -> None:
        self.committer = GroupCommitter[Future[Any]](decide, self._deliver, deadline or Deadline(60.0))
        self.close = self.committer.close

    def submit(self, requests: Sequence[DecisionRequest]) -> Future[Any]:
        future: Future[Any] = Future()
        self.committer.submit(requests, future)
        return future

    def _deliver(self, delivery: Delivery[Future[Any]]) -> None:
        for future, answers in delivery:
            if isinstance(answers, Exception):
                future.set_exception(answers)
            else:
                future.set_result(answers)


@contextmanager
def desk(world: World) -> Iterator[Desk]:
    found = Desk(world.service.decide, world.service.deadline)
    try:
        yield found
    finally:
        found.close()


def test_callers_that_come_while_a_commit_runs_share_the_next_one() -> None:
    gate = Gate()
    desk = Desk(gate.decide)
    first = desk.submit([request(unit="0")])
    gate.entered.wait()
    others = [desk.submit([request(unit=f"{n}"), request(unit=f"{n}'")]) for n in range(1, 9)]
    gate.open.set()
    desk.close()
    assert first.result() == ["0"]
    assert [future.result() for future in others] == [[f"{n}", f"{n}'"] for n in range(1, 9)]
    assert gate.groups == [1, 16]


def test_a_group_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.serving.committer.LARGEST_GROUP", 3)
    gate = Gate()
    desk = Desk(gate.decide)
    desk.submit([request()])
    gate.entered.wait()
    for _ in range(4):
        desk.submit([request(), request()])
    gate.open.set()
    desk.close()
    assert gate.groups == [1, 4, 4]


def test_many_threads_each_get_their_own_answers(world: World) -> None:
    found: dict[str, Future[Any]] = {}
    with desk(world) as asked:

        def work(thread: int) -> None:
            for number in range(20):
                name = f"{thread}-{number}"
                found[name] = asked.submit([request(name), request(f"{name}'")])

        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for name, future in found.items():
        assert [answer.decision_id for answer in future.result()] == [name, f"{name}'"]
    assert world.count() == 320


def test_a_defect_reaches_the_callers_and_the_thread_goes_on() -> None:
    def decide(requests: Sequence[DecisionRequest]) -> Any:
        if requests[0].unit_id == "bad":
            raise ZeroDivisionError("ours")
        return [request.unit_id for request in requests]

    desk = Desk(decide)
    with pytest.raises(ZeroDivisionError):
        desk.submit([request(unit="bad")]).result()
    assert desk.submit([request(unit="good")]).result() == ["good"]
    desk.close()


def test_a_closed_committer_refuses_instead_of_keeping_callers_waiting() -> None:
    desk = Desk(lambda requests: [])
    desk.close()
    desk.close()
    with pytest.raises(StoreError, match="stops"):
        desk.submit([request()])


# A policy that hangs


class Hanging:
    """A candidate whose calls hang until they are let go, after some that do not."""

    def __init__(self, good: int = 0) -> None:
        self.go, self.good, self.hung = threading.Event(), good, 0

    def __call__(self) -> None:
        if self.good > 0:
            self.good -= 1
            return
        self.hung += 1
        self.go.wait(WAIT_S)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    found = Hanging()
    yield found
    found.go.set()


def hung_world(make: Make, hanging: Hanging, deadline: Deadline) -> World:
    return make(candidate=Fixed(before=hanging), deadline=deadline).at("full", 1.0)


def until(condition: Callable[[], object]) -> None:
    """Waits for what another thread must bring about."""
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.001)


def test_a_policy_that_hangs_never_reaches_a_caller(make: Make, hanging: Hanging) -> None:
    world = hung_world(make, hanging, Deadline(0.05))
    with desk(world) as asked:
        started = time.monotonic()
        together = asked.submit([request("d1"), request("d2")]).result(WAIT_S)
        took = time.monotonic() - started
        assert [who(answer) for answer in together] == [("a", Arm.FALLBACK, "deadline")] * 2
        assert 0.05 <= took < 5
        following = asked.submit([request("d3")]).result(WAIT_S)
        assert who(following[0]) == ("a", Arm.FALLBACK, "deadline")
        assert hanging.hung == 1  # it rests: nobody asked it again
    assert world.service.chooser.failures == {"deadline": 2}
    assert (world.count(), world.count("learned")) == (3, 0)


def test_a_thread_that_comes_back_late_writes_nothing_and_ends(make: Make, hanging: Hanging) -> None:
    deadline = Deadline(0.02)
    world = hung_world(make, hanging, deadline)
    with desk(world) as asked:
        asked.submit([request("d1")]).result(WAIT_S)
        assert deadline.hung == 1
        hanging.go.set()
        until(lambda: deadline.hung == 0)
        asked.submit([request("d2")]).result(WAIT_S)
    assert (world.count(), world.row("d1").arm) == (2, Arm.FALLBACK)
    assert sum(thread.name == "tenure-commit" for thread in threading.enumerate()) == 0


def test_a_policy_that_was_late_is_asked_again_after_its_rest(make: Make, hanging: Hanging) -> None:
    now = [0.0]
    deadline = Deadline(0.02, lambda: now[0] + time.monotonic())
    world = hung_world(make, hanging, deadline)
    with desk(world) as asked:
        asked.submit([request("d1")]).result(WAIT_S)
        hanging.go.set()
        assert who(asked.submit([request("d2")]).result(WAIT_S)[0])[2] == "deadline"
        now[0] += 2.0
        assert who(asked.submit([request("d3")]).result(WAIT_S)[0])[1] is Arm.CANDIDATE


def test_no_more_than_a_few_calls_hang_at_once(make: Make, hanging: Hanging) -> None:
    now = [0.0]
    deadline = Deadline(0.01, lambda: now[0] + time.monotonic())
    world = hung_world(make, hanging, deadline)
    with desk(world) as asked:
        for number in range(MOST_HUNG + 3):
            asked.submit([request(f"d{number}")]).result(WAIT_S)
            now[0] += 1000.0
    assert (hanging.hung, deadline.hung) == (MOST_HUNG, MOST_HUNG)
    assert world.count() == MOST_HUNG + 3
