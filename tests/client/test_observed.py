"""Two lines around a function: what is in the log afterwards, whatever threads, forks and mishaps there were."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenure.client.observed import Drawn, Observed, label_of, observe
from tenure.core.decision import Arm
from tenure.core.errors import ProblemError, RequestError
from tenure.core.project import load_project
from tenure.store import LogFrame, SqliteStore
from tenure.store.labels import known_labels

BIKES = load_project("bikes").problem


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


Context = dict[str, Any]


def choosing(path: Path, **options: Any) -> Observed[..., Any]:
    """A function that decides by distance, observed."""

    def choose(order: str, distance_km: float) -> str:
        return "bike" if distance_km < 3 else "van"

    return observe("routing", log=path, **options)(choose)


def logged(observed: Observed[..., Any], path: Path) -> LogFrame:
    """What is in the log once everything is written."""
    assert observed.flush()
    with SqliteStore(path) as store:
        return store.read_log("routing")


def test_a_call_is_one_decision_with_its_context_action_and_propensity_one(path: Path) -> None:
    choose = choosing(path, key="order")
    assert choose("o-1", 2.5) == "bike"
    assert choose("o-2", distance_km=7.0) == "van"
    frame = logged(choose, path)
    assert frame.decision_id == ["o-1", "o-2"]
    assert frame.unit_id == ["o-1", "o-2"]
    assert frame.propensity.tolist() == [1.0, 1.0]
    assert set(frame.arm) == {Arm.INCUMBENT}
    with SqliteStore(path) as store:
        found = store.decision("routing", "o-2")
        assert found is not None
        assert found.context == {"distance_km": 7.0}
        assert [known_labels(store, "routing")[action] for action in frame.action] == ["bike", "van"]
        assert store.verify("routing").intact


def test_an_outcome_joins_its_decision_and_twice_counts_once(path: Path) -> None:
    choose = choosing(path, key="order")
    choose("o-1", 2.5)
    choose.outcome("o-1", minutes=11.0)
    choose.outcome("o-1", minutes=11.0)
    frame = logged(choose, path)
    assert frame.joined.tolist() == [True]
    assert frame.signals["minutes"].tolist() == [11.0]


def test_without_a_key_the_last_decision_of_the_thread_gets_the_outcome(path: Path) -> None:
    choose = choosing(path)
    choose("o-1", 2.5)
    choose("o-1", 9.0)
    choose.outcome(minutes=30.0)
    frame = logged(choose, path)
    assert frame.decision_id[1] == choose.last_id()
    assert frame.joined.tolist() == [False, True]


def test_an_outcome_of_no_decision_is_refused(path: Path) -> None:
    with pytest.raises(RequestError, match="the id of a decision"):
        choosing(path).outcome(minutes=1.0)
    with pytest.raises(RequestError, match="a signal"):
        choosing(path).outcome("o-1")


def test_a_drawn_action_keeps_its_probability_and_reaches_the_caller(path: Path) -> None:
    @observe("routing", log=path)
    def choose(distance_km: float) -> Drawn:
        return Drawn("van", 0.25)

    assert choose(2.0) == ("van", 0.25)
    assert logged(choose, path).propensity.tolist() == [0.25]


def test_a_single_mapping_is_the_context(path: Path) -> None:
    @observe("routing", log=path, key="order", unit="customer")
    def choose(context: dict[str, Any]) -> int:
        return 3

    choose({"order": "o-1", "customer": "c-9", "stock": np.float32(2.5), "zone": "north", "near": [1, 2]})
    frame = logged(choose, path)
    assert (frame.decision_id, frame.unit_id) == (["o-1"], ["c-9"])
    with SqliteStore(path) as store:
        found = store.decision("routing", "o-1")
        assert found is not None
        assert found.context == {"stock": 2.5, "zone": "north", "near": [1, 2]}


def test_what_the_caller_changes_later_is_not_what_was_decided_on(path: Path) -> None:
    @observe("routing", log=path, key="order")
    def choose(order: str, stops: list[int]) -> str:
        return "van"

    stops = [1]
    choose("o-1", stops)
    stops.append(2)
    choose.flush()
    with SqliteStore(path) as store:
        found = store.decision("routing", "o-1")
    assert found is not None
    kept: dict[str, Any] = {**found.context}
    assert kept == {"stops": [1]}


class Vehicle(Enum):
    """Actions as an enumeration."""

    BIKE = 1
    VAN = 2


@pytest.mark.parametrize(
    ("action", "label"),
    [("van", "van"), (2, "2"), (True, "True"), (np.int64(7), "7"), (np.True_, "True"), (Vehicle.VAN, "VAN")],
)
def test_labels_of_what_functions_return(action: object, label: str) -> None:
    assert label_of(action) == label


@pytest.mark.parametrize(
    ("answer", "context", "why"),
    [
        (1.5, 1.0, "not float"),
        (None, 1.0, "not NoneType"),
        (Drawn("van", 0.0), 1.0, r"propensity 0.0 outside"),
        ("van", object(), "cannot be kept as JSON"),
    ],
)
def test_what_cannot_be_logged_never_stops_the_decision(
    path: Path, caplog: pytest.LogCaptureFixture, answer: object, context: object, why: str
) -> None:
    @observe("routing", log=path)
    def choose(context: object, other: int) -> object:
        return answer

    with caplog.at_level(logging.ERROR, "tenure.client"):
        assert choose(context, 1) is answer
        choose(context, 2)
        assert choose.flush()
    assert choose.lost == 2
    assert len(caplog.records) == 1
    assert re.search(why, caplog.text)


def test_an_error_of_the_function_is_the_callers_and_no_decision(path: Path) -> None:
    @observe("routing", log=path)
    def choose(x: int) -> str:
        raise KeyError("no route")

    with pytest.raises(KeyError, match="no route"):
        choose(1)
    assert choose.flush()
    assert choose.lost == 0


def test_a_log_that_cannot_be_written_is_counted(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    choose = choosing(blocked / "log.sqlite")
    assert choose("o-1", 1.0) == "bike"
    assert choose.flush()
    assert choose.lost == 1


def test_a_backlog_that_is_too_long_is_counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tenure.client import writer

    monkeypatch.setattr(writer, "LARGEST_BACKLOG", 0)
    choose = choosing(path)
    choose("o-1", 1.0)
    assert choose.lost == 1


def test_an_argument_that_is_not_there_is_refused_when_it_is_written_down(path: Path) -> None:
    with pytest.raises(ProblemError, match="distance_km"):
        choosing(path, key="nothing")


def test_threads_lose_and_double_nothing(path: Path) -> None:
    choose = choosing(path, key="order")

    def work(number: int) -> None:
        for i in range(200):
            choose(f"{number}-{i}", float(i))
            choose.outcome(f"{number}-{i}", minutes=float(i))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    frame = logged(choose, path)
    assert sorted(frame.decision_id) == sorted(f"{n}-{i}" for n in range(6) for i in range(200))
    assert frame.joined.all()
    assert choose.lost == 0


FORKING = """
import multiprocessing, sys
from tenure.client.observed import observe

