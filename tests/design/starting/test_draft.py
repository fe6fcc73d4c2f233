"""What a draft says of rows that it cannot use, and of columns that it does not."""

from __future__ import annotations

from pathlib import Path

from tests.design.starting.tables import written

from tenure.design.starting.draft import Draft, draft_project
from tenure.design.starting.roles import Told


def draft(folder: Path, **columns: list[object]) -> Draft:
    path = written(folder / "log.csv", tuple(columns), list(zip(*columns.values(), strict=True)))
    return draft_project("shop", path, Told())


def test_rows_that_are_left_out_are_counted_by_cause_with_the_first_line_of_each(tmp_path: Path) -> None:
    action: list[object] = [("a", "b")[i % 2] for i in range(60)]
    reward: list[object] = [i % 7 for i in range(60)]
    action[4] = action[9] = ""
    reward[9] = reward[11] = reward[12] = "nan"
    reward[13], reward[14], reward[20] = "", "inf", "-inf"
    found = draft(tmp_path, age=[20 + i * i % 17 for i in range(60)], action=action, reward=reward)
    left_out = [note for note in found.notes if "left out" in note]
    # Row 9 has neither action nor outcome and counts once; row 0 stands in line 2.
    assert [note.partition(" rows")[0] for note in left_out] == ["2 of 60", "3 of 60", "2 of 60"]
    assert [note[note.rindex("line ") :] for note in left_out] == ["line 6)", "line 13)", "line 16)"]
    assert "no action" in left_out[0]
    assert "nothing was measured in 'reward'" in left_out[1]
    assert "infinite" in left_out[2]
    assert not [note for note in found.notes if "part of the world" in note]


def test_a_column_is_told_either_as_a_leak_or_as_left_out(tmp_path: Path) -> None:
    bought = [int(i * i % 11 < 4) for i in range(110)]
    found = draft(
        tmp_path,
        age=[20 + i % 17 for i in range(110)],
        action=[("a", "b")[i % 2] for i in range(110)],
        bought=list(bought),
        box=["box" if yes else "" for yes in bought],
        vip=["vip" if i % 3 else "" for i in range(110)],
        same=[1] * 110,
    )
    assert [leak.column for leak in found.leaks] == ["box"]
    assert found.left_out == {"vip": "the same wherever it is filled in", "same": "the same in every row"}
