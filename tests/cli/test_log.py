"""`tenure log`: import, export, verify as their users meet them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import apsw
import pytest
from typer.testing import CliRunner

from tenure.cli.log import log_app
from tenure.store import SqliteStore

LINES = ["decision_id,action,propensity,reward,x", "d1,a,0.5,1,3", "d2,b,0.5,0,4", "d3,,0.5,0,4"]


def run(*words: object, home: Path) -> tuple[int, dict[str, Any]]:
    """Exit code and the one JSON object of a command."""
    done = CliRunner().invoke(log_app, [*map(str, words), "--home", str(home), "--json"])
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.stdout.isascii()
    assert done.stdout.count("\n") == 1
    return done.exit_code, found


def csv(folder: Path, *lines: str, name: str = "in.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines or LINES) + "\n")
    return path


def test_an_import_lists_what_it_took_and_what_not(tmp_path: Path) -> None:
    path = csv(tmp_path)
    code, found = run("import", "shop", path, home=tmp_path)
    assert (code, found["rows"], found["existing"], found["problem"]) == (0, 2, 0, "shop")
    assert found["rejected"] == [{"line": 4, "reason": "no action", "text": "d3,,0.5,0,4"}]
    assert "action: action (by its name)" in found["summary"]
    assert Path(found["rejects"]).read_text().splitlines() == ["line,reason,text", '4,no action,"d3,,0.5,0,4"']
    code, found = run("import", "shop", path, "--rejects", tmp_path / "bad.csv", home=tmp_path)
    assert (code, found["rows"], found["existing"], found["rejects"]) == (0, 0, 2, str(tmp_path / "bad.csv"))


def test_what_goes_out_comes_in_again(tmp_path: Path) -> None:
    run("import", "shop", csv(tmp_path), home=tmp_path)
    code, found = run("export", "shop", tmp_path / "out.parquet", home=tmp_path)
    assert (code, found["rows"], found["left_out"]) == (0, 2, {})
    assert run("import", "copy", tmp_path / "out.parquet", home=tmp_path)[1]["rows"] == 2
    assert run("import", "shop", tmp_path / "out.parquet", home=tmp_path)[1]["existing"] == 2


def test_verify_finds_an_edited_row_and_exits_4(tmp_path: Path) -> None:
    run("import", "shop", csv(tmp_path), home=tmp_path)
    code, found = run("verify", "shop", home=tmp_path)
    assert (code, found["intact"], found["first_bad"]) == (0, True, None)
    connection = apsw.Connection(str(tmp_path / "shop" / "log.sqlite"))
    connection.execute("UPDATE decision SET propensity = 0.9 WHERE decision_id = 'd2'")
    connection.close()
    code, found = run("verify", "shop", home=tmp_path)
    assert (code, found["intact"], found["first_bad"]) == (4, False, 3)


@pytest.mark.parametrize(
    "words",
    [
        ("verify", "absent"),
        ("export", "absent", "out.csv"),
        ("import", "shop", "absent.csv"),
        ("import", "no/such/folder", "in.csv"),
        ("verify", "bikes"),
    ],
)
def test_what_is_not_there_is_a_clear_error_and_exit_2(words: tuple[str, ...], tmp_path: Path) -> None:
    code, found = run(*words, home=tmp_path)
    assert (code, set(found)) == (2, {"error", "expected", "found", "where", "fix"})


def test_nothing_that_can_be_read_is_exit_2_and_leaves_no_log(tmp_path: Path) -> None:
    code, found = run("import", "shop", csv(tmp_path, "action,reward", ",1"), home=tmp_path)
    assert (code, found["error"]) == (2, "DataError")
    assert not (tmp_path / "shop").exists()


def test_an_unknown_format_is_exit_2(tmp_path: Path) -> None:
    code, found = run("import", "shop", csv(tmp_path), "--format", "xls", home=tmp_path)
    assert (code, found["where"]) == (2, "--format")


def test_a_mapping_is_taken(tmp_path: Path) -> None:
    mapping = csv(tmp_path, "[columns]", 'reward = { column = "cost", sign = -1 }', name="mapping.toml")
    path = csv(tmp_path, "action,cost", "a,2")
    assert run("import", "shop", path, "--mapping", mapping, home=tmp_path)[0] == 0
    with SqliteStore(tmp_path / "shop" / "log.sqlite") as store:
        assert [row.signals for row in store.read_rows("shop", limit=9)] == [{"reward": -2.0}]


def test_people_read_the_summary_and_what_became_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.cli.log.EVERY_S", -1.0)
    runner = CliRunner()
    done = runner.invoke(log_app, ["import", "shop", str(csv(tmp_path)), "--home", str(tmp_path)])
    assert "2 rows of 2" in done.stdout
    assert "1 row(s) were rejected" in done.stdout
    assert "2 new decisions and 2 outcomes; 0 were in the log already." in done.stdout
    with SqliteStore(tmp_path / "shop" / "log.sqlite") as store:
        row = store.read_rows("shop", limit=1)[0].decision
        store.append_correction("shop", "d1", action=1, arm=row.arm, propensity=1.0, reason="test", at=row.decided_at)
    done = runner.invoke(log_app, ["export", "shop", str(tmp_path / "out.csv"), "--home", str(tmp_path)])
    assert "Not in it, since no form has a word for them: 1 corrections, which are applied." in done.stdout
    done = runner.invoke(log_app, ["verify", "shop", "--home", str(tmp_path)])
    assert "intact: all 5 rows" in done.stdout


def test_a_case_s_log_is_found_by_its_project(tmp_path: Path) -> None:
    from tenure.core.project import load_project
    from tenure.core.spaces import Discrete

    action = load_project("bikes").problem.action
    assert isinstance(action, Discrete)
    path = csv(tmp_path, "decision_id,action,reward", f"d1,{action.labels[0]},1", "d2,sideways,1")
    code, found = run("import", "bikes", path, home=tmp_path)
    assert (code, found["rows"]) == (0, 1)
    assert [row["reason"] for row in found["rejected"]] == ["the action 'sideways' is none of the problem's"]
    assert run("verify", "bikes", home=tmp_path)[1]["intact"] is True
    code, found = run("export", "bikes", tmp_path / "out.jsonl", home=tmp_path)
    assert (code, found["rows"], found["problem"]) == (0, 1, "bikes")
