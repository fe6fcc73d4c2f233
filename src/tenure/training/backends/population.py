"""Population-based training: members of PPO side by side, the worst go on from a copy of the best, settings varied.

Source: Jaderberg et al. (2017), "Population based training of neural networks"; Ray Tune's scheduler. Who is better is
decided on the selection data, limits first, as checkpoints are chosen: the winner's score there is optimistic.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.core.errors import SettingsError
from tenure.training.backends.cluster import the_ray
from tenure.training.backends.trials import run_trials
from tenure.training.backends.where import Where
from tenure.training.recipes.ppo import PPOSettings, acting, new_ppo
from tenure.training.record import CurvePoint, SeedRecord
from tenure.training.workers import Job, Progress, failure_of, progress_of

if TYPE_CHECKING:
    from tenure.core.reward import KPI
    from tenure.training.ground import Ground, Trained

TURNS = 10
"""Stretches a run is cut into, with fewer updates as many as there are; members are compared after each."""
RATES, ENTROPIES = (1e-4, 1e-2), (1e-4, 3e-2)
"""Where learning rates and weights of the entropy are drawn from, evenly in their logarithm."""
VARIED = ("learning_rate", "entropy")
MODEL_FILE, STATE_FILE, BEST_FILE = "model.zip", "state.pt", "best.pt"
BROKEN = -1e15
"""Merit of a member that breaks a limit, times one and the excess: below that of any that keeps them all."""


def as_population(jobs: list[Job], watch: Callable[[Progress], None], where: Where) -> list[SeedRecord]:
    """Train the jobs as one population; a member that falls behind copies one of the best quarter.

    Raises:
        SettingsError: another recipe than PPO.
        TenureError: the first failure of a member.
    """
    for job in jobs:
        if not isinstance(job.settings, PPOSettings):
            raise SettingsError(
                expected="recipe ppo, whose learning rate and entropy a population varies",
                found=f"recipe {job.settings.recipe!r}",
                where="--population",
                fix="leave --population out, or take --recipe ppo",
            )
    the_ray()
    from ray import tune
    from ray.tune.schedulers import PopulationBasedTraining

    space = {"learning_rate": tune.loguniform(*RATES), "entropy": tune.loguniform(*ENTROPIES)}
    scheduler = PopulationBasedTraining(
        time_attr="turn",
        metric="merit",
        mode="max",
        perturbation_interval=1,
        hyperparam_mutations=dict(space),
        synch=True,  # compared at equal steps, also where there are more members than processors
        require_attrs=False,  # a member's record, its last report, is compared with nobody's
    )
    return run_trials(_trial, jobs, watch, where, space, scheduler)


def merit(kpi: KPI, point: CurvePoint) -> float:
    """A number that ranks as `CurvePoint.merit` does."""
    return BROKEN * (1.0 + point.excess) if point.excess > 0 else kpi.sign * point.score


def _trial(config: dict[str, Any], jobs: Mapping[str, Job]) -> None:
    from ray import tune

    from tenure.training.seeds import train_seed

    job = jobs[tune.get_context().get_trial_name()]
    varied = {name: config[name] for name in VARIED}
    job = replace(job, settings=replace(job.settings, **varied))
    try:
        tune.report({"record": train_seed(job, lambda _: None, partial(_member, job=job))})
    except Exception as error:
        tune.report({"failure": failure_of(error, job)})


def _member(ground: Ground, job: Job) -> Trained:
    """Turn after turn from this member's last checkpoint, or from that of a better one."""
    from ray import tune

    from tenure.training.duals import DualAscent

    settings = ground.settings
    assert isinstance(settings, PPOSettings)
    left_at = tune.get_checkpoint()
    member = Member(ground, settings, Path(left_at.path) if left_at else None)
    updates = -(-settings.steps // member.per_update)
    turns = min(TURNS, updates)
    for turn in range(member.turn + 1, turns + 1):
        due = updates * turn // turns * member.per_update - member.model.num_timesteps
        member.model.learn(due, callback=[DualAscent(ground.duals, ground.worlds)], reset_num_timesteps=False)
        point = member.score(turn)
        told = {"progress": progress_of(job, point), "turn": turn}
        if turn == turns:
            tune.report(told)
            break
        with tempfile.TemporaryDirectory() as folder:
            member.save(Path(folder))
            told["merit"] = merit(ground.problem.kpis[0], point)
            tune.report(told, checkpoint=tune.Checkpoint.from_directory(folder))
    return ground.trained()


class Member:
    """A learner of the population, with all that another one must copy to go on from it.

    Args:
        ground: of its seed; what a copy brings (normaliser, weights of limits, curve) takes the place of its own.
        settings: with the learning rate and entropy it has now.
        left_at: a checkpoint to go on from, its own or a better member's.
    """

    def __init__(self, ground: Ground, settings: PPOSettings, left_at: Path | None) -> None:
        import torch
        from stable_baselines3.common.logger import configure

        self.ground, self.settings = ground, settings
        kept: dict[str, Any] = (
            torch.load(left_at / STATE_FILE, weights_only=False) if left_at else {"turn": 0, "varied": []}
        )
        self.turn: int = kept["turn"]
        self.varied: list[dict[str, float]] = kept["varied"]
        if left_at:
            ground.normaliser = kept["normaliser"]
            ground.duals.weights.update(kept["weights"])
            ground.watch.curve[:] = kept["curve"]
            ground.watch.started -= kept["curve"][-1].seconds
            shutil.copy(left_at / BEST_FILE, ground.folder / BEST_FILE)
        ground.seed += 1_000_003 * self.turn  # worlds nobody has met in an earlier turn
        self.model = new_ppo(ground.worlds, settings, ground.seed)
        self.model.set_logger(configure(str(ground.folder), []))
        if left_at:
            self.model.set_parameters(str(left_at / MODEL_FILE), device="cpu")
            self.model.num_timesteps = kept["curve"][-1].steps
        self.model.learning_rate = settings.learning_rate  # the population's, in place of the recipe's fall
        self.model._setup_lr_schedule()

    @property
    def per_update(self) -> int:
        """Decisions between two updates."""
        return self.settings.worlds * self.settings.rollout

    def score(self, turn: int) -> CurvePoint:
        """One checkpoint and one point of the curve, at the end of a turn."""
        self.turn = turn
        self.varied.append({"turn": turn} | {name: getattr(self.settings, name) for name in VARIED})
        (self.ground.folder / "varied.json").write_text(json.dumps(self.varied, indent=1))
        from tenure.training.export import policy_graph

        graph = policy_graph(*acting(self.model.policy), self.ground.normaliser, self.ground.problem.action)
        updates = self.model.num_timesteps // self.per_update
        steps = updates * self.per_update // self.settings.batch * self.settings.epochs
        return self.ground.watch.score(graph, self.model.num_timesteps, steps)

    def save(self, folder: Path) -> None:
        """Everything that `left_at` takes up."""
        import torch

        ground = self.ground
        self.model.save(folder / MODEL_FILE)
        shutil.copy(ground.folder / BEST_FILE, folder / BEST_FILE)
        kept = {
            "turn": self.turn,
            "varied": self.varied,
            "normaliser": ground.normaliser,
            "weights": dict(ground.duals.weights),
            "curve": list(ground.watch.curve),
        }
        torch.save(kept, folder / STATE_FILE)
