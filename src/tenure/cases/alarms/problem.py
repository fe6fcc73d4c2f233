"""Is this machine about to fail, and is it worth an alarm?

A pump runs day and night. Now and then a fault begins, which nobody sees; a faulty pump fails sooner or later, the
sooner the harder it works. A vibration sensor reads a little higher on a faulty pump, and a risk score (the exact
posterior probability of a fault, given all readings so far) sums up what it says. Every hour somebody waits, has the
pump inspected (which tells the truth), or raises an alarm: the pump is stopped and serviced, which loses an hour's
output and takes the fault away if there was one. Every second day at 06:00 it is serviced anyway.

A team once paid its agent per alarm, since alarms prevent failures (the draft `pay-per-alarm`). It learned to raise
alarms and nothing else: the share of true alarms fell to the share of faulty hours, and one action of three was taken
nearly always.

Today a rule decides by thresholds on the risk score, one set for the day and one for the night, and leaves the last
hours to the planned service. Its numbers were tuned by grid (`python -m tenure.cases.alarms.tune`), so that a learned policy has to beat a good rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Policy, Problem, Proposal, Reward, Signal, Term, Tradeoff
from tenure.core.arrays import Bools, Floats, Ints

WAIT, INSPECT, ALARM = range(3)
SERVICE = 48
"""Hours between two planned services."""
SHIFT = 12
"""Hours of a shift; the day shift begins at 06:00."""

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
    ),
    action=Discrete(("wait", "inspect", "alarm")),
    signals=(
        Signal("failures", "failures", 0, 1, "the pump failed this hour"),
        Signal("alarms", "alarms", 0, 1, "an alarm stopped the pump"),
        Signal("true_alarms", "alarms", 0, 1, "the stopped pump was faulty: a failure was prevented"),
        Signal("inspections", "inspections", 0, 1),
        Signal("night_calls", "calls", 0, 1, "an alarm or an inspection at night"),
        Signal("lost_units", "units", 0, 150, "not pumped because the pump stood or failed"),
    ),
    reward=Reward(
        (
            Term("failures", -250.00, "€/failure", "a repair at short notice and the parts it takes", scale=0.005),
            Term("alarms", -20.00, "€/alarm", "the service team's hour, whether it finds a fault or not", scale=0.01),
            Term("inspections", -4.00, "€/inspection", "half an hour of a technician with a probe", scale=0.03),
            Term("night_calls", -30.00, "€/call", "the duty engineer's drive and surcharge", scale=0.005),
            Term("lost_units", -2.00, "€/unit", "the margin of what was not pumped", scale=0.5),
        ),
        tradeoffs=(
            Tradeoff("failures", "alarms", "12 alarms cost a failure: below 1 true in 12 they are not worth it"),
            Tradeoff("failures", "inspections", "looking is cheap by day; 60 looks cost a failure"),
            Tradeoff("failures", "night_calls", "a call at night is worth it for one failure in 8"),
            Tradeoff("failures", "lost_units", "a stop at high load loses 300 €, so it waits for a quieter hour"),
        ),
    ),
    kpis=(
        KPI(
            "cost",
            "€ per hour",
            "lower",
            {"failures": 250, "alarms": 20, "inspections": 4, "night_calls": 30, "lost_units": 2},
        ),
        KPI("precision", "true alarms per alarm", "higher", {"true_alarms": 1}, {"alarms": 1}, worst=0.5),
        KPI("failures", "per 1,000 hours", "lower", {"failures": 1000}),
        KPI("alarms", "per 1,000 hours", "lower", {"alarms": 1000}),
    ),
    horizon=96,
    discount=0.99,
)

drafts = {
    "pay-per-alarm": Reward(
        (
            Term("failures", -250.00, "€/failure", "a repair at short notice and the parts it takes", scale=0.005),
            Term("alarms", 20.00, "€/alarm", "an alarm is what prevents a failure", scale=0.01),
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
class AnyHour:
    """Alarm above one risk and inspect above another, at any hour: the rule before today's.

    Args:
        alarm: risk from which it raises an alarm.
        inspect: risk from which it inspects; above `alarm` it never does.
    """

    alarm: float
    inspect: float
    version: str = "any-hour"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        risk = observation[:, _AT["risk"]]
        return _chosen(np.where(risk >= self.alarm, ALARM, np.where(risk >= self.inspect, INSPECT, WAIT)))


def _chosen(action: Ints) -> Proposal:
    return Proposal(action.astype(np.int64), np.ones(len(action)))


incumbent: Policy = ByShift(alarm=0.97, inspect=1.1, night=1.1, spare=18)
rules: dict[str, Policy] = {"any-hour": AnyHour(alarm=0.9, inspect=0.5)}
