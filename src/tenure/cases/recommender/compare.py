"""What each log says of the other log's policy, beside what that got; `python -m tenure.cases.recommender.compare`.

With 46 and 69 clicks in 10,000 decisions each, agreement proves little: the intervals say how little.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

from tenure.cases.recommender.data import Name, log
from tenure.cases.recommender.problem import thompson, uniform
from tenure.evaluation.off_policy.decisions import evaluate_log
from tenure.evaluation.off_policy.valuation import OffPolicyReport
from tenure.evaluation.off_policy.value import PolicyValue

SHOWN = ("ips", "snips", "dr")


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


def table(found: tuple[Direction, Direction]) -> str:
    """Both directions for people, in clicks per 1,000 decisions."""
    lines = ["Clicks per 1,000 decisions, 95 % intervals by visit."]
    for each in found:
        first = each.report.estimate("snips")
        lines += [
            f"\nPolicy {each.policy!r} from the {each.log!r} log: {first.n:,} decisions weigh as much as "
            f"{first.ess:,.0f} of its own; largest weight {first.max_weight:.1f}.",
            f"  in its own log     {_line(each.own)}",
        ]
        for name in SHOWN:
            value = each.report.estimate(name)
            apart = difference(value, each.own)
            lines.append(
                f"  {name:<18} {_line(value)}   less own: {1e3 * apart[0]:+.2f} "
                f"({1e3 * apart[1]:+.2f} to {1e3 * apart[2]:+.2f})   {value.method}"
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
