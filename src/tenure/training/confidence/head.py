"""The head: an ensemble of small networks, whose mean is bent by a rising curve until it is calibrated."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.isotonic import IsotonicRegression
from torch import nn

from tenure.core.arrays import Bools, Floats
from tenure.training.export import answers_vectors
from tenure.training.normaliser import CLIP

KNOTS = 20
"""Most points of the calibration curve; each stands for an equal part of the situations."""


class Ensemble(nn.Module):
    """Networks of one hidden layer side by side; [n, width] gives one logit each, [n, members]."""

    def __init__(self, width: int, members: int, units: int, chance: torch.Generator) -> None:
        super().__init__()
        self.members, self.units = members, units
        self.weight = nn.Parameter(torch.randn(width, members * units, generator=chance) * (2.0 / width) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(members * units))
        self.out = nn.Parameter(torch.randn(members, units, generator=chance) * (1.0 / units) ** 0.5)
        self.shift = nn.Parameter(torch.zeros(members))

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Logit of each member."""
        hidden = torch.relu(seen @ self.weight + self.bias).reshape(-1, self.members, self.units)
        return (hidden * self.out).sum(dim=2) + self.shift


class Curve(nn.Module):
    """A rising curve through points, flat beyond both ends; [n] gives [n]."""

    start: torch.Tensor
    width: torch.Tensor
    slope: torch.Tensor
    low: torch.Tensor

    def __init__(self, x: Floats, y: Floats) -> None:
        super().__init__()
        slope = np.diff(y) / np.diff(x)
        for name, values in (("start", x[:-1]), ("width", np.diff(x)), ("slope", slope), ("low", y[:1])):
            self.register_buffer(name, torch.as_tensor(np.asarray(values, dtype=np.float32)))

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        """Height over each value, in [0, 1]."""
        along = torch.clamp(value[:, None] - self.start, min=0.0)
        risen = (torch.minimum(along, self.width) * self.slope).sum(dim=1)
        return torch.clamp(self.low + risen, 0.0, 1.0)


class Head(nn.Module):
    """What is seen and the policy's answer to the probability that the decision is good.

    Args:
        observation: situations that units are taken from; float32 [n, features].
        answer: the policy's answers there; float32 [n, actions] or [n, numbers].
        vectors: the answers are vectors, not logits.
        ensemble: over as many numbers as observation and answer have together.
    """

    seen_mean: torch.Tensor
    seen_std: torch.Tensor
    answered_mean: torch.Tensor
    answered_std: torch.Tensor

    def __init__(self, observation: Floats, answer: Floats, vectors: bool, ensemble: Ensemble) -> None:
        super().__init__()
        self.vectors, self.ensemble = vectors, ensemble
        self.curve = Curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
        named = {"seen": observation, "answered": answer}
        for name, rows in named.items():
            self.register_buffer(f"{name}_mean", torch.as_tensor(rows.mean(axis=0)))
            self.register_buffer(f"{name}_std", torch.as_tensor(rows.std(axis=0) + 1e-6))

    def inputs(self, observation: torch.Tensor, answer: torch.Tensor) -> torch.Tensor:
        """What the ensemble is shown: the observation in its units, and the chosen action; [n, width]."""
        seen = torch.clamp((observation - self.seen_mean) / self.seen_std, -CLIP, CLIP)
        if self.vectors:
            did = torch.clamp((answer - self.answered_mean) / self.answered_std, -CLIP, CLIP)
        else:
            did = (answer >= answer.amax(dim=1, keepdim=True)).to(torch.float32)
        return torch.cat([seen, did], dim=1)

    def raw(self, observation: torch.Tensor, answer: torch.Tensor) -> torch.Tensor:
        """Mean probability of the members, before calibration; [n]."""
        return torch.sigmoid(self.ensemble(self.inputs(observation, answer))).mean(dim=1)

    def forward(self, observation: torch.Tensor, answer: torch.Tensor) -> torch.Tensor:
        """Confidence; [n], in [0, 1]."""
        calibrated: torch.Tensor = self.curve(self.raw(observation, answer))
        return calibrated

    def calibrate(self, raw: Floats, good: Bools) -> None:
        """Bend what the members say to what came of it, on situations they did not learn from.

        Args:
            raw: their mean probability; [n].
            good: whether the decision was good; [n].
        """
        self.curve = Curve(*rising(raw, good))


def head_for(policy: nn.Module, observation: Floats, members: int, units: int, seed: int) -> Head:
    """A head that has learned nothing yet, for what a policy answers in those situations."""
    with torch.no_grad():
        answer = policy(torch.as_tensor(observation)).numpy()
    chance = torch.Generator().manual_seed(seed)
    width = observation.shape[1] + answer.shape[1]
    return Head(observation, answer, answers_vectors(policy), Ensemble(width, members, units, chance))


def rising(raw: Floats, good: Bools) -> tuple[Floats, Floats]:
    """The rising curve from stated probabilities to shares of good ones that fits best, by parts of equal size.

    Args:
        raw: stated; [n], in [0, 1].
        good: [n].

    Returns:
        points from 0 to 1: stated, rising strictly, and share; at least two.

    Source: Zadrozny and Elkan (2002), "Transforming classifier scores into accurate multiclass probability estimates".
    """
    parts = np.array_split(np.argsort(raw, kind="stable"), min(KNOTS, len(raw)))
    stated = np.array([raw[part].mean() for part in parts], dtype=np.float64)
    share = np.array([good[part].mean() for part in parts], dtype=np.float64)
    weight = np.array([len(part) for part in parts], dtype=np.float64)
    fit = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(stated, share, weight)
    x = np.unique(np.concatenate([[0.0], stated, [1.0]]).astype(np.float32)).astype(np.float64)
    return x, np.asarray(fit.predict(x), dtype=np.float64)
