"""A policy that is slow, damaged or not a number never reaches a caller: the incumbent answers, in time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest

from tenure.store import Store

from . import LONG
from .conftest import Make
from .load import Caller
from .project import RULE, candidate, move
from .server import until

ASKED = 500 if LONG else 30
DEADLINE_MS = 50


def ask(caller: Caller, number: int, x: float = 1.0) -> tuple[dict[str, object], float]:
    """One answer and how long it took, in seconds."""
    began = time.perf_counter()
    asked = {"decision_id": f"d{number}", "unit_id": f"u{number}", "context": {"x": x, "y": 0.0}}
    status, answer = caller.post("/v1/toy/decisions", asked)
    assert status == 200, answer
    return answer, time.perf_counter() - began


def test_a_slow_policy_costs_a_caller_the_deadline_and_the_incumbent_answers(serve: Make) -> None:
    slow = serve("slow", toml=f"\n[serving]\ndeadline_ms = {DEADLINE_MS}\n")
    caller = Caller(slow.port, timeout_s=60.0)
    answers = [ask(caller, number) for number in range(ASKED)]
    assert {(answer["action"], answer["arm"], answer["reason"]) for answer, _ in answers} == {
        (RULE, "fallback", "deadline")
    }
    # The promise is deadline + 5 ms; the bound leaves room for a machine that is busy with other things.
    assert statistics.median(seconds for _, seconds in answers) < (2 * DEADLINE_MS + 50) / 1000
    assert max(seconds for _, seconds in answers) < 2.0
    caller.close()


def test_a_policy_that_gives_no_number_is_not_executed(serve: Make) -> None:
    server = serve("nan")
    caller = Caller(server.port)
    good, _ = ask(caller, 1, x=1.0)
    bad, _ = ask(caller, 2, x=9.0)
    assert (good["arm"], good["reason"]) == ("candidate", "candidate")
    assert (bad["action"], bad["arm"], bad["reason"]) == (RULE, "fallback", "illegal_action")
    caller.close()


@pytest.mark.parametrize("file", ["policy.onnx", "manifest.json"])
def test_a_bundle_damaged_on_disk_is_not_served_and_a_mended_one_is_picked_up(serve: Make, file: str) -> None:
    server = serve()
    server.kill()
    path = next((server.home / "toy" / "bundles").glob(f"*/{file}"))
    whole = path.read_bytes()
    path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    server.start()
    caller, numbers = Caller(server.port), iter(range(10**6))
    answer, _ = ask(caller, next(numbers))
    assert (answer["action"], answer["arm"], answer["reason"]) == (RULE, "fallback", "bundle_error")
    path.write_bytes(whole)
    until(lambda: ask(caller, next(numbers))[0]["arm"] == "candidate", "the mended bundle is picked up")
    caller.close()


def test_a_bundle_cut_short_while_it_is_loaded_takes_nothing_down(serve: Make, log: Callable[[], Store]) -> None:
    server = serve()
    other = candidate(server.project, server.home, "nan")
    (server.home / "toy" / "bundles" / other / "policy.onnx").write_bytes(b"")
    with log() as store:
        restart(store, other)
    caller = Caller(server.port)
    until(lambda: ask(caller, time.monotonic_ns())[0]["reason"] == "bundle_error", "the cut bundle is refused")
    assert server.alive
    caller.close()


def restart(store: Store, version: str) -> None:
    """Another candidate takes the seat of the one that has it."""
    move(store, "rollback")
    move(store, "start", version=version)
    move(store, "promote", to=1.0)
