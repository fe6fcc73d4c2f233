"""`reward check`: orders come out as the reward says, and what a term must state is missed when it is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.design.reward.worlds import picker

from tenure.core.errors import ProblemError, ProjectError
from tenure.core.evidence import Finding, Verdict
from tenure.core.project import Project, load_project
from tenure.design.reward.check import RewardCheck, check_reward, known_conducts
from tenure.design.reward.ranking import paired_difference, student_quantile


def finding(project: Project, gate: str) -> Finding:
    """The worst finding of a gate."""
    return max((each for each in check_reward(project).findings if each.gate == gate), key=lambda each: each.verdict)


def test_orders_that_come_out_pass_with_their_margins(tmp_path: Path) -> None:
    found = check_reward(picker(tmp_path))
    assert found.verdict is Verdict.PASS
    detour = found.margins[0]
    assert (detour.difference.value, detour.difference.low) == (10.0, 10.0)  # (20-4)*2 - (20-9)*2
    assert detour.by_term == {"delivered": (40.0, 40.0), "metres": (-8.0, -18.0)}
    juggling = found.margins[-1]
    assert juggling.difference.value == 20.0  # 20 decisions of a metre each, against none
    assert {each.name for each in found.conducts} >= {"incumbent", "waits", "juggles"}


def test_the_first_pair_out_of_order_is_told_with_both_returns_by_term(tmp_path: Path) -> None:
    found = [each for each in check_reward(picker(tmp_path, draft="pays-picks")).findings if each.gate == "order"]
    assert [each.verdict for each in found] == [Verdict.PASS, Verdict.FAIL, Verdict.FAIL]
    words = "'waits' returns 0, 'juggles' 180: not above it; by term picked 0 and 200; metres 0 and -20"
    assert words in found[-1].reason


def test_behaviours_that_are_equal_are_not_in_order(tmp_path: Path) -> None:
    twin = 'Behaviour("waits", always="wait"),\n    Behaviour("waits too", always="wait"),'
    project = picker(
        tmp_path,
        ("scenarios.py", 'Behaviour("waits", always="wait"),', twin),
        ("scenarios.py", "incumbent > waits > juggles", "waits > waits too"),
    )
    assert finding(project, "order").verdict is Verdict.FAIL


def test_simulated_behaviours_too_close_to_tell_are_inconclusive() -> None:
    found = paired_difference(np.array([1.0, -0.5, 0.2, -0.4]))
    assert found.low < 0 < found.high


def test_a_paired_difference_has_student_s_interval() -> None:
    found = paired_difference(np.array([1.0, 2.0, 3.0]))
    # t(2) at 95 % one-sided is 2.920 (Student's table); sd 1, so the radius is 2.920 / sqrt(3) = 1.686.
    assert (found.value, found.n) == (2.0, 3)
    assert found.low == pytest.approx(2 - 1.686, abs=0.006)
    assert found.high == pytest.approx(2 + 1.686, abs=0.006)


@pytest.mark.parametrize(("freedom", "table"), [(5, 2.015), (10, 1.812), (30, 1.697), (60, 1.671), (120, 1.658)])
def test_student_s_quantile_is_that_of_the_printed_table(freedom: int, table: float) -> None:
    # Fisher and Yates (1963), table III, one-sided 5 %.
    assert student_quantile(0.95, freedom) == pytest.approx(table, abs=5e-4)


def test_without_an_order_nothing_passes(tmp_path: Path) -> None:
    project = picker(tmp_path)
    (project.folder / "scenarios.py").unlink()
    found = finding(project, "order")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "no order in" in found.reason


def test_rows_of_another_length_are_not_compared_with_simulated_behaviour(tmp_path: Path) -> None:
    project = picker(tmp_path, ("scenarios.py", "incumbent > waits > juggles", "incumbent > one parcel"))
    with pytest.raises(ProblemError, match="rows for all 20 decisions") as raised:
        check_reward(project)
    assert "scenarios.py:19" in raised.value.where


def test_rows_for_a_whole_episode_are_compared_with_simulated_behaviour(tmp_path: Path) -> None:
    whole = 'Behaviour("one parcel", rows=({"delivered": 1, "metres": 4},) + ({"metres": 1},) * 19),'
    project = picker(
        tmp_path,
        ("scenarios.py", 'Behaviour("one parcel", rows=({"delivered": 1, "metres": 4},)),', whole),
        ("scenarios.py", "incumbent > waits > juggles", "incumbent > one parcel"),
        ("scenarios.py", "two parcels > one parcel", "one parcel > waits"),
    )
    found = [each for each in check_reward(project).findings if each.gate == "order"]
    assert [each.verdict for each in found] == [Verdict.PASS, Verdict.FAIL, Verdict.PASS]  # 20 - 4 - 19 = -3 < 0


def test_scenarios_in_toml_say_the_same(tmp_path: Path) -> None:
    project = picker(tmp_path)
    (project.folder / "scenarios.toml").write_text(
        '[[behaviour]]\nname = "one"\nrows = [{delivered = 1, metres = 4}]\ngood = true\n'
        '[[behaviour]]\nname = "idle"\nalways = "wait"\n'
        '[[behaviour]]\nname = "none"\nrows = [{metres = 4}]\n'
        '[[order]]\norder = "one > none"\nbecause = "parcels"\n'
        '[[order]]\norder = "incumbent > idle"\nbecause = "work"\n'
    )
    found = check_reward(project)
    assert found.verdict is Verdict.PASS
    assert found.margins[0].difference.value == 20.0


TERMS = {
    "a unit of another signal": ("units", '-1.0, "points/metre"', '-1.0, "points/mile"', "write 'points/metres'"),
    "a second currency": ("units", '-1.0, "points/metre"', '-1.0, "$/metre"', "write 'points/metres'"),
    "no unit": ("units", '-1.0, "points/metre"', '-1.0, ""', "has the unit ''"),
    "no reason": ("reasons", '"power and wear"),\n        )\n    ),', '" "),\n        )\n    ),', "has no `because`"),
    "no bounds and no scale": ("scale", '"metres", 0, 9, "driven"', '"metres", 0, float("inf"), "driven"', "`scale`"),
}


@pytest.mark.parametrize(("gate", "old", "new", "says"), TERMS.values(), ids=TERMS)
def test_a_term_that_does_not_state_what_it_must_fails_with_its_line(
    tmp_path: Path, gate: str, old: str, new: str, says: str
) -> None:
    project = picker(tmp_path)
    path = project.folder / "problem.py"
    path.write_text(path.read_text().replace(old, new, 1))
    project = load_project(project.folder)
    found = finding(project, gate)
    assert found.verdict is Verdict.FAIL
    assert says in found.reason
    assert "problem.py:" in found.reason
    line = int(found.reason.partition("problem.py:")[2].partition(":")[0])
    assert 'Term("metres"' in path.read_text().splitlines()[line - 1]


def test_a_term_of_a_draft_is_told_by_the_draft_s_line(tmp_path: Path) -> None:
    old = '"a parcel taken up will be delivered"),\n            Term("metres", -1.0, "points/metre", "power and wear"),'
    project = picker(tmp_path, ("problem.py", old, old.replace("power and wear", "")), draft="pays-picks")
    assert "problem.py:43: term 'metres' has no `because`" in finding(project, "reasons").reason


def test_a_scale_stands_in_for_bounds(tmp_path: Path) -> None:
    project = picker(
        tmp_path,
        ("problem.py", '"metres", 0, 9, "driven"', '"metres", 0, float("inf"), "driven"'),
        ("problem.py", '"power and wear")', '"power and wear", scale=4)'),
    )
    assert finding(project, "scale").verdict is Verdict.PASS


def test_at_least_one_kpi_must_read_what_nobody_is_paid_for(tmp_path: Path) -> None:
    project = picker(
        tmp_path, ("problem.py", '        KPI("thrown", "parcels per decision", "lower", {"thrown": 1}),\n', "")
    )
    found = finding(project, "kpi_unpaid")
    assert found.verdict is Verdict.FAIL
    assert "problem.py:" in found.reason


def test_a_behaviour_that_raises_is_named_with_its_line(tmp_path: Path) -> None:
    project = picker(tmp_path, ("problem.py", "action = np.where", "action = 1 // 0 or np.where"))
    with pytest.raises(ProjectError, match="ZeroDivisionError") as raised:
        check_reward(project)
    assert "problem.py:" in raised.value.where


def test_known_behaviours_are_all_of_them_and_none_runs_twice(tmp_path: Path) -> None:
    project = picker(tmp_path)
    found = check_reward(project)
    known = known_conducts(project, found)
    assert known[0].name == "incumbent"
    assert len(known) == 6
    assert all(each in known for each in found.conducts)


def test_without_a_simulator_hand_written_rows_are_what_is_known(tmp_path: Path) -> None:
    project = picker(tmp_path)
    (project.folder / "simulator.py").unlink()
    known = known_conducts(project, RewardCheck((), (), ()))
    assert [each.name for each in known] == ["two parcels", "two parcels by a detour", "one parcel"]


@pytest.mark.parametrize("case", ["bikes", "recommender"])
def test_a_shipped_case_passes(case: str) -> None:
    assert check_reward(load_project(case)).verdict is Verdict.PASS
