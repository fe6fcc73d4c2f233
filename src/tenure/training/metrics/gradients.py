"""How long gradients are before anybody cuts them off."""

from __future__ import annotations

import math
from typing import Any

import torch

EVERY = 16
"""Gradient steps between two that are measured."""


class GradientMeter:
    """Notes the length of an optimiser's gradient in one of so many of its steps.

    A hook on each parameter sees the gradient as soon as it is there; where a batch comes in parts, the last part's
    sees all of it. The optimiser's own hook comes after a cut, and so only counts.
    """

    def __init__(self, optimiser: torch.optim.Optimizer) -> None:
        self._parameters = [each for group in optimiser.param_groups for each in group["params"] if each.requires_grad]
        self._squares: dict[int, torch.Tensor] = {}
        self.steps, self.norms = 0, list[float]()
        for each in self._parameters:
            each.register_post_accumulate_grad_hook(self._note)
        optimiser.register_step_pre_hook(self._stepped)

    def _note(self, parameter: torch.Tensor) -> None:
        if self.steps % EVERY == 0 and parameter.grad is not None:
            self._squares[id(parameter)] = parameter.grad.square().sum()

    def _stepped(self, *_: Any) -> None:
        if self._squares:
            self.norms.append(math.sqrt(float(sum(self._squares.values()))))
        self._squares = {}
        self.steps += 1

    def take(self) -> list[float]:
        """The lengths measured since the last time."""
        norms, self.norms = self.norms, []
        return norms
