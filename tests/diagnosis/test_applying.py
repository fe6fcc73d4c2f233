"""A fix becomes a change of tenure.toml: comments stay, the file before is kept, what cannot be changed is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.core.errors import SettingsError
from tenure.core.project import CASES
from tenure.diagnosis.applying import BACKUP, applied, apply
from tenure.training import read_train_settings

TEXT = """# how it is trained
[train]
steps = 30000  # few
rollout = 16
discount = 0.3   # too short

[train.dqn]
batch = 64 # small

[rollout]
unit = "bike"
"""


def test_a_field_is_changed_where_it_stands_and_every_comment_stays() -> None:
    found = applied(TEXT, "ppo", {"discount": 0.9})
    assert found == TEXT.replace("discount = 0.3 ", "discount = 0.9 ")


def test_a_new_field_comes_before_the_tables_within(tmp_path: Path) -> None:
    (tmp_path / "tenure.toml").write_text(applied(TEXT, "ppo", {"history": {"steps": 4}}))
    read = read_train_settings(tmp_path / "tenure.toml")
    assert read.history is not None
    assert (read.history.steps, read.steps) == (4, 30_000)


def test_another_recipes_table_is_changed_where_the_run_was_trained_with_that_recipe() -> None:
    assert applied(TEXT, "dqn", {"batch": 128}) == TEXT.replace("batch = 64 #", "batch = 128 #")
    assert "[train.a2c]\nlearning_rate = 0.001" in applied(TEXT, "a2c", {"learning_rate": 0.001})


def test_another_recipe_takes_over_and_the_old_ones_own_fields_wait_in_its_table(tmp_path: Path) -> None:
    path = tmp_path / "tenure.toml"
    path.write_text(applied(TEXT, "ppo", {"recipe": "qr_dqn", "worlds": 32}))
    assert (read_train_settings(path).recipe, read_train_settings(path).worlds) == ("qr_dqn", 32)
    assert (read_train_settings(path).steps, read_train_settings(path).discount) == (30_000, 0.3)
    assert read_train_settings(path, "ppo").rollout == 16  # type: ignore[attr-defined]


def test_without_a_file_or_a_table_there_is_one_afterwards(tmp_path: Path) -> None:
    apply(tmp_path, "ppo", {"hide": ("seen",)})
    assert (tmp_path / "tenure.toml").read_text() == '[train]\nhide = ["seen"]\n'


def test_the_file_before_is_kept_and_the_difference_is_shown(tmp_path: Path) -> None:
    (tmp_path / "tenure.toml").write_text(TEXT)
    diff = apply(tmp_path, "ppo", {"discount": 0.9})
    assert (tmp_path / BACKUP).read_text() == TEXT
    assert "-discount = 0.3   # too short" in diff
    assert "+discount = 0.9   # too short" in diff


def test_settings_that_cannot_be_trained_with_leave_the_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "tenure.toml").write_text(TEXT)
    with pytest.raises(SettingsError, match="discount in"):
        apply(tmp_path, "ppo", {"discount": 7.0})
    assert (tmp_path / "tenure.toml").read_text() == TEXT


def test_a_packaged_case_is_refused_with_what_to_copy() -> None:
    before = (CASES / "bikes" / "tenure.toml").read_text()
    with pytest.raises(SettingsError, match=r"tenure init NAME --case bikes.*discount = 0\.9"):
        apply(CASES / "bikes", "ppo", {"discount": 0.9})
    assert (CASES / "bikes" / "tenure.toml").read_text() == before


def test_a_file_that_is_no_toml_is_refused() -> None:
    with pytest.raises(SettingsError, match="a file of TOML"):
        applied("[train", "ppo", {"discount": 0.9})
