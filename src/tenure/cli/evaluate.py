"""`tenure evaluate`: a policy on the selection data, or on the held-out data, which is counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tenure.cli.judge import Judgement, judge
from tenure.cli.output import Output, percent
from tenure.cli.sureness import show_sureness, sureness
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.clock import SystemClock
from tenure.core.policy import Policy
from tenure.core.simulator import Split


def run_evaluation(output: Output, project: str, policy: str | None, held_out: bool, home: Path | None) -> None:
    """Judge and print."""
    workspace = open_workspace(project, home)
    policies, label = choose(workspace, policy)
    split: Split = "held_out" if held_out else "selection"
    found, sure = judge(workspace.project, policies, split), sureness(workspace.project, policies, split)
    reads = count_read(workspace, label) if held_out else None
    show(output, found, label)
    show_sureness(output, sure)
    if reads is not None:
        output.say(f"The held-out data has been read {reads} time(s); every reading wears it out a little.")
    output.result({"policy": label, **found.as_dict(), **({"confidence": sure} if sure else {}), "reads": reads})


def choose(workspace: Workspace, name: str | None) -> tuple[Sequence[Policy], str]:
    """The policies behind a name: every seed of a run, or one version or rule; the newest run without a name."""
    from tenure.training.record import latest_run, read_record

    if name is not None and not (workspace.runs / name).is_dir():
        return [workspace.policy(name)], name
    record = latest_run(workspace.runs) if name is None else read_record(workspace.runs / name)
    return [workspace.bundle(seed.version) for seed in record.seeds], f"run {record.run}"


def count_read(workspace: Workspace, by: str) -> int:
    """Record one more reading of the held-out data."""
    with workspace.store() as store:
        return store.count_read(workspace.project.problem.name, "held_out", SystemClock().now(), by)


def show(output: Output, found: Judgement, label: str) -> None:
    """A judgement for people."""
    output.say(f"{label}, {found.period}: {found.comparison.sentence}")
    room = found.headroom
    if room is not None:
        output.say(
            f"That is {percent(room.value)} ({percent(room.low)} to {percent(room.high)}) "
            f"of the headroom between incumbent ({found.incumbent:.3f}) and bound ({found.bound:.3f}); "
            f"the policy reaches {found.candidate:.3f}."
        )
    first = found.comparison.kpis[0].name
    for name, against in found.rules.items():
        output.say(f"Against {name}: {first} is {against.words}.")
    rows = [
        [
            row.name,
            f"{row.incumbent:.3f}",
            f"{row.candidate:.3f}",
            f"{row.change.value:+.3f} ({row.change.low:+.3f} to {row.change.high:+.3f})",
            f"{'worse; ' if row.worse else ''}{row.unit}",
        ]
        for row in found.comparison.kpis
    ]
    output.table(["KPI", "incumbent", "candidate", "change (95 %)", "unit"], rows)
    cluster = found.comparison.gain.cluster
    cells = "worlds" if cluster == "world" else f"world-{cluster}s"
    for tail in found.comparison.tails:
        output.say(
            f"Worst {percent(tail.share)} of {cells}, {tail.name}: incumbent {tail.incumbent:.0f}, "
            f"candidate {tail.candidate:.0f}{f' ({percent(tail.ratio - 1)} change)' if tail.incumbent else ''}."
        )
