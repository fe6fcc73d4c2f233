"""A bandit of several models, each of which saw another draw of the data: they disagree where little is known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import SettingsError
from tenure.core.policy import Proposal
from tenure.store.bundles import sampled
from tenure.training.bandit_models import Encoding, Posterior, RidgeModel
from tenure.training.bandit_rules import best, floored


class BootstrapBandit:
    """Bootstrapped Thompson sampling: a decision picks one member evenly and takes its best action.

    Each member counts each row Poisson(1) times, the bootstrap of a stream, and begins from coefficients drawn from the
    prior, which stand for data it never saw. Needs no form of the noise. It has no graph yet, so no bundle.

    Args:
        models: one per member, empty and of one form.
        encoding: from raw features to the models' columns.
        rng: of the weights and the first coefficients.
        floor: share of uniform draws, in (0, 1], so that no probability in the log is 0.
        prior: deviation of the first coefficients, in reward units, at least 0.

    Raises:
        SettingsError: fewer than two models, or a number is out of its range.

    Source: Osband et al. (2016), "Deep exploration via bootstrapped DQN"; the weights, Oza and Russell (2001); the
    random first values, Osband et al. (2018), "Randomized prior functions".
    """

    def __init__(
        self,
        models: Sequence[RidgeModel],
        encoding: Encoding,
        rng: np.random.Generator,
        floor: float = 0.01,
        prior: float = 1.0,
    ) -> None:
        if len(models) < 2 or not 0 < floor <= 1 or not prior >= 0:
            raise SettingsError(
                expected="two members or more, a floor in (0, 1], a prior of at least 0",
                found=f"{len(models)} members, floor={floor}, prior={prior}",
                where="BootstrapBandit",
                fix="correct the number",
            )
        self.models, self.encoding, self.floor = tuple(models), encoding, floor
        self._rng = rng
        # A ridge that pulls towards w0 is a ridge towards 0 on rewards less w0 x: the moment begins at ridge w0.
        for model in self.models:
            model.moment += model.ridge * prior * rng.standard_normal(model.moment.shape)
        self._posteriors = [model.posterior() for model in self.models]

    @property
    def posteriors(self) -> Sequence[Posterior]:
        """What each member knows."""
        return self._posteriors

    @property
    def version(self) -> str:
        """A hash of what was learned."""
        learned = np.concatenate([posterior.mean.ravel() for posterior in self._posteriors])
        return f"bootstrap-{hashlib.sha256(learned.tobytes()).hexdigest()[:8]}"

    def update(self, observation: Floats, action: Ints, reward: Floats) -> None:
        """Learn from a batch: raw features [n, features], what was done [n], what it brought [n]."""
        x = self.encoding(observation)
        for model in self.models:
            model.update(x, np.asarray(action), reward, self._rng.poisson(1.0, len(reward)).astype(np.float64))
        self._posteriors = [model.posterior() for model in self.models]

    def distribution(self, observation: Floats, allowed: Bools | None = None) -> Floats:
        """Share of the members that would take each action, above the floor; [n, actions]."""
        x = self.encoding(observation)
        legal = np.ones((len(x), self.models[0].actions), dtype=bool) if allowed is None else allowed
        chosen = np.mean([best(posterior.expected(x), legal) for posterior in self._posteriors], axis=0)
        return floored(chosen, legal, self.floor)

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """An action by the caller's draw, with the whole distribution it came from."""
        return sampled(self.distribution(observation, allowed), draw)
