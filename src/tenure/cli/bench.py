"""`tenure bench`: recipes race on a share of the budget, beside the incumbent and the bound."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.cli.output import Output, percent
from tenure.cli.progress import progress_bar
from tenure.cli.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from tenure.training.race import Prediction, Race, Rung, Standing

FOLDER = "bench"
"""Of the race's own runs and bundles, in the folder of runtime files; no policy of it is a candidate."""


@dataclass(frozen=True)
class Asked:
    """What `tenure bench` was asked for.

    Args:
        share: of the budget.
        seeds: how many.
        steps: the budget, decisions per seed; None takes the project's.
        recipes: who races; empty takes those advised.
        full: also train the last ones on the whole budget.
        backend: `local`, or `ray` for contestants at once.
        cpus_per_seed: processors reserved for each seed on Ray.
    """

    share: float = 0.1
    seeds: int = 3
    steps: int | None = None
    recipes: tuple[str, ...] = ()
    full: bool = False
    backend: str = "local"
    cpus_per_seed: float = 1.0


def run_bench(output: Output, project: str, asked: Asked, home: Path | None) -> int:
    """Race and print; the exit code is the verdict's."""
    from tenure.design.reward.record import require_check
    from tenure.training import read_train_settings
    from tenure.training.backends import Where
    from tenure.training.race import race
    from tenure.training.race.entering import core_seconds

    workspace = open_workspace(project, home)
    require_check(workspace.project, workspace.home)
    path = workspace.project.settings_path
    budget = asked.steps or read_train_settings(path).steps
    names = asked.recipes or advised(output, workspace, budget)
    contestants = {name: read_train_settings(path, name) for name in names}
    with progress_bar(output) as bar:
        found = race(
            workspace.project,
            contestants,
            tuple(range(1, asked.seeds + 1)),
            workspace.home / FOLDER,
            budget=budget,
            share=asked.share,
            full="finalists" if asked.full else "nobody",
            spent=core_seconds,
            watch=_watcher(bar),
            where=Where(asked.backend, asked.cpus_per_seed),
        )
    told = as_json(found, budget, asked.share)
    _keep(workspace, found, told)
    _show(output, workspace, project, found)
    output.result(told)
    return found.verdict.exit_code


def _keep(workspace: Workspace, found: Race, told: dict[str, Any]) -> None:
    """The race beside its runs, as fields and as a chart."""
    from tenure.console.race import race_chart

    folder, kpi = workspace.home / FOLDER, workspace.project.problem.kpis[0]
    bound = None if found.bound is None else kpi.sign * (found.bound - found.incumbent) / (abs(found.incumbent) or 1.0)
    rungs = (*found.rungs, *([] if found.full is None else [found.full]))
    entries = [
        (f"{one.name}, {rung.steps:,}", one.score.value, one.score.low, one.score.high)
        for rung in rungs
        for one in rung.standings
        if one.score is not None
    ]
    try:
        (folder / "bench.json").write_text(json.dumps(told, indent=1))
        (folder / "bench.svg").write_text(race_chart(entries, bound, found.reason))
    except OSError as error:
        from tenure.training.record import unwritable

        raise unwritable(folder, error) from error


def advised(output: Output, workspace: Workspace, budget: int) -> tuple[str, ...]:
    """Recipes that suit the problem, told with their reasons."""
    from tenure.simulators.actions import is_masked
    from tenure.training.choose import advise

    project = workspace.project
    found = advise(project.problem, steps=budget, masked=is_masked(project.problem, project.simulator))
    for one in found:
        output.say(f"{one.recipe:<12}{one.because}")
    return tuple(one.recipe for one in found)


def _watcher(bar: Progress) -> Callable[[str, Any], None]:
    """One line per contestant: the mean progress of its seeds in the present round."""
    tasks: dict[str, TaskID] = {}
    shares: dict[str, dict[int, float]] = {}

    def watch(name: str, progress: Any) -> None:
        if name not in tasks:
            tasks[name] = bar.add_task(name, total=1.0, note="")
        seen = shares.setdefault(name, {})
        seen[progress.seed] = progress.share
        note = f"seed {progress.seed}: {progress.point.score:.4g} after {progress.point.steps:,} decisions"
        bar.update(tasks[name], completed=sum(seen.values()) / len(seen), note=note)

    return watch


def _show(output: Output, workspace: Workspace, project: str, found: Race) -> None:
    kpi = workspace.project.problem.kpis[0]
    bound = "" if found.bound is None else f", bound {found.bound:.4g}"
    output.say(f"{kpi.name} on the selection data: incumbent {found.incumbent:.4g}{bound} {kpi.unit}")
    for rung in (*found.rungs, *([] if found.full is None else [found.full])):
        output.say(f"{rung.steps:,} decisions per seed; gain over the incumbent, with its 95 % interval over seeds:")
        output.table(["recipe", "gain", "95 % interval", f"{kpi.name} of each seed", "core s", ""], _rows(rung))
    output.say(found.reason)
    if found.prediction is not None:
        output.say(foretold(found.prediction, kpi.unit))
    elif found.chosen is not None:
        output.say(f"Next: tenure train {project} --recipe {found.chosen}; or tenure bench {project} --full")
    output.say(f"Chart: {workspace.home / FOLDER / 'bench.svg'}")


def foretold(said: Prediction, unit: str) -> str:
    """What the share foretold, in a sentence."""
    if said.holds:
        return f"On the whole budget {said.early}, the early winner, also wins."
    lost = "could not be trained" if said.regret is None else f"is {said.regret:.4g} {unit} behind {said.late}"
    return f"On the whole budget {said.early}, the early winner, comes {said.rank} of {said.of}: it {lost}."


def _rows(rung: Rung) -> list[list[str]]:
    return [
        [
            one.name,
            "" if one.score is None else f"{one.score.value:+.1%}",
            "" if one.score is None else f"{one.score.low:+.1%} to {one.score.high:+.1%}",
            " ".join(f"{value:.4g}" for value in one.scores),
            f"{one.core_s:.0f}",
            one.why or (f"exceeds a limit by {percent(one.excess)}" if one.excess > 0 else ""),
        ]
        for one in rung.standings
    ]


def as_json(found: Race, budget: int, share: float) -> dict[str, Any]:
    """The race as the command line reports it; contestants are those of the last round on the share."""
    rungs = [{"steps": rung.steps, "contestants": [_contestant(one) for one in rung.standings]} for rung in found.rungs]
    return {
        "verdict": found.verdict.word,
        "contestants": rungs[-1]["contestants"],
        "chosen": found.chosen,
        "reason": found.reason,
        "incumbent": {"value": found.incumbent},
        "bound": {"value": found.bound},
        "budget": budget,
        "share": share,
        "rungs": rungs,
        "full": None if found.full is None else [_contestant(one) for one in found.full.standings],
        "prediction": None if found.prediction is None else asdict(found.prediction),
    }


def _contestant(one: Standing) -> dict[str, Any]:
    return {
        "name": one.name,
        "score": None if one.score is None else asdict(one.score),
        "gain": dict(one.gain),
        "per_seed": list(one.scores),
        "beats_incumbent": one.beats_incumbent,
        "steps": one.taken,
        "core_s": one.core_s,
        "score_per_core_s": one.score_per_core_s,
        "excess": one.excess,
        "why": one.why,
    }
