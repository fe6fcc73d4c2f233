"""Is this pump about to fail, is it worth an alarm, and is now the time?

A pumping station has two pumps and one crew. Now and then a pump's warning light comes on, weak or strong. Behind some
lights there is a fault, which nobody sees; a faulty pump fails sooner or later, the sooner the harder it works, and 30
strain hours after its light at the latest. Every hour somebody waits, has a pump inspected (which tells the truth), or
raises an alarm: the running pump at more risk is stopped and serviced. While it stands the other pump bears the whole
demand, wears faster, and cannot keep up in a peak; and the crew is away, so that a pump that fails meanwhile waits.
So it matters what the other pump is like, how long a service takes, and what the next hours ask for.

A team once paid its agent per alarm, since alarms prevent failures (the draft `pay-per-alarm`). It learned to raise
alarms and nothing else: the share of true alarms fell to almost nothing, and one action of three was taken always.

Today the best rule at hand decides: it weighs risk and wear, counts the units that the plan says a service will lose,
and never stops the last pump. Its numbers were tuned by grid (`python -m tenure.cases.alarms.tune`), so that a learned
policy has to beat a good rule. The panel it replaced (`by-demand`) reads only the demand of the hour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Policy, Problem, Proposal, Reward, Shaping, Signal, Term, Tradeoff
from tenure.core.arrays import Bools, Floats, Ints

from .station import DAY, LIMIT, REPAIR, SERVICE

WAIT, INSPECT, ALARM = range(3)


def standing(observation: Floats) -> Floats:
    """About what the state of a station will cost, in €; negative.

    A pump with a fault costs a service, 100 to 400 € by the hour of the day; concave in the risk, so that finding out
    is worth something at once. An hour that a pump stands loses some 30 units, worth 2 € each, and
    far more where both stand. Rough figures, read off the plan of bound.py; wrong ones would cost time to learn only.
    """
    at = {name: observation[:, column] for name, column in _AT.items()}
    faults = np.minimum(400 * at["risk"], 240) + np.minimum(400 * at["other_risk"], 240)
    none_runs = (at["out"] > 0) & (at["other_out"] > 0)
    return np.asarray(-faults - 60 * (at["out"] + at["other_out"]) - 700 * none_runs)


problem = Problem(
    name="alarms",
    about="Whether to wait, to inspect a pump, or to raise an alarm that stops and services it.",
    observation=(
        Feature("risk", "probability", 0, 1, "that the pump an alarm would stop is faulty, given all that was seen"),
        Feature("wear", "strain hours", 0, LIMIT, "of that pump since its light came on"),
        Feature("out", "hours", 0, REPAIR, "of work until it runs; above 0 only where both pumps stand"),
        Feature("other_risk", "probability", 0, 1, "that the other pump is faulty"),
        Feature("other_wear", "strain hours", 0, LIMIT, "of the other pump since its light came on"),
        Feature("other_out", "hours", 0, REPAIR, "of work until the other pump runs"),
        Feature("demand", "0 low, 1 medium, 2 high", 0, 2, "of this hour"),
        Feature("hour", "hour of the clock", 0, DAY - 1),
        Feature("night", "0 or 1", 0, 1, "18:00 to 06:00, when only the engineer on duty can be called"),
        Feature("hours_to_quiet", "hours", 0, DAY - 1, "until demand is usually low"),
        Feature("stop_loss", "units", 0, 100 * SERVICE, "expected to be lost while one pump is serviced from now on"),
    ),
    action=Discrete(("wait", "inspect", "alarm")),
    signals=(
        Signal("failures", "failures", 0, 2, "pumps that failed this hour"),
        Signal("alarms", "alarms", 0, 1, "an alarm called the crew"),
        Signal("true_alarms", "alarms", 0, 1, "the stopped pump was faulty: a failure was prevented"),
        Signal("inspections", "inspections", 0, 1),
        Signal("night_calls", "calls", 0, 1, "an alarm or an inspection at night"),
        Signal("lost_units", "units", 0, 200, "asked for and not pumped"),
    ),
    reward=Reward(
        (
            Term("failures", -500.00, "€/failure", "a repair at short notice and the parts it takes", scale=0.005),
            Term("alarms", -40.00, "€/alarm", "the crew's call-out, whether it finds a fault or not", scale=0.01),
            Term("inspections", -10.00, "€/inspection", "a technician with a probe", scale=0.03),
            Term("night_calls", -30.00, "€/call", "the duty engineer's drive and surcharge", scale=0.005),
            Term("lost_units", -2.00, "€/unit", "the margin of what was not pumped", scale=0.5),
        ),
        tradeoffs=(
            Tradeoff("failures", "alarms", "a failure costs 12 alarms: a stop on a weaker hunch than that costs more"),
            Tradeoff("failures", "inspections", "a failure costs 50 inspections"),
            Tradeoff("failures", "night_calls", "a call at night is worth it for a failure prevented, not for a hunch"),
            Tradeoff("failures", "lost_units", "a stop in a peak loses 200 € an hour, so it waits for a quieter hour"),
        ),
    ),
    kpis=(
        KPI(
            "cost",
            "€ per hour",
            "lower",
            {"failures": 500, "alarms": 40, "inspections": 10, "night_calls": 30, "lost_units": 2},
        ),
        KPI("precision", "true alarms per alarm", "higher", {"true_alarms": 1}, {"alarms": 1}, worst=0.4),
        KPI("failures", "per 1,000 hours", "lower", {"failures": 1000}),
        KPI("alarms", "per 1,000 hours", "lower", {"alarms": 1000}),
    ),
    horizon=96,
    discount=0.99,
    shaping=Shaping(
        standing, because="a fault fails days later: without help a learner never finds out what looking is for"
    ),
)

drafts = {
    "pay-per-alarm": Reward(
        (
            Term("failures", -500.00, "€/failure", "a repair at short notice and the parts it takes", scale=0.005),
            Term("alarms", 40.00, "€/alarm", "an alarm is what prevents a failure", scale=0.01),
        )
    ),
}

_AT = {name: column for column, name in enumerate(problem.feature_names)}


@dataclass(frozen=True)
class ByPlan:
    """Stop a pump at risk where the plan says that a service loses little, or where it is too worn to wait.

    It never stops the last pump, and inspects above another risk what is not known yet.

    Args:
        alarm: risk from which it raises an alarm.
        most: units that a service may be expected to lose.
        urgent: strain hours from which it raises an alarm whatever is lost.
        inspect: risk from which it inspects; above 1 it never does.
        at_night: it inspects by night too.
    """

    alarm: float
    most: float
    urgent: int
    inspect: float
    at_night: bool
    version: str = "by-plan"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        at = {name: observation[:, column] for name, column in _AT.items()}
        now = (at["stop_loss"] <= self.most) | (at["wear"] >= self.urgent)
        stops = (at["risk"] >= self.alarm) & now & (at["other_out"] == 0) & (at["out"] == 0)
        looks = (_unknown(at) >= self.inspect) & (self.at_night | (at["night"] == 0))
        return _chosen(np.where(stops, ALARM, np.where(looks, INSPECT, WAIT)))


@dataclass(frozen=True)
class ByDemand:
    """Alarm above one risk where demand is low enough, else inspect above another by day: the panel before `ByPlan`.

    Args:
        alarm: risk from which it raises an alarm.
        inspect: risk from which it inspects by day; above 1 it never does.
        demand: highest demand at which it stops a pump.
    """

    alarm: float
    inspect: float
    demand: int
    version: str = "by-demand"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        at = {name: observation[:, column] for name, column in _AT.items()}
        stops = (at["risk"] >= self.alarm) & (at["demand"] <= self.demand) & (at["out"] == 0)
        looks = (_unknown(at) >= self.inspect) & (at["night"] == 0)
        return _chosen(np.where(stops, ALARM, np.where(looks, INSPECT, WAIT)))


def _unknown(at: dict[str, Floats]) -> Floats:
    """Risk of the pump an inspection would look at: the first whose fault is not known, 0 where there is none."""
    other = np.where((at["other_risk"] < 1) & (at["other_out"] == 0), at["other_risk"], 0.0)
    return np.asarray(np.where((at["risk"] < 1) & (at["out"] == 0), at["risk"], other))


def _chosen(action: Ints) -> Proposal:
    return Proposal(action.astype(np.int64), np.ones(len(action)))


incumbent: Policy = ByPlan(alarm=0.3, most=100, urgent=20, inspect=0.1, at_night=False)
rules: dict[str, Policy] = {"by-demand": ByDemand(alarm=0.9, inspect=0.1, demand=1)}
