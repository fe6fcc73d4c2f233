"""What a recipe stands on: one seed's worlds in the learner's units, its limits, its checkpoints, its best policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from tenure.core.clock import Clock, SystemClock
from tenure.core.errors import StoreError
from tenure.core.history import History, Newest
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.project import Project
from tenure.core.residual import Adjusting, Residual
from tenure.core.simulator import Simulator
from tenure.core.spaces import Box
from tenure.simulators.actions import is_masked
from tenure.simulators.remembering import RememberingWorlds
from tenure.training.bandit_graph import BanditGraph
from tenure.training.checkpoints import Checkpoints
from tenure.training.curriculum import Climb, Trials
from tenure.training.duals import DualAscent, Duals, natural_rates
from tenure.training.exploration import Decay
from tenure.training.export import PolicyGraph, policy_graph
from tenure.training.history import mixing
from tenure.training.metrics.gathered import Metrics
from tenure.training.network import TorchPolicy
from tenure.training.normaliser import Normaliser, fit_normaliser, hiding
from tenure.training.parts import Attributes, GlobalChance, Part
from tenure.training.record import CurvePoint
from tenure.training.residual import AdjustedWorlds, NoAdjustment
from tenure.training.scout import Scouting, scout
from tenure.training.settings import Settings
from tenure.training.stable import Scoring, StableLearner, fading, log_of, tell
from tenure.training.utilisation import Meter, MeteredWorlds, Phases, batch_hint, utilisation
from tenure.training.vectors import UnitVectors
from tenure.training.warm import begin_near, units_of
from tenure.training.warm_settings import WarmStart
from tenure.training.watcher import Report, SelectionWatch
from tenure.training.worlds import discounted, jump_start_of, reward_of, training_worlds

ALWAYS = frozenset({"chance", "fitted"})
"""What every checkpoint keeps beside the parts: chance, and what was measured before the training began."""


@dataclass(frozen=True)
class Trained:
    """What a recipe gives back.

    Args:
        graph: from raw observations to logits, or to vectors for a `Box`: the best checkpoint's (the best first KPI
            among those that keep every limit, else the least broken one).
        curve: every checkpoint on the selection data.
    """

    graph: nn.Module
    curve: list[CurvePoint]


class Ground:
    """One seed of a run, apart from the algorithm.

    Args:
        project: problem, incumbent and simulator.
        settings: of the recipe.
        seed: of worlds, networks and exploration.
        folder: where checkpoints, the learning log and TensorBoard files go.
        report: called with every point of the learning curve.
        resume: `go_on` from the newest sound checkpoint in the folder; without, those that lie there are removed.
        clock: says when a checkpoint is due.
    """

    def __init__(
        self,
        project: Project,
        settings: Settings,
        seed: int,
        folder: Path,
        report: Report,
        *,
        resume: bool = False,
        clock: Clock = SystemClock(),  # noqa: B008
    ) -> None:
        torch.set_num_threads(1)
        self.meter, self.clock = Meter(), clock
        self.project, self.settings, self.seed, self.folder = project, settings, seed, folder
        self.problem: Problem = discounted(project.problem, settings)
        self.simulator: Simulator = training_worlds(project, settings)
        self.incumbent: Policy = project.incumbent
        if settings.residual is not None:
            self._adjust(settings.residual)
        if settings.history is not None:
            self._remember(settings.history)
        self.checkpoints = Checkpoints(folder / "checkpoints", project.problem.kpis[0], settings.steps, clock)
        self._from, damaged = self.checkpoints.newest() if resume else (None, [])
        self.checkpoints.drop_after(-1 if self._from is None else self._from.point.gradient_steps)
        self.resumed: dict[str, Any] = {"damaged": damaged} if damaged else {}
        """From which checkpoint it went on, and what was wrong with newer ones; empty for neither."""
        self._state_then = {} if self._from is None else self._from.state()
        fitted: tuple[Normaliser, Scouting] = self._state_then.get("fitted") or self._fitted()
        self.normaliser, self.scouted = fitted
        self.warm: WarmStart | None = getattr(settings, "warm", None)
        if self.warm is not None:
            self.normaliser = units_of(self.warm, self.normaliser)
        learned = [limit for limit in self.problem.limits if limit.held_by == "lagrange"]
        spread = self.normaliser.reward_std
        self.duals = Duals(learned, natural_rates(learned, settings.dual_rate, spread, self.scouted.deviation))
        self.watch = SelectionWatch(project, self.duals, folder, report, self.policy)
        self.metrics = Metrics(project, settings, self.problem, seed)
        self.watch.meter, self.watch.measured = self.meter, self.metrics.at
        self.parts: dict[str, Part] = {"duals": Attributes(self.duals, "weights"), "watch": self.watch}
        self.parts["metrics"] = self.metrics
        """What a checkpoint keeps; a recipe adds its own before it calls `go_on`."""

    def policy(self, graph: nn.Module) -> Policy:
        """A graph of the learner's as a policy over the project's own actions."""
        return policy_of(graph, self.project, self.settings)

    def _fitted(self) -> tuple[Normaliser, Scouting]:
        """What is measured before the training begins."""
        settings, seed = self.settings, self.seed
        chance, level = np.random.default_rng(seed), settings.hardest
        fitted = fit_normaliser(self.problem, self.simulator, self.incumbent, chance, level, settings.scale)
        normaliser = hiding(fitted, self.project.problem.feature_names, settings.hide)
        if settings.history is not None:
            normaliser = replace(normaliser, mix=mixing(settings.history, len(self.project.problem.observation)))
        return normaliser, scout(self.problem, self.simulator, self.incumbent, np.random.default_rng([seed, 1]), level)

    def _adjust(self, residual: Residual) -> None:
        """Make adjustments the learner's actions."""
        real = self.problem
        self.simulator = AdjustedWorlds(real, self.simulator, self.incumbent, residual)
        self.problem, self.incumbent = residual.problem(real), NoAdjustment(residual, real.action)

    def _remember(self, history: History) -> None:
        """Make windows the learner's observations."""
        plain = self.problem
        self.simulator = RememberingWorlds(plain, self.simulator, history)
        self.problem, self.incumbent = history.problem(plain), Newest(self.incumbent, len(plain.observation))

    @property
    def masked(self) -> bool:
        """Actions may be forbidden here."""
        return is_masked(self.problem, self.simulator)

    @cached_property
    def worlds(self) -> MeteredWorlds:
        """The training worlds: observations and rewards in the learner's units, limits priced, twins where wanted."""
        settings = self.settings
        worlds = MeteredWorlds(
            self.problem,
            self.simulator,
            settings.worlds,
            self.seed,
            level=settings.level if settings.curriculum is None else settings.curriculum.levels[0],
            reward=self.duals.priced(reward_of(self.project, settings)),
            baseline=self.incumbent if settings.baseline and not self.scouted.ends else None,
            scale=1.0 / self.normaliser.reward_std,
            transform=self.normaliser,
            jump_start=jump_start_of(settings, self.incumbent),
        )
        worlds.meter, worlds.counted = self.meter, self.metrics.of_worlds(scaled=self.normaliser.scaled)
        self.parts["worlds"] = worlds
        return worlds

    @property
    def vectors(self) -> VecEnv:
        """The training worlds as learners of Stable-Baselines3 take them: vectors of a `Box` in [-1, 1]."""
        space = self.problem.action
        return UnitVectors(self.worlds, space) if isinstance(space, Box) else self.worlds

    def learn(
        self,
        model: Any,
        acting: Callable[[Any], tuple[nn.Module, nn.Module]],
        gradient_steps: Callable[[], int],
        dual_every: int = 0,
        entropy: Decay | None = None,
    ) -> Trained:
        """Run a learner of Stable-Baselines3 over its steps, with limits, checkpoints and logs.

        Args:
            model: a `BaseAlgorithm` over `worlds`.
            acting: from its policy to the layers that act: a body, and a head to logits or to means in [-1, 1].
            gradient_steps: how many it has taken so far.
            dual_every: least decisions between two moves of the learned weights of limits; 0 is each update.
            entropy: weight of the entropy over the training; None leaves the model's own.
        """

        def graph() -> PolicyGraph:
            return policy_graph(*acting(model.policy), self.normaliser, self.problem.action)

        if self.warm is not None:
            begin_near(self.warm, model.policy, acting)
        said = self.metrics.of_learner(model, graph)
        scoring = Scoring(self.score, graph, gradient_steps, self.settings.checkpoint_every)
        ascent = DualAscent(self.duals, self.worlds, dual_every)
        self.parts |= {"learner": StableLearner(model), "scored": Attributes(scoring, "scored_at")}
        self.parts["ascent"] = Attributes(ascent, "seen")
        logger = self.log()
        model.set_logger(logger)
        try:
            goes_on = self.go_on()
            if goes_on:
                tell(logger, self.watch.curve[-1])
            left = self.settings.steps - (model.num_timesteps if goes_on else 0)
            called = [*fading(entropy), ascent, said, scoring, Phases(self.meter)]
            model.learn(left, callback=called, reset_num_timesteps=not goes_on)
            scoring.score()
            model.dump_logs()  # the last update's values and the last score
        finally:
            logger.close()
        return self.trained()

    def log(self) -> Logger:
        """The log of this seed, as CSV and for TensorBoard; who opens it closes it."""
        return log_of(self.folder, None if self._from is None else self._from.point.steps)

    def score(self, graph: nn.Module, steps: int, gradient_steps: int) -> CurvePoint:
        """One point of the curve: on the selection data, and on the levels of a curriculum, which may then go on.

        Where the last checkpoint is long enough ago, one is kept.

        Args:
            graph: from raw observations to logits, or to vectors for a `Box`.
            steps: decisions so far; at the settings' steps the training ends, and its last policy is kept.
            gradient_steps: network updates so far.

        Raises:
            EvidenceError: the first KPI is not finite there.
            StoreError: the checkpoint cannot be written.
        """
        before = self.meter.switch("score")
        levels = {} if self.climb is None else self.climb.look(self.policy(graph.eval()), steps / self.settings.steps)
        point = self.watch.score(graph, steps, gradient_steps, levels)
        ended = steps >= self.settings.steps
        if ended or self.checkpoints.due:
            self.checkpoints.save(point, self.watch.last, None if ended else self._state())
        self.meter.switch(before)
        return point

    def go_on(self) -> bool:
        """Put every part back as the newest checkpoint has it; False where there is none to go on from.

        Call it when every part is in `parts`, and what they draw from at their making is drawn.

        Raises:
            StoreError: the checkpoint is of another recipe or version, which has other parts.
        """
        self.meter.switch("loop")
        if self._from is None:
            return False
        state, self._state_then = self._state_then, {}
        _ = self.climb  # a part, made when first asked for
        if set(state) != {*self.parts, *ALWAYS}:
            raise StoreError(
                expected=f"a checkpoint of {sorted({*self.parts, *ALWAYS})}",
                found=str(sorted(state)),
                where=str(self._from.folder),
                fix="go on with the version of tenure that wrote it, or train again",
            )
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        self.resumed |= {"steps": self._from.point.steps, "checkpoint": self._from.folder.name}
        GlobalChance().load_state_dict(state["chance"])
        return True

    def _state(self) -> dict[str, Any]:
        """What a stopped training goes on from."""
        own = {name: part.state_dict() for name, part in self.parts.items()}
        return {**own, "chance": GlobalChance().state_dict(), "fitted": (self.normaliser, self.scouted)}

    @cached_property
    def climb(self) -> Climb | None:
        """The curriculum, with the worlds on its first level; None without one."""
        curriculum, project = self.settings.curriculum, self.project
        if curriculum is None:
            return None
        plain = training_worlds(project, self.settings)
        trials = Trials(project.problem, plain, project.incumbent, self.seed)
        climb = Climb(curriculum, trials, lambda level: setattr(self.worlds, "level", level))
        self.parts["climb"] = Attributes(climb, "level")
        return climb

    def utilisation(self, graph: nn.Module) -> dict[str, Any]:
        """What this process used so far, and whether larger batches than the settings' would pay for this network."""
        batch, lasted = getattr(self.settings, "batch", None), sum(self.meter.seconds.values())
        hint = batch_hint(graph, len(self.problem.observation), batch, lasted, self.clock)
        return utilisation(self.meter, hint).as_dict()

    def trained(self) -> Trained:
        """The best checkpoint so far, and the curve."""
        return Trained(self.watch.best(), self.watch.curve)


def policy_of(graph: nn.Module, project: Project, settings: Settings) -> Policy:
    """A learner's graph as a policy over the project's own actions."""
    learner: Policy = graph.bandit if isinstance(graph, BanditGraph) else TorchPolicy(graph, history=settings.history)
    if settings.residual is None:
        return learner
    return Adjusting(learner, project.incumbent, settings.residual, project.problem.action)
