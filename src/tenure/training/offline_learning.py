"""Learning from a log by gradient steps: rows as tensors, networks, torchrl's losses, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch
from tensordict import TensorDict
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl.modules import ProbabilisticActor, TanhNormal
from torchrl.objectives import LossModule, SoftUpdate

from tenure.core.arrays import Floats
from tenure.core.problem import Problem
from tenure.core.spaces import Box
from tenure.training.export import PolicyGraph, policy_graph
from tenure.training.ground import Ground, Trained
from tenure.training.normaliser import Normaliser
from tenure.training.offline import LoggedSteps, anchored, normaliser_of, open_halves, steps_of
from tenure.training.offline_judging import LogJudge
from tenure.training.offline_settings import OfflineSettings
from tenure.training.parts import Chance
from tenure.training.stable import log_of, write
from tenure.training.worlds import reward_of

INSIDE = 1.0 - 1e-3
"""Largest number of a vector in [-1, 1] that is learned from: beyond, its place before tanh is far out."""
LOG_STD = (-5.0, 2.0)
"""Bounds of the logarithm of an actor's width before tanh, as in both papers' code."""


class Learner(Protocol):
    """A recipe's losses and networks."""

    actor: Actor
    """The layers that decide."""
    stepper: Stepper
    """Its networks and their optimiser."""

    def update(self, batch: TensorDict, share: float) -> Mapping[str, float]:
        """One gradient step on a batch, after a share of all steps in [0, 1); gives its losses by name."""
        ...


class Actor(nn.Module):
    """A network that decides: logits of labels, or means before tanh and widths of a Gaussian over [-1, 1]."""

    def __init__(self, problem: Problem, net: tuple[int, ...]) -> None:
        super().__init__()
        self.space = problem.action
        self.body = hidden(len(problem.observation), net)
        self.head = nn.Linear(net[-1] if net else len(problem.observation), self.space.size)
        self.log_std = nn.Parameter(torch.zeros(self.space.size))

    def forward(self, observation: torch.Tensor) -> Any:
        """Logits [n, actions]; for a `Box` means and widths, [n, numbers] each."""
        answer = self.head(self.body(observation))
        if not isinstance(self.space, Box):
            return answer
        return answer, torch.exp(torch.clamp(self.log_std, *LOG_STD)).expand_as(answer)

    def graph(self, normaliser: Normaliser) -> PolicyGraph:
        """The layers as a graph from raw observations."""
        head = nn.Sequential(self.head, nn.Tanh()) if isinstance(self.space, Box) else self.head
        return policy_graph(self.body, head, normaliser, self.space)

    def as_torchrl(self) -> ProbabilisticActor:
        """The same as torchrl takes it."""
        if isinstance(self.space, Box):
            module = TensorDictModule(self, in_keys=["observation"], out_keys=["loc", "scale"])
            return ProbabilisticActor(
                module, in_keys=["loc", "scale"], distribution_class=TanhNormal, return_log_prob=True
            )
        module = TensorDictModule(self, in_keys=["observation"], out_keys=["logits"])
        return ProbabilisticActor(module, in_keys=["logits"], distribution_class=torch.distributions.Categorical)


