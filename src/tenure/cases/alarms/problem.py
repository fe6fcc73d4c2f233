"""Is this machine about to fail, and is it worth an alarm?

A pump runs day and night. Now and then a fault begins, which nobody sees; a faulty pump fails sooner or later, the
sooner the harder it works. A vibration sensor reads a little higher on a faulty pump, and a risk score (the exact
posterior probability of a fault, given all readings so far) sums up what it says. Every hour somebody waits, has the
pump inspected (which tells the truth), or raises an alarm: the pump is stopped and serviced, which loses an hour's
output and takes the fault away if there was one. Every fourth day at 06:00 it is serviced anyway.

A team once paid its agent per alarm, since alarms prevent failures (the draft `pay-per-alarm`). It learned to raise
alarms and nothing else: the share of true alarms fell to the share of faulty hours, and one action of three was taken
nearly always.

Today the sensor maker's panel decides: it knows the risk and the clock, not the load, and offers thresholds by day and
by night and some hours to spare before the planned service. Its numbers were tuned by grid
(`python -m tenure.cases.alarms.tune`), so that a learned policy has to beat a good rule. A rule that reads the load too
stands beside it (`quiet-load`): it shows how much of the gain is the load's, and how much takes more than a rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Policy, Problem, Proposal, Reward, Shaping, Signal, Term, Tradeoff
from tenure.core.arrays import Bools, Floats, Ints

WAIT, INSPECT, ALARM = range(3)
SERVICE = 96
"""Hours between two planned services."""
SHIFT = 12
"""Hours of a shift; the day shift begins at 06:00."""
KNOWN = 0.99
"""A risk above this comes from an inspection, or might as well."""


def standing(observation: Floats) -> Floats:
    """About what a risk will cost, in €: a failure before the planned service, or a stop, whichever is less; negative.

    Concave in the risk, so that finding out is worth something at once, as it is in truth. The figures are those of
    medium load: a failure costs 660 € and comes with 3 % an hour, a stop costs 200 €.
    """
    risk, hours = observation[:, 0], observation[:, 5]
    return np.asarray(-np.minimum(660 * risk * (1 - 0.97**hours), 200))


problem = Problem(
    name="alarms",
    about="Whether to wait, to inspect a pump, or to raise an alarm that stops and services it.",
    observation=(
        Feature("risk", "probability", 0, 1, "that the pump is faulty now, given every reading and inspection so far"),
        Feature("reading", "vibration class", 0, 4, "the sensor's latest; the risk has it in already"),
        Feature("load", "0 low, 1 medium, 2 high", 0, 2, "how hard the pump works this hour"),
        Feature("night", "0 or 1", 0, 1, "18:00 to 06:00, when only the engineer on duty can be called"),
        Feature("hours_to_change", "hours", 1, SHIFT, "until the other shift begins"),
        Feature("hours_to_service", "hours", 1, SERVICE, "until the planned service"),
        Feature("evidence", "log-odds", -10, 10, "the risk once more, so that 0.95 and 0.999 lie apart"),
    ),
    action=Discrete(("wait", "inspect", "alarm")),
    signals=(
        Signal("failures", "failures", 0, 1, "the pump failed this hour"),
        Signal("alarms", "alarms", 0, 1, "an alarm stopped the pump"),
        Signal("true_alarms", "alarms", 0, 1, "the stopped pump was faulty: a failure was prevented"),
        Signal("inspections", "inspections", 0, 1),
        Signal("night_calls", "calls", 0, 1, "an alarm or an inspection at night"),
        Signal("lost_units", "units", 0, 200, "not pumped because the pump stood or failed"),
    ),
    reward=Reward(
        (
            Term("failures", -500.00, "€/failure", "a repair at short notice and the parts it takes", scale=0.005),
            Term("alarms", -40.00, "€/alarm", "the service team's hour, whether it finds a fault or not", scale=0.01),
            Term("inspections", -10.00, "€/inspection", "a technician with a probe", scale=0.03),
            Term("night_calls", -30.00, "€/call", "the duty engineer's drive and surcharge", scale=0.005),
            Term("lost_units", -2.00, "€/unit", "the margin of what was not pumped", scale=0.5),
        ),
        tradeoffs=(
            Tradeoff("failures", "alarms", "a failure costs 12 alarms: a stop on a weaker hunch than that costs more"),
            Tradeoff("failures", "inspections", "a failure costs 50 inspections"),
            Tradeoff("failures", "night_calls", "a call at night is worth it for a failure prevented, not for a hunch"),
            Tradeoff("failures", "lost_units", "a stop at high load loses 400 €, so it often waits for a quieter hour"),
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
class ByShift:
    """Alarm and inspect above thresholds by day, alarm above another at night, leave the last hours to the service.

    Args:
        alarm: risk from which it raises an alarm by day.
        inspect: risk from which it inspects by day; above `alarm` it never does.
        night: risk from which it raises an alarm at night; above 1 it never does.
        spare: so many hours before the planned service it waits.
    """

    alarm: float
    inspect: float
    night: float
    spare: int
    version: str = "by-shift"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        risk, night = observation[:, _AT["risk"]], observation[:, _AT["night"]] > 0
        by_day = np.where(risk >= self.alarm, ALARM, np.where(risk >= self.inspect, INSPECT, WAIT))
        action = np.where(night, np.where(risk >= self.night, ALARM, WAIT), by_day)
        spared = observation[:, _AT["hours_to_service"]] <= self.spare
        return _chosen(np.where(spared, WAIT, action))


@dataclass(frozen=True)
class QuietLoad:
    """Alarm above one risk where the load is low enough, and by day inspect above another until the fault is known.

    Args:
        alarm: risk from which it raises an alarm.
        inspect: risk from which it inspects by day, below `KNOWN`.
        load: highest load at which it stops the pump.
    """

    alarm: float
    inspect: float
    load: int
    version: str = "quiet-load"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        risk, day = observation[:, _AT["risk"]], observation[:, _AT["night"]] == 0
        stops = (risk >= self.alarm) & (observation[:, _AT["load"]] <= self.load)
        looks = (risk >= self.inspect) & (risk < KNOWN) & day
        return _chosen(np.where(stops, ALARM, np.where(looks, INSPECT, WAIT)))


def _chosen(action: Ints) -> Proposal:
    return Proposal(action.astype(np.int64), np.ones(len(action)))


incumbent: Policy = ByShift(alarm=0.98, inspect=0.35, night=0.98, spare=18)
rules: dict[str, Policy] = {"quiet-load": QuietLoad(alarm=0.5, inspect=1.1, load=0)}
