"""Successive halving over recipes, and the check of what it predicted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from tenure.core.errors import SettingsError
from tenure.core.project import Project
from tenure.training.backends import LOCAL, Where
from tenure.training.choose import refuse
from tenure.training.race.entering import Track, enter_all
from tenure.training.race.standing import Prediction, Race, Rung, choice, prediction_of
from tenure.training.recipes import recipe_of
from tenure.training.record import RunRecord
from tenure.training.settings import Settings
from tenure.training.workers import Progress

FEWEST_SEEDS = 3
FINALISTS = 2
"""Left standing at least, so that there is something to compare."""

Full = Literal["nobody", "finalists", "all"]
"""Who is also trained on the whole budget."""


def rounds(contestants: int, budget: int, share: float) -> list[int]:
    """Decisions per seed of each round: doubled from one to the next, the last one the share of the budget.

    As many rounds as halving takes from the contestants to two, so that each round costs about as much as the others.

    >>> rounds(4, 1_000_000, 0.1)
    [50000, 100000]
    >>> rounds(2, 1_000_000, 0.1)
    [100000]
    """
    count = max(1, math.ceil(math.log2(contestants)))
    return [max(round(budget * share / 2 ** (count - 1 - place)), 1) for place in range(count)]


def better_half(rung: Rung) -> list[str]:
    """Names of those that go on: the better half by rank, rounded up, two at least, of those that could be trained."""
    trained = [one.name for one in rung.standings if one.score is not None]
    return trained[: max(FINALISTS, -(-len(trained) // 2))]


def race(
    project: Project,
    contestants: Mapping[str, Settings],
    seeds: tuple[int, ...],
    home: Path,
    *,
    budget: int,
    share: float = 0.1,
    full: Full = "nobody",
    spent: Callable[[], float] = lambda: 0.0,
    watch: Callable[[str, Progress], None] = lambda _, __: None,
    where: Where = LOCAL,
) -> Race:
    """Let recipes race on a share of the budget, and train on the whole of it whom you ask for.

    Each round trains anew, so that schedules over a training's steps (exploration) end with it. What lies finished in
    `home`, with the same settings, seeds and hashes of problem, reward and simulator, is taken as it is; what was
    stopped goes on.

    Args:
        project: what they train for.
        contestants: settings by name; their `steps` are set here.
        seeds: at least three.
        home: where runs and bundles of the race lie, apart from the project's own.
        budget: decisions per seed at 100 %.
        share: of the budget, in the last round before it; in (0, 1].
        full: who is then trained on the whole budget, to check the prediction.
        spent: processor seconds of all processes that ended so far.
        watch: called with a contestant's name and its progress; on Ray it is not.
        where: in processes of this machine, one contestant after the other, or on Ray, several at once.

    Raises:
        SettingsError: fewer than two contestants or three seeds, a share out of (0, 1], a recipe that cannot decide
            what the problem asks for or cannot do with so few decisions, or nobody could be trained.
        StoreError, ConflictError: the folder cannot be written, or another race is run there.

    Source: Jamieson and Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter optimization".
    """
    _check(project, contestants, seeds, share)
    lengths = rounds(len(contestants), budget, share)
    entered = {name: [replace(one, steps=steps) for steps in (*lengths, budget)] for name, one in contestants.items()}
    track, records = Track(project, seeds, home, spent, watch, where), list[RunRecord]()

    def rung(names: Sequence[str], place: int) -> Rung:
        found = enter_all(track, {name: entered[name][place] for name in names})
        records.extend(record for _, record in found if record is not None)
        standings = sorted((one for one, _ in found), key=lambda one: one.merit, reverse=True)
        return _with_somebody(Rung([*lengths, budget][place], tuple(standings)))

    names, rungs = list(contestants), list[Rung]()
    for place in range(len(lengths)):
        rungs.append(rung(names, place))
        names = better_half(rungs[-1])
    incumbent, bound = records[-1].incumbent, records[-1].bound
    whole = None if full == "nobody" else rung(list(contestants) if full == "all" else names, -1)
    foretold: Prediction | None = None if whole is None else prediction_of(rungs[-1], whole, abs(incumbent) or 1.0)
    return Race(incumbent, bound, tuple(rungs), *choice(rungs[-1]), whole, foretold)


def _check(project: Project, contestants: Mapping[str, Settings], seeds: tuple[int, ...], share: float) -> None:
    if len(contestants) < FINALISTS or len(set(seeds)) < FEWEST_SEEDS or not 0 < share <= 1:
        raise SettingsError(
            expected=f"at least {FINALISTS} contestants, {FEWEST_SEEDS} seeds, and a share in (0, 1]",
            found=f"{sorted(contestants)}, {len(set(seeds))} seeds, a share of {share:g}",
            where="the race",
            fix="enter more: one seed of one recipe says little about either",
        )
    for settings in contestants.values():
        recipe = recipe_of(settings.recipe)
        refuse(recipe, project.problem)
        if recipe.learns_from == "log":
            raise SettingsError(
                expected="recipes that learn in worlds",
                found=repr(recipe.name),
                where="the race",
                fix="train it with `tenure train P --log LOG`; its checkpoints are judged by the log",
            )


def _with_somebody(rung: Rung) -> Rung:
    if rung.standings[0].score is not None:
        return rung
    raise SettingsError(
        expected="a contestant that can be trained",
        found="; ".join(f"{one.name}: {one.why}" for one in rung.standings),
        where=f"the race, at {rung.steps:,} decisions per seed",
        fix="mend what the first of them says, or enter other recipes",
    )
