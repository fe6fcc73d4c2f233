"""One big run at a time with RLlib's PPO: its environment runners step our worlds, our checkpoints judge it.

A runner that dies is started again; its unfinished worlds are lost, so that runs are equal in distribution, not in
every number. Actions that may be forbidden are learned without masks: the worlds take the nearest allowed one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tenure.core.errors import SettingsError
from tenure.core.project import load_project
from tenure.core.spaces import Box
from tenure.training.backends.cluster import on_ray, reserve, the_ray
from tenure.training.backends.learners_worlds import LearnersWorlds
from tenure.training.backends.where import Where
from tenure.training.recipes.ppo import PPOSettings
from tenure.training.record import CurvePoint, SeedRecord
from tenure.training.workers import Job, Progress, in_processes

if TYPE_CHECKING:
    from torch import nn

    from tenure.training.ground import Ground, Trained

CLIP_RANGE, VALUE_WEIGHT, MOST_NORM = 0.2, 0.5, 0.5
"""Stable-Baselines3's defaults, which our PPO trains with."""

WORLDS = "tenure-worlds"
"""What RLlib knows our worlds by."""


def on_rllib(jobs: list[Job], watch: Callable[[Progress], None], where: Where) -> list[SeedRecord]:
    """Do the jobs one after the other, each by a driver in a process of its own.

    Raises:
        SettingsError: not PPO on labels without learned limits, or worlds that the runners cannot share.
        TenureError: the first failure.
    """
    the_ray()
    for job in jobs:
        _check(job, where)
    return [record for job in jobs for record in in_processes(partial(_work, where=where), [job], watch)]


def _work(job: Job, report: Callable[[CurvePoint], None], where: Where) -> SeedRecord:
    from tenure.training.seeds import train_seed

    return train_seed(job, report, partial(learn, where=where))


def _check(job: Job, where: Where) -> None:
    settings, problem = job.settings, load_project(job.project).problem
    found = {
        f"recipe {settings.recipe!r}": type(settings) is not PPOSettings,
        "vectors": isinstance(problem.action, Box),
        "limits with learned weights": any(limit.held_by == "lagrange" for limit in problem.limits),
        "an adjustment of the incumbent": settings.residual is not None,
        "windows": settings.history is not None,
        "a jump start": settings.jump_start > 0,
        "a falling weight of the entropy": getattr(settings, "entropy_last", None) is not None,
        "levels one after the other": settings.curriculum is not None,
        f"{settings.worlds} worlds for {where.env_runners} runners": bool(settings.worlds % max(where.env_runners, 1)),
    }
    for what, wrong in found.items():
        if wrong:
            raise SettingsError(
                expected="recipe ppo on labels, worlds that the runners can share evenly, no more",
                found=what,
                where="--backend rllib",
                fix="take --backend local or ray, or another number of --env-runners",
            )


def learn(ground: Ground, where: Where) -> Trained:
    """One seed with RLlib, scored as every recipe is."""
    settings = ground.settings
    assert isinstance(settings, PPOSettings)
    with on_ray() as ray:
        for _ in range(where.env_runners):
            reserve(ray, {"CPU": where.cpus_per_job}, where.wait_s)
        algorithm = config_of(ground, settings, where).build_algo()
        try:
            return _loop(ground, settings, algorithm)
        finally:
            algorithm.stop()


def _loop(ground: Ground, settings: PPOSettings, algorithm: Any) -> Trained:
    per_update = settings.worlds * settings.rollout
    gradient_steps = per_update // settings.batch * settings.epochs
    scored = done = updates = 0
    while done < settings.steps:
        algorithm.train()
        done, updates = done + per_update, updates + gradient_steps
        if updates // settings.checkpoint_every > scored // settings.checkpoint_every or done >= settings.steps:
            ground.watch.score(graph_of(ground, algorithm), done, updates)
            scored = updates
    return ground.trained()


def config_of(ground: Ground, settings: PPOSettings, where: Where) -> Any:
    """RLlib's PPO with our settings: the same networks, batches, epochs and losses as our recipe."""
    from ray.rllib.algorithms.ppo import PPOConfig
    from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
    from ray.tune import register_env

    runners = max(where.env_runners, 1)

    place, normaliser, n = ground.project.place, ground.normaliser, settings.worlds // runners

    def worlds(_: Any) -> LearnersWorlds:
        return LearnersWorlds(place, settings, normaliser, n)

    register_env(WORLDS, worlds)
    config: Any = PPOConfig()  # type: ignore[no-untyped-call]
    config = config.environment(WORLDS, disable_env_checking=True).framework("torch")
    config = config.env_runners(
        num_env_runners=where.env_runners,
        num_envs_per_env_runner=n,
        gym_env_vectorize_mode="vector_entry_point",
        rollout_fragment_length=settings.rollout,
        num_cpus_per_env_runner=where.cpus_per_job,
    )
    config = config.training(
        gamma=ground.problem.discount,
        lr=settings.learning_rate,
        train_batch_size_per_learner=settings.worlds * settings.rollout,
        minibatch_size=settings.batch,
        num_epochs=settings.epochs,
        lambda_=settings.gae_lambda,
        entropy_coeff=settings.entropy,
        clip_param=CLIP_RANGE,
        vf_clip_param=float("inf"),
        vf_loss_coeff=VALUE_WEIGHT,
        use_kl_loss=False,
        grad_clip=MOST_NORM,
    )
    model = DefaultModelConfig(fcnet_hiddens=list(settings.net), fcnet_activation="tanh", vf_share_layers=False)
    config = config.rl_module(model_config=model).learners(num_learners=0)
    config = config.debugging(seed=ground.seed, log_level="ERROR")
    return config.fault_tolerance(restart_failed_env_runners=True, max_num_env_runner_restarts=where.retries)


def graph_of(ground: Ground, algorithm: Any) -> nn.Module:
    """RLlib's acting weights in layers of our own, from raw observations to logits."""
    from torch import nn

    from tenure.training.export import policy_graph

    learned = algorithm.get_module()
    weights = {name: value.detach().cpu() for name, value in learned.state_dict().items()}
    hidden = _linears(weights, "encoder.actor_encoder.")
    (head,) = _linears(weights, "pi.")
    body = nn.Sequential(*(layer for linear in hidden for layer in (linear, nn.Tanh())))
    return policy_graph(body, head, ground.normaliser, ground.problem.action)


def _linears(weights: dict[str, Any], prefix: str) -> Sequence[nn.Linear]:
    """The linear layers below a name, in their order."""
    from torch import nn

    matrices = [name for name in weights if name.startswith(prefix) and name.endswith(".weight")]
    layers = []
    for name in matrices:
        units, inputs = weights[name].shape
        layer = nn.Linear(inputs, units)
        layer.load_state_dict({"weight": weights[name], "bias": weights[name.removesuffix("weight") + "bias"]})
        layers.append(layer)
    assert all(one.out_features == other.in_features for one, other in pairwise(layers))
    return layers
