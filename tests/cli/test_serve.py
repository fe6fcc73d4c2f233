"""`tenure serve` as a real process: who may start it where, what it leaves behind, and that it ends well."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.serving.test_server import PROJECT

from tenure.cli.judging import ServersOperations
from tenure.cli.serve import _access, _check_address
from tenure.cli.wiring import _locked
from tenure.cli.workspace import Workspace, checkpoints_of, keys_of, open_workspace
from tenure.core.clock import SystemClock
from tenure.core.errors import MoveError, ProjectError, StoreError
from tenure.serving.access import OpenAccess, TokenAccess
from tenure.store import SqliteStore
from tenure.store.checkpoints import read_checkpoints, verify_log
from tenure.store.keys import public_key
from tenure.store.replicas import Replicas
from tenure.store.tokens import Tokens

SERVE = """
import sys
from pathlib import Path
from tenure.cli.output import Output, reported
from tenure.cli.serve import run_server

output = Output(json=True)
with reported(output):
    run_server(output, sys.argv[1], "127.0.0.1", 0, False, Path(sys.argv[1]) / "home", auth="--auth" in sys.argv,
        log_format="json")
"""
ASKED: dict[str, Any] = {"unit_id": "u", "context": {"x": 1.0}}


class Running:
    """A server process over a project folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        (folder / "problem.py").write_text(PROJECT)
        self.home = folder / "home"
        command = [sys.executable, "-c", SERVE, str(folder), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.said: dict[str, Any] = json.loads(self.process.stdout.readline())

    @property
    def log(self) -> Path:
        return self.home / "toy" / "log.sqlite"

    def post(self, path: str, **more: Any) -> httpx.Response:
        return httpx.post(self.said["url"] + path, timeout=20, **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return httpx.get(self.said["url"] + path, timeout=20, **more)

    def end(self) -> tuple[int, list[dict[str, Any]]]:
        """Exit code, and the lines it logged."""
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, [json.loads(line) for line in err.splitlines() if line.startswith("{")]


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers over one folder; what is still up at the end is killed."""
    made: list[Running] = []

    def started(*options: str) -> Running:
        made.append(Running(tmp_path, *options))
        return made[-1]

    yield started
    for each in made:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


@pytest.fixture
def running(start: Start) -> Running:
    return start()


def test_told_to_stop_it_ends_with_0_signs_off_and_signs_its_log(running: Running) -> None:
    assert running.post("/v1/toy/decisions", json=ASKED).status_code == 200
    code, lines = running.end()
    assert code == 0
    assert [line["message"] for line in lines] == ["serving", "stopped; everything that came was answered"]
    with SqliteStore(running.log) as store:
        assert Replicas(store).live("toy", SystemClock().now()) == []
        signed = read_checkpoints(store, "toy", checkpoints_of("toy", running.home))
        assert verify_log(store, "toy", signed, public_key(keys_of(running.home))).checkpoints == 1
        assert store.counts("toy")["decisions"] == 1
    assert list((running.home / "toy").glob("spool-*")) == []


def test_under_load_no_acknowledged_row_is_lost_and_it_still_ends_with_0(running: Running) -> None:
    acknowledged: list[str] = []
    enough = threading.Event()

    def load(thread: int) -> None:
        with httpx.Client(base_url=running.said["url"], timeout=20) as client:
            for number in range(100_000):
                try:
                    answer = client.post("/v1/toy/decisions", json={**ASKED, "decision_id": f"{thread}-{number}"})
                except httpx.HTTPError:
                    return
                if answer.status_code == 200:
                    acknowledged.append(answer.json()["decision_id"])
                if len(acknowledged) > 50:
                    enough.set()

    threads = [threading.Thread(target=load, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    code, _ = running.end()
    for thread in threads:
        thread.join(60)
    assert code == 0
    with SqliteStore(running.log) as store:
        assert set(acknowledged) <= set(store.read_log("toy").decision_id)
        assert store.verify("toy").intact


def test_a_kill_over_http_is_confirmed_by_the_server_itself_and_logged(running: Running) -> None:
    found = running.post("/v1/toy/kill", json={"reason": "odd"}).json()
    assert [each["confirmed_ms"] is not None for each in found["replicas"]] == [True, True]
    time.sleep(1.5)  # longer than a round of the keeper, which must tell of it
    assert "a kill is seen" in [line["message"] for line in running.end()[1]]


def test_the_stop_file_it_names_stops_it_and_the_page_says_so(running: Running) -> None:
    Path(running.said["stop_file"]).touch()
    end = time.monotonic() + 10
    while "STOP file is engaged" not in running.get("/").text:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert running.get("/readyz").status_code == 200


def test_another_sites_name_is_refused_on_loopback(running: Running) -> None:
    for path in ("/", "/v1/toy/status", "/metrics"):
        assert running.get(path, headers={"host": "evil.example"}).status_code == 403
    assert running.post("/v1/toy/decisions", json=ASKED, headers={"host": "evil.example"}).status_code == 403
    assert running.post("/v1/toy/kill", json={"reason": "x"}, headers={"origin": "https://evil"}).status_code == 403


def test_with_auth_and_no_token_it_does_not_start(start: Start) -> None:
    started = start("--auth")
    assert "token" in started.said["expected"]
    assert started.process.wait(60) == 2


def test_with_auth_a_token_opens_and_a_revoked_one_does_not_any_more(start: Start, tmp_path: Path) -> None:
    (tmp_path / "problem.py").write_text(PROJECT)
    with open_workspace(str(tmp_path), tmp_path / "home").store() as store:
        token = Tokens(store).create("app", "client", "root", SystemClock().now())
        started = start("--auth")
        shown = {"authorization": f"Bearer {token}"}
        assert started.post("/v1/toy/decisions", json=ASKED).status_code == 401
        assert started.post("/v1/toy/decisions", json=ASKED, headers=shown).status_code == 200
        assert started.post("/v1/toy/kill", json={"reason": "x"}, headers=shown).status_code == 403
        Tokens(store).revoke("app", SystemClock().now())
        end = time.monotonic() + 10
        while started.post("/v1/toy/decisions", json=ASKED, headers=shown).status_code != 401:
            assert time.monotonic() < end
            time.sleep(0.05)
    assert started.end()[0] == 0


def test_what_a_dead_server_spooled_is_in_the_log_before_the_next_one_answers(start: Start) -> None:
    first = start()
    assert first.post("/v1/toy/decisions", json={**ASKED, "decision_id": "d1"}).status_code == 200
    first.end()
    with SqliteStore(first.log) as store:
        row = store.decision("toy", "d1")
    left = first.home / "toy" / "spool-dead.jsonl"
    assert row is not None
    left.write_bytes(msgspec.json.encode(replace(row, decision_id="d2")))
    second = start()
    with SqliteStore(second.log) as store:
        assert store.decision("toy", "d2") is not None
    assert not left.exists()
    assert second.end()[0] == 0


def test_a_living_servers_spool_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "spool-1.jsonl"
    with _locked(path) as mine:
        assert mine == path
        with _locked(path) as other:
            assert other is None
    with _locked(path) as free:
        assert free == path


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "example.com"])
def test_a_public_address_needs_auth(host: str) -> None:
    with pytest.raises(ProjectError, match="--auth"):
        _check_address(host, auth=False)
    _check_address(host, auth=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_does_not(host: str) -> None:
    _check_address(host, auth=False)


def test_an_expired_token_is_none(tmp_path: Path) -> None:
    clock, hosts = SystemClock(), frozenset({"localhost"})
    with SqliteStore(tmp_path / "log.db") as store:
        assert isinstance(_access(store, clock, False, hosts), OpenAccess)
        now = clock.now()
        Tokens(store).create("old", "admin", "root", now, now)
        with pytest.raises(ProjectError, match="token create"):
            _access(store, clock, True, hosts)
        Tokens(store).create("new", "admin", "root", now)
        assert isinstance(_access(store, clock, True, hosts), TokenAccess)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "problem.py").write_text(PROJECT)
    return open_workspace(str(tmp_path), tmp_path / "home")


def test_a_promotion_is_judged_in_a_process_of_its_own(workspace: Workspace, tmp_path: Path) -> None:
    with workspace.store() as store:
        verbs = ServersOperations(str(tmp_path), workspace, store, SystemClock())
        with pytest.raises(MoveError, match="simulator"):  # which this project has not, and judging needs
            verbs.promote("ann", "it is time")


def judged(monkeypatch: pytest.MonkeyPatch, out: str) -> list[list[str]]:
    """Commands that were run; each says the same."""
    ran: list[list[str]] = []

    def run(command: list[str], **_: Any) -> Any:
        ran.append(command)
        return subprocess.CompletedProcess(command, 0, out, "")

    monkeypatch.setattr("subprocess.run", run)
    return ran


def test_what_a_person_says_is_one_argument_whatever_it_looks_like(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = judged(monkeypatch, '{"verdict": "pass", "findings": []}')
    with workspace.store() as store:
        ServersOperations("toy", workspace, store, SystemClock()).start("--home=/", "--json", "--actor=eve")
    assert {"--version=--home=/", "--actor=--json", "--reason=--actor=eve"} <= set(ran[0])


@pytest.mark.parametrize(
    ("out", "error", "word"),
    [
        ('{"verdict": "fail", "findings": [{"gate": "g", "reason": "worse"}]}', MoveError, "g: worse"),
        ('{"error": "MoveError", "expected": "a", "found": "b", "where": "c", "fix": "d"}', MoveError, "found b"),
        ("Traceback", StoreError, "by hand"),
    ],
)
def test_what_the_judgement_says_is_told(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, out: str, error: type[Exception], word: str
) -> None:
    judged(monkeypatch, out)
    with workspace.store() as store, pytest.raises(error, match=word):
        ServersOperations("toy", workspace, store, SystemClock()).start("v1", "ann", "new")