@observe("routing", log=sys.argv[1], key="order")
def choose(order, distance_km):
    return "bike" if distance_km < 3 else "van"

def in_child(number):
    for i in range(100):
        choose(f"child-{number}-{i}", float(i))

choose("parent-0", 1.0)
children = [multiprocessing.get_context("fork").Process(target=in_child, args=(number,)) for number in range(3)]
for child in children:
    child.start()
choose("parent-1", 5.0)
for child in children:
    child.join(60)
    assert child.exitcode == 0, child.exitcode
choose("parent-2", 5.0)
"""


@pytest.mark.parametrize("run", range(3))
def test_forked_processes_write_their_own_rows_once(path: Path, run: int) -> None:
    """In a process of its own: measuring coverage takes locks that a fork would copy."""
    done = subprocess.run([sys.executable, "-c", FORKING, str(path)], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    with SqliteStore(path) as store:
        frame = store.read_log("routing")
        due = ["parent-0", "parent-1", "parent-2"] + [f"child-{n}-{i}" for n in range(3) for i in range(100)]
        assert sorted(frame.decision_id) == sorted(due)
        assert sorted(known_labels(store, "routing")) == ["bike", "van"]
        assert store.verify("routing").intact


FORK_AND_EXIT = """
import os, sys
from tenure.client.observed import observe

