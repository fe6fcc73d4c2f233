"""The static audit: each gate sees what it is for, and an honest reward passes all of them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from tests.design.reward.worlds import picker

from tenure.core.evidence import Finding, Verdict
from tenure.core.project import Project
from tenure.design.reward.check import RewardCheck, check_reward, known_conducts
from tenure.design.reward.interplay import fighting, variance_shares
from tenure.design.reward.static import plateaus, static_findings, static_tables

NONE = RewardCheck((), (), ())


def gate(project: Project, name: str) -> Finding:
    """One finding of the static audit."""
    return next(each for each in static_findings(project, NONE) if each.gate == name)


def test_an_honest_reward_passes_every_gate(tmp_path: Path) -> None:
    project = picker(tmp_path)
    found = static_findings(project, check_reward(project))
    assert {each.gate: each.verdict.word for each in found} == dict.fromkeys(
        ("ablation", "dominance", "trade_offs", "limits", "bounds", "shaping", "loops"), "pass"
    )


TERMS = ("problem.py", 'Term("metres", -1.0, "points/metre", "power and wear"),\n        )\n    ),')


def with_term(text: str) -> tuple[str, str, str]:
    """An edit that adds a term to the reward."""
    file, old = TERMS
    return file, old, old.replace("\n        )\n    ),", f"\n            {text},\n        )\n    ),")


def test_a_term_that_changes_no_order_is_named(tmp_path: Path) -> None:
    project = picker(tmp_path, with_term('Term("thrown", -0.001, "points/parcel", "it looks untidy")'))
    found = gate(project, "ablation")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "without thrown" in found.reason


def test_what_each_term_does_stands_in_a_table(tmp_path: Path) -> None:
    project = picker(tmp_path)
    tables = static_tables(project.problem.reward, known_conducts(project, NONE))
    ablation = {each["signal"]: each for each in tables["ablation"]}
    assert ["incumbent", "waits"] in ablation["delivered"]["flips"]
    assert ablation["delivered"]["best"] == "waits"
    assert ["waits", "juggles"] in ablation["metres"]["flips"]
    assert (
        tables["weighing"][0]["winners"]["0.25"] == "incumbent"
    )  # 5 a parcel still beats 2.5 to 3.5 metres a decision


def test_a_dominant_term_is_a_fault_where_it_drowns_another(tmp_path: Path) -> None:
    project = picker(tmp_path, with_term('Term("thrown", -0.001, "points/parcel", "it looks untidy")'))
    found = gate(project, "dominance")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "delivered holds 9" in found.reason
    assert "drowns thrown" in found.reason


def test_shares_of_the_variance_are_worked_out_over_all_known_decisions(tmp_path: Path) -> None:
    project = picker(tmp_path)
    known = [each for each in known_conducts(project, NONE) if each.name == "juggles"]
    assert (
        variance_shares(project.problem.reward, known)["metres"]
        != variance_shares(project.problem.reward, known)["metres"]
    )  # the same in every decision: nothing to share
    known = [each for each in known_conducts(project, NONE) if each.name == "incumbent"]
    shares = variance_shares(project.problem.reward, known)
    metres = known[0].trace.signals["metres"].var()
    assert shares["delivered"] == pytest.approx(100 / (100 + metres))  # 20 in half of all decisions has variance 100


def test_terms_that_fight_are_told_by_their_correlation_over_worlds() -> None:
    # For 0 to 11 and its negative plus 0, 1, 0, 1...: the covariance is -140/12, the variances 143/12 and 140/12.
    rising = np.arange(12.0)
    assert fighting({"a": rising, "b": -rising + np.resize([0.0, 1.0], 12)}) == {
        frozenset("ab"): pytest.approx(-math.sqrt(140 / 143))
    }
    assert fighting({"a": rising, "b": rising}) == {}
    assert fighting({"a": rising, "b": np.ones(12)}) == {}
    assert fighting({"a": rising[:7], "b": -rising[:7]}) == {}, "seven worlds tell no correlation"


def test_a_correlation_that_chance_could_make_is_no_fight() -> None:
    # Two contrasts without correlation, mixed so that it is -0.4; Fisher's interval over 8 worlds holds 0, over 32 not.
    rising, wave = np.arange(8.0), np.array([1.0, -1, -1, 1, 1, -1, -1, 1])
    falling = wave - math.sqrt(0.16 * 8 / (42 * 0.84)) * rising
    assert np.corrcoef(rising, falling)[0, 1] == pytest.approx(-0.4)
    assert fighting({"a": rising, "b": falling}) == {}
    assert fighting({"a": np.tile(rising, 4), "b": np.tile(falling, 4)}) == {frozenset("ab"): pytest.approx(-0.4)}


FAST = ("simulator.py", '"delivered": deliver,', '"delivered": deliver * (state.distance > 3),')


def test_fighting_terms_need_a_stated_trade_off(tmp_path: Path) -> None:
    # Far worlds deliver and drive more: what one term earns there the other costs.
    project = picker(tmp_path / "unstated", FAST)
    found = gate(project, "trade_offs")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "delivered and metres pull against each other" in found.reason
    assert "x0.25" in found.reason
    stated = 'Term("metres", -1.0, "points/metre", "power and wear"),\n        ),\n        (Tradeoff("metres", '
    stated += '"delivered", "far parcels are worth it"),),\n    ),'
    project = picker(
        tmp_path / "stated",
        FAST,
        (*TERMS, stated),
        ("problem.py", "Signal, Term\n", "Signal, Term, Tradeoff\n"),
    )
    assert gate(project, "trade_offs").verdict is Verdict.PASS


def limited(held_by: str, most: float = 0.1) -> tuple[tuple[str, str, str], ...]:
    """Edits that limit what is put back."""
    limit = f'Limit("untidy", "thrown", {most}, "aisles stay free", {held_by})'
    return (
        ("problem.py", "    horizon=20,", f"    horizon=20,\n    limits=({limit},),"),
        ("problem.py", "Discrete, Feature", "Discrete, Feature, Limit"),
    )


CONSTRAINED = (
    (
        "problem.py",
        "problem = Problem(",
        "def _anything(seen):\n    return np.ones((len(seen), 4), dtype=bool)\n\n\nproblem = Problem(",
    ),
    (
        "problem.py",
        "    horizon=20,",
        '    constraints=(Constraint("any", "aisles stay free", _anything),),\n    horizon=20,',
    ),
    ("problem.py", "Discrete, Feature", "Constraint, Discrete, Feature"),
)
LIMITS = {
    "by nobody": (limited("None"), "fail", "nothing holds 'untidy'"),
    "by a penalty that is not there": (limited('"penalty"'), "fail", "no term prices thrown"),
    "by a mask that lets it through": (limited('"mask"'), "fail", "'juggles' has 0.5 of thrown"),
    "by learned weights": (limited('"lagrange"'), "pass", "untidy by lagrange"),
    "by a constraint that holds": ((*limited('"mask"', 0.6), *CONSTRAINED), "pass", "untidy by mask"),
    "by a mask that only the simulator has": (limited('"mask"', 0.6), "inconclusive", "not enforced by the server"),
}


@pytest.mark.parametrize(("edits", "word", "says"), LIMITS.values(), ids=LIMITS)
def test_a_limit_is_held_by_what_it_says_or_fails(
    tmp_path: Path, edits: tuple[tuple[str, str, str], ...], word: str, says: str
) -> None:
    found = gate(picker(tmp_path, *edits), "limits")
    assert found.verdict.word == word
    assert says in found.reason


def test_a_limit_held_by_a_penalty_needs_a_negative_term(tmp_path: Path) -> None:
    priced = with_term('Term("thrown", -5.0, "points/parcel", "it blocks the aisle")')
    assert gate(picker(tmp_path / "a", priced, *limited('"penalty"')), "limits").verdict is Verdict.PASS
    paid = with_term('Term("thrown", 5.0, "points/parcel", "it is exercise")')
    assert gate(picker(tmp_path / "b", paid, *limited('"penalty"')), "limits").verdict is Verdict.FAIL


def test_a_mask_that_nobody_has_holds_nothing(tmp_path: Path) -> None:
    edits = (("simulator.py", "def mask(", "def no_mask("), *limited('"mask"', 0.6))
    found = gate(picker(tmp_path, *edits), "limits")
    assert found.verdict is Verdict.FAIL
    assert "neither a constraint nor the simulator has one" in found.reason


def test_a_term_without_end_is_named(tmp_path: Path) -> None:
    project = picker(tmp_path, ("problem.py", '"metres", 0, 9, "driven"', '"metres", 0, float("inf"), "driven"'))
    found = gate(project, "bounds")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "metres can cost without end" in found.reason


def test_pay_for_what_no_figure_reads_is_shaping_that_may_change_what_is_best(tmp_path: Path) -> None:
    project = picker(tmp_path, with_term('Term("picked", 3.0, "points/parcel", "a hint for the learner")'))
    found = gate(project, "shaping")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "Problem.shaping" in found.reason


def test_a_potential_is_shaping_that_passes(tmp_path: Path) -> None:
    project = picker(
        tmp_path,
        (
            "problem.py",
            "    horizon=20,",
            '    horizon=20,\n    shaping=Shaping(_held, "a parcel in hand is half a parcel"),',
        ),
        (
            "problem.py",
            "problem = Problem(",
            "def _held(seen: Floats) -> Floats:\n    return seen[:, 0]\n\n\nproblem = Problem(",
        ),
        ("problem.py", "Reward, Signal", "Reward, Shaping, Signal"),
    )
    found = gate(project, "shaping")
    assert found.verdict is Verdict.PASS
    assert "potential" in found.reason


def test_restarts_on_different_plateaus_are_told() -> None:
    found = plateaus(
        {"one": np.array([10.0, 11, 9, 10]), "two": np.array([3.0, 4, 2, 3]), "three": np.array([9.0] * 4)}
    )
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "3 restarts end between 3 and 10" in found.reason
    assert plateaus({"one": np.array([10.0, 11]), "two": np.array([9.0, 10])}).verdict is Verdict.PASS
    assert plateaus({"one": np.array([10.0, 11])}).verdict is Verdict.INCONCLUSIVE


def test_a_gap_that_chance_could_make_is_no_second_plateau() -> None:
    assert plateaus({"one": np.array([100.0, 0, 0, 0]), "two": np.zeros(4)}).verdict is Verdict.PASS
