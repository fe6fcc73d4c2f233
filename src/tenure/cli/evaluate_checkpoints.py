"""`tenure evaluate --checkpoints RUN`: a run's checkpoints ranked on the selection data, and what was forgotten."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.cli.judge import DRAWS_SEED, simulate
from tenure.cli.output import Output, percent
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate
from tenure.core.project import Project
from tenure.core.simulator import Panel
from tenure.core.trace import DAY, Trace
from tenure.evaluation import cluster_by, compare

if TYPE_CHECKING:
    from torch import nn

    from tenure.training.record import CurvePoint
    from tenure.training.settings import Settings


@dataclass(frozen=True)
class Row:
    """One checkpoint of a seed.

    Args:
        gradient_steps, steps: when it was taken.
        score: first KPI on the selection data.
        excess: how far the most broken limit is exceeded there, as a share of it.
        change: of the first KPI against the best checkpoint, in its unit, with its interval.
    """

    gradient_steps: int
    steps: int
    score: float
    excess: float
    change: Estimate


@dataclass(frozen=True)
class Ranking:
    """The checkpoints of one seed, the best first.

    Args:
        seed: which.
        rows: the best first.
        lost: how much worse the last one is than the best, in the first KPI's unit; below 0 where it is better.
        damaged: checkpoints that are not as they were written, and are left out.
    """

    seed: int
    rows: tuple[Row, ...]
    lost: Estimate
    damaged: tuple[str, ...]

    @property
    def last(self) -> Row:
        """The checkpoint of the end."""
        return max(self.rows, key=lambda row: row.gradient_steps)

    @property
    def forgot(self) -> bool:
        """The last one is surely worse than the best."""
        return self.lost.low > 0

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {**asdict(self), "forgot": self.forgot, "best": self.rows[0].gradient_steps}


def run_checkpoints(output: Output, project: str, run: str, home: Path | None) -> None:
    """Rank and print."""
    from tenure.training.resume import read_plan

    workspace = open_workspace(project, home)
    plan = read_plan(workspace.runs / run)
    plan.check(workspace.project)
    rankings = [_rank(workspace, run, seed, plan.settings_of()) for seed in plan.seeds]
    for ranking in rankings:
        _show(output, workspace.project, ranking)
    output.say("The best is chosen on the data it is judged by here, which makes it look a little better than it is.")
    output.result({"run": run, "kpi": _kpi(workspace.project), "seeds": [ranking.as_dict() for ranking in rankings]})


def _kpi(project: Project) -> dict[str, str]:
    kpi = project.problem.kpis[0]
    return {"name": kpi.name, "unit": kpi.unit, "better": kpi.better}


def _rank(workspace: Workspace, run: str, seed: int, settings: Settings) -> Ranking:
    """One seed's checkpoints, each over the selection data.

    Raises:
        EvidenceError: it has none that is sound.
    """
    from tenure.training.ground import policy_of
    from tenure.training.watcher import excess

    folder = workspace.runs / run / f"seed-{seed}"
    known, damaged = _known(folder, workspace)
    if not known:
        raise _none(folder)
    project, panel = workspace.project, workspace.project.simulator.panel("selection")
    kpi = project.problem.kpis[0]
    traces = [simulate(project, policy_of(graph, project, settings), panel) for _, graph in known]
    broken = [excess(project.problem.limits, trace) for trace in traces]
    order = sorted(range(len(known)), key=lambda i: (broken[i], -kpi.sign * traces[i].kpi(kpi), i))
    rows = []
    for i in order:
        point, change = known[i][0], _change(project, panel, traces[order[0]], traces[i])
        rows.append(Row(point.gradient_steps, point.steps, traces[i].kpi(kpi), broken[i], change))
    last = max(rows, key=lambda row: row.gradient_steps)
    return Ranking(seed, tuple(rows), last.change.scaled(-kpi.sign), tuple(damaged))


def _known(folder: Path, workspace: Workspace) -> tuple[list[tuple[CurvePoint, nn.Module]], list[str]]:
    """Policies of a seed by when they were taken, the earliest first, and what is damaged.

    The best of a finished seed is among them, though the clock may have let no checkpoint be kept just then.
    """
    from tenure.training.checkpoints import stored
    from tenure.training.resume import read_done
    from tenure.training.seeds import best_point
    from tenure.training.watcher import load_graph

    found = stored(folder / "checkpoints")
    known = {one.point.gradient_steps: (one.point, one.graph()) for one in found if not one.damage()}
    done = read_done(folder, workspace.bundles)
    if done is not None:
        best = best_point(workspace.project.problem.kpis[0], list(done.curve))
        known.setdefault(best.gradient_steps, (best, load_graph(folder / "best.pt")))
    return [known[at] for at in sorted(known)], [one.damage() for one in found if one.damage()]


def _change(project: Project, panel: Panel, best: Trace, trace: Trace) -> Estimate:
    period, cluster = cluster_by(panel, DAY, "day")
    rng = np.random.default_rng(DRAWS_SEED)
    return compare(project.problem, best, [trace], period, rng, cluster=cluster).kpis[0].change


def _none(folder: Path) -> EvidenceError:
    return EvidenceError(
        expected="checkpoints, which a training keeps every few seconds and at its end",
        found="none that is sound",
        where=str(folder),
        fix="name another run, or train again",
    )


def _show(output: Output, project: Project, ranking: Ranking) -> None:
    kpi, best, last = project.problem.kpis[0], ranking.rows[0], ranking.last
    rows = [
        [
            f"{row.gradient_steps:,}",
            f"{row.steps:,}",
            f"{row.score:.4g}",
            f"{row.change.value:+.3g} ({row.change.low:+.3g} to {row.change.high:+.3g})",
        ]
        for row in ranking.rows
    ]
    output.say(f"Seed {ranking.seed}:")
    output.table(["gradient steps", "decisions", f"{kpi.name} ({kpi.unit})", "against the best (95 %)"], rows)
    for damage in ranking.damaged:
        output.say(f"Left out: {damage}.")
    if last is best:
        output.say("The last checkpoint is the best: nothing was forgotten.")
        return
    lost = ranking.lost
    told = "was forgotten" if ranking.forgot else "may be chance"
    output.say(
        f"From the best, after {best.gradient_steps:,} gradient steps, to the last, {kpi.name} got worse by "
        f"{lost.value:.3g} ({lost.low:.3g} to {lost.high:.3g}): this {told}."
    )
    if last.excess > best.excess:
        output.say(f"The last one exceeds a limit by {percent(last.excess)}, the best by {percent(best.excess)}.")
