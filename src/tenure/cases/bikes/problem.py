"""How many bikes should be trucked into or out of a district, hour by hour?

A city keeps hire bikes in 20 districts. Every hour, for each district, a dispatcher orders a move of -12 to +12 bikes;
the truck arrives two hours later. A rental takes a bike out of the district. Somebody who finds none is lost (2.00),
every bike moved costs fuel and time (0.25), every bike that stands idle for an hour takes up a dock (0.10).

Today a base-stock rule decides: order up to what the next three hours usually need. Its three numbers were tuned by
grid on January to September 2011 (`python -m tenure.cases.bikes.tune`), so that a learned policy has to beat a good
rule and not a straw man.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tenure import KPI, Discrete, Feature, Policy, Problem, Proposal, Reward, Signal, Term
from tenure.core.arrays import Bools, Floats, Ints

from .data import TRAIN_DAYS, history

MOST = 12
"""Bikes one truck carries."""

problem = Problem(
    name="bikes",
    about="How many hire bikes to truck into (+) or out of (-) a district; they arrive two hours later.",
    observation=(
        Feature("stock", "bikes", 0, 5000, "bikes standing in the district now", per="size"),
        Feature("on_the_way", "bikes", -MOST, MOST, "last hour's move, arriving in an hour", per="size"),
        Feature("usual_now", "bikes/hour", 0, 500, "mean demand of this hour of the week", per="size"),
        Feature("usual_next", "bikes/hour", 0, 500, "the same, next hour", per="size"),
        Feature("usual_arrival", "bikes/hour", 0, 500, "the same, in the hour this move arrives", per="size"),
        Feature("usual_after", "bikes/hour", 0, 500, "the same, one hour later still", per="size"),
        Feature("recent_1h", "ratio", 0, 5, "demand of the last hour over its usual"),
        Feature("recent_2h", "ratio", 0, 5, "demand of the last 2 hours over their usual"),
        Feature("recent_3h", "ratio", 0, 5, "demand of the last 3 hours over their usual"),
        Feature("recent_24h", "ratio", 0, 5, "demand of the last 24 hours over their usual"),
        Feature("hour", "hour of day", 0, 23),
        Feature("weekday", "day, 0 is Sunday", 0, 6),
        Feature("working_day", "0 or 1", 0, 1, "neither weekend nor holiday"),
        Feature("temperature", "scaled", 0, 1, "of the past hour", lag=1, default=0.5),
        Feature("humidity", "scaled", 0, 1, "of the past hour", lag=1, default=0.6),
        Feature("wind", "scaled", 0, 1, "of the past hour", lag=1, default=0.2),
        Feature("sky", "0 clear to 3 heavy rain", 0, 3, "of the past hour", lag=1, default=0.0),
        Feature("size", "1 is the average district", 0.1, 10, "the district's share of the city's demand"),
    ),
    action=Discrete(tuple(f"{move:+d}" for move in range(-MOST, MOST + 1)), unit="bikes"),
    signals=(
        Signal("requests", "bikes", 0, 2000, "people who wanted a bike this hour"),
        Signal("lost_rentals", "bikes", 0, 2000, "those who found none"),
        Signal("bikes_moved", "bikes", 0, MOST, "bikes that came or left by truck"),
        Signal("idle_bikes", "bike hours", 0, 5000, "bikes nobody wanted this hour"),
    ),
    reward=Reward(
        (
            Term("lost_rentals", -2.00, "$/bike", "a lost rental is a lost fare and some goodwill"),
            Term("bikes_moved", -0.25, "$/bike", "a truck's fuel and its driver's time"),
            Term("idle_bikes", -0.10, "$/bike hour", "an idle bike takes up a dock and wears out"),
        )
    ),
    kpis=(
        KPI(
            "cost",
            "$ per district-hour",
            "lower",
            {"lost_rentals": 2.00, "bikes_moved": 0.25, "idle_bikes": 0.10},
        ),
        KPI("service_level", "share of requests", "higher", {"requests": 1, "lost_rentals": -1}, {"requests": 1}),
        KPI("lost_rentals", "bikes per district-hour", "lower", {"lost_rentals": 1}),
        KPI("bikes_moved", "bikes per district-hour", "lower", {"bikes_moved": 1}),
        KPI("idle_bikes", "bikes per district-hour", "lower", {"idle_bikes": 1}),
    ),
    horizon=168,
    discount=0.99,
)

_AT = {name: column for column, name in enumerate(problem.feature_names)}


@dataclass(frozen=True)
class BaseStock:
    """Order up to a level: a quantile of the coming three hours' demand, adapted to the last day's.

    Args:
        quantile: of that hour of the week's demand, January to August; in (0, 1).
        exponent: how far the level follows the last 24 hours' demand; 0 ignores it, 1 follows fully.
        dead_band: differences up to this many bikes are left alone.
    """

    quantile: float
    exponent: float
    dead_band: float
    version: str = "base-stock"

    @cached_property
    def factor(self) -> Floats:
        """The quantile as a multiple of the usual three hours' demand; [168]."""
        return _quantile_factor(self.quantile)

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        gap = _level(observation, self.factor, self.exponent) - _position(observation)
        return _move(np.where(np.abs(gap) > self.dead_band, gap, 0.0))


@dataclass(frozen=True)
class TwoSided:
    """Order up to a low band, take down to a high band, leave everything between alone."""

    low_quantile: float
    high_quantile: float
    exponent: float
    version: str = "two-sided"

    @cached_property
    def factors(self) -> tuple[Floats, Floats]:
        """Both quantiles as multiples of the usual three hours' demand; [168] each."""
        return _quantile_factor(self.low_quantile), _quantile_factor(self.high_quantile)

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        low, high = (_level(observation, factor, self.exponent) for factor in self.factors)
        position = _position(observation)
        return _move(np.where(position < low, low - position, np.where(position > high, high - position, 0.0)))


def _quantile_factor(quantile: float) -> Floats:
    """A quantile of three hours' demand over their usual, per hour of the week; [168]."""
    past = history()
    hours = np.arange(TRAIN_DAYS * 24 - 2)
    window = sum(past.demand[hours + ahead].sum(axis=1) for ahead in range(3))
    usual = sum(past.usual[hours + ahead].sum(axis=1) for ahead in range(3))
    ratio, hour_of_week = window / usual, past.hour_of_week[hours]
    return np.array([np.quantile(ratio[hour_of_week == hour], quantile) for hour in range(168)])


def _level(observation: Floats, factor: Floats, exponent: float) -> Floats:
    usual = observation[:, _AT["usual_now"]] + observation[:, _AT["usual_next"]] + observation[:, _AT["usual_arrival"]]
    hour_of_week = (observation[:, _AT["weekday"]] * 24 + observation[:, _AT["hour"]]).astype(int)
    return np.asarray(factor[hour_of_week] * usual * observation[:, _AT["recent_24h"]] ** exponent)


def _position(observation: Floats) -> Floats:
    return np.asarray(observation[:, _AT["stock"]] + observation[:, _AT["on_the_way"]])


def _move(bikes: Floats) -> Proposal:
    action: Ints = np.clip(np.rint(bikes), -MOST, MOST).astype(np.int64) + MOST
    return Proposal(action, np.ones(len(action)))


incumbent: Policy = BaseStock(quantile=0.975, exponent=1.1, dead_band=2)
rules: dict[str, Policy] = {"two-sided": TwoSided(low_quantile=0.975, high_quantile=1.0, exponent=1.1)}
