"""The server as its own process: starts light, refuses public addresses, loses nothing when it is told to stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenure.client import DecisionClient
from tenure.core.errors import StoreError
from tenure.store import SqliteStore

HEAVY = ("torch", "stable_baselines3", "ray", "gymnasium", "onnx")
PROJECT = """
import numpy as np
from tenure import KPI, Discrete, Feature, Problem, Proposal, Reward, Signal, Term

problem = Problem(
    name="toy", about="for tests", observation=(Feature("x", "m", 0, 10),), action=Discrete(("a", "b")),
    signals=(Signal("cost", "$", 0, 1),), reward=Reward((Term("cost", -1.0, "$", "it is paid"),)),
    kpis=(KPI("cost", "$", "lower", {"cost": 1}),),
)


class Rule:
    version = "rule"

    def propose(self, observation, allowed, draw):
        return Proposal(np.zeros(len(observation), dtype=int), np.ones(len(observation)))


incumbent = Rule()
"""


def test_the_server_starts_without_the_training_stack() -> None:
    code = f"import sys, tenure.serving; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def serve(folder: Path, *options: str) -> subprocess.Popen[str]:
    (folder / "problem.py").write_text(PROJECT)
    command = [sys.executable, "-m", "tenure.cli", "serve", str(folder), "--home", str(folder / "home"), "--json"]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = serve(tmp_path, "--port", "0")
    assert process.stdout is not None
    yield process, json.loads(process.stdout.readline())["url"]
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_a_public_address_is_refused(tmp_path: Path) -> None:
    process = serve(tmp_path, "--host", "0.0.0.0", "--port", "0")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "loopback" in out + err


def test_told_to_stop_under_load_it_loses_no_acknowledged_row(
    server: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    process, url = server
    acknowledged: list[str] = []
    enough = threading.Event()

    def load(thread: int) -> None:
        with DecisionClient(url, "toy") as client:
            for number in range(100_000):
                asked = [{"decision_id": f"{thread}-{number}-{n}", "unit_id": "u", "context": {"x": 1}} for n in (0, 1)]
                try:
                    found: list[dict[str, Any]] = client.decide(asked)
                except StoreError:
                    return
                acknowledged.extend(answer["decision_id"] for answer in found)
                if len(acknowledged) > 100:
                    enough.set()

    threads = [threading.Thread(target=load, args=(thread,)) for thread in range(3)]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(60)
    assert process.wait(60) in (0, -signal.SIGTERM)
    with SqliteStore(tmp_path / "home" / "toy" / "log.sqlite") as store:
        logged = store.read_log("toy").decision_id
        assert set(acknowledged) <= set(logged)
        assert len(logged) == len(set(logged))
        assert store.verify("toy").intact
