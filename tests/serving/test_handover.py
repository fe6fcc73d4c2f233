"""Groups between loop and committing thread: what comes together goes together, and nobody waits for long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from tenure.core.errors import StoreError
from tenure.serving import DecisionRequest
from tenure.serving.deadline import Deadline
from tenure.serving.handover import Handover

from .toy import request

WAIT_S = 20.0


class Clerk:
    """Answers with the units asked for; may be held while it computes, or on its way to the disk."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.computing, self.writing = threading.Event(), threading.Event()
        self.computing.set()
        self.writing.set()
        self.calm = threading.Event()
        self.desk: Handover | None = None

    def decide(self, requests: Sequence[DecisionRequest]) -> Any:
        self.groups.append([request.unit_id for request in requests])
        assert self.computing.wait(WAIT_S)
        assert self.desk is not None
        self.desk.at_disk()
        assert self.writing.wait(WAIT_S)
        return [request.unit_id for request in requests]


def run(act: Callable[[Clerk, Handover], Awaitable[None]]) -> Clerk:
    clerk = Clerk()

    async def live() -> None:
        clerk.desk = Handover(clerk.decide, Deadline(60.0), clerk.calm)
        try:
            await asyncio.wait_for(act(clerk, clerk.desk), WAIT_S)
        finally:
            await asyncio.to_thread(clerk.desk.close)

    asyncio.run(live())
    return clerk


def asks(desk: Handover, *units: str) -> list[asyncio.Future[Any]]:
    return [asyncio.ensure_future(desk.ask([request(unit=unit)])) for unit in units]


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_a_lone_request_goes_at_once_and_gets_its_answers() -> None:
    async def act(clerk: Clerk, desk: Handover) -> None:
        answers: Any = await desk.ask([request(unit="a"), request(unit="b")])
        assert answers == ["a", "b"]

    assert run(act).groups == [["a", "b"]]


def test_what_comes_while_a_group_is_out_shares_the_next() -> None:
    async def act(clerk: Clerk, desk: Handover) -> None:
        clerk.writing.clear()
        first = asks(desk, "a")
        await until(lambda: clerk.groups)
        await until(clerk.calm.is_set)
        others = asks(desk, *"bcdefgh")
        await asyncio.sleep(0.01)
        assert clerk.calm.is_set()  # nothing was handed over, so that the loop had nothing to stand aside for
        clerk.writing.set()
        assert await asyncio.gather(*first, *others) == [[unit] for unit in "abcdefgh"]

    assert run(act).groups == [["a"], list("bcdefgh")]


def test_as_many_as_came_last_time_are_waited_for_but_not_for_long() -> None:
    async def act(clerk: Clerk, desk: Handover) -> None:
        clerk.writing.clear()
        first = asks(desk, "a")
        await until(lambda: clerk.groups)
        others = asks(desk, "b", "c")
        await asyncio.sleep(0.01)
        clerk.writing.set()
        await asyncio.gather(*first, *others)
        await asyncio.gather(*asks(desk, "d"))  # nobody else comes: it goes alone
        await asyncio.gather(*asks(desk, "e"))

    assert run(act).groups == [["a"], ["b", "c"], ["d"], ["e"]]


def test_a_group_is_gathered_before_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.serving.handover.GATHER_S", WAIT_S)

    async def act(clerk: Clerk, desk: Handover) -> None:
        desk._expected = 3
        early = asks(desk, "a", "b")
        await asyncio.sleep(0.01)
        assert clerk.groups == []
        await asyncio.gather(*early, *asks(desk, "c"))

    assert run(act).groups == [["a", "b", "c"]]


def test_the_loop_stands_aside_while_a_group_is_computed_but_not_for_long() -> None:
    async def act(clerk: Clerk, desk: Handover) -> None:
        clerk.computing.clear()
        asked = asks(desk, "a")
        await until(lambda: clerk.groups)  # the loop runs on, though nothing was computed
        assert not clerk.calm.is_set()
        clerk.computing.set()
        await asyncio.gather(*asked)
        assert clerk.calm.is_set()

    run(act)


def test_those_who_can_wait_are_told_when_a_group_is_on_its_way_to_the_disk() -> None:
    async def act(clerk: Clerk, desk: Handover) -> None:
        clerk.writing.clear()
        asked = asks(desk, "a")
        await until(clerk.calm.is_set)
        clerk.writing.set()
        await asyncio.gather(*asked)

    run(act)


def test_a_caller_who_has_gone_disturbs_nobody() -> None:
    async def act(clerk: Clerk, desk: Handover) -> None:
        clerk.writing.clear()
        gone, there = asks(desk, "a", "b")
        await until(lambda: clerk.groups)
        gone.cancel()
        clerk.writing.set()
        assert await there == ["b"]

    run(act)


def test_a_closed_one_refuses_all_that_waits() -> None:
    async def act(clerk: Clerk, desk: Handover) -> None:
        await asyncio.to_thread(desk.close)
        for asked in asks(desk, "a", "b"):
            with pytest.raises(StoreError, match="stops"):
                await asked

    assert run(act).groups == []
