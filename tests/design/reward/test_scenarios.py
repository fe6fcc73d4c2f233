"""Scenarios: what is accepted, in Python and in TOML, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.design.reward.worlds import picker

from tenure.core.errors import ProblemError
from tenure.design.reward.scenarios import Order, load_scenarios, scenarios_path

TOML = """
[[behaviour]]
name = "one"
rows = [{ delivered = 1, metres = 4 }]
good = true

[[behaviour]]
name = "none"
rows = [{ metres = 4 }]

[[order]]
order = "one > none"
because = "parcels"
"""


def test_the_incumbent_and_the_rules_are_known_by_name(tmp_path: Path) -> None:
    rule = 'incumbent: Policy = PickThen(DELIVER, "delivers")\nrules = {"lazy": PickThen(WAIT, "lazy")}'
    project = picker(tmp_path, ("problem.py", 'incumbent: Policy = PickThen(DELIVER, "delivers")', rule))
    found = load_scenarios(project).behaviours
    assert list(found)[:2] == ["incumbent", "lazy"]
    assert found["lazy"].policy is project.rules["lazy"]


def test_toml_takes_the_place_of_python_where_there_is_both(tmp_path: Path) -> None:
    project = picker(tmp_path)
    assert scenarios_path(project).name == "scenarios.py"
    (project.folder / "scenarios.toml").write_text(TOML)
    found = load_scenarios(project)
    assert found.path.name == "scenarios.toml"
    assert [order.names for order in found.orders] == [("one", "none")]
    assert found.behaviours["one"].good
    assert not found.behaviours["none"].good
    assert "two parcels" not in found.behaviours


def test_a_project_without_scenarios_has_its_rules_and_no_order(tmp_path: Path) -> None:
    project = picker(tmp_path)
    (project.folder / "scenarios.py").unlink()
    found = load_scenarios(project)
    assert (list(found.behaviours), found.orders) == (["incumbent"], ())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[behaviour", "Expected"),
        ('[[behaviour]]\nname = "x"\nrow = []', "unexpected keyword argument 'row'"),
        ('[[order]]\norder = "one > none"', "because"),
        ('behaviour = "x"', "pop"),
    ],
)
def test_toml_that_says_something_else_is_refused_with_its_file(tmp_path: Path, text: str, says: str) -> None:
    project = picker(tmp_path)
    (project.folder / "scenarios.toml").write_text(text)
    with pytest.raises(ProblemError, match=says) as caught:
        load_scenarios(project)
    assert "scenarios.toml" in caught.value.where


WAITS = 'Behaviour("waits", always="wait"),'
WRONG = {
    "neither rows nor action nor policy": (WAITS, 'Behaviour("waits"),', "none"),
    "two ways at once": (WAITS, 'Behaviour("waits", always="wait", rows=({},)),', r"\['rows', 'always'\]"),
    "no rows": (WAITS, 'Behaviour("waits", rows=()),', "exactly one of rows"),
    "a name twice": (WAITS, f'{WAITS} Behaviour("juggles", always="put"),', "'juggles'"),
    "the incumbent's name": (WAITS, f'{WAITS} Behaviour("incumbent", always="put"),', "'incumbent'"),
    "a name with a >": (WAITS, f'{WAITS} Behaviour("a > b", always="put"),', "'a > b'"),
    "an order of one": ('"two parcels > one parcel"', '"two parcels"', "at least two"),
    "a behaviour above itself": ('"two parcels > one parcel"', '"waits > waits"', "above and below"),
    "a circle of three": (
        '"two parcels > one parcel", because="parcels are what it is for"),',
        '"two parcels by a detour > one parcel", because="a"), Order("one parcel > two parcels", "b"),',
        "above and below",
    ),
}


@pytest.mark.parametrize(("old", "new", "says"), WRONG.values(), ids=WRONG)
def test_what_contradicts_itself_is_refused_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ProblemError, match=says) as caught:
        load_scenarios(picker(tmp_path, ("scenarios.py", old, new)))
    assert "scenarios.py:" in caught.value.where


def test_an_order_is_split_at_its_signs() -> None:
    assert Order("a>b > c d", because="x").names == ("a", "b", "c d")
