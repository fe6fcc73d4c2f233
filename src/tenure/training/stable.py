"""Learners of Stable-Baselines3: scored as they learn, kept whole in checkpoints, their logs continued."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import CSVOutputFormat, Logger, TensorBoardOutputFormat, configure
from stable_baselines3.common.save_util import load_from_zip_file, recursive_setattr
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from tenure.training.exploration import Decay
from tenure.training.record import CurvePoint

STEPS = "time/total_timesteps"
"""Column of a learner's log that says how many decisions it had taken."""
PENDING = ("name_to_value", "name_to_count", "name_to_excluded")
"""What a logger was told and has not yet written."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Scoring(BaseCallback):
    """Scores the learner at the first update after every so many gradient steps.

    Args:
        judge: scores a graph after so many steps and gradient steps.
        graph: of the learner as it is.
        gradient_steps: how many it has taken so far.
        every: gradient steps between two scores.
    """

    def __init__(
        self,
        judge: Callable[[nn.Module, int, int], CurvePoint],
        graph: Callable[[], nn.Module],
        gradient_steps: Callable[[], int],
        every: int,
    ) -> None:
        super().__init__()
        self.judge, self.graph, self.gradient_steps, self.every = judge, graph, gradient_steps, every
        self.scored_at = 0

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.gradient_steps() // self.every > self.scored_at // self.every:
            self.score()

    def score(self) -> None:
        """One point of the curve."""
        self.scored_at = self.gradient_steps()
        tell(self.logger, self.judge(self.graph(), self.num_timesteps, self.scored_at))


class FadingEntropy(BaseCallback):
    """Sets the weight of the policy's entropy before each rollout, for the update that follows it.

    Args:
        weight: over the share of the training that is done.
    """

    def __init__(self, weight: Decay) -> None:
        super().__init__()
        self.weight = weight

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        model: Any = self.model
        model.ent_coef = self.weight(1.0 - model._current_progress_remaining)


def fading(weight: Decay | None) -> list[BaseCallback]:
    """What lets the weight of the entropy fall, where it does."""
    return [] if weight is None else [FadingEntropy(weight)]


def tell(logger: Logger, point: CurvePoint) -> None:
    """Record a point of the curve: its score and its metrics."""
    logger.record("selection/score", point.score)
    for name, value in point.metrics.items():
        logger.record(f"metrics/{name}", value)


def write(logger: Logger, point: CurvePoint, told: Mapping[str, Any] = NOTHING) -> None:
    """Write a point of the curve, and what else was told, as one row: for recipes whose loop is their own."""
    tell(logger, point)
    for name, value in {STEPS: point.steps, **told}.items():
        logger.record(name, value)
    logger.dump(point.steps)


class StableLearner:
    """A `BaseAlgorithm` as a part of a checkpoint: networks, optimisers, counters, last observations, replay buffer."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def state_dict(self) -> dict[str, Any]:
        """As its own `save` writes it, and its replay buffer where it has one."""
        content = io.BytesIO()
        self.model.save(content)
        told = {name: dict(getattr(self.model.logger, name)) for name in PENDING}
        return {"model": content.getvalue(), "replay": getattr(self.model, "replay_buffer", None), "told": told}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Into a learner that was newly made with the same settings, over the same worlds, and has its logger."""
        data, networks, variables = load_from_zip_file(io.BytesIO(state["model"]), device="cpu")
        assert data is not None
        self.model.__dict__.update(data)
        self.model.set_parameters(networks, exact_match=True, device="cpu")
        for name, value in (variables or {}).items():
            recursive_setattr(self.model, f"{name}.data", value.data)
        if state["replay"] is not None:
            self.model.replay_buffer = state["replay"]
        for name, values in state["told"].items():
            getattr(self.model.logger, name).update(values)


def log_of(folder: Path, steps: int | None) -> Logger:
    """The learner's log, as CSV and for TensorBoard; one that goes on keeps its rows up to so many steps."""
    path = folder / "progress.csv"
    before = _rows(path.read_text(), steps) if steps is not None and path.exists() else []
    anew = any(folder.glob("events.out*"))
    logger = configure(str(folder), ["csv", "tensorboard"])
    for output in logger.output_formats:
        if isinstance(output, CSVOutputFormat) and before:
            output.keys = before[0]
            csv.writer(output.file, lineterminator="\n").writerows(before)
        if isinstance(output, TensorBoardOutputFormat) and anew:
            output.writer.close()
            output.writer = SummaryWriter(log_dir=str(folder), purge_step=0 if steps is None else steps + 1)
    return logger


def _rows(text: str, steps: int) -> list[list[str]]:
    """Header and rows of a log up to so many steps."""
    header, *rows = list(csv.reader(text.splitlines())) or [[]]
    if STEPS not in header:
        return []
    column = header.index(STEPS)
    whole = [row for row in rows if len(row) == len(header) and row[column]]
    return [header, *(row for row in whole if float(row[column]) <= steps)]
