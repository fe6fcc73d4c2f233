"""The length of a gradient is measured before it is cut off, whole however its batch comes, in one step of so many."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tenure.training.metrics.gradients import EVERY, GradientMeter
from tenure.training.metrics.updates import UpdateMeter


def stepped(optimiser: torch.optim.Optimizer, weight: nn.Parameter, *parts: float, cut: float | None = None) -> None:
    """One step over a batch in parts, each with the gradient (part, 0)."""
    optimiser.zero_grad()
    for part in parts:
        (weight[0] * part).backward()  # type: ignore[no-untyped-call]
    if cut is not None:
        nn.utils.clip_grad_norm_([weight], cut)
    optimiser.step()


def made() -> tuple[nn.Parameter, torch.optim.Optimizer, GradientMeter]:
    weight = nn.Parameter(torch.ones(2))
    optimiser = torch.optim.SGD([weight], lr=0.0)
    return weight, optimiser, GradientMeter(optimiser)


def test_a_cut_comes_after_the_measuring() -> None:
    weight, optimiser, meter = made()
    stepped(optimiser, weight, 5.0, cut=1.0)
    assert meter.take() == [5.0]


def test_parts_of_a_batch_add_up() -> None:
    weight, optimiser, meter = made()
    stepped(optimiser, weight, 3.0, 4.0)
    assert meter.take() == [7.0]


def test_one_step_of_so_many_is_measured_and_the_count_goes_on_from_a_checkpoint() -> None:
    weight, optimiser, meter = made()
    for step in range(EVERY + 1):
        stepped(optimiser, weight, float(step + 1))
    assert meter.take() == [1.0, EVERY + 1.0]
    again = made()[2]
    again.steps = meter.steps
    assert again.steps % EVERY == 1


def test_updates_are_averaged_and_what_was_not_logged_is_absent() -> None:
    meter = UpdateMeter([])
    meter.update({"train/critic_loss": 1.0, "train/actor_loss": 2.0})
    meter.update({"train/critic_loss": 3.0})
    assert meter.take() == {"value_loss": 2.0, "loss": 2.0}
    assert meter.take() == {}


def test_an_update_meter_goes_on_from_a_checkpoint_with_as_many_optimisers() -> None:
    weight, optimiser, _ = made()
    meter = UpdateMeter([optimiser])
    stepped(optimiser, weight, 2.0)
    assert meter.take() == {"gradient_norm": 2.0}
    with pytest.raises(ValueError, match="zip"):
        UpdateMeter([]).load_state_dict(meter.state_dict())
