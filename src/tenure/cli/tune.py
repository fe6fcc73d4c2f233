"""`tenure tune`: settings searched for where training longer no longer helps; nothing is changed by itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from tenure.cli.output import Output
from tenure.cli.progress import progress_bar
from tenure.cli.workspace import open_workspace
from tenure.core.evidence import Verdict

FOLDER = "tune"
"""Of the trials' runs and bundles, in the folder of runtime files; no policy of it is a candidate."""


@dataclass(frozen=True)
class Asked:
    """What `tenure tune` was asked for.

    Args:
        trials: settings to try.
        seeds: of each trial.
        steps: decisions per seed; None takes the last run's.
        backend: `local`, or `ray` for trials at once.
        cpus_per_seed: processors reserved for each seed on Ray.
    """

    trials: int
    seeds: int
    steps: int | None = None
    backend: str = "local"
    cpus_per_seed: float = 1.0


def run_tune(output: Output, project: str, asked: Asked, home: Path | None) -> int:
    """Search from the newest run's settings and print the table to paste; the exit code is the verdict's."""
    from tenure.design.reward.record import require_check
    from tenure.training import RECIPES, latest_run
    from tenure.training.backends import Where
    from tenure.training.race.entering import Track, core_seconds
    from tenure.training.tuning import on_plateau, tune

    workspace = open_workspace(project, home)
    require_check(workspace.project, workspace.home)
    record = latest_run(workspace.runs)
    sign = workspace.project.problem.kpis[0].sign
    flat = [on_plateau([point.score for point in seed.curve], sign) for seed in record.seeds]
    if not all(flat):
        said = "has too few checkpoints to tell" if None in flat else "still improves"
        reason = f"Run {record.run} {said}; train longer first, with more --steps."
        output.say(reason)
        output.result({"verdict": Verdict.INCONCLUSIVE.word, "reason": reason, "chosen": None})
        return Verdict.INCONCLUSIVE.exit_code
    settings = msgspec.convert(record.settings, RECIPES[record.recipe].settings)
    settings = settings if asked.steps is None else replace(settings, steps=asked.steps)
    trials = asked.trials
    with progress_bar(output) as bar:
        task = bar.add_task("trials", total=trials + 2, note="")

        def watch(name: str, progress: Any) -> None:
            done = {"winner": trials, "before": trials + 1}.get(name)
            number = int(name.rpartition("-")[2]) if done is None else done
            bar.update(task, completed=number, note=f"{name}, seed {progress.seed}: {progress.point.score:.4g}")

        seeds, where = tuple(range(1, asked.seeds + 1)), Where(asked.backend, asked.cpus_per_seed)
        track = Track(workspace.project, seeds, workspace.home / FOLDER, core_seconds, watch, where)
        found = tune(track, settings, trials)
        bar.update(task, completed=trials + 2)
    verdict = Verdict.PASS if found.believed else Verdict.INCONCLUSIVE
    reason = _reason(found)
    output.say(reason)
    if found.believed:
        output.say(table_of(record.recipe, found.chosen))
    told = {name: asdict(getattr(found, name)) for name in ("searched", "fresh", "before")}
    output.result(
        {"verdict": verdict.word, "reason": reason, "chosen": found.chosen if found.believed else None, **told}
    )
    return verdict.exit_code


def table_of(recipe: str, chosen: dict[str, Any]) -> str:
    """The settings as a table for tenure.toml.

    >>> print(table_of("ppo", {"learning_rate": 0.001, "net": (64, 64)}))
    [train.ppo]
    learning_rate = 0.001
    net = [64, 64]
    """
    rows = [f"{name} = {list(value) if isinstance(value, tuple) else value}" for name, value in chosen.items()]
    return "\n".join([f"[train.{recipe}]", *rows])


def _reason(found: Any) -> str:
    """What the search is worth, in a sentence."""
    if found.fresh.score is None or found.before.score is None:
        return f"The winner could not be trained on fresh seeds: {found.fresh.why or found.before.why}"
    said = (
        f"The winner gains {found.searched.score.value:+.1%} on the incumbent in the search, "
        f"{found.fresh.score.value:+.1%} on fresh seeds; the settings as they were gain {found.before.score.value:+.1%}"
    )
    return f"{said}. " + ("Paste into tenure.toml:" if found.believed else "Not clearly better: nothing to change.")