def hidden(inputs: int, net: tuple[int, ...]) -> nn.Sequential:
    """Layers of those sizes, each with a ReLU."""
    sizes = (inputs, *net)
    pairs = [(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(sizes)]
    return nn.Sequential(*(layer for pair in pairs for layer in pair))


def network(inputs: int, net: tuple[int, ...], outputs: int) -> nn.Sequential:
    """Hidden layers and a linear one."""
    return nn.Sequential(*hidden(inputs, net), nn.Linear(net[-1] if net else inputs, outputs))


class Joined(nn.Module):
    """A value of a situation and a vector together; [n, 1]."""

    def __init__(self, problem: Problem, net: tuple[int, ...]) -> None:
        super().__init__()
        self.net = network(len(problem.observation) + problem.action.size, net, 1)

    def forward(self, observation: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        """The value."""
        value: torch.Tensor = self.net(torch.cat([observation, action], dim=-1))
        return value


@dataclass(frozen=True, eq=False)
class Stepper:
    """One optimiser over all networks of a loss, and targets that follow.

    Args:
        loss: holds them.
        optimiser: of them.
        targets: the loss's target networks; None without.
    """

    loss: nn.Module
    optimiser: torch.optim.Optimizer
    targets: SoftUpdate | None

    def state_dict(self) -> dict[str, Any]:
        """Networks and optimiser, as a checkpoint keeps them."""
        return {"loss": self.loss.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Into the same networks, so that whoever acts by them goes on."""
        self.loss.load_state_dict(state["loss"])
        self.optimiser.load_state_dict(state["optimiser"])

    def step(self, total: torch.Tensor) -> None:
        """One gradient step."""
        self.optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        if self.targets is not None:
            self.targets.step()


def stepper(loss: nn.Module, settings: OfflineSettings) -> Stepper:
    """Adam over a loss's networks; the targets of one of torchrl's follow."""
    parameters = [each for each in loss.parameters() if each.requires_grad]
    targets = SoftUpdate(loss, tau=settings.follow) if isinstance(loss, LossModule) else None
    return Stepper(loss, torch.optim.Adam(parameters, lr=settings.learning_rate), targets)


def tensors(steps: LoggedSteps, problem: Problem, normaliser: Normaliser) -> TensorDict:
    """Rows in the learner's units, as torchrl takes them: vectors in [-1, 1], rewards in deviations."""
    following = {
        "observation": torch.as_tensor(normaliser(steps.following)),
        "reward": torch.as_tensor(steps.reward / normaliser.reward_std, dtype=torch.float32)[:, None],
        "done": torch.as_tensor(steps.ended)[:, None],
        "terminated": torch.as_tensor(steps.ended)[:, None],
    }
    rows: dict[str, Any] = {
        "observation": torch.as_tensor(normaliser(steps.observation)),
        "action": torch.as_tensor(_unit(steps.action, problem)),
        "next": following,
    }
    allowed = problem.allowed(steps.observation, None) if problem.constraints else None
    if allowed is not None:
        rows["allowed"] = torch.as_tensor(allowed)
        following["allowed"] = torch.as_tensor(problem.allowed(steps.following, None))
    return TensorDict(rows, batch_size=[len(steps)])


def _unit(action: Any, problem: Problem) -> Any:
    if not isinstance(problem.action, Box):
        return action
    low, high = np.array(problem.action.low), np.array(problem.action.high)
    share: Floats = 2 * (action - low) / (high - low) - 1
    return np.clip(share, -INSIDE, INSIDE).astype(np.float32)


Builder = Callable[[Problem, Any], Learner]
"""A recipe's learner for a problem and its settings."""


def train_from_log(ground: Ground, build: Builder, *, values: bool) -> Trained:
    """One seed of a recipe that learns from a log.

    Args:
        ground: its worlds are used for checkpoints alone.
        build: the learner.
        values: it learns what follows, and so needs rewards and next situations; else it only copies.
    """
    settings, problem = ground.settings, ground.problem
    assert isinstance(settings, OfflineSettings)
    torch.manual_seed(ground.seed)
    log, reward = open_halves(settings, problem), reward_of(ground.project, settings)
    steps = steps_of(log.learn, problem, reward, ends=settings.ends, worlds_end=ground.scouted.ends)
    if settings.choose == "log":
        ground.watch.by_log = LogJudge(log.kept, problem, reward)
    normaliser = normaliser_of(steps, problem)
    rows = tensors(anchored(steps, problem) if values else steps, problem, normaliser)
    learner = build(problem, settings)
    said = ground.metrics.of_updates(learner.stepper.optimiser)
    chance, updates = np.random.default_rng([ground.seed, 3]), -(-settings.steps // settings.batch)
    ground.parts |= {"learner": learner.stepper, "draws": Chance(chance)}
    done = ground.watch.curve[-1].gradient_steps if ground.go_on() else 0
    with closing(log_of(ground.folder, done * settings.batch if done else None)) as logger:
        for update in range(done + 1, updates + 1):
            batch = rows[torch.as_tensor(chance.integers(0, len(rows), settings.batch))]
            losses = learner.update(batch, (update - 1) / updates)
            said.update(losses)
            if update % settings.checkpoint_every == 0 or update == updates:
                point = ground.score(learner.actor.graph(normaliser), update * settings.batch, update)
                write(logger, point, losses)
    return ground.trained()
