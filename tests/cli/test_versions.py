"""What was live when: the moment decides what is shown, of versions, moves and state."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenure.cli.output import Output
from tenure.cli.versions import list_versions
from tenure.cli.workspace import open_workspace
from tenure.core.clock import to_text
from tenure.store import Event


def day(number: int) -> datetime:
    return datetime(2026, 3, number, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with open_workspace("bikes", tmp_path).store() as store:
        store.register_version(
            "v1", "bikes", day(1), {"lineage": {"run": "r", "seed": 1}, "evaluation": {"score": 5.0}}
        )
        for event in (
            Event("bikes", "start", "ann", "try it", day(2), {"version": "v1"}),
            Event("bikes", "promote", "controller", "proven", day(4), {"to": 0.1}),
        ):
            store.append_event(event)
        store.register_version("v2", "bikes", day(5), {})
        store.kill("bikes", actor="bob", reason="slippage", at=day(6))
    return tmp_path


@pytest.mark.parametrize(
    ("number", "versions", "live", "share", "killed", "kinds"),
    [
        (1, ["v1"], None, 0.0, False, []),
        (3, ["v1"], None, 0.0, False, ["start"]),
        (4, ["v1"], "v1", 0.1, False, ["start", "promote"]),
        (5, ["v1", "v2"], "v1", 0.1, False, ["start", "promote"]),
        (6, ["v1", "v2"], None, 0.1, True, ["start", "promote", "kill"]),
    ],
)
def test_versions_moves_and_state_are_those_of_the_moment(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    number: int,
    versions: list[str],
    live: str | None,
    share: float,
    killed: bool,
    kinds: list[str],
) -> None:
    list_versions(Output(json=True), "bikes", to_text(day(number)), home)
    found = json.loads(capsys.readouterr().out)
    assert [row["version"] for row in found["versions"]] == versions
    assert (found["live"], found["share"], found["killed"]) == (live, share, killed)
    assert [row["kind"] for row in found["history"]] == kinds


def test_people_read_of_each_move_one_short_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_workspace("bikes", home).store() as store:
        store.append_event(Event("bikes", "note", "ann", "a long story " * 50, day(7), {}))
    list_versions(Output(json=False), "bikes", None, home)
    text = capsys.readouterr().out.splitlines()
    assert text[0] == "stage canary, share 10.0 %  KILLED"
    moves = [line for line in text if line.startswith("2026")]
    assert [line.split()[2:4] for line in moves[:2]] == [["start", "ann"], ["promote", "controller"]]
    assert max(map(len, moves)) < 140
    list_versions(Output(json=True), "bikes", None, home)
    assert json.loads(capsys.readouterr().out)["history"][-1]["reason"] == "a long story " * 50


def test_without_a_moment_everything_counts_even_what_is_dated_in_the_future(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_workspace("bikes", home).store() as store:
        ahead = datetime(2999, 1, 1, tzinfo=UTC)
        store.restore("bikes", actor="ann", reason="cause found", at=ahead)
    list_versions(Output(json=True), "bikes", None, home)
    found = json.loads(capsys.readouterr().out)
    assert (found["stage"], found["killed"]) == ("rolled_back", False)
    assert found["history"][-1]["kind"] == "restore"
