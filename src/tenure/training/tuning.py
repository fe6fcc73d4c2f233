"""Settings searched for, once more decisions no longer help; the winner is believed on seeds it was not chosen by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np

from tenure.core.errors import ProjectError, SettingsError
from tenure.training.race.entering import Track, enter, enter_all, there
from tenure.training.race.standing import Standing
from tenure.training.settings import Settings

FEWEST_POINTS = 12
"""Checkpoints a curve needs before its last third, four of them, says anything."""
FEWEST_SEEDS = 2
RANGES: dict[str, Callable[[Any], Any]] = {
    "learning_rate": lambda trial: trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
    "net": lambda trial: (trial.suggest_categorical("net", [32, 64, 128]),) * 2,
    "entropy": lambda trial: trial.suggest_float("entropy", 1e-5, 0.03, log=True),
    "epochs": lambda trial: trial.suggest_int("epochs", 2, 10),
    "gradient_steps": lambda trial: trial.suggest_int("gradient_steps", 1, 8),
}
"""What is searched where a recipe has it; ranges within those of RL Baselines3 Zoo (Raffin, 2020)."""
NETWORKS = frozenset({"ppo", "a2c", "dqn", "qr_dqn", "sac", "td3", "ddpg", "tqc"})
"""Recipes that learn in worlds by gradient steps, whose settings the ranges are about."""


@dataclass(frozen=True)
class Tuning:
    """What a search found.

    Args:
        chosen: what it changes in the settings.
        searched: its standing in the search, which chose it: the highest of many draws is also lucky.
        fresh: its standing on fresh seeds.
        before: the settings as they were, on the same fresh seeds.
    """

    chosen: dict[str, Any]
    searched: Standing
    fresh: Standing
    before: Standing

    @property
    def believed(self) -> bool:
        """On fresh seeds it keeps every limit and its interval lies above that of the settings as they were."""
        if self.fresh.score is None or self.before.score is None:
            return False
        return self.fresh.excess <= 0 and self.fresh.score.low > self.before.score.high

    @property
    def regression(self) -> float | None:
        """How much of its score in the search was luck, as a share of the incumbent's KPI; None where unknown."""
        if self.fresh.score is None or self.searched.score is None:
            return None
        return self.searched.score.value - self.fresh.score.value


