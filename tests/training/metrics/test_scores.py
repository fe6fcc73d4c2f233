"""A hidden unit that answers the same to all observations is dead; the head's own squashing is no hidden layer."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from tenure.training.metrics.scores import hidden_of, unit_metrics

SEEN = np.random.default_rng(0).normal(size=(4, 50, 3)).astype(np.float32)


def layers(activation: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), activation, nn.Linear(8, 2))


def bias_of(graph: nn.Sequential) -> torch.Tensor:
    first = graph[0]
    assert isinstance(first, nn.Linear)
    return first.bias


def test_a_fresh_network_has_no_dead_unit() -> None:
    assert unit_metrics(layers(nn.Tanh()), SEEN) == {"dead_units": 0.0}


def test_units_that_never_fire_and_units_that_are_saturated_are_dead() -> None:
    silent, saturated = layers(nn.ReLU()), layers(nn.Tanh())
    with torch.no_grad():
        bias_of(silent)[:4] = -100.0
        bias_of(saturated)[:2] = 100.0
    assert unit_metrics(silent, SEEN) == {"dead_units": 0.5}
    assert unit_metrics(saturated, SEEN) == {"dead_units": 0.25}


def test_a_layer_that_is_dead_as_a_whole_is_dead() -> None:
    silent = layers(nn.ReLU())
    with torch.no_grad():
        bias_of(silent)[:] = -100.0
    assert unit_metrics(silent, SEEN) == {"dead_units": 1.0}


def test_a_layer_that_is_saturated_as_a_whole_is_dead_though_its_last_digits_move() -> None:
    saturated = layers(nn.Tanh())
    with torch.no_grad():
        bias_of(saturated)[:] = 7.0
    assert float(torch.tanh(saturated[0](torch.as_tensor(SEEN.reshape(-1, 3)))).std(dim=0).max().detach()) > 0
    assert unit_metrics(saturated, SEEN) == {"dead_units": 1.0}


def test_the_squashing_of_a_head_is_no_hidden_layer_and_a_graph_without_any_says_nothing() -> None:
    assert len(hidden_of(nn.Sequential(layers(nn.ReLU()), nn.Tanh()))) == 1
    assert unit_metrics(nn.Sequential(nn.Linear(3, 2), nn.Tanh()), SEEN) == {}


def test_no_hook_stays_behind() -> None:
    graph = layers(nn.Tanh())
    unit_metrics(graph, SEEN)
    assert not any(layer._forward_hooks for layer in graph.modules())
