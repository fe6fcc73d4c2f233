"""`tenure train --log`: what it says of the log, what it records, and what it refuses before a seed begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.training.corridor import Mixed, corridor, log_of
from typer.testing import CliRunner

from tenure.cli.main import app


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A project, its checked reward, and a log."""
    project = corridor(tmp_path / "corridor")
    log_of(project, Mixed(), tmp_path / "mixed.csv")
    assert called(tmp_path, "reward", "check", str(tmp_path / "corridor"))[0] == 0
    return tmp_path


def called(place: Path, *words: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, [*words, "--home", str(place / "home"), "--json"])
    return result.exit_code, json.loads(result.stdout)


def trained(place: Path, *words: str) -> tuple[int, dict[str, Any]]:
    return called(place, "train", str(place / "corridor"), "--seeds", "1", "--name", "run", *words)


def test_a_run_from_a_log_tells_the_logs_own_score_and_keeps_its_hash(place: Path) -> None:
    log = place / "mixed.csv"
    code, found = trained(place, "--recipe", "cloning", "--steps", "51200", "--log", str(log))
    assert code == 0
    assert (found["log"]["file"], found["log"]["decisions"], found["log"]["held_back"]) == ("mixed.csv", 3360, 840)
    assert 0.26 < found["log"]["score"] < 0.4
    (manifest,) = (place / "home").rglob(f"{found['version']}/manifest.json")
    lineage = json.loads(manifest.read_text())["lineage"]
    assert lineage["log"] == {"file": "mixed.csv", "sha256": found["log"]["sha256"]}
    assert lineage["recipe"] == "cloning"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--recipe", "ppo", "--log", "mixed.csv"), "a recipe that learns from a log: cloning, cql or iql"),
        (("--recipe", "iql"), "a log to learn from"),
        (("--recipe", "iql", "--log", "nowhere.csv"), "a log file"),
        (("--recipe", "iql", "--log", "lacking.csv"), "columns ['cell']"),
        (("--recipe", "iql", "--log", "mixed.csv", "--mapping", "nowhere.toml"), "a mapping in TOML"),
    ],
)
def test_a_log_that_cannot_be_learned_from_is_refused_before_a_seed_begins(
    place: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], expected: str
) -> None:
    monkeypatch.chdir(place)
    (place / "lacking.csv").write_text((place / "mixed.csv").read_text().replace("cell", "zelle", 1))
    code, found = trained(place, *words)
    assert (code, found["expected"]) == (2, expected)
    assert not list((place / "home").rglob("seed-1"))
