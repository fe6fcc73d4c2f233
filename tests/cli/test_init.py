"""`tenure init` says what it guessed and why, in words and in JSON, and refuses what contradicts itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.design.starting.tables import german, offers

from tenure.cli.init import run_init
from tenure.cli.output import Output
from tenure.cli.rewarding import run_check
from tenure.core.errors import RequestError
from tenure.design.starting.roles import Told


def test_json_holds_folder_files_guesses_leaks_and_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_init(Output(json=True), "shop", offers(tmp_path / "log.csv"), parent=tmp_path)
    found = json.loads(capsys.readouterr().out)
    assert found["folder"] == str(tmp_path / "shop")
    assert {"problem.py", "simulator.py", "scenarios.py", "tenure.toml", "data/log.csv"} <= set(found["files"])
    assert all((tmp_path / "shop" / name).is_file() for name in found["files"])
    assert {"column": "offer", "role": "action"}.items() <= found["guesses"][1].items()
    assert found["leaks"] == []
    assert found["notes"]


def test_people_read_guesses_with_reasons_and_the_next_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_init(Output(json=False), "shop", offers(tmp_path / "log.csv"), parent=tmp_path)
    told = capsys.readouterr().out
    assert "its name says 'offer'" in told
    assert "no propensity" in told
    assert f"Next: tenure reward check {tmp_path / 'shop'}" in told


def test_columns_that_nothing_reads_are_listed_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = german(tmp_path / "log.csv")
    run_init(Output(json=False), "shop", log, told=Told(ignore=("preis",)), parent=tmp_path)
    guessed, _, rest = capsys.readouterr().out.partition("Left out")
    assert "beleg" not in guessed
    assert "beleg   different in every row, an id or free text" in rest
    assert "preis   as you said" in rest
    run_init(Output(json=True), "again", log, parent=tmp_path)
    assert json.loads(capsys.readouterr().out)["left_out"] == {"beleg": "different in every row, an id or free text"}


def test_the_next_command_works(tmp_path: Path) -> None:
    for name, case in (("queue", None), ("shop", "recommender")):
        run_init(Output(json=True), name, case=case, parent=tmp_path)
        assert run_check(Output(json=True), str(tmp_path / name), tmp_path / "home") == 0


@pytest.mark.parametrize(("case", "told"), [("bikes", None), (None, Told(action="offer"))])
def test_a_log_and_a_case_or_columns_without_a_log_contradict(
    tmp_path: Path, case: str | None, told: Told | None
) -> None:
    source = tmp_path / "log.csv" if case else None
    with pytest.raises(RequestError):
        run_init(Output(json=True), "x", source, case, told, tmp_path)
    assert not list(tmp_path.iterdir())
