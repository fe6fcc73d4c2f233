"""A row of a scenario that is none is refused by scenario, row and line of the file, in Python and in TOML."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.design.reward.worlds import picker

from tenure.core.errors import ProblemError
from tenure.design.reward.rows import line_of_row
from tenure.design.reward.scenarios import load_scenarios

ROWS = 'rows=({"delivered": 1, "metres": 4},)'
BROKEN = {
    "NaN": ('{"metres": float("nan")}', "nan", "one finite number for 'metres'"),
    "infinite": ('{"metres": float("inf")}', "inf", "one finite number"),
    "a word": ('{"metres": "far"}', "'far'", "one finite number"),
    "several numbers": ('{"metres": [1, 2]}', r"\[1, 2\]", "one finite number"),
    "above its bounds": ('{"metres": 9.5}', "9.5", "metres from 0 to 9, its bounds in problem.py"),
    "below its bounds": ('{"metres": -1}', "-1", "metres from 0 to 9"),
    "an unknown signal": ('{"meters": 1}', "'meters'", "signals of"),
    "no table": ("7", "7", "a table of signals"),
}


@pytest.mark.parametrize(("row", "found", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_row_that_is_none_is_named_by_scenario_row_and_line(
    tmp_path: Path, row: str, found: str, expected: str
) -> None:
    written = f'rows=(\n        {{"metres": 9}},\n        {row},\n    )'
    with pytest.raises(ProblemError, match=expected) as caught:
        load_scenarios(picker(tmp_path, ("scenarios.py", ROWS, written)))
    place = tmp_path / "picker" / "scenarios.py"
    assert caught.value.where == f"{place}:14, row 2 of 'one parcel'"
    assert found.replace("\\", "") in caught.value.found


def test_in_toml_too(tmp_path: Path) -> None:
    project = picker(tmp_path)
    path = project.folder / "scenarios.toml"
    path.write_text(
        '[[behaviour]]\nname = "a"\nrows = [{ metres = 1 }]\n\n[[behaviour]]\nname = "b"\nrows = [\n  {},\n'
    )
    path.write_text(path.read_text() + "  { metres = nan },\n]\n")
    with pytest.raises(ProblemError) as caught:
        load_scenarios(project)
    assert caught.value.where == f"{path}:9, row 2 of 'b'"


def test_rows_that_are_not_written_out_are_named_by_their_behaviour(tmp_path: Path) -> None:
    path = tmp_path / "scenarios.py"
    path.write_text('x = Behaviour(\n    "many", rows=({"metres": 1},) * 9)\n')
    assert line_of_row(path, "many", 5) == f"{path}:2"


@pytest.mark.parametrize("rows", ["5", '{"metres": 1}', '"ab"'])
def test_what_is_no_list_of_rows_is_refused(tmp_path: Path, rows: str) -> None:
    with pytest.raises(ProblemError):
        load_scenarios(picker(tmp_path, ("scenarios.py", ROWS, f"rows={rows}")))
