"""`[train.confidence]` says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.core.errors import SettingsError
from tenure.core.history import History
from tenure.training import PPOSettings, read_train_settings
from tenure.training.confidence import Confidence
from tenure.training.recipes.bandit import BanditSettings


def test_an_empty_table_asks_for_confidence_and_no_table_for_none(tmp_path: Path) -> None:
    path = tmp_path / "tenure.toml"
    assert read_train_settings(path).confidence is None
    path.write_text("[train.confidence]\n")
    assert read_train_settings(path).confidence == Confidence()
    assert read_train_settings(path, "qr_dqn").confidence == Confidence()
    path.write_text("[train.confidence]\nwithin = 6\n")
    assert read_train_settings(path).confidence == Confidence(within=6)


@pytest.mark.parametrize(
    ("field", "value"), [("within", 0), ("situations", 199), ("members", 0), ("units", 0), ("passes", 0)]
)
def test_a_number_below_its_least_is_refused_by_name(field: str, value: int) -> None:
    with pytest.raises(SettingsError, match=f"{field}={value}"):
        Confidence(**{field: value})


def test_the_file_is_named_where_its_table_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "tenure.toml"
    path.write_text("[train.confidence]\nwithin = 0\n")
    with pytest.raises(SettingsError) as caught:
        read_train_settings(path)
    assert "tenure.toml" in str(caught.value.where)
    assert caught.value.found == "within=0"


def test_a_history_and_a_bandit_cannot_have_it() -> None:
    with pytest.raises(SettingsError, match="confidence or a history"):
        PPOSettings(confidence=Confidence(), history=History(2))
    with pytest.raises(SettingsError, match="no `confidence`"):
        BanditSettings(confidence=Confidence())
