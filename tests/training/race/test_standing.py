"""Who wins, who beats the incumbent, and what a share foretold; worked by hand."""

from __future__ import annotations

import pytest

from tenure.core.evidence import Verdict
from tenure.training.race import Race, Rung, Score, Standing
from tenure.training.race.standing import choice, prediction_of


def standing(name: str, value: float, half: float = 0.02, *, days: float = 0.03, excess: float = 0.0) -> Standing:
    """A gain with its doubt over seeds (`half`), and over seeds and days."""
    gain = {"value": value, "low": value - days, "high": value + days}
    return Standing(name, 100, 128, (value,) * 3, Score(value, value - half, value + half), gain, (1.0,) * 3, excess)


def rung(*standings: Standing) -> Rung:
    return Rung(100, tuple(sorted(standings, key=lambda one: one.merit, reverse=True)))


def ended(*standings: Standing) -> Race:
    last = rung(*standings)
    return Race(10.0, 5.0, (last,), *choice(last))


def test_the_best_that_beats_the_incumbent_is_chosen() -> None:
    found = ended(standing("a", 0.1), standing("b", 0.2))
    assert (found.chosen, found.verdict) == ("b", Verdict.PASS)
    assert (
        found.reason == "b gains +20.0% (+18.0% to +22.0%) on the incumbent over 3 seeds; a is clearly behind (+10.0%)."
    )


def test_a_close_second_is_told_as_close() -> None:
    assert "a is not clearly behind (+19.0%)" in ended(standing("a", 0.19), standing("b", 0.2)).reason


def test_nobody_is_chosen_where_seeds_may_explain_the_gain() -> None:
    found = ended(standing("a", 0.01, half=0.02, days=0.0))
    assert (found.chosen, found.verdict) == (None, Verdict.INCONCLUSIVE)
    assert found.reason.startswith("Nobody beats the incumbent for sure: a gains +1.0% (-1.0% to +3.0%)")


def test_nobody_is_chosen_where_days_may_explain_the_gain() -> None:
    found = ended(standing("a", 0.01, half=0.001, days=0.02))
    assert (found.chosen, found.verdict) == (None, Verdict.INCONCLUSIVE)
    assert "-1.0% to +3.0% over seeds and days or worlds" in found.reason


def test_everybody_clearly_behind_the_incumbent_is_a_fail() -> None:
    assert ended(standing("a", -0.2), standing("b", -0.1)).verdict is Verdict.FAIL


def test_one_of_the_last_round_that_may_yet_win_keeps_it_open() -> None:
    assert ended(standing("a", -0.2, half=0.3), standing("b", -0.1)).verdict is Verdict.INCONCLUSIVE


def test_who_breaks_a_limit_ranks_behind_who_keeps_them_and_is_never_chosen() -> None:
    assert ended(standing("a", 0.5, excess=0.1), standing("b", 0.1)).chosen == "b"
    found = ended(standing("a", 0.5, excess=0.1))
    assert found.chosen is None
    assert "within the limits" in found.reason
    assert "exceeds one by 10.0%" in found.reason


def test_who_could_not_be_trained_ranks_last() -> None:
    lost = Standing("a", 100, why="NaN")
    assert [one.name for one in rung(lost, standing("b", -0.9)).standings] == ["b", "a"]
    assert not lost.beats_incumbent
    assert lost.score_per_core_s is None


def test_a_prediction_holds_where_the_early_winner_wins_again() -> None:
    early = rung(standing("a", 0.2), standing("b", 0.1))
    found = prediction_of(early, rung(standing("a", 0.4), standing("b", 0.3)), 10.0)
    assert (found.holds, found.rank, found.of, found.regret) == (True, 1, 2, 0.0)


def test_a_prediction_that_fails_is_told_with_what_it_costs_in_the_kpis_unit() -> None:
    early = rung(standing("a", 0.2), standing("b", 0.1), standing("c", 0.0))
    found = prediction_of(early, rung(standing("a", 0.2), standing("b", 0.5), standing("c", 0.3)), 10.0)
    assert (found.early, found.late, found.holds, found.rank, found.of) == ("a", "b", False, 3, 3)
    assert found.regret == pytest.approx(3.0)  # 30 % of an incumbent of 10


def test_an_early_winner_that_cannot_be_trained_in_full_has_no_regret_to_tell() -> None:
    early = rung(standing("a", 0.2), standing("b", 0.1))
    found = prediction_of(early, rung(Standing("a", 100, why="NaN"), standing("b", 0.1)), 10.0)
    assert (found.holds, found.rank, found.regret) == (False, 2, None)
