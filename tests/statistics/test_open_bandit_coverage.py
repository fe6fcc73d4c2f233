"""Coverage where the truth is known: clicks drawn from a model, contexts, items and propensities of both real logs.

1,000 draws of the clicks of each log, at the real click rate of about 5 in 1,000; 93 to 97 % of nominally 95 %
intervals must hold the target's true value. The Thompson log weighs as much as 656 decisions of the uniform policy, in
which three clicks are due: too few for any interval that takes its width from the clicks it saw. The shipped interval
takes it from the weights there: Wilson's at the effective number of decisions. Over ten seeds, 10,000 draws, it held
.944 (all three) and .967, .965 and .964; a bootstrap-t .964, .961, .961 and .874, .894, .884; Student's t .925, .929,
.926 and .738, .785, .798 (ips, snips, dr; first from the uniform log).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from scipy import stats

from tenure.cases.recommender.clicks import click_probability
from tenure.cases.recommender.compare import SHOWN
from tenure.cases.recommender.data import Name, log
from tenure.cases.recommender.problem import ByPosition, Uniform, thompson, uniform
from tenure.core.arrays import Bools, Floats
from tenure.evaluation.grouped import _ROWS_AT_ONCE, DRAWS, Ends, _resampled, group_of, ratio_interval
from tenure.evaluation.off_policy.proportions import share_interval
from tenure.evaluation.off_policy.valuation import SHARES

REPEATS, LEAST, MOST = 1000, 0.93, 0.97
DIRECTIONS: dict[Name, ByPosition | Uniform] = {"uniform": thompson, "thompson": uniform}
"""From each log, the policy of the other."""


@dataclass(frozen=True, eq=False)
class World:
    """One log with its clicks drawn anew, and what every estimator sums of it.

    Args:
        truth: the target's value on these contexts, clicks per decision.
        above: of each estimator, by group of units; [groups, draws].
        below: what stands under it; [groups].
        sizes: effective decisions of each estimator, before the design effect of its units.
        by_row: variance of each estimator were all rows independent; [draws].
        centre: mean of each estimator over the clicks, given the items; worked from the formulas.
    """

    truth: float
    above: dict[str, Floats]
    below: dict[str, Floats]
    sizes: dict[str, float]
    by_row: dict[str, Floats]
    centre: dict[str, float]

    def value(self, name: str) -> Floats:
        """The estimate of each draw."""
        return np.asarray(self.above[name].sum(axis=0) / self.below[name].sum())


@cache
def world(name: Name) -> World:
    """The truth is the model of all seven days; dr reads another one, of the first three, which is off by a sixth."""
    rows, target = log(name).rows, DIRECTIONS[name]
    chances = target.as_target(rows)
    probability, guess = click_probability(rows.features, days=7), click_probability(rows.features, days=3)
    n, taken = len(rows), (np.arange(len(rows)), rows.action)
    weight = chances[taken] / rows.propensity
    click = np.random.default_rng(1).random((n, REPEATS)) < probability[taken][:, None]
    _, group = np.unique(group_of(rows.unit), return_inverse=True)

    def by_group(columns: Floats) -> Floats:
        order = np.argsort(group, kind="stable")
        return np.add.reduceat(columns[order], np.searchsorted(group[order], np.arange(group.max() + 1)))

    weighted, modelled = by_group(weight[:, None] * click), (chances * guess).sum(axis=1) - weight * guess[taken]
    plain, normalised = n**2 / float(weight @ weight), float(weight.sum() ** 2 / (weight @ weight))
    count, expected = by_group(np.ones(n)), float(weight @ probability[taken])
    return World(
        truth=float((chances * probability).sum(axis=1).mean()),
        above={"ips": weighted, "snips": weighted, "dr": by_group(modelled)[:, None] + weighted},
        below={"ips": count, "snips": by_group(weight), "dr": count},
        sizes={"ips": plain, "snips": normalised, "dr": plain},
        by_row={
            "ips": row_variance(weight[:, None] * click, np.ones(n)),
            "snips": row_variance(weight[:, None] * click, weight),
            "dr": row_variance(modelled[:, None] + weight[:, None] * click, np.ones(n)),
        },
        centre={
            "ips": expected / n,
            "snips": expected / weight.sum(),
            "dr": float((chances * guess).sum(axis=1).mean()) + (expected - float(weight @ guess[taken])) / n,
        },
    )


def row_variance(above: Floats, below: Floats) -> Floats:
    """Linearised variance over rows, of each draw."""
    ratio = above.sum(axis=0) / below.sum()
    square, product = (above**2).sum(axis=0), below @ above
    return np.asarray((square - 2 * ratio * product + ratio**2 * float(below @ below)) / below.sum() ** 2)


def errors(above: Floats, below: Floats) -> Floats:
    """Linearised standard error over groups, of each draw."""
    groups = len(below)
    influence = (above - above.sum(axis=0) / below.sum() * below[:, None]) / below.sum()
    return np.asarray(np.sqrt(groups / (groups - 1) * (influence**2).sum(axis=0)))


@cache
def resamples(groups: int) -> Floats:
    """How often each group is drawn; the same for every draw, as the shipped function takes the same seed."""
    rng = np.random.default_rng(0)
    starts = range(0, DRAWS, _ROWS_AT_ONCE)
    return np.concatenate([_resampled(rng, groups, min(_ROWS_AT_ONCE, DRAWS - start)) for start in starts])


def bootstrap_t(above: Floats, below: Floats) -> tuple[Floats, Floats]:
    """`ratio_interval` of every draw at once."""
    drawn, under = resamples(len(below)), below[:, None]
    bottom = drawn @ under
    ratio = drawn @ above / bottom
    square, product, base = drawn @ above**2, drawn @ (above * under), drawn @ under**2
    variance = (square - 2 * ratio * product + ratio**2 * base) / bottom**2
    value, error = above.sum(axis=0) / below.sum(), errors(above, below)
    low, high = np.quantile((ratio - value) / np.sqrt(variance), [0.025, 0.975], axis=0)
    return value - high * error, value - low * error


def student(above: Floats, below: Floats) -> tuple[Floats, Floats]:
    value, radius = above.sum(axis=0) / below.sum(), stats.t.ppf(0.975, len(below) - 1) * errors(above, below)
    return value - radius, value + radius


def shipped(found: World, name: str) -> tuple[Floats, Floats]:
    """The interval of a report: `share_interval` of the bootstrap-t, at n over the design effect."""
    sums = found.above[name], found.below[name]
    effect = np.maximum(1.0, errors(*sums) ** 2 / found.by_row[name])
    rows = zip(found.value(name), *bootstrap_t(*sums), found.sizes[name] / effect, strict=True)
    ends = [share_interval(Ends(float(v), float(low), float(high), ""), float(n)) for v, low, high, n in rows]
    return np.array([each.low for each in ends]), np.array([each.high for each in ends])


def coverage(found: World, ends: tuple[Floats, Floats]) -> float:
    held: Bools = (ends[0] <= found.truth) & (found.truth <= ends[1])
    return float(held.mean())


@pytest.mark.parametrize("name", list(DIRECTIONS))
def test_the_interval_under_test_is_the_shipped_one(name: Name) -> None:
    found = world(name)
    for estimator in SHOWN:
        above, below = found.above[estimator][:, :3], found.below[estimator]
        low, high = bootstrap_t(above, below)
        for draw in range(3):
            ends = ratio_interval(np.column_stack([above[:, draw], below]))
            assert ends.method.startswith("bootstrap-t")
            assert (low[draw], high[draw]) == pytest.approx((ends.low, ends.high), rel=1e-9)


@pytest.mark.parametrize("name", list(DIRECTIONS))
def test_clicks_drawn_anew_are_as_rare_as_the_real_ones(name: Name) -> None:
    clicks = {"uniform": 46, "thompson": 69}[name]
    assert click_rate(name) == pytest.approx(clicks / 10_000, rel=0.1)


def click_rate(name: Name) -> float:
    rows = log(name).rows
    return float(click_probability(rows.features, days=7)[np.arange(len(rows)), rows.action].mean())


@pytest.mark.parametrize("name", list(DIRECTIONS))
@pytest.mark.parametrize("estimator", SHOWN)
def test_the_shipped_intervals_hold_from_both_logs(name: Name, estimator: str) -> None:
    found = world(name)
    assert LEAST <= coverage(found, shipped(found, estimator)) <= MOST


@pytest.mark.parametrize("name", list(DIRECTIONS))
@pytest.mark.parametrize("estimator", SHOWN)
def test_the_naive_interval_beside_it_fails(name: Name, estimator: str) -> None:
    """It ends too low twice as often as it may, or worse."""
    found = world(name)
    high = student(found.above[estimator], found.below[estimator])[1]
    assert float((high < found.truth).mean()) > 2 * 0.025


@pytest.mark.parametrize("estimator", SHOWN)
def test_few_clicks_under_large_weights_carry_no_interval_of_their_own_spread(estimator: str) -> None:
    found = world("thompson")
    assert coverage(found, bootstrap_t(found.above[estimator], found.below[estimator])) < LEAST


def test_every_estimator_here_is_a_share_in_a_report() -> None:
    assert set(SHOWN) <= set(SHARES)


@pytest.mark.parametrize("name", list(DIRECTIONS))
@pytest.mark.parametrize("estimator", SHOWN)
def test_the_items_drawn_once_shift_the_value_by_little(name: Name, estimator: str) -> None:
    """Items stay the real ones, so an estimate is centred on what they give, a fifth of its deviation off at most."""
    found, values = world(name), world(name).value(estimator)
    assert abs(values.mean() - found.centre[estimator]) < 4 * values.std() / REPEATS**0.5
    assert abs(found.centre[estimator] - found.truth) < 0.2 * values.std()


@pytest.mark.parametrize("name", list(DIRECTIONS))
def test_the_reward_model_alone_is_off(name: Name) -> None:
    rows, target = log(name).rows, DIRECTIONS[name]
    direct = (target.as_target(rows) * click_probability(rows.features, days=3)).sum(axis=1).mean()
    assert abs(direct - world(name).truth) > 0.1 * world(name).truth
