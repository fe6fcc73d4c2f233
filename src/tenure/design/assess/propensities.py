"""Can the logged propensities be those of the logged actions?"""

from __future__ import annotations

from tenure.core.errors import DataError
from tenure.design.assess.behaviour import Behaviour, fitted
from tenure.design.assess.dependence import unit_mean
from tenure.design.assess.policies import best_allowed
from tenure.design.assess.records import Records
from tenure.design.assess.thresholds import SURE_ERRORS, WEIGHTS_MAY_MISS


def check_propensities(records: Records, behaviour: Behaviour) -> None:
    """Refuse a log whose propensities cannot be those of its actions.

    Raises:
        DataError: says by how much they miss.
    """
    found = contradiction(records, behaviour)
    if found:
        raise DataError(
            expected="propensities that fit the actions",
            found=found,
            where="the log, propensity",
            fix="log the probability of the action that was taken, given the logged columns; or leave the column out",
        )


def contradiction(records: Records, behaviour: Behaviour) -> str:
    """What the logged propensities say that the actions do not; empty where they agree.

    Weighted by 1 / propensity, an action has mean 1 over the rows where it could be taken, so never more than 1. And
    weights from the log to any policy that the log supports have mean 1; that policy is here the likeliest action, by
    a model of who acted how on the other half. Less says that what was taken varied more than the propensities do.

    Source: importance weights have mean 1, Owen (2013), Monte Carlo theory, methods and examples, 9.2.
    """
    if behaviour.assumed:
        return ""
    weight = 1 / behaviour.taken
    for action, label in enumerate(records.labels):
        mean, error, _ = unit_mean((records.action == action) * weight, records.unit)
        if mean - 1 > max(WEIGHTS_MAY_MISS, SURE_ERRORS * error):
            return f"{label!r} taken {mean:.2g} times as often as they say it can be"
    likeliest = best_allowed(fitted(records), records.allowed)
    mean, error, _ = unit_mean((likeliest == records.action) * weight, records.unit)
    if abs(mean - 1) > max(WEIGHTS_MAY_MISS, SURE_ERRORS * error):
        return f"the likeliest action taken {mean:.2g} times as often as they say"
    return ""
