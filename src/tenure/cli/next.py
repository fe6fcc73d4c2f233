"""`tenure next`: where a project stands on the road, and the one command that takes it further."""

from __future__ import annotations

import shlex
from pathlib import Path

from tenure.cli.output import Output
from tenure.cli.workspace import Workspace, log_of, open_workspace
from tenure.core.clock import SystemClock
from tenure.design.facts import Live, chosen_version, gather
from tenure.design.stages import StageStanding, next_standing, stages


def run_next(output: Output, project: str, home: Path | None) -> None:
    """Print the ten stages; only records are read, and nothing is trained, started or promoted.

    Raises:
        TenureError: the project, its settings or one of its records cannot be read.
    """
    workspace = open_workspace(project, home)
    facts = gather(workspace.project, workspace.home, workspace.settings, _live(workspace), SystemClock().now())
    found = stages(facts, shlex.quote(project), shlex.quote(chosen_version(workspace.home)))
    for each in found:
        output.say(f"{each.number:>2}  {each.verdict:<7}  {each.name}")
        output.say(f"             {each.shown or '; '.join(each.blocked_by)}")
        if each.command:
            output.say(f"             {each.command}")
    first = next_standing(found)
    output.say(_words(first, against=found[0].verdict == "blocked"))
    output.result({"stages": [each.as_dict() for each in found], "next": first.command if first else ""})


def _words(first: StageStanding | None, against: bool) -> str:
    """The next command; `against`: the assessment did not pass."""
    if first is None:
        return "\nNothing is open: mend what blocks, or wait for new decisions."
    if first.mend:
        return f"\nNext, once what blocks stage {first.number} is mended: {first.command}"
    return f"\nNext{', if you go on without stage 1' if against else ''}: {first.command}"


def _live(workspace: Workspace) -> Live:
    """What the log holds; a project that never ran has none, and none is made."""
    place, name = log_of(workspace.home), workspace.project.problem.name
    if isinstance(place, Path) and not place.exists():
        return Live(stopped=workspace.stop.engaged())
    with workspace.store() as store:
        return Live(
            store.control(name),
            store.events(name),
            store.versions(name),
            store.reads(name, "held_out"),
            workspace.stop.engaged(),
        )