@observe("routing", log=sys.argv[1], key="order")
def choose(order, distance_km):
    return "van"

for i in range(300):
    choose(f"parent-{i}", 1.0)
choose.flush()
choose("parent-300", 1.0)
child = os.fork()
if child == 0:
    handles = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    inherited = [os.readlink(handle) for handle in handles if os.path.exists(handle)]
    for i in range(100):
        choose(f"child-{i}", 1.0)
    sys.exit(sum(sys.argv[1] in name for name in inherited))
assert os.waitpid(child, 0)[1] == 0
assert not {"onnxruntime", "torch", "pandas", "pyarrow"} & set(sys.modules)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="open files are read from /proc")
def test_a_child_that_ends_by_itself_ends_and_keeps_its_rows(path: Path) -> None:
    """It inherits no open log, and no threads of libraries that observing does not need (ONNX Runtime's never end)."""
    done = subprocess.run([sys.executable, "-c", FORK_AND_EXIT, str(path)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    with SqliteStore(path) as store:
        assert store.counts("routing")["decisions"] == 401


def test_a_key_that_comes_again_is_counted(path: Path) -> None:
    choose = choosing(path, key="order")
    choose("o-1", 1.0)
    assert choose("o-1", 9.0) == "van"
    assert len(logged(choose, path)) == 1
    assert choose.lost == 1


@pytest.mark.parametrize("signal", ["abc", float("inf"), None])
def test_a_signal_that_is_no_number_is_counted_and_stops_nobody(path: Path, signal: Any) -> None:
    choose = choosing(path, key="order")
    choose("o-1", 1.0)
    choose.outcome("o-1", minutes=signal)
    assert not logged(choose, path).joined.any()
    assert choose.lost == 1


def test_a_kill_does_not_stop_the_log_of_the_incumbent(path: Path) -> None:
    choose = choosing(path, key="order")
    choose("o-1", 1.0)
    choose.flush()
    with SqliteStore(path) as store:
        store.kill("routing", actor="op", reason="test", at=datetime(2026, 1, 1, tzinfo=UTC))
    choose("o-2", 1.0)
    assert logged(choose, path).decision_id == ["o-1", "o-2"]


def test_with_a_problem_its_actions_and_features_are_used(tmp_path: Path) -> None:
    context = {feature.name: 1.0 for feature in BIKES.observation}

    @observe(BIKES, log=tmp_path / "log.sqlite")
    def choose(context: dict[str, float]) -> str:
        return BIKES.action.labels[2] if context["hour"] < 24 else "no such action"  # type: ignore[union-attr]

    choose(context)
    choose(context | {"hour": 30.0})
    choose({"hour": 1.0})
    assert choose.flush()
    with SqliteStore(tmp_path / "log.sqlite") as store:
        frame = store.read_log(BIKES.name)
    assert frame.action.tolist() == [2]
    assert frame.observation.shape == (1, len(BIKES.observation))
    assert choose.lost == 2


def test_rows_are_kept_under_the_folder_of_runtime_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_HOME", str(tmp_path / "home"))

    @observe("routing")
    def choose(x: int) -> str:
        return "van"

    choose(1)
    assert choose.flush()
    assert (tmp_path / "home" / "routing" / "log.sqlite").exists()
