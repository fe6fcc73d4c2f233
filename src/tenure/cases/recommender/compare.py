"""What each log says of the other log's policy, beside what that got; `python -m tenure.cases.recommender.compare`.

With 46 and 69 clicks in 10,000 decisions each, agreement proves little: the intervals say how little.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import stats

from tenure.cases.recommender.data import Name, log
from tenure.cases.recommender.problem import thompson, uniform
from tenure.core.arrays import Floats
from tenure.core.logged import Logged
from tenure.evaluation.offpolicy import evaluate_log
from tenure.evaluation.valuation import OffPolicyReport
from tenure.evaluation.value import PolicyValue

SHOWN = ("ips", "snips", "dr")


class Distributed(Protocol):
    """A policy under evaluation."""

    def as_target(self, rows: Logged) -> Floats:
        """Probability of every item; [n, 34]."""
        ...


@dataclass(frozen=True)
class Direction:
    """One log's answer about the policy that wrote the other.

    Args:
        log: the log that is read.
        policy: the policy that is valued.
        report: what the first says about the second, in clicks per decision.
        own: what that policy got in its own log.
    """

    log: Name
    policy: Name
    report: OffPolicyReport
    own: PolicyValue


def directions() -> tuple[Direction, Direction]:
    """Both: the Thompson policy from the uniform log, and the uniform policy from the Thompson log."""
    from_uniform = evaluate_log(log("uniform"), thompson.as_target)
    from_thompson = evaluate_log(log("thompson"), uniform.as_target)
    return (
        Direction("uniform", "thompson", from_uniform, from_thompson.logged),
        Direction("thompson", "uniform", from_thompson, from_uniform.logged),
    )


def difference(one: PolicyValue, other: PolicyValue) -> tuple[float, float, float]:
    """One value less another from independent logs, with the interval that counts both errors.

    Source: the limits of a difference from those of its terms, which need not be symmetric; Zou and Donner (2008).
    """
    (a, a_low, a_high), (b, b_low, b_high) = _ends(one), _ends(other)
    value = a - b
    return value, value - math.hypot(a - a_low, b_high - b), value + math.hypot(a_high - a, b - b_low)


def effective_wilson(value: float, n: float, alpha: float = 0.05) -> tuple[float, float]:
    """Interval of a share of 0 or 1 rewards from n effective decisions; ends in [0, 1].

    Where a log holds only a few clicks under large weights, their spread says less about the error than the weights do,
    because the next large weight with a click has not come yet. So the error is taken from the effective number of
    decisions and from what a share can vary. It takes clicks to vary alike under small and large weights.

    Args:
        value: share of clicks under the target, by any of the estimators.
        n: effective decisions: (sum w)^2 / sum w^2 where weights are normalised, n^2 / sum w^2 where they are not.
        alpha: error rate, in (0, 1).

    Source: Wilson (1927), with the effective sample size of Kish (1965) as in Korn and Graubard (1998).
    """
    z = float(stats.norm.ppf(1 - alpha / 2))
    p = min(max(value, 0.0), 1.0)
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    radius = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return max(0.0, centre - radius), min(1.0, centre + radius)


def effective(policy: Distributed, rows: Logged) -> dict[str, float]:
    """Effective decisions of each estimator that is shown."""
    weight = policy.as_target(rows)[np.arange(len(rows)), rows.action] / rows.propensity
    plain, normalised = len(rows) ** 2 / float(weight @ weight), weight.sum() ** 2 / float(weight @ weight)
    return {"ips": plain, "snips": float(normalised), "dr": plain}


def table(found: tuple[Direction, Direction]) -> str:
    """Both directions for people, in clicks per 1,000 decisions."""
    policies: dict[Name, Distributed] = {"uniform": uniform, "thompson": thompson}
    lines = ["Clicks per 1,000 decisions, 95 % intervals by visit."]
    for each in found:
        first = each.report.estimate("snips")
        lines += [
            f"\nPolicy {each.policy!r} from the {each.log!r} log: {first.n:,} decisions weigh as much as "
            f"{first.ess:,.0f} of its own; largest weight {first.max_weight:.1f}.",
            f"  in its own log     {_line(each.own)}",
        ]
        sizes = effective(policies[each.policy], log(each.log).rows)
        for name in SHOWN:
            value = each.report.estimate(name)
            low, high = effective_wilson(_ends(value)[0], sizes[name])
            apart = difference(value, each.own)
            lines.append(
                f"  {name:<18} {_line(value)}   Wilson at {sizes[name]:,.0f}: {1e3 * low:.2f} to {1e3 * high:.2f}"
                f"   less own: {1e3 * apart[0]:+.2f} ({1e3 * apart[1]:+.2f} to {1e3 * apart[2]:+.2f})"
            )
    return "\n".join(lines)


def _line(value: PolicyValue) -> str:
    middle, low, high = _ends(value)
    return f"{1e3 * middle:.2f} ({1e3 * low:.2f} to {1e3 * high:.2f})"


def _ends(value: PolicyValue) -> tuple[float, float, float]:
    assert value.value is not None
    assert value.low is not None
    assert value.high is not None
    return value.value, value.low, value.high


def main() -> None:
    """Print the table."""
    sys.stdout.write(table(directions()) + "\n")


if __name__ == "__main__":
    main()
