"""Whole trainings as trials of Ray Tune: the contestants of a round at once, or what a search asks for next."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tenure.core.errors import ProjectError
from tenure.training.backends.cluster import on_ray, reserve
from tenure.training.backends.where import Where

WORST = -1e9
"""Worth of a training that failed or broke a limit: below that of any other, and a number, which Optuna wants."""


@dataclass(frozen=True)
class Answer:
    """What a training came to.

    Args:
        told: anything that can be pickled.
        worth: what a search looks for, the higher the better; no part of a round without one.
    """

    told: Any
    worth: float = WORST


def called(
    work: Callable[[Any], Answer], given: Sequence[Any], where: Where, processors: float, folder: Path
) -> list[Any]:
    """Call with each, as many at once as there are processors; what they told, in the order given.

    Args:
        work: takes one of `given`; sent by value, and done in a process of its own.
        given: at least one.
        where: how long to wait for processors, and how many deaths of a process are survived.
        processors: reserved for each call.
        folder: for Tune's own state meanwhile; seen by every node at the same path, and removed.

    Raises:
        ProjectError: a call failed.
    """
    with on_ray() as ray:
        numbers = {"number": ray.tune.grid_search(list(range(len(given))))}
        grid = _fitted(ray, lambda config: work(given[config["number"]]), where, processors, folder, numbers, None, 1)
        by_number = {config["number"]: answer for config, answer in grid}
    return [by_number[number].told for number in range(len(given))]


def searched(
    work: Callable[[dict[str, Any]], Answer],
    space: Callable[[Any], None],
    sampler: Any,
    samples: int,
    where: Where,
    processors: float,
    folder: Path,
) -> list[tuple[dict[str, Any], Any]]:
    """Call with what Optuna suggests, as many at once as there are processors; suggestions with what they told.

    Args:
        work: takes a suggestion by name.
        space: defines it on an Optuna trial; pickled, so no closure.
        sampler: of Optuna.
        samples: how many calls.
        where, processors, folder: as for `called`.

    Raises:
        ProjectError: a call failed.
    """
    with on_ray() as ray:
        from ray.tune.search.optuna import OptunaSearch

        search = OptunaSearch(space, metric="worth", mode="max", sampler=sampler)
        found = _fitted(ray, work, where, processors, folder, {}, search, samples)
    return [(config, answer.told) for config, answer in found]


def _fitted(
    ray: Any,
    work: Callable[[Any], Answer],
    where: Where,
    processors: float,
    folder: Path,
    space: dict[str, Any],
    search: Any,
    samples: int,
) -> list[tuple[dict[str, Any], Answer]]:
    """Every trial's config with its answer."""

    def trial(config: dict[str, Any]) -> None:
        from ray import tune

        answer = work(config)
        tune.report({"answer": answer, "worth": answer.worth})

    tune, bundle = ray.tune, {"CPU": processors}
    reserve(ray, bundle, where.wait_s)
    limit = max(int(ray.cluster_resources().get("CPU", 1.0) / processors), 1)
    with TemporaryDirectory(dir=folder) as state, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own advice
        found = tune.Tuner(
            tune.with_resources(trial, tune.PlacementGroupFactory([bundle])),
            param_space=space,
            tune_config=tune.TuneConfig(search_alg=search, num_samples=samples, max_concurrent_trials=limit),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=str(Path(state).resolve()),
                failure_config=tune.FailureConfig(max_failures=where.retries),
                verbose=0,
            ),
        ).fit()
    if found.num_errors:
        raise _failed(str(found.errors[0]))
    if any("answer" not in result.metrics for result in found):
        raise KeyboardInterrupt  # Tune takes the signal and returns what there is
    return [(result.config, result.metrics["answer"]) for result in found]


def _failed(said: str) -> ProjectError:
    return ProjectError(
        expected="a training that runs to its end",
        found=said.strip().splitlines()[-1][:300],
        where="a trial of Ray Tune",
        fix="mend what it says; what is finished is not trained again",
    )
