"""Real situations, modelled clicks, and every part of the week where it belongs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenure import Split
from tenure.cases.recommender.clicks import click_probability
from tenure.cases.recommender.data import observations, week
from tenure.cases.recommender.problem import problem, thompson, uniform
from tenure.cases.recommender.simulator import PARTS, RecommenderSimulator, Visits, simulator
from tenure.core.errors import DataError
from tenure.core.evidence import Verdict
from tenure.simulators.check import check_simulator
from tenure.simulators.rollout import run


def test_the_simulator_keeps_every_promise_of_the_contract() -> None:
    findings = {finding.gate: finding.verdict for finding in check_simulator(problem, simulator, n=8, steps=30)}
    assert set(findings.values()) == {Verdict.PASS}


@pytest.mark.parametrize(("split", "days"), [("train", {0, 1, 2, 3}), ("selection", {4}), ("held_out", {5, 6})])
def test_a_part_shows_visits_of_its_own_days_only(split: Split, days: set[int]) -> None:
    trace = run(problem, simulator, uniform, simulator.panel(split, 0, 7)).trace
    assert trace.observation is not None
    shown = {row.tobytes() for row in trace.observation.reshape(-1, 39)}
    own = np.isin(week("uniform").day, list(days))
    assert shown <= {row.tobytes() for row in observations("uniform")[own]}
    state = simulator.panel(split).state
    rows = week("uniform").day[[state.begin[0], state.end[0] - 1]]
    assert set(rows.tolist()) == {min(days), max(days)}


def test_training_worlds_are_of_the_first_four_days() -> None:
    state, rng = simulator.reset(5000, np.random.default_rng(1)), np.random.default_rng(2)
    for _ in range(3):
        assert week("uniform").day[state.row].max() == 3
        assert week("uniform").day[state.row].min() == 0
        state = simulator.step(state, np.zeros(5000, dtype=int), rng).state


def test_the_parts_do_not_overlap_and_cover_the_week() -> None:
    days = [day for begin, end in PARTS.values() for day in range(begin, end)]
    assert days == list(range(7))


def test_a_click_comes_as_often_as_the_model_says() -> None:
    """One situation, 200,000 times: within 4 standard errors for a likely and an unlikely item."""
    n, probability = 200_000, simulator.clicked[17]
    state = Visits(np.full(n, 17), np.zeros(n, dtype=int), np.full(n, 10_000), np.ones(n))
    for item in (int(probability.argmax()), int(probability.argmin())):
        clicked = simulator.step(state, np.full(n, item), np.random.default_rng(3)).signals["click"].mean()
        p = probability[item]
        assert clicked == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n))


def test_clicks_are_three_times_as_likely_at_the_level_easy_and_half_as_likely_at_hard() -> None:
    n = 400_000
    clicks = {}
    for level in ("easy", "normal", "hard"):
        state = simulator.reset(n, np.random.default_rng(6), level)
        clicks[level] = simulator.step(state, np.full(n, 3), np.random.default_rng(7)).signals["click"].mean()
    # The same visits and draws, so the counts are nested; within 4 standard errors of the normal level's.
    error = 4 * np.sqrt(clicks["normal"] / n)
    assert clicks["easy"] == pytest.approx(3 * clicks["normal"], abs=3 * error)
    assert clicks["hard"] == pytest.approx(0.5 * clicks["normal"], abs=error)


def test_panels_show_the_shop_as_it_is() -> None:
    assert (simulator.panel("selection").state.lift == 1).all()


def test_the_truth_of_the_world_is_the_model_of_the_first_days() -> None:
    assert np.array_equal(simulator.clicked, click_probability(observations("uniform"), days=4))


def test_the_first_position_is_counted_apart() -> None:
    rng = np.random.default_rng(4)
    state = simulator.reset(20_000, rng)
    signals = simulator.step(state, rng.integers(0, 34, 20_000), rng).signals
    first = simulator.observe(state)[:, 0] == 1
    assert np.array_equal(signals["first"], first)
    assert np.array_equal(signals["first_click"], first * signals["click"])
    assert signals["click"].sum() > signals["first_click"].sum() > 0


def test_what_is_recommended_does_not_change_who_comes_next() -> None:
    state = simulator.reset(100, np.random.default_rng(5))
    after = [simulator.step(state, np.full(100, item), np.random.default_rng(6)).state.row for item in (0, 33)]
    assert np.array_equal(*after)


def test_a_panel_has_60_visits_an_hour_for_four_weeks() -> None:
    panel = simulator.panel("held_out")
    assert (panel.steps, len(panel.worlds), panel.interval) == (28 * 24, 60, timedelta(hours=1))
    later = simulator.panel("held_out", first_day=7, days=7)
    assert later.started_at == datetime(2019, 12, 8, tzinfo=UTC)
    assert later.steps == 7 * 24


@pytest.mark.parametrize(("first_day", "days"), [(-1, 5), (0, 0), (0, 29), (28, None)])
def test_days_outside_the_panel_are_refused(first_day: int, days: int | None) -> None:
    with pytest.raises(DataError, match="days within the 28 of 'selection'"):
        simulator.panel("selection", first_day, days)


def test_the_thompson_rule_gets_more_clicks_than_the_uniform_one() -> None:
    """As in the real week, .0069 against .0046 per decision; the truth of this world is known."""
    seen = simulator.situations
    values = [(policy.distribution(seen) * simulator.clicked).sum(axis=1).mean() for policy in (uniform, thompson)]
    assert values == pytest.approx([0.00501, 0.00685], abs=1e-4)


def test_the_version_names_code_and_data() -> None:
    assert simulator.version == RecommenderSimulator().version
    assert len(simulator.version) == 12
