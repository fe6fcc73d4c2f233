"""`tenure token`: made once, listed without its secret, taken back, and all of it in the audit log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.serving.test_server import PROJECT
from typer.testing import CliRunner

from tenure.cli.token import token_app
from tenure.store import SqliteStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "problem.py").write_text(PROJECT)
    return tmp_path


def run(folder: Path, verb: str, *more: str, code: int = 0) -> dict[str, Any]:
    arguments = [verb, str(folder), *more, "--home", str(folder / "home"), "--json"]
    done = CliRunner().invoke(token_app, arguments)
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_token_is_shown_once_and_listed_without_its_secret(folder: Path) -> None:
    made = run(folder, "create", "--role", "operator", "--name", "ann", "--days", "7", "--actor", "root")
    assert made["token"].startswith("tnr_")
    (listed,) = run(folder, "list")["tokens"]
    assert (listed["name"], listed["role"], listed["opens"], listed["created_by"]) == ("ann", "operator", True, "root")
    assert listed["expires_at"] == made["expires"]
    assert made["token"] not in json.dumps(listed)


def test_a_revoked_token_is_listed_as_such(folder: Path) -> None:
    run(folder, "create", "--role", "client", "--name", "app")
    assert run(folder, "revoke", "app") == {"revoked": "app"}
    (listed,) = run(folder, "list")["tokens"]
    assert listed["opens"] is False
    assert listed["revoked_at"] is not None


def test_making_and_revoking_are_in_the_audit_log_without_the_token(folder: Path) -> None:
    made = run(folder, "create", "--role", "admin", "--name", "ann", "--actor", "root")
    run(folder, "revoke", "ann", "--actor", "root")
    with SqliteStore(folder / "home" / "toy" / "log.sqlite") as store:
        events = store.events("toy")
        assert [(event.kind, event.actor, event.reason) for event in events] == [
            ("token", "root", "created for ann as admin"),
            ("token", "root", "revoked from ann"),
        ]
        assert made["token"] not in repr(events)
        assert store.verify("toy").intact


@pytest.mark.parametrize(("verb", "more"), [("create", ("--role", "client", "--name", "app")), ("revoke", ("nobody",))])
def test_a_name_that_is_taken_or_unknown_is_refused(folder: Path, verb: str, more: tuple[str, ...]) -> None:
    run(folder, "create", "--role", "client", "--name", "app")
    assert set(run(folder, verb, *more, code=2)) == {"error", "expected", "found", "where", "fix"}


def test_a_role_nobody_has_is_refused(folder: Path) -> None:
    done = CliRunner().invoke(token_app, ["create", str(folder), "--role", "god", "--name", "ann"])
    assert done.exit_code == 2


def test_people_see_what_programs_read(folder: Path) -> None:
    home = ["--home", str(folder / "home")]
    made = CliRunner().invoke(token_app, ["create", str(folder), "--role", "client", "--name", "app", *home])
    assert "tnr_" in made.stdout
    assert "write it down now" in made.stdout
    assert "opens" in CliRunner().invoke(token_app, ["list", str(folder), *home]).stdout
    CliRunner().invoke(token_app, ["revoke", str(folder), "app", *home])
    assert "revoked or expired" in CliRunner().invoke(token_app, ["list", str(folder), *home]).stdout
