"""What a run is asked for on the command line, and the settings that makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tenure.cli.workspace import Workspace
from tenure.core.errors import ProjectError
from tenure.core.residual import Residual


@dataclass(frozen=True)
class Asked:
    """What `tenure train` was asked for.

    Args:
        seeds: how many, 1, 2, 3...
        steps: decisions per seed; None takes the project's.
        without: signals whose reward terms are left out.
        name: of the run; None takes the date and time.
        recipe: another one than the project's.
        residual: bound of the adjustments to the incumbent's action that are learned in place of actions.
        log: to learn from, for recipes that do.
        mapping: which column of it is what.
        backend: where to train: `local`, `ray` or `rllib`.
        cpus_per_seed: processors reserved for each seed on Ray.
        population: members of population-based training on Ray, in place of seeds; 0 for none.
        env_runners: processes that step worlds for RLlib.
        artifacts: URL below which the run is kept for other machines while it trains; None takes the settings'.
        warm: from which version to begin; None begins from nothing, or as the settings say.
        resume: go on with the run of that name, or with the newest that was stopped, as what it was begun.
    """

    seeds: int = 2
    steps: int | None = None
    without: tuple[str, ...] = ()
    name: str | None = None
    recipe: str | None = None
    residual: float | None = None
    log: str | None = None
    mapping: str | None = None
    backend: str = "local"
    cpus_per_seed: float = 1.0
    population: int = 0
    env_runners: int = 1
    artifacts: str | None = None
    warm: Any = None
    resume: bool = False


def the_training() -> Any:
    """The training room, which not every installation has.

    Raises:
        ProjectError: the training extra is not installed.
    """
    try:
        import tenure.training as training
    except ModuleNotFoundError as error:
        raise ProjectError(
            expected="the training libraries",
            found=f"no module {error.name!r}",
            where="this installation",
            fix="pip install 'tenure[train]'",
        ) from error
    return training


def settings_of(training: Any, workspace: Workspace, asked: Asked) -> Any:
    """What a run is trained with: the project's `[train]` over the recipe's defaults, and what was asked for over both.

    Raises:
        ProjectError: a term to leave out does not exist, or a log was given to a recipe that takes none.
    """
    _check_terms(workspace, asked.without)
    read = training.read_train_settings(workspace.project.settings_path, asked.recipe)
    settings = replace(read, without=asked.without)
    settings = settings if asked.steps is None else replace(settings, steps=asked.steps)
    settings = settings if asked.residual is None else replace(settings, residual=Residual(asked.residual))
    settings = settings if asked.warm is None else replace(settings, warm=asked.warm)
    return _with_log(settings, asked)


def _with_log(settings: Any, asked: Asked) -> Any:
    """The settings with the log that was named."""
    given = {name: value for name, value in (("log", asked.log), ("mapping", asked.mapping)) if value is not None}
    if given and not hasattr(settings, "log"):
        raise ProjectError(
            expected="a recipe that learns from a log: cloning, cql or iql",
            found=repr(settings.recipe),
            where=" and ".join(f"--{name}" for name in given),
            fix="name one with --recipe, or leave the log out",
        )
    return replace(settings, **given)


def _check_terms(workspace: Workspace, without: tuple[str, ...]) -> None:
    known = {term.signal for term in workspace.project.problem.reward.terms}
    unknown = [signal for signal in without if signal not in known]
    if unknown:
        raise ProjectError(
            expected=f"signals of reward terms, {sorted(known)}",
            found=str(unknown),
            where="--without",
            fix="name the signal of the term to leave out",
        )
