"""The head: an ensemble of small networks, whose mean is bent by a rising curve until it is calibrated."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.isotonic import IsotonicRegression
from torch import nn

from tenure.core.arrays import Bools, Floats
from tenure.training.normaliser import CLIP

KNOTS = 20
"""Most points of the calibration curve; each stands for an equal part of the situations."""
APART = 0.01
"""Least distance of two points, in nats: float32 holds the curve's slope."""


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


class Head(nn.Module):
    """What is seen and what the policy answers to the logit that the decision is good, while it is learned.

    Args:
        rows: observations and answers side by side, which units are taken from; float32 [n, width].
        ensemble: over as many numbers.
    """

    def __init__(self, rows: Floats, ensemble: Ensemble) -> None:
        super().__init__()
        self.mean, self.std = torch.as_tensor(rows.mean(axis=0)), torch.as_tensor(rows.std(axis=0) + 1e-6)
        self.ensemble = ensemble

    def inputs(self, rows: torch.Tensor) -> torch.Tensor:
        """What the ensemble is shown: rows in their units, cut off; [n, width]."""
        return torch.clamp((rows - self.mean) / self.std, -CLIP, CLIP)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Mean logit of the members, before calibration; [n]."""
        mean: torch.Tensor = self.ensemble(self.inputs(rows)).mean(dim=1)
        return mean


class Sure(nn.Module):
    """A head as it is served: units and mean folded into its weights, bent by a rising curve; in few operators.

    Args:
        head: that has learned.
        stated, share: points of the curve, as `rising` gives them.
    """

    low: torch.Tensor
    high: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor
    out: torch.Tensor
    shift: torch.Tensor
    width: torch.Tensor
    slope: torch.Tensor
    least: torch.Tensor

    def __init__(self, head: Head, stated: Floats, share: Floats) -> None:
        super().__init__()
        ensemble, step = head.ensemble, np.diff(stated)
        weight = ensemble.weight.detach() / head.std[:, None]
        out = ensemble.out.detach().reshape(-1, 1) / ensemble.members
        start = torch.as_tensor(stated[:-1], dtype=torch.float32)
        kept = {
            "low": head.mean - CLIP * head.std,
            "high": head.mean + CLIP * head.std,
            "weight": weight,
            "bias": ensemble.bias.detach() - head.mean @ weight,
            "out": out.repeat(1, len(step)),
            "shift": ensemble.shift.detach().mean() - start,
            "width": torch.as_tensor(step, dtype=torch.float32),
            "slope": torch.as_tensor(np.diff(share) / step, dtype=torch.float32)[:, None],
            "least": torch.as_tensor(share[:1], dtype=torch.float32),
        }
        for name, values in kept.items():
            self.register_buffer(name, values)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Confidence; [n], in [0, 1]."""
        seen = torch.minimum(torch.maximum(rows, self.low), self.high)
        hidden = torch.relu(torch.addmm(self.bias, seen, self.weight))
        beyond = torch.relu(torch.addmm(self.shift, hidden, self.out))  # each start of a stretch of the curve
        risen = torch.addmm(self.least, torch.minimum(beyond, self.width), self.slope)
        return torch.clamp(risen, 0.0, 1.0).squeeze(1)


def head_for(rows: Floats, members: int, units: int, seed: int) -> Head:
    """A head that has learned nothing yet, for rows like these; float32 [n, width]."""
    return Head(rows, Ensemble(rows.shape[1], members, units, torch.Generator().manual_seed(seed)))


def rising(logit: Floats, good: Bools) -> tuple[Floats, Floats]:
    """The rising curve from stated logits to shares of good ones that fits best, by parts of equal size.

    Args:
        logit: stated; [n].
        good: [n].

    Returns:
        points, at least two: logit, rising by at least `APART` each, and share in [0, 1]; flat beyond both ends.

    Source: Zadrozny and Elkan (2002), "Transforming classifier scores into accurate multiclass probability estimates".
    """
    parts = np.array_split(np.argsort(logit, kind="stable"), min(KNOTS, len(logit)))
    stated = np.array([logit[part].mean() for part in parts], dtype=np.float64)
    share = np.array([good[part].mean() for part in parts], dtype=np.float64)
    weight = np.array([len(part) for part in parts], dtype=np.float64)
    fit = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(stated, share, weight)
    points = [float(stated[0])]
    for each in stated[1:]:
        points += [float(each)] if each - points[-1] >= APART else []
    x = np.array(points if len(points) > 1 else [points[0], points[0] + 1.0])
    return x, np.asarray(fit.predict(x), dtype=np.float64)
