"""With a real server and a caller that is killed: what was acknowledged is in the log once, as what was done."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.cli.drill import server, typical
from tenure.cli.workspace import Workspace, open_workspace
from tenure.client import AsyncDecisionClient, DecisionClient
from tenure.core.decision import Arm
from tenure.core.problem import Problem

CALLER = """
import json, sys
from pathlib import Path
from tenure.client import DecisionClient, Retry
context, signals = json.loads(sys.argv[2]), json.loads(sys.argv[3])
client = DecisionClient(
    "http://127.0.0.1:9", "bikes", fallback=lambda _: "+0", spool=Path(sys.argv[1]), retry=Retry(attempts=1)
)
number = 0
while True:
    client.decide_one(f"u{number}", context, decision_id=f"d{number}")
    client.record(f"d{number}", signals, outcome_id="o")
    print(number, flush=True)
    number += 1
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = open_workspace("bikes", tmp_path)
    made.store().close()
    return made


@pytest.fixture
def url(workspace: Workspace) -> Iterator[str]:
    with server(workspace, workspace.home) as found:
        yield found


def context(problem: Problem) -> dict[str, float]:
    return {feature.name: typical(feature) for feature in problem.observation}


def killed_caller(folder: Path, problem: Problem) -> int:
    """Decisions and outcomes a caller had acknowledged when it was killed, with no server anywhere."""
    import json

    signals = dict.fromkeys(problem.signal_names, 0.0)
    argv = [sys.executable, "-c", CALLER, str(folder), json.dumps(context(problem)), json.dumps(signals)]
    caller = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    told = [caller.stdout.readline() for _ in range(10)]
    caller.kill()
    told += caller.stdout.read().splitlines()
    caller.wait()
    caller.stdout.close()
    return len(told)


def test_what_a_killed_caller_acknowledged_is_in_the_log_once(workspace: Workspace, url: str, tmp_path: Path) -> None:
    problem, spool = workspace.project.problem, tmp_path / "spool"
    acknowledged = killed_caller(spool, problem)
    for _ in range(2):
        with DecisionClient(url, "bikes", spool=spool) as client:
            assert client.flush(), client.waiting.delivery and client.waiting.delivery.last_error
    with workspace.store() as store:
        rows, counts = store.read_rows("bikes", limit=1000), store.counts("bikes")
    assert len(rows) >= acknowledged >= 10
    assert [row.decision.decision_id for row in rows] == [f"d{number}" for number in range(len(rows))]
    assert {row.decision.arm for row in rows} == {Arm.FALLBACK}
    assert {row.decision.propensity for row in rows} == {None}
    assert all(row.counted for row in rows[:acknowledged])
    assert counts["orphan"] == counts["repeated"] == counts["quarantine"] == 0
    assert not list(spool.glob("*.jsonl"))


def test_a_live_server_answers_both_clients_and_takes_their_outcomes(
    workspace: Workspace, url: str, tmp_path: Path
) -> None:
    problem = workspace.project.problem
    given, signals = context(problem), dict.fromkeys(problem.signal_names, 0.0)
    with DecisionClient(url, "bikes", spool=tmp_path / "one") as client:
        answer = client.decide_one("u1", given, decision_id="d1")
        again = client.decide_one("u1", given, decision_id="d1")
        client.record("d1", signals)
    assert (answer.arm, answer.label) == (again.arm, again.label) == ("incumbent", again.label)
    assert answer.usable_until is not None

    async def both() -> str:
        async with AsyncDecisionClient(url, "bikes", spool=tmp_path / "two") as asynchronous:
            found = await asynchronous.decide_one("u2", given)
            await asynchronous.record(found.decision_id, signals)
            assert await asynchronous.flush()
            return found.arm

    assert asyncio.run(both()) == "incumbent"
    with workspace.store() as store:
        assert [row.counted for row in store.read_rows("bikes", limit=10)] == [True, True]
