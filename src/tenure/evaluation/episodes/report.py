"""The value of a policy per episode from another policy's log: all estimators of episodes, in one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import EvidenceError
from tenure.core.logged import Logged, LoggedSource, Target, joined
from tenure.evaluation.episodes.columns import Episodes
from tenure.evaluation.episodes.fqe import FittedQ, crossfitted
from tenure.evaluation.episodes.trajectories import FORMULAS, returns
from tenure.evaluation.episodes.transitions import Transitions
from tenure.evaluation.episodes.values import EpisodeValue
from tenure.evaluation.grouped import group_of, mixed, ratio_interval
from tenure.evaluation.off_policy.behaviour import behaviour_models
from tenure.evaluation.off_policy.decisions import assumed
from tenure.evaluation.off_policy.support import Refusal, Support, Why
from tenure.evaluation.off_policy.terms import DiscreteTerms, Predictions
from tenure.evaluation.off_policy.valuation import OffPolicyReport
from tenure.evaluation.off_policy.value import PolicyValue

MOST_STEPS = 20_000
"""Steps that fitted Q evaluation learns from at most: it fits hundreds of forests."""

JUDGED = "pdwis"
"""The estimator a verdict goes by without a reward model: self-normalised, as `snips` is for one step."""


def evaluate_episodes(
    source: LoggedSource,
    target: Target,
    *,
    predictions: Predictions | None = None,
    discount: float = 1.0,
    alpha: float = 0.05,
    seed: int = 0,
) -> OffPolicyReport:
    """Value a policy per episode from a log with episodes, or say why that cannot be done.

    The whole log is held in memory: fitted Q evaluation goes over it again and again.

    Args:
        source: a log whose rows have `episode` and `step`, and `Discrete` actions.
        target: probability of every action.
        predictions: predicted return-to-go of every action, from elsewhere; without it the doubly robust estimate
            takes cross-fitted Q from fitted Q evaluation.
        discount: per step, in (0, 1].
        alpha: error rate of every interval, in (0, 1).
        seed: chance of bootstrap and regressors.

    Raises:
        EvidenceError: rows without episode or step, steps with gaps, or a target that is no distribution.
    """
    batches = list(source.batches())
    judged = JUDGED if predictions is None else "dr"
    if not batches:
        why = Refusal(Why.EMPTY, "the log has no usable row", "check the file and its rejected rows")
        return _refused(why, judged)
    logged = joined(batches)
    settings = (predictions, discount, alpha, seed, judged)
    if not np.isnan(logged.propensity).all():
        return _report(logged, target, *settings)
    try:
        models = behaviour_models(logged)
    except EvidenceError as error:
        why = Refusal(Why.PROPENSITY_MISSING, f"no propensities, and no model of them: {error.found}", error.fix)
        return _refused(why, judged)
    reports = [_report(replace(logged, propensity=each.propensity(logged)), target, *settings) for each in models]
    return assumed(models, reports)


def _refused(why: Refusal, judged: str) -> OffPolicyReport:
    """No number for any estimator."""
    none = tuple(PolicyValue.refused(name, why.reason, why.helps) for name in (*FORMULAS, FittedQ.name))
    logged = PolicyValue.refused("logged", why.reason, why.helps)
    return OffPolicyReport(judged, logged, none, None, None, why.reason, 1.0, 0, why)


def _report(
    logged: Logged,
    target: Target,
    predictions: Predictions | None,
    discount: float,
    alpha: float,
    seed: int,
    judged: str,
) -> OffPolicyReport:
    seen = np.bincount(logged.action, minlength=len(logged.labels)) > 0
    p = DiscreteTerms(target, seen).probabilities(logged)
    staged = _with_step(logged)
    q, v, reason = _model(staged, p, predictions, discount, seed)
    episodes = Episodes.from_logged(logged, p, seen=seen, q=q, v=v)
    support = _support(episodes)
    answers = [_answer(name, episodes, discount, alpha, seed, reason) for name in FORMULAS]
    answers.append(_fqe(staged, p, discount, alpha, seed))
    illegal = support.refusal if support.refusal is not None and support.refusal.why is not Why.FEW_EFFECTIVE else None
    return OffPolicyReport(
        judged=judged,
        logged=_on_policy(episodes, discount, alpha, seed),
        estimates=tuple(answers),
        gain=None,
        sequence=None,
        sequence_reason="estimates of episodes have none",
        unsupported=support.unsupported_share,
        units=len(np.unique(episodes.unit)),
        refusal=illegal,
    )


def _with_step(logged: Logged) -> Logged:
    """The step as one more feature: what an episode still brings depends on how much of it is left."""
    assert logged.step is not None
    features = np.concatenate([np.nan_to_num(logged.features, nan=0.0), logged.step[:, None]], axis=1)
    return replace(logged, features=features, names=(*logged.names, "step"))


def _model(
    logged: Logged, p: Floats, predictions: Predictions | None, discount: float, seed: int
) -> tuple[Floats | None, Floats | None, str]:
    """q of the logged action and v of the target for every row, or why there are none."""
    if predictions is not None:
        q = predictions(logged)
        return np.take_along_axis(q, logged.action[:, None], axis=1)[:, 0], (p * q).sum(axis=1), ""
    try:
        return *crossfitted(Transitions.from_logged(logged, p), discount, seed=seed), ""
    except (EvidenceError, ValueError) as error:  # rewards that are no numbers: the support says so
        return None, None, f"no model of the rewards: {error}"


def _answer(name: str, episodes: Episodes, discount: float, alpha: float, seed: int, reason: str) -> PolicyValue:
    if name == "dr" and episodes.q is None:
        return PolicyValue.refused(name, reason, "log more whole episodes", n=len(episodes))
    estimator = EpisodeValue(FORMULAS[name], discount)
    estimator.update(episodes)
    return estimator.result(alpha, seed)


def _fqe(logged: Logged, p: Floats, discount: float, alpha: float, seed: int) -> PolicyValue:
    kept = _few_units(logged)
    estimator = FittedQ(discount=discount)
    estimator.update(logged.take(kept), p[kept])
    found = estimator.result(alpha, seed)
    part = "" if kept.all() else f"; on {int(kept.sum()):,} of {len(kept):,} steps, whole units"
    return replace(found, method=f"{found.method}{part}")


def _few_units(logged: Logged) -> Bools:
    """Rows of the units with the smallest hashes, about `MOST_STEPS` of them; [n]."""
    keys = mixed(logged.unit)
    if len(keys) <= MOST_STEPS:
        return np.ones(len(keys), dtype=bool)
    return np.asarray(keys <= np.partition(keys, MOST_STEPS)[MOST_STEPS])


def _support(episodes: Episodes) -> Support:
    support = Support()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = episodes.target_prob / episodes.logged_prob
    support.update(episodes.index, episodes.reward, episodes.logged_prob, ratio, episodes.elsewhere)
    return support


def _on_policy(episodes: Episodes, discount: float, alpha: float, seed: int) -> PolicyValue:
    """Mean return of the logged episodes."""
    x, n = returns(episodes, discount), len(episodes)
    if not np.isfinite(x).all():
        return PolicyValue.refused("logged", "rewards that are no numbers", "wait for the outcomes", n=n)
    try:
        ends = ratio_interval(_by_group(group_of(episodes.unit), [x, np.ones(n)]), alpha, seed)
    except EvidenceError as error:
        return PolicyValue.refused("logged", f"{error.found} unit(s)", error.fix, n=n)
    method, cluster = ends.method, episodes.cluster
    return PolicyValue(
        "logged", ends.value, ends.low, ends.high, n, float(n), 1.0, method=method, cluster=cluster, alpha=alpha
    )


def _by_group(group: Any, columns: Sequence[Floats]) -> Floats:
    return np.stack([np.bincount(group, weights=column) for column in columns], axis=1)
