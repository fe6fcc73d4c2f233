"""What a score on the selection data says beside the first KPI: every KPI, and which hidden units are dead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from tenure.core.arrays import Floats
from tenure.core.problem import Problem
from tenure.core.trace import Trace

TAU = 0.025
"""A unit is dead where its answers vary less than this share of what its layer's do. Source: Sokar et al. (2023), "The
dormant neuron phenomenon in deep reinforcement learning", which takes sizes where this takes deviations."""
STILL = 1e-4
"""A unit whose answers vary less than this is dead whatever its layer does; a saturated tanh is."""
ROWS = 1024
"""Observations that units are tried on, spread evenly."""
ACTIVATIONS = (nn.Tanh, nn.ReLU, nn.ELU, nn.GELU, nn.SiLU, nn.LeakyReLU)


def kpi_metrics(problem: Problem, trace: Trace) -> dict[str, float]:
    """Every KPI of the policy, by name."""
    return {f"kpi/{kpi.name}": trace.kpi(kpi) for kpi in problem.kpis}


def unit_metrics(graph: nn.Module, observation: Floats) -> dict[str, float]:
    """Share of hidden units that answer the same to all observations; nothing for a graph without hidden layers.

    Args:
        graph: from raw observations.
        observation: some; [..., features].
    """
    if not hidden_of(graph):
        return {}
    rows = observation.reshape(-1, observation.shape[-1])
    some = rows[np.linspace(0, len(rows) - 1, min(ROWS, len(rows))).astype(int)]
    with _answers(graph) as answers, torch.no_grad():
        graph(torch.as_tensor(some, dtype=torch.float32))
    dead = torch.cat([_dead(layer) for layer in answers])
    return {"dead_units": float(dead.float().mean())}


def _dead(answer: Tensor) -> Tensor:
    """Which units of a layer are dead; bool [units] from answers [rows, units]."""
    deviation = answer.std(dim=0, correction=0)
    return (deviation <= STILL) | (deviation <= TAU * deviation.mean())


@contextmanager
def _answers(graph: nn.Module) -> Iterator[list[Tensor]]:
    """What every hidden layer answers while this lasts."""
    answers: list[Tensor] = []
    hooks = [layer.register_forward_hook(lambda _, __, answer: answers.append(answer)) for layer in hidden_of(graph)]
    try:
        yield answers
    finally:
        for hook in hooks:
            hook.remove()


def hidden_of(graph: nn.Module) -> list[nn.Module]:
    """The activations of hidden layers: those that another layer with weights follows, as none follows a squashing."""
    layers = [layer for layer in graph.modules() if isinstance(layer, (nn.Linear, *ACTIVATIONS))]
    last = max((place for place, layer in enumerate(layers) if isinstance(layer, nn.Linear)), default=0)
    return [layer for layer in layers[:last] if isinstance(layer, ACTIVATIONS)]
