"""Contextual bandits as policies: learned from decisions in batches, or from anybody's log, exact about chance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import DataError, SettingsError
from tenure.core.logged import Logged, LoggedSource
from tenure.core.policy import Proposal
from tenure.core.problem import Problem
from tenure.core.spaces import Discrete
from tenure.store.bundles import sampled
from tenure.training.bandit_models import RIDGE, Encoding, Posterior, RidgeModel, encoding
from tenure.training.bandit_rules import Rule


@dataclass
class Bandit:
    """A policy that learns from single decisions: a linear reward model and a rule that explores.

    Args:
        model: what is known of the rewards.
        rule: how it explores.
        encoding: from raw features to the model's columns.
        memory: share of the weight of what was learned that each new row leaves, in (0, 1]; below 1 the bandit follows
            a world that drifts, and remembers about 1 / (1 - memory) rows. Source: discounted UCB, Garivier and
            Moulines (2011); discounted Thompson sampling, Raj and Kalyani (2017).
    """

    model: RidgeModel
    rule: Rule
    encoding: Encoding
    memory: float = 1.0

    @cached_property
    def posterior(self) -> Posterior:
        """What the rewards so far say."""
        return self.model.posterior()

    @cached_property
    def version(self) -> str:
        """The rule's name and a hash of what was learned: another after every update that changes it."""
        learned = np.concatenate([self.posterior.mean.ravel(), self.posterior.factor.ravel()])
        return f"{self.rule.name}-{hashlib.sha256(repr(self.rule).encode() + learned.tobytes()).hexdigest()[:8]}"

    def update(self, observation: Floats, action: Ints, reward: Floats, weight: Floats | None = None) -> None:
        """Learn from a batch.

        Args:
            observation: raw features; [n, features].
            action: index of what was done; [n].
            reward: what it brought; [n].
            weight: how much each row counts, >= 0; [n]; None counts each once.

        Raises:
            DataError: lengths differ, an action is out of range, or a number is not finite.
        """
        weight = np.ones(len(reward)) if weight is None else np.asarray(weight, dtype=np.float64)
        reward = np.asarray(reward, dtype=np.float64)
        _check_batch(observation, action, reward, weight, self.model.actions)
        if self.memory < 1:
            self.model.fade(self.memory ** len(reward))
        self.model.update(self.encoding(observation), np.asarray(action), reward, weight)
        self.forget()

    def merge(self, other: Bandit) -> None:
        """Add what another bandit of the same model has learned.

        Raises:
            DataError: its model has another form.
        """
        self.model.merge(other.model)
        self.forget()

    def distribution(self, observation: Floats, allowed: Bools | None = None) -> Floats:
        """Probability of every action, exactly as `propose` draws it; [n, actions]."""
        allowed = np.ones((len(observation), self.model.actions), dtype=bool) if allowed is None else allowed
        return self.rule.distribution(self.posterior, self.encoding(observation), allowed)

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """An action by the caller's draw, with the whole distribution it came from."""
        return sampled(self.distribution(observation, allowed), draw)

    def as_target(self, rows: Logged) -> Floats:
        """The bandit as a policy under evaluation, `tenure.core.logged.Target`."""
        return self.distribution(rows.features, rows.allowed)

    def forget(self) -> None:
        """Work out again what follows from the model, which has changed."""
        for name in ("posterior", "version"):
            self.__dict__.pop(name, None)


def make_bandit(
    problem: Problem,
    rule: Rule,
    *,
    categories: Mapping[str, int] | None = None,
    action_features: Floats | None = None,
    ridge: float = RIDGE,
    memory: float = 1.0,
) -> Bandit:
    """A bandit for a problem that knows nothing yet.

    Args:
        problem: what it decides; its actions are labelled.
        rule: how it explores.
        categories: how many categories, numbered from 0, each categorical feature has.
        action_features: [actions, features], shared coefficients over them; None learns every action alone.
        ridge: weight of the prior, in observations per column.
        memory: see `Bandit`.

    Raises:
        SettingsError: the problem has no labelled actions, or an argument does not fit it.
    """
    if not isinstance(problem.action, Discrete):
        raise SettingsError(
            expected="labelled actions, Discrete",
            found=type(problem.action).__name__,
            where=f"problem {problem.name!r}, action",
            fix="bandits choose among labels; train a continuous policy otherwise",
        )
    if not 0 < memory <= 1:
        fix = "leave it out to remember everything"
        raise SettingsError(expected="memory in (0, 1]", found=str(memory), where="make_bandit", fix=fix)
    columns = encoding(problem.feature_names, categories or {})
    return Bandit(RidgeModel(columns.columns, problem.action.size, action_features, ridge), rule, columns, memory)


def fit(bandit: Bandit, log: LoggedSource, *, inverse_propensity: bool = False) -> int:
    """Learn from a log, batch by batch; gives the number of rows learned from.

    Rows whose reward was not measured are left out: unknown is not zero. Without weights the model is right where
    rewards are linear in the features. Where they are not, weights 1 / (actions * propensity) fit it to situations as
    a uniform policy would have met them, at the price of variance.

    Args:
        bandit: learns.
        log: features in the order of its problem.
        inverse_propensity: weigh rows as above.

    Raises:
        DataError: the log has other actions, or a propensity that is needed is missing or not in (0, 1].
    """
    if len(log.labels) != bandit.model.actions:
        raise _wrong(f"{bandit.model.actions} actions", f"{len(log.labels)}", "the log's labels")
    learned = 0
    for batch in log.batches():
        rows = batch.take(np.isfinite(batch.reward))
        weight = _inverse(rows, bandit.model.actions) if inverse_propensity else None
        bandit.update(rows.features, rows.action, rows.reward, weight)
        learned += len(rows)
    return learned


def _inverse(rows: Logged, actions: int) -> Floats:
    legal = (rows.propensity > 0) & (rows.propensity <= 1)
    if not legal.all():
        row = int(rows.index[int(np.argmin(legal))])
        found = f"{int((~legal).sum())} other, the first in row {row}"
        raise _wrong("propensities in (0, 1]", found, "the log")
    return np.asarray(1 / (actions * rows.propensity))


def _check_batch(observation: Floats, action: Ints, reward: Floats, weight: Floats, actions: int) -> None:
    lengths = {len(observation), len(action), len(reward), len(weight)}
    if len(lengths) > 1:
        raise _wrong("one entry per row in every column", f"lengths {sorted(lengths)}", "Bandit.update")
    numbers = (np.asarray(observation), reward, weight)
    if not all(np.isfinite(column).all() for column in numbers) or (weight < 0).any():
        raise _wrong("finite numbers, weights >= 0", "NaN, infinity or a negative weight", "Bandit.update")
    if len(action) and not 0 <= np.min(action) <= np.max(action) < actions:
        raise _wrong(f"actions 0 to {actions - 1}", f"{np.min(action)} to {np.max(action)}", "Bandit.update")


def _wrong(expected: str, found: str, where: str) -> DataError:
    return DataError(expected=expected, found=found, where=where, fix="build the rows from one log of this problem")
