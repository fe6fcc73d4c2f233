"""Gates: from figures to findings. Pure; what is unknown holds, what is broken says so."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from tenure.core.arrays import Ints
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate, Finding, Verdict
from tenure.evaluation.sequences.betting import BettingLower, BettingMean, BettingUpper
from tenure.evaluation.sequences.boundaries import decisions_to_settle
from tenure.evaluation.settling import settling_sentence


def not_worse(gate: str, estimate: Estimate, margin: float, what: str) -> Finding:
    """Whether a gain is proven to lie above -margin.

    Args:
        gate: the gate's name.
        estimate: the gain, positive where the candidate is better.
        margin: how much worse is still acceptable, same unit, >= 0.
        what: what the figure is, for the reason.

    Returns:
        PASS with the whole interval at or above -margin, FAIL with all of it below, ERROR without a usable figure,
        otherwise INCONCLUSIVE with about how much more is needed.
    """
    if not margin >= 0 or any(map(math.isnan, (estimate.value, estimate.low, estimate.high))):
        return Finding(gate, Verdict.ERROR, f"{what} could not be compared with a margin of {margin:g}", estimate)
    seen = f"{what}: {estimate.value:.4g} (at least {estimate.low:.4g}, at most {estimate.high:.4g})"
    if estimate.low >= -margin:
        return Finding(gate, Verdict.PASS, f"{seen}, so not worse by more than {margin:g}", estimate)
    if estimate.high < -margin:
        return Finding(gate, Verdict.FAIL, f"{seen}, so worse by more than {margin:g}", estimate)
    return Finding(gate, Verdict.INCONCLUSIVE, f"{seen}; {_missing(estimate, margin)}", estimate)


def not_worse_if_allowed(gate: str, interval: Callable[[], Estimate], margin: float, what: str) -> Finding:
    """`not_worse`, where the interval may be refused: what refuses is INCONCLUSIVE, with its reason and no figure.

    Args:
        gate, margin, what: as `not_worse`.
        interval: makes it, such as `lambda: mean.estimate("day")` of an `AsymptoticMean`.
    """
    try:
        estimate = interval()
    except EvidenceError as error:
        told = f"{what}: no interval yet, {error.expected} is needed and {error.found} was found; {error.fix}"
        return Finding(gate, Verdict.INCONCLUSIVE, told)
    return not_worse(gate, estimate, margin, what)


def enough(gate: str, have: Mapping[str, float], need: Mapping[str, float]) -> Finding:
    """Whether every minimum is reached; zero never passes, even where nothing is asked for.

    Args:
        gate: the gate's name.
        have: what there is, by name; a name left out counts as 0.
        need: the minimum of each.
    """
    if not need:
        return Finding(gate, Verdict.INCONCLUSIVE, "no minimum is set, so nothing shows that there is enough")
    counts = {name: (have.get(name, 0), minimum) for name, minimum in need.items()}
    short = {name: pair for name, pair in counts.items() if not (pair[0] >= pair[1] and pair[0] > 0)}
    told = ", ".join(f"{name} {got:g} of {minimum:g}" for name, (got, minimum) in (short or counts).items())
    return Finding(gate, Verdict.INCONCLUSIVE if short else Verdict.PASS, f"{'missing' if short else 'enough'}: {told}")


def sequential_not_worse(gate: str, lower: BettingLower, margin: float, what: str) -> Finding:
    """Whether the mean gain is proven to lie above -margin; asked as often as one likes.

    Args:
        gate: the gate's name.
        lower: the sequence over gains; built with `null=-margin` the answer is exact, else to its grid's width.
        margin: how much worse is still acceptable, in the gains' unit, >= 0.
        what: what the figure is, for the reason.

    Returns:
        PASS when proven, ERROR for a broken sequence or an impossible margin, otherwise INCONCLUSIVE.
    """
    problem = _unmeasurable(lower, margin)
    if problem:
        return Finding(gate, Verdict.ERROR, f"{what}: {problem}")
    if not lower.n:
        return Finding(gate, Verdict.INCONCLUSIVE, f"{what}: nothing observed yet")
    seen = f"{what}: mean {lower.mean:.4g} over n = {lower.n}"
    if lower.rejects(-margin):
        return Finding(gate, Verdict.PASS, f"{seen}, proven not worse by more than {margin:g} at {lower.alpha:g}")
    return Finding(gate, Verdict.INCONCLUSIVE, f"{seen}, not yet proven; {_outlook(lower, margin)}")


def sequential_harm(gate: str, sequence: BettingUpper | BettingMean, margin: float, what: str) -> Finding:
    """Whether the mean gain is proven to lie below -margin: the guardrail, asked as often as one likes.

    Args:
        gate: the gate's name.
        sequence: an upper bound on the mean gain (`BettingMean` brings one, at half its alpha).
        margin: how much worse is still acceptable, in the gains' unit, >= 0.
        what: what the figure is, for the reason.

    Returns:
        FAIL when harm is proven, ERROR for a broken sequence or an impossible margin, INCONCLUSIVE before the first
        observation, otherwise PASS: no harm proven so far, which is not proof of its absence.
    """
    upper = sequence.upper if isinstance(sequence, BettingMean) else sequence
    problem = _unmeasurable(upper, margin)
    if problem:
        return Finding(gate, Verdict.ERROR, f"{what}: {problem}")
    if not upper.n:
        return Finding(gate, Verdict.INCONCLUSIVE, f"{what}: nothing observed yet")
    if upper.rejects(-margin):
        reason = f"{what}: mean {upper.mean:.4g} over n = {upper.n}, proven worse by more than {margin:g}"
        return Finding(gate, Verdict.FAIL, f"{reason} at {upper.alpha:g}")
    return Finding(gate, Verdict.PASS, f"{what}: no harm proven so far, n = {upper.n}, mean {upper.mean:.4g}")


def same_actions(gate: str, live: Ints, replayed: Ints) -> Finding:
    """Whether the actions taken live are the ones the same version takes in a replay; [decisions] each."""
    if live.shape != replayed.shape:
        return Finding(gate, Verdict.ERROR, f"{live.size} live decisions against {replayed.size} replayed ones")
    if not live.size:
        return Finding(gate, Verdict.INCONCLUSIVE, "no decision to compare yet")
    other = int(np.count_nonzero(live != replayed))
    if other:
        return Finding(gate, Verdict.FAIL, f"{other} of {live.size} live actions differ from the replay")
    return Finding(gate, Verdict.PASS, f"all {live.size} live actions equal the replay")


def _missing(estimate: Estimate, margin: float) -> str:
    gap = estimate.value + margin
    if gap <= 0:
        return f"it does not look better than the limit of {-margin:g}"
    times = ((estimate.value - estimate.low) / gap) ** 2
    if not math.isfinite(times):
        return "the interval has no lower end yet"
    return f"about {times:.3g} times as many units ({estimate.cluster}) would prove it, if the value stays"


def _unmeasurable(sequence: BettingLower | BettingUpper, margin: float) -> str:
    if sequence.broken:
        low, high = sequence.bounds
        return f"could not be measured, {sequence.broken}, outside [{low:g}, {high:g}]"
    if not (margin >= 0 and sequence.bounds[0] < -margin < sequence.bounds[1]):
        return f"a margin of {margin:g} lies outside the possible values {list(sequence.bounds)}"
    return ""


def _outlook(lower: BettingLower, margin: float) -> str:
    if lower.mean <= -margin:
        return f"it does not look better than the limit of {-margin:g}"
    capital = lower.e_value if lower.null == -margin else 1.0
    more = decisions_to_settle(lower.mean, lower.sd, margin, lower.alpha, max(capital, 1e-12))
    return settling_sentence(more, unit="observations")
