"""Points of the curves for experiment trackers, from the process that watches all seeds: W&B and MLflow, by extras.

A tracker sees what the record has, and nothing else; what is sent where is the tracker's own configuration: WANDB_MODE,
MLFLOW_TRACKING_URI. A training without trackers imports neither.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tenure.core.errors import ProjectError
from tenure.training.record import CurvePoint
from tenure.training.workers import Progress

Send = Callable[[Progress], None]
"""Takes every point of every curve."""


@contextmanager
def tracked(names: Sequence[str], problem: str, run: str, folder: Path) -> Iterator[Send]:
    """What to call with each point; every seed is one run of the tracker, closed at the end.

    Args:
        names: of trackers, some of the settings' `TRACKERS`.
        problem: the tracker's project or experiment.
        run: name of the training run, which groups its seeds.
        folder: where a tracker may keep files.

    Raises:
        ProjectError: a tracker's library is not installed.
    """
    with ExitStack() as stack:
        sends = [BEGIN[name](stack, problem, run, folder) for name in names]

        def send(progress: Progress) -> None:
            for each in sends:
                each(progress)

        yield send


def both(one: Send, other: Send) -> Send:
    """Calls the one, then the other."""

    def send(progress: Progress) -> None:
        one(progress)
        other(progress)

    return send


def figures(point: CurvePoint) -> dict[str, float]:
    """What trackers are sent: the score, what the watch says of the policy, and every metric."""
    own = {"score": point.score, "entropy": point.entropy, "most_taken_share": point.most_taken_share}
    return own | point.metrics


def _wandb(stack: ExitStack, problem: str, run: str, folder: Path) -> Send:
    """Weights & Biases, one run per seed in a group."""
    wandb, begun = library("wandb"), dict[int, Any]()

    def send(progress: Progress) -> None:
        if progress.seed not in begun:
            begun[progress.seed] = wandb.init(
                project=problem, group=run, name=f"{run}-seed-{progress.seed}", dir=str(folder), reinit="create_new"
            )
            stack.callback(begun[progress.seed].finish)
        begun[progress.seed].log(figures(progress.point), step=progress.point.steps)

    return send


def _mlflow(stack: ExitStack, problem: str, run: str, folder: Path) -> Send:  # noqa: ARG001
    """MLflow, one run per seed with the training run as a tag."""
    client, begun = library("mlflow").MlflowClient(), dict[int, str]()

    def send(progress: Progress) -> None:
        if progress.seed not in begun:
            known = client.get_experiment_by_name(problem)
            experiment = client.create_experiment(problem) if known is None else known.experiment_id
            name = f"{run}-seed-{progress.seed}"
            begun[progress.seed] = client.create_run(experiment, run_name=name, tags={"run": run}).info.run_id
            stack.callback(client.set_terminated, begun[progress.seed])
        for figure, value in figures(progress.point).items():
            client.log_metric(begun[progress.seed], figure, value, step=progress.point.steps)

    return send


BEGIN: Mapping[str, Callable[[ExitStack, str, str, Path], Send]] = {"wandb": _wandb, "mlflow": _mlflow}
"""How each of `TRACKERS` begins."""


def library(name: str) -> ModuleType:
    """A tracker's library.

    Raises:
        ProjectError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ProjectError(
            expected=f"the library of the tracker {name!r}",
            found=f"no module {error.name!r}",
            where="`tracking` in [train] of tenure.toml",
            fix=f"pip install {name}, or leave it out of `tracking`",
        ) from error
