"""From a trained network to a bundle: one ONNX graph with its normaliser inside, checked against the trainer."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import numpy as np
import torch
from torch import nn

from tenure.core.arrays import Floats
from tenure.core.history import History
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.residual import Residual
from tenure.core.spaces import Box, Discrete
from tenure.simulators.twins import GOOD
from tenure.store import Bundle, make_bundle
from tenure.store.manifest import Sureness
from tenure.training.bandit_export import export_bandit
from tenure.training.bandit_graph import BanditGraph
from tenure.training.confidence.graph import ConfidentGraph
from tenure.training.normaliser import CLIP, Normaliser

GOLDEN = 64
"""Observations whose answers travel with the bundle."""


class WithinBounds(nn.Module):
    """Means of a Gaussian over [-1, 1] to vectors of a `Box`, cut off at its bounds; both [n, numbers]."""

    low: torch.Tensor
    high: torch.Tensor

    def __init__(self, head: nn.Module, space: Box) -> None:
        super().__init__()
        self.head = head
        self.register_buffer("low", torch.as_tensor(space.low, dtype=torch.float32))
        self.register_buffer("high", torch.as_tensor(space.high, dtype=torch.float32))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """The vector; the last clamp holds the bounds against rounding."""
        share = (torch.clamp(self.head(hidden), -1.0, 1.0) + 1.0) / 2.0
        return torch.clamp(self.low + share * (self.high - self.low), self.low, self.high)


class PolicyGraph(nn.Module):
    """Raw observations in, one logit per action out; for a `Box` the vector."""

    def __init__(self, normaliser: Normaliser, body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        per = torch.as_tensor(normaliser.per)
        self.register_buffer("mean", torch.as_tensor(normaliser.mean))
        self.register_buffer("std", torch.as_tensor(normaliser.std))
        self.register_buffer("column", per.clamp(min=0))
        self.register_buffer("divides", per >= 0)
        self.register_buffer("mix", None if normaliser.mix is None else torch.as_tensor(normaliser.mix))
        self.body, self.head = body, head

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        """Logits [n, actions], or vectors [n, numbers], of raw observations [n, features]."""
        divisor = torch.where(self.divides, observation[:, self.column], 1.0)  # type: ignore[index,arg-type]
        scaled = (observation / divisor - self.mean) / self.std  # type: ignore[operator]
        seen = torch.clamp(scaled, -CLIP, CLIP)
        logits: torch.Tensor = self.head(self.body(seen if self.mix is None else seen @ self.mix))  # type: ignore[operator]
        return logits


def policy_graph(body: nn.Module, head: nn.Module, normaliser: Normaliser, space: Discrete | Box) -> PolicyGraph:
    """The layers that act, from raw observations to logits; for a `Box` to the vector itself, within its bounds."""
    return PolicyGraph(normaliser, body, WithinBounds(head, space) if isinstance(space, Box) else head).eval()


def answers_vectors(graph: nn.Module) -> bool:
    """Whether a graph answers vectors of a `Box`, not logits."""
    return isinstance(getattr(graph, "head", None), WithinBounds)


def to_onnx(graph: nn.Module, features: int) -> bytes:
    """The graph as ONNX, for any number of rows; its answer is called `action` where it is a vector.

    One with confidence gives that beside it.
    """
    network, sure = (graph.policy, ["confidence"]) if isinstance(graph, ConfidentGraph) else (graph, [])
    names = ["action" if answers_vectors(network) else "logits", *sure]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it names every operator library that is not installed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own internals
        program = torch.onnx.export(
            graph,
            (torch.ones(2, features),),
            input_names=["observation"],
            output_names=names,
            dynamic_shapes={"observation": {0: torch.export.Dim("n")}},
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    return bytes(program.model_proto.SerializeToString())


def export(
    problem: Problem,
    graph: nn.Module,
    observation: Floats,
    lineage: dict[str, Any],
    evaluation: dict[str, Any],
    residual: tuple[Residual, Policy] | None = None,
    history: History | None = None,
) -> Bundle:
    """A bundle whose golden answers are the trainer's own.

    Args:
        problem: what the policy decides.
        graph: the trained network.
        observation: situations to take golden answers from; float32 [n, features], n >= 1.
        lineage: where it comes from: run, seed, settings, data, commit, library versions.
        evaluation: its score on the selection data.
        residual: the network answers adjustments within this bound to this incumbent's actions.
        history: the network is shown windows; the situations are some.

    Raises:
        BundleError: the exported graph answers otherwise than the trainer.
    """
    if isinstance(graph, BanditGraph):
        return export_bandit(problem, graph.bandit, observation, lineage, evaluation, residual)
    golden = observation[np.linspace(0, len(observation) - 1, min(GOLDEN, len(observation))).astype(int)]
    with torch.no_grad():
        answers = graph(torch.as_tensor(golden))
    sureness = None
    if isinstance(graph, ConfidentGraph):
        answers, sure = answers
        sureness = Sureness(GOOD, graph.within, sure.numpy())
    onnx, told = to_onnx(graph, golden.shape[1]), (lineage, evaluation)
    return make_bundle(
        problem, onnx, golden, answers.numpy(), *told, residual=residual, history=history, sureness=sureness
    )
