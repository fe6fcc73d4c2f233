"""Whatever is frozen, cut off or down, a stop stops: nothing learned is recorded after the kill row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from tenure.core.clock import SystemClock
from tenure.rollout.kill import Killed, kill
from tenure.rollout.stop import StopFile
from tenure.store import Store

from . import LONG
from .audit import check
from .conftest import Make
from .load import Caller, Load
from .server import Server, Warm, free_port, until

FROZEN_S = 10.0 if LONG else 2.0


def tenure(server: Server, verb: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of a command on the server's project."""
    command = [sys.executable, "-m", "tenure.cli", verb, str(server.project), "--home", str(server.home), "--json"]
    environment = {**os.environ, **server.environment}
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=60, env=environment)
    return done.returncode, json.loads(done.stdout) if done.stdout else {"error": done.stderr}


def arm(server: Server) -> tuple[str, str]:
    """Who answers a new request, and why."""
    caller = Caller(server.port)
    status, answer = caller.post("/v1/toy/decisions", {"unit_id": "u", "context": {"x": 1}})
    caller.close()
    assert status == 200, answer
    return answer["arm"], answer["reason"]


def learned_after_kill(store: Store) -> int:
    """Learned rows, as they were written, with a number above the last kill's."""
    kill = [event.sequence for event in store.events("toy") if event.kind == "kill"][-1]
    with store.database.reading() as link:
        statement = "SELECT count(*) FROM decision WHERE problem = 'toy' AND arm = 'candidate' AND sequence > ?"
        found: int = link.execute(statement, (kill,)).get
    return found


def test_a_kill_under_load_with_one_frozen_replica_is_the_last_word(
    serve: Make, warm: Warm, log: Callable[[], Store]
) -> None:
    first = serve()
    with ExitStack() as stack:
        others = [stack.enter_context(Server(warm, first.project, first.home, free_port())) for _ in range(2)]
        loads = [stack.enter_context(Load(port, folder(first, port), 1, f"{port}-")) for port in ports(first, *others)]
        until(lambda: all(load.answered > 20 for load in loads), "all replicas answer")
        others[1].freeze()
        with log() as store:
            killed = stopped(store, first)
        time.sleep(FROZEN_S)  # how long it stays frozen is the test's subject
        others[1].thaw()
        if killed.control is None:  # it froze with SQLite's lock in its hand: the stop file stopped the others
            assert killed.stop_file is not None
            until(lambda: arms(first, *others) == {("fallback", "stop_file")}, "all have seen the stop file")
            with log() as store:
                killed = stopped(store, first)
        else:
            frozen = [replica.id for replica in killed.replicas if replica.confirmed_ms is None]
            assert [name.split("-")[-2] for name in frozen] == [str(others[1].number)]
        assert sum(replica.id not in ("log", "stop file") for replica in killed.replicas) == 3
        stop_file(first).release()
        until(lambda: arms(first, *others) == {("incumbent", "killed")}, "all have stopped")
        before = loads[2].answered
        until(lambda: loads[2].answered > before, "the thawed replica answers its callers")
    with log() as store:
        assert learned_after_kill(store) == 0
        check(store, [line for load in loads for line in load.acknowledged()])


def test_a_kill_survives_the_restart_of_everything_and_only_a_person_restores(
    serve: Make, log: Callable[[], Store]
) -> None:
    server = serve()
    server.kill()
    code, killed = tenure(server, "kill", "--reason", "with the server down")
    assert (code, killed["epoch"]) in ((0, 1), (3, 1))  # 3 while the dead server was heard of a moment ago
    server.start()
    assert arm(server) == ("incumbent", "killed")
    assert tenure(server, "restore", "--reason", "checked")[0] == 0
    until(lambda: arm(server)[1] != "killed", "the restore is seen")
    assert arm(server)[0] == "incumbent"


def test_the_stop_file_stops_a_server_whose_database_is_out_of_reach_of_people(serve: Make) -> None:
    server = serve()
    assert arm(server)[0] == "candidate"
    stop = server.home / "toy" / "STOP"
    stop.touch()
    until(lambda: arm(server)[1] == "stop_file", "the stop file is seen")
    assert arm(server)[0] == "fallback"
    stop.unlink()
    until(lambda: arm(server)[0] == "candidate", "the stop file is gone")


@pytest.mark.parametrize(("word", "who"), [("1", "fallback"), ("0", "candidate"), ("", "candidate")])
def test_the_environment_variable_stops_a_server_from_its_start(serve: Make, word: str, who: str) -> None:
    assert arm(serve(environment={"TENURE_STOP": word}))[0] == who


def stop_file(server: Server) -> StopFile:
    """The one its project's servers look for."""
    return StopFile(server.home / "toy" / "STOP")


def stopped(store: Store, server: Server) -> Killed:
    """What a kill of the server's problem did."""
    return kill(store, "toy", actor="ann", reason="test", clock=SystemClock(), stop=stop_file(server))


def arms(*servers: Server) -> set[tuple[str, str]]:
    """Who answers, and why, at any of them."""
    return {arm(server) for server in servers}


def ports(*servers: Server) -> list[int]:
    """Where they listen."""
    return [server.port for server in servers]


def folder(server: Server, port: int) -> Any:
    """A place for the ledgers of one load."""
    path = server.home.parent / f"load-{port}"
    path.mkdir()
    return path
