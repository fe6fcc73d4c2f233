"""Normalising by hand, and in the graph as in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np
import onnxruntime
import pytest
from torch import nn

from tenure import KPI, Constraint, Discrete, Feature, Panel, Problem, Proposal, Reward, Signal, Split, Step, Term
from tenure.cases.bikes.problem import incumbent, problem
from tenure.cases.bikes.simulator import simulator
from tenure.core.arrays import Bools, Floats, Ints
from tenure.training.export import PolicyGraph, to_onnx
from tenure.training.normaliser import Normaliser, fit_normaliser, hiding, per_columns, robust_deviation, units


def by_hand() -> Normaliser:
    """Two features; the first is stated per unit of the second."""
    return Normaliser(
        mean=np.array([1.0, 2.0], dtype=np.float32),
        std=np.array([0.5, 4.0], dtype=np.float32),
        per=np.array([1, -1]),
        reward_std=1.0,
    )


def test_a_feature_is_divided_centred_and_scaled() -> None:
    # (6 / 4 - 1) / 0.5 = 1; (4 - 2) / 4 = 0.5
    assert by_hand()(np.array([[6.0, 4.0]], dtype=np.float32)).tolist() == [[1.0, 0.5]]


def test_five_deviations_are_the_limit_on_both_sides() -> None:
    extreme = np.array([[100.0, 1.0], [-100.0, 1.0], [2.0, 1000.0]], dtype=np.float32)
    assert by_hand()(extreme)[:, 0].tolist()[:2] == [5.0, -5.0]
    assert by_hand()(extreme)[2, 1] == 5.0


def test_the_result_is_float32_and_the_input_unchanged() -> None:
    raw = np.array([[6.0, 4.0]], dtype=np.float32)
    assert by_hand()(raw).dtype == np.float32
    assert raw.tolist() == [[6.0, 4.0]]


def test_columns_are_found_by_name() -> None:
    per = per_columns(problem)
    size = problem.feature_names.index("size")
    assert per.tolist() == [size] * 6 + [-1] * 12


def test_the_graph_normalises_as_training_does() -> None:
    normaliser = fit_normaliser(problem, simulator, incumbent, np.random.default_rng(0))
    graph = to_onnx(PolicyGraph(normaliser, nn.Identity(), nn.Identity()).eval(), 18)
    raw = simulator.observe(simulator.reset(500, np.random.default_rng(1)))
    raw[0, 0] = 5000  # beyond the clip
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    assert np.allclose(session.run(["logits"], {"observation": raw})[0], normaliser(raw), atol=1e-5)
    assert session.run(["logits"], {"observation": raw[:1]})[0].shape == (1, 18), "any number of rows"


def test_what_it_was_fitted_on_has_mean_0_and_deviation_1() -> None:
    normaliser = fit_normaliser(problem, simulator, incumbent, np.random.default_rng(0))
    again = fit_normaliser(problem, simulator, incumbent, np.random.default_rng(0))
    assert np.array_equal(normaliser.mean, again.mean), "the same seed, the same numbers"
    fresh = simulator.observe(simulator.reset(4000, np.random.default_rng(1)))
    calendar = normaliser(fresh)[:, 10:12]
    assert calendar.mean(axis=0) == pytest.approx([0, 0], abs=0.1)
    assert calendar.std(axis=0) == pytest.approx([1, 1], abs=0.1)
    assert normaliser.reward_std > 0


@dataclass(frozen=True)
class Counters:
    """Worlds that end by themselves after three steps."""

    age: Ints


class Short:
    """Refuses a step from an end and an action that is not allowed; 0 is never allowed."""

    version = "short"
    levels: Mapping[str, object] = MappingProxyType({"normal": None})

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Counters:
        return Counters(np.zeros(n, dtype=np.int64))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        start = Counters(np.zeros(1, dtype=np.int64))
        return Panel(start, 3, ("one",), datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1))

    def observe(self, state: Counters) -> Floats:
        return state.age[:, None].astype(np.float32)

    def step(self, state: Counters, action: Ints, rng: np.random.Generator) -> Step:
        assert (state.age < 3).all(), "stepped on from an end"
        assert (action > 0).all(), "took an action that is not allowed"
        return Step(Counters(state.age + 1), {"cost": state.age.astype(float)}, state.age + 1 >= 3)


class One:
    """Always action 1."""

    version = "one"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return Proposal(np.ones(len(observation), dtype=np.int64), np.ones(len(observation)))


def test_worlds_that_end_start_again_and_only_allowed_actions_are_tried() -> None:
    ends = Problem(
        name="short",
        about="Counts to three.",
        observation=(Feature("age", "steps", 0, 3),),
        action=Discrete(("a", "b", "c")),
        signals=(Signal("cost", "$", 0, 10),),
        reward=Reward((Term("cost", -1.0, "$", "it costs"),)),
        kpis=(KPI("cost", "$", "lower", {"cost": 1.0}),),
        constraints=(Constraint("not-a", "a is broken", lambda seen: np.tile([False, True, True], (len(seen), 1))),),
    )
    fitted = fit_normaliser(ends, Short(), One(), np.random.default_rng(0))
    assert fitted.mean.tolist() == [1.0]


def test_robust_units_are_not_moved_by_rare_extremes() -> None:
    # quartiles of 0, 1, 2, 3, 4 are 1 and 3: (3 - 1) / 1.349; one row of a million moves the deviation, not them
    column = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    centre, width = units(column, "robust")
    assert (centre[0], width[0]) == (2.0, pytest.approx(2 / 1.349))
    column[4] = 1e6
    assert units(column, "robust")[1][0] == pytest.approx(2 / 1.349)
    assert units(column, "deviation")[1][0] > 1e5


def test_where_half_the_rows_are_one_value_the_deviation_stands_in() -> None:
    # of 0, 0, 0, 0, 5 both quartiles are 0; the deviation is 2
    assert robust_deviation(np.array([[0.0]] * 4 + [[5.0]]))[0] == 2.0


def test_without_a_scale_numbers_stay_as_they_are() -> None:
    centre, width = units(np.array([[3.0, 9.0], [5.0, 9.0]]), "none")
    assert (centre.tolist(), width.tolist()) == ([0.0, 0.0], [1.0, 1.0])


def test_a_hidden_feature_shows_nothing_at_any_age_and_in_the_graph_too() -> None:
    window = Normaliser(np.zeros(4, np.float32), np.ones(4, np.float32), np.full(4, -1), 1.0)
    shown = hiding(window, ("seen", "hidden"), ("hidden",))
    raw = np.array([[1.0, 2.0, 3.0, 4.0]], dtype=np.float32)
    assert shown(raw).tolist() == [[1.0, 0.0, 3.0, 0.0]]
    session = onnxruntime.InferenceSession(to_onnx(PolicyGraph(shown, nn.Identity(), nn.Identity()).eval(), 4))
    assert session.run(None, {session.get_inputs()[0].name: raw})[0].tolist() == [[1.0, 0.0, 3.0, 0.0]]