def on_plateau(scores: Sequence[float], sign: int) -> bool | None:
    """Whether the last third of a curve improves by less than its noise; None where it has too few points to tell.

    Improvement is the mean of the third's second half less that of its first; noise the mean deviation within halves.

    Args:
        scores: first KPI at each checkpoint.
        sign: 1 where higher is better, -1 where lower is.

    >>> on_plateau([float(step) for step in range(30)], 1)
    False
    >>> on_plateau([0.0, 1.0] * 15, 1)
    True
    """
    if len(scores) < FEWEST_POINTS:
        return None
    third = sign * np.array(scores[-(len(scores) // 3) :])
    first, second = third[: len(third) // 2], third[len(third) // 2 :]
    noise = (first.std(ddof=1) + second.std(ddof=1)) / 2
    return bool(second.mean() - first.mean() <= noise)


def tune(track: Track, settings: Settings, trials: int, seed: int = 0) -> Tuning:
    """Search with Optuna's TPE for the highest interquartile mean over seeds, then train the winner on fresh ones.

    Trials that lie finished in the track's home, with the same settings, seeds and hashes, are taken as they are; so a
    search that was stopped goes on. On Ray several trials are done at once, through Ray Tune's own search: what one
    suggests does not know of those that are still being trained.

    Args:
        track: project, seeds (at least two) and folder.
        settings: to start from; `steps` is each trial's budget.
        trials: how many settings to try.
        seed: of the sampler.

    Raises:
        SettingsError: fewer than two seeds or one trial, a recipe nothing is searched for, or no trial could be
            trained.
        ProjectError: Optuna is not installed.

    Source: Bergstra et al. (2011) for TPE; Eimer et al. (2023) for separate seeds of search and test.
    """
    _check(track, settings, trials)
    search = _on_ray if track.where.backend == "ray" else _here
    found = search(track, settings, trials, seed)
    if not any(standing.score is not None for _, standing in found):
        raise _wrong("a trial that can be trained", f"{trials} that cannot", "see why with `tenure train`")
    best = max(found, key=lambda one: one[1].merit)
    again = replace(track, seeds=tuple(max(track.seeds) + one for one in track.seeds))
    (fresh, _), (before, _) = enter_all(again, {"winner": replace(settings, **best[0]), "before": settings})
    return Tuning(*best, fresh, before)


def _here(track: Track, settings: Settings, trials: int, seed: int) -> list[tuple[dict[str, Any], Standing]]:
    """One trial after the other: what each changed, and its standing."""
    study, found = _study(seed), list[tuple[dict[str, Any], Standing]]()
    for number in range(trials):
        trial = study.ask()
        changed = _suggested(trial, _searched(settings))
        standing, _ = enter(track, f"trial-{number}", replace(settings, **changed))
        value = _worth(standing)
        study.tell(trial, value, state=None if value is not None else _failed())
        found.append((changed, standing))
    return found


def _on_ray(track: Track, settings: Settings, trials: int, seed: int) -> list[tuple[dict[str, Any], Standing]]:
    """As many trials at once as there are processors; a trial's run is named by what it tries."""
    from tenure.training.backends.calls import WORST, Answer, searched

    optuna, names, work = _optuna(), _searched(settings), there(track)

    def tried(config: dict[str, Any]) -> Answer:
        changed = _suggested(_optuna().trial.FixedTrial(config), names)
        tag = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:8]
        standing, _ = work(f"trial-{tag}", replace(settings, **changed))
        value = _worth(standing)
        return Answer((changed, standing), WORST if value is None else value)

    sampler = optuna.samplers.TPESampler(seed=seed)
    track.home.mkdir(parents=True, exist_ok=True)
    space = partial(_define, names=names)
    found = searched(tried, space, sampler, trials, track.where, track.processors, track.home)
    return [told for _, told in found]


def _suggested(trial: Any, names: list[str]) -> dict[str, Any]:
    return {name: RANGES[name](trial) for name in names}


def _define(trial: Any, names: list[str]) -> None:
    """What Ray Tune's search asks of an Optuna trial, by name, so that it can be pickled."""
    _suggested(trial, names)


def _searched(settings: Settings) -> list[str]:
    """Names of what is searched in these settings."""
    return [field.name for field in fields(settings) if field.name in RANGES]


def _worth(standing: Standing) -> float | None:
    """What the search looks for; None where nothing could be trained, or a limit is broken."""
    return None if standing.score is None or standing.excess > 0 else standing.score.value


def _check(track: Track, settings: Settings, trials: int) -> None:
    if len(set(track.seeds)) < FEWEST_SEEDS or trials < 1:
        found = f"{len(set(track.seeds))} seeds, {trials} trials"
        raise _wrong(f"at least {FEWEST_SEEDS} seeds and 1 trial", found, "one seed rewards luck")
    if settings.recipe not in NETWORKS:
        raise _wrong(f"one of {sorted(NETWORKS)}", repr(settings.recipe), "its settings are few: try them by hand")


def _study(seed: int) -> Any:
    optuna = _optuna()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))


def _failed() -> Any:
    return _optuna().trial.TrialState.FAIL


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise ProjectError(
            expected="Optuna, which searches for settings",
            found=f"no module {error.name!r}",
            where="this installation",
            fix="pip install optuna",
        ) from error
    return optuna


def _wrong(expected: str, found: str, fix: str) -> SettingsError:
    return SettingsError(expected=expected, found=found, where="a search for settings", fix=fix)
