"""`tenure init`: a project folder from a log, a shipped case or a small working world."""

from __future__ import annotations

from pathlib import Path

from tenure.cli.output import Output
from tenure.design.starting.names import one_line
from tenure.design.starting.roles import Told
from tenure.design.starting.start import Started, start_from_case, start_from_log


def run_init(
    output: Output,
    name: str,
    source: Path | None = None,
    case: str | None = None,
    told: Told | None = None,
    parent: Path | None = None,
) -> None:
    """Make the folder, and say what was guessed, why, and what to check by hand.

    Args:
        output: where to say it.
        name: of the project and its folder.
        source: a log to guess from.
        case: or a shipped case to copy; without either a small working world is written.
        told: columns of the log by role, where a person knows better.
        parent: folder in which it is made; default the working directory.

    Raises:
        RequestError: both a log and a case, or roles of columns without a log.
        TenureError: the name, the folder or the log will not do; then nothing is written.
    """
    _check_one_source(source, case, told)
    place = parent or Path()
    started = start_from_case(name, place, case) if source is None else start_from_log(name, place, source, told)
    _tell(output, started)
    output.result(started.as_dict())


def _check_one_source(source: Path | None, case: str | None, told: Told | None) -> None:
    from tenure.core.errors import RequestError

    if source is not None and case is not None:
        raise RequestError(
            expected="--from LOG or --case CASE", found="both", where="the command line", fix="leave one of them out"
        )
    if source is None and told not in (None, Told()):
        raise RequestError(
            expected="--from LOG with options about its columns",
            found="such options without a log",
            where="the command line",
            fix="add --from LOG",
        )


def _tell(output: Output, started: Started) -> None:
    draft = started.draft
    if draft is not None:
        output.heading("Guessed")
        output.table(("column", "taken as", "why"), [_lines(*taken) for taken in draft.taken])
        if draft.leaks:
            output.heading("Leaks: known only after the decision, so no features")
            output.table(("column", "", "why"), [_lines(leak.column, leak.kind, leak.why) for leak in draft.leaks])
        if draft.left_out:
            output.heading("Left out")
            output.table(("column", "why"), [_lines(column, why) for column, why in draft.left_out.items()])
        output.heading("To check by hand")
        for note in draft.notes:
            output.say(f"- {one_line(note)}")
        output.say("- units, bounds and reward in problem.py; AsLogged there stands for the rule that decides today")
    output.say(f"\nWritten: {started.folder}, {len(started.files)} files.")
    output.say(f"Next: tenure reward check {started.folder}")


def _lines(*cells: str) -> tuple[str, ...]:
    """Cells that quote a table's headers, each on one line."""
    return tuple(map(one_line, cells))
