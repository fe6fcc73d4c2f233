"""Episode estimators as accumulators: any partition gives one answer, and a log that says too little gives none."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import EvidenceError
from tenure.evaluation.episodes.columns import Episodes
from tenure.evaluation.episodes.trajectories import FORMULAS, ratio_sum
from tenure.evaluation.episodes.values import EpisodeValue, TermSums, long_interval
from tenure.evaluation.grouped import GROUPS, ratio_interval


def columns(episodes: int = 300, seed: int = 3) -> dict[str, Any]:
    """A log of ragged episodes, one to four steps, two episodes per unit; logged by a fair coin."""
    rng = np.random.default_rng(seed)
    length = rng.integers(1, 5, episodes)
    steps = int(length.sum())
    first = rng.random(steps) < 0.5
    return {
        "reward": rng.normal(1.0, 1.0, steps) + first,
        "target_prob": np.where(first, 0.6, 0.4),
        "logged_prob": np.full(steps, 0.5),
        "episode": np.repeat(np.arange(episodes), length),
        "unit": np.repeat(np.arange(episodes) // 2, length),
        "step": np.concatenate([np.arange(one) for one in length]),
        "q": rng.normal(size=steps),
        "v": rng.normal(size=steps),
    }


def some(of: dict[str, Any], rows: Floats | Ints) -> Episodes:
    return Episodes.from_columns(**{name: column[rows] for name, column in of.items()})


def whole(**changed: Any) -> Episodes:
    return Episodes.from_columns(**(columns() | changed))


def valued(name: str, *parts: Episodes) -> EpisodeValue:
    estimator = EpisodeValue(FORMULAS[name], 0.9)
    for part in parts:
        estimator.update(part)
    return estimator


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(sorted(FORMULAS)), st.lists(st.integers(0, 3), min_size=300, max_size=300), st.booleans())
def test_any_partition_merged_in_any_order_equals_one_pass(name: str, place: list[int], backwards: bool) -> None:
    log = columns()
    where = np.array(place)[log["episode"]]
    parts = [some(log, where == part) for part in range(4) if (where == part).any()]
    merged = EpisodeValue(FORMULAS[name], 0.9)
    for part in reversed(parts) if backwards else parts:
        merged.merge(valued(name, part))
    together, once = merged.result(), valued(name, Episodes.from_columns(**log)).result()
    assert together.value == pytest.approx(once.value, rel=1e-12)
    assert together.low == pytest.approx(once.low, rel=1e-9)
    assert together.high == pytest.approx(once.high, rel=1e-9)
    assert (together.n, together.max_weight, together.cluster) == (once.n, once.max_weight, once.cluster)
    assert together.ess == pytest.approx(once.ess)


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_the_answer_is_the_formula_s_with_its_doubt(name: str) -> None:
    found = valued(name, whole()).result()
    assert found.value == pytest.approx(ratio_sum(FORMULAS[name].terms(whole(), 0.9)))
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    weight = np.multiply.reduceat(whole().target_prob / 0.5, whole().start)
    assert found.ess == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    assert found.max_weight == pytest.approx(weight.max())
    assert (found.estimator, found.n, found.reason, found.cluster) == (name, 300, "", "unit")
    assert "0.00% without support" in found.method


def test_units_that_repeat_their_episodes_widen_the_interval() -> None:
    # Every episode five times over: by unit the interval stays as it was, by episode it would shrink by sqrt(5).
    log = columns()
    again = {name: np.tile(column, 5) for name, column in log.items()}
    again["episode"] = np.concatenate([log["episode"] + 1000 * copy for copy in range(5)])
    one, five = valued("pdis", whole()).result(), valued("pdis", Episodes.from_columns(**again)).result()
    without = {name: column for name, column in again.items() if name != "unit"}
    naive = valued("pdis", Episodes.from_columns(**without)).result()
    assert five.value == pytest.approx(one.value)
    assert width(five) == pytest.approx(width(one))
    assert width(naive) < 0.6 * width(one)
    assert naive.cluster == "episode"


def width(found: Any) -> float:
    return float(found.high - found.low)


def test_the_same_seed_gives_the_same_interval() -> None:
    estimator = valued("pdwis", whole())
    assert estimator.result(seed=4) == estimator.result(seed=4)
    assert estimator.result(seed=4) != estimator.result(seed=5)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"reward": np.nan}, "1 of .* rewards are missing"),
        ({"logged_prob": np.nan}, "1 of .* rows have no propensity"),
        ({"logged_prob": 0.0}, "propensities lie outside"),
        ({"logged_prob": 1.2}, "propensities lie outside"),
        ({"target_prob": np.nan}, "weights are not finite"),
    ],
)
@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_one_illegal_row_anywhere_gives_no_number(name: str, changed: dict[str, float], reason: str) -> None:
    [(column, value)] = changed.items()
    log = columns(100, seed=4)
    log["episode"] += 1000
    log[column] = np.where(np.arange(len(log["reward"])) == 7, value, log[column])
    found = valued(
        name,
        whole(),
        Episodes.from_columns(**log),
    ).result()
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.n == 400
    assert found.helps
    assert re.search(reason, found.reason)


def test_an_action_the_log_never_took_gives_no_number() -> None:
    steps = len(columns()["reward"])
    found = valued("tis", whole(elsewhere=np.full(steps, 0.02))).result()
    assert found.value is None
    assert "2.0% of the target's decisions were never taken" in found.reason


def test_an_action_hardly_wanted_and_never_taken_is_stated() -> None:
    found = valued("tis", whole(elsewhere=np.full(len(columns()["reward"]), 0.005))).result()
    assert found.value is not None
    assert "0.50% without support" in found.method


def test_deterministic_logging_gives_no_number_unless_the_target_does_the_same() -> None:
    ones = np.ones(len(columns()["reward"]))
    found = valued("tis", whole(logged_prob=ones)).result()
    assert found.value is None
    assert "logged with probability 1" in found.reason
    same = valued("tis", whole(logged_prob=ones, target_prob=ones)).result()
    assert same.value is not None
    assert same.ess == 300


def test_too_few_effective_episodes_give_no_number_and_say_how_many_would() -> None:
    few = valued("tis", Episodes.from_columns(**columns(90))).result()
    assert few.value is None
    assert "90 episodes weigh as much as" in few.reason
    assert "fqe" in few.helps


def test_no_weight_at_all_and_no_episode_at_all_give_no_number() -> None:
    none = valued("wis", whole(target_prob=np.zeros(len(columns()["reward"])))).result()
    assert none.value is None
    assert none.reason
    empty = valued("wis").result()
    assert (empty.value, empty.n) == (None, 0)
    assert "no usable row" in empty.reason


def test_episodes_whose_weights_vanish_before_the_end_give_no_number() -> None:
    # Every step is likely under the target but the fourth: no whole episode of four steps has weight.
    log = columns()
    log["target_prob"] = np.full(len(log["reward"]), 0.5)
    long = {
        name: column[np.repeat(np.bincount(log["episode"]) == 4, np.bincount(log["episode"]))]
        for name, column in log.items()
    }
    long["target_prob"] = np.where(long["step"] == 3, 0.0, 0.6)
    found = valued("tis", Episodes.from_columns(**long)).result()
    assert found.value is None
    assert found.reason


def test_one_unit_alone_has_no_interval() -> None:
    found = valued("tis", whole(unit=np.zeros(len(columns()["reward"]), dtype=np.int64))).result()
    assert found.value is None
    assert "one unit" in found.reason


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_a_weight_too_large_for_a_float_gives_no_number_and_warns_of_nothing(name: str) -> None:
    log = columns(episodes=1)
    steps = 400
    long = {name: np.resize(column, steps) for name, column in log.items()}
    long |= {"step": np.arange(steps), "target_prob": np.ones(steps), "logged_prob": np.full(steps, 0.1)}
    long |= {"episode": np.zeros(steps, dtype=np.int64), "unit": np.zeros(steps, dtype=np.int64)}
    long["reward"] = np.zeros(steps)
    found = valued(name, Episodes.from_columns(**long)).result()
    assert found.value is None
    assert "not finite" in found.reason


def test_an_episode_in_two_batches_is_refused_by_name() -> None:
    log = columns()
    parts = some(log, log["episode"] < 200), some(log, log["episode"] >= 199)
    with pytest.raises(EvidenceError, match=r"episode 199 in two batches \(1 in all\)"):
        valued("tis", *parts).result()


def test_accumulators_of_different_kinds_do_not_merge() -> None:
    with pytest.raises(EvidenceError, match="pdis"):
        valued("tis").merge(valued("pdis"))
    with pytest.raises(EvidenceError, match=r"1\.0"):
        valued("tis").merge(EpisodeValue(FORMULAS["tis"], 1.0))


@pytest.mark.parametrize("discount", [0.0, -1.0, 1.1, math.nan])
def test_an_impossible_discount_is_refused(discount: float) -> None:
    with pytest.raises(EvidenceError, match="discount in"):
        EpisodeValue(FORMULAS["tis"], discount)


@pytest.mark.parametrize("short_first", [True, False])
def test_shorter_episodes_rest_when_sums_are_merged(short_first: bool) -> None:
    group = np.zeros(1, dtype=np.int64)
    short = TermSums.of(group, iter([(np.array([2.0]), np.array([3.0]))]))
    long = TermSums.of(group, iter([(np.array([1.0]), np.array([5.0])), (np.array([4.0]), np.array([7.0]))]))
    one, other = (short, long) if short_first else (long, short)
    one.merge(other)
    assert one.columns.tolist() == [[3.0, 8.0, 4.0, 10.0]]
    assert one.above.shape == (GROUPS, 2)


def test_the_long_interval_equals_the_short_one_s_on_the_same_sums_but_for_chance() -> None:
    rng = np.random.default_rng(8)
    sums = np.stack([rng.exponential(size=400), rng.uniform(1, 2, 400)], axis=1)
    short, long = ratio_interval(sums), long_interval(sums, 0.05, 1)
    assert long.value == pytest.approx(short.value)
    assert long.low == pytest.approx(short.low, abs=0.1 * (short.high - short.low))
    assert long.high == pytest.approx(short.high, abs=0.1 * (short.high - short.low))


def test_the_long_interval_without_spread_or_with_vanishing_resamples() -> None:
    flat = long_interval(np.tile([1.0, 2.0], (50, 2)), 0.05, 0)
    assert (flat.low, flat.value, flat.high) == (1.0, 1.0, 1.0)
    # Three groups: some resamples are one group thrice and have no error of their own. t_2 = 4.302653 by table;
    # values 0, 1, 2 have mean 1 and standard error 1 / sqrt(3).
    sums = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    few = long_interval(sums, 0.05, 0)
    assert few.method.startswith("t over 3")
    assert few.low == pytest.approx(1 - 4.302653 / math.sqrt(3))
    assert few.high == pytest.approx(1 + 4.302653 / math.sqrt(3))


@pytest.mark.parametrize("alpha", [0.0, 1.0, 5.0])
def test_an_impossible_error_rate_is_refused(alpha: float) -> None:
    with pytest.raises(EvidenceError, match="alpha in"):
        valued("pdwis", whole()).result(alpha)
