"""Going on from a policy that is live: its layers as the first ones, and a pull that keeps the learner near it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from tenure.core.errors import SettingsError
from tenure.training.normaliser import Normaliser
from tenure.training.warm_settings import WarmStart


def tensors_of(warm: WarmStart) -> dict[str, np.ndarray[Any, Any]]:
    """What the bundle's graph was exported with, by name: layers, means and deviations of the observations.

    Raises:
        SettingsError: there is no such bundle.
    """
    path = Path(warm.bundle) / "policy.onnx"
    try:
        graph = onnx.load(str(path)).graph
    except (OSError, ValueError) as error:
        raise _other(warm, "a bundle with its policy.onnx", str(error)) from error
    return {one.name: numpy_helper.to_array(one) for one in graph.initializer}


def units_of(warm: WarmStart, fitted: Normaliser) -> Normaliser:
    """The units its layers were trained in, which they must go on in; the reward's stay as they are fitted now.

    Raises:
        SettingsError: its observations are others.
    """
    kept = tensors_of(warm)
    found = [kept.get(name, np.zeros(0)).shape for name in ("mean", "std")]
    if found != [fitted.mean.shape, fitted.std.shape]:
        raise _other(warm, f"means and deviations of {len(fitted.mean)} features", str(found))
    return replace(fitted, mean=kept["mean"].copy(), std=kept["std"].copy())


def begin(warm: WarmStart, body: nn.Module, head: nn.Module) -> None:
    """Put the bundle's layers into those that act.

    Raises:
        SettingsError: they are of another size or recipe.
    """
    kept = tensors_of(warm)
    for prefix, part in (("body", body), ("head", head)):
        own = part.state_dict()
        names = {name: f"{prefix}.{name}" for name in own}
        names = {name: there if there in kept else f"{prefix}.{there}" for name, there in names.items()}  # of a Box
        found = {name: kept[there].shape for name, there in names.items() if there in kept}
        wanted = {name: tuple(value.shape) for name, value in own.items()}
        if found != wanted:
            raise _other(warm, f"layers of the {prefix} as {wanted}", str(found))
        part.load_state_dict({name: torch.as_tensor(kept[there].copy()) for name, there in names.items()})


Pull = Callable[[Tensor], Tensor]
"""From observations in the learner's units to the weighted divergence; a scalar."""


def pull_of(warm: WarmStart, policy: Any, acting: Callable[[Any], tuple[nn.Module, nn.Module]]) -> Pull:
    """How far the learner is from what it began as; call it when the layers are in place.

    Of labels, the KL divergence of the shares; of a `Box`, that of two Gaussians of the learner's present width.
    """
    body, head = (copy.deepcopy(part).requires_grad_(requires_grad=False) for part in acting(policy))

    def pull(seen: Tensor) -> Tensor:
        own_body, own_head = acting(policy)
        then, now = head(body(seen)), own_head(own_body(seen))
        if hasattr(policy, "log_std"):
            apart = ((now - then) / policy.log_std.detach().exp()).square().sum(dim=1) / 2
        else:
            log_then, log_now = torch.log_softmax(then, dim=1), torch.log_softmax(now, dim=1)
            apart = (log_then.exp() * (log_then - log_now)).sum(dim=1)
        weighted: Tensor = warm.stay * apart.mean()
        return weighted

    return pull


class _Added(torch.autograd.Function):
    """A value that brings another one's gradient along, as if that were added to the loss."""

    @staticmethod
    def forward(_: Any, value: Tensor, added: Tensor) -> Tensor:  # noqa: ARG004
        return value.view_as(value)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        return gradient, torch.ones(())


def begin_near(warm: WarmStart, policy: Any, acting: Callable[[Any], tuple[nn.Module, nn.Module]]) -> None:
    """Put the bundle's layers into a policy of Stable-Baselines3, and let every update feel the pull where it has one.

    The policy's `pull` is for learners with a loss of their own; the others get it with the values of a situation.

    Raises:
        SettingsError: the bundle is of another size or recipe.
    """
    begin(warm, *acting(policy))
    if warm.stay == 0:
        return
    pull, plain = pull_of(warm, policy, acting), policy.evaluate_actions

    def evaluate_actions(seen: Tensor, *rest: Any, **named: Any) -> Any:
        values, *others = plain(seen, *rest, **named)
        return (_Added.apply(values, pull(seen)), *others)  # type: ignore[no-untyped-call]

    policy.pull, policy.evaluate_actions = pull, evaluate_actions


def _other(warm: WarmStart, expected: str, found: str) -> SettingsError:
    return SettingsError(
        expected=expected,
        found=found,
        where=f"bundle {warm.bundle}, which the training shall begin from",
        fix="name a version of the same problem, recipe and net, or leave [train.warm] out",
    )
