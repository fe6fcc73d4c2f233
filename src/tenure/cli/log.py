"""`tenure log`: the log filled from anywhere, written out for others, and checked row by row."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenure.cli.options import Home, Json
from tenure.cli.output import Output, reported

if TYPE_CHECKING:
    from tenure.core.problem import Problem
    from tenure.store import Store

log_app = typer.Typer(
    help="Logs from anywhere into Tenure's own and out of it, and whether it is intact.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

LogName = Annotated[
    str, typer.Argument(metavar="P", help="a project folder, a shipped case, or the name of a log without a project")
]
FormName = Annotated[
    str | None,
    typer.Option("--format", help="csv, jsonl, parquet, dsjson, obp, npz or scope-rl; default by the file's name"),
]
EVERY_S = 5.0
"""Seconds between two lines of progress."""
LISTED = 1_000
"""Rejected rows listed in JSON; all of them are in the file of rejects."""


@log_app.command("import")
def import_(
    problem: LogName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the log to read")],
    mapping: Annotated[Path | None, typer.Option(help="which column is what, in TOML")] = None,
    form: FormName = None,
    rejects: Annotated[Path | None, typer.Option(help="where rejected rows go; default FILE.rejects.csv")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Read a log into the log of P; importing it again adds nothing, rejected rows go to a file."""
    output = Output(json=json)
    with reported(output):
        run_import(output, problem, file, mapping, form, rejects, home)


@log_app.command()
def export(
    problem: LogName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the file to write")],
    form: FormName = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write the decisions of P with their outcomes to a file that `log import` reads back without loss."""
    output = Output(json=json)
    with reported(output):
        run_export(output, problem, file, form, home)


@log_app.command()
def verify(problem: LogName, home: Home = None, json: Json = False) -> None:
    """Recompute P's hash chain and hold it against the signed checkpoints; exit 4 when a row is not as written."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.audit import run_verify

        raise SystemExit(run_verify(output, problem, home))


@log_app.command()
def forget(
    problem: LogName,
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="its unit_id, as the requests name it")],
    actor: Annotated[str, typer.Option(help="who does it, for the audit log; default the login name")] = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Erase what P's log knows of a unit; its decisions stay countable, and the hash chain intact."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.audit import run_forget

        raise SystemExit(run_forget(output, problem, unit, actor, home))


def run_import(
    output: Output,
    name: str,
    file: Path,
    mapping: Path | None,
    form: str | None,
    rejects: Path | None,
    home: Path | None,
) -> None:
    """Open the file, say what was understood, write its rows, list those that were not taken."""
    from tenure.core.clock import SystemClock
    from tenure.core.spaces import Discrete
    from tenure.store.tables.importing import import_log
    from tenure.store.tables.logfile import open_log

    problem = project_problem(name)
    labels = problem.action.labels if problem and isinstance(problem.action, Discrete) else None
    log = open_log(file, mapping, actions=labels, form=checked_form(form), whole=True)
    for line in log.summary:
        output.say(line)
    with opened_store(name, problem, home, make=True) as (store, key):
        now = SystemClock().now()
        done = import_log(log, store, key, now=now, problem=problem, progress=_progress(output, log.rows))
    written = rejects or file.with_name(f"{file.name}.rejects.csv")
    if done.rejected:
        write_rejects(written, done.rejected)
        output.say(f"{len(done.rejected)} row(s) were rejected; they are in {written} with line and reason.")
    output.say(f"{done.written} new decisions and {done.outcomes} outcomes; {done.existing} were in the log already.")
    output.result(
        {
            "rows": done.written,
            "existing": done.existing,
            "outcomes": done.outcomes,
            "rejected": [asdict(rejection) for rejection in done.rejected[:LISTED]],
            "rejected_rows": len(done.rejected),
            "rejects": str(written) if done.rejected else None,
            "problem": key,
            "summary": log.summary,
        }
    )


def run_export(output: Output, name: str, file: Path, form: str | None, home: Path | None) -> None:
    """Write the file whole or not at all."""
    from tenure.store.tables.exporting import export_log

    problem = project_problem(name)
    with opened_store(name, problem, home, make=False) as (store, key):
        count = export_log(store, problem or key, file, checked_form(form), _progress(output, None))
        left_out = {kind: rows for kind, rows in store.counts(key).items() if kind in _STAY and rows}
    output.say(f"{count} decisions are in {file}.")
    for kind, rows in left_out.items():
        output.say(f"Not in it, since no form has a word for them: {rows} {_STAY[kind]}.")
    output.result({"rows": count, "file": str(file), "problem": key, "left_out": left_out})


_STAY = {
    "proposals": "shadow proposals",
    "corrections": "corrections, which are applied",
    "late": "late outcomes",
    "repeated": "repeated outcomes",
    "orphan": "outcomes without a decision",
}


def project_problem(name: str) -> Problem | None:
    """The problem of a project or shipped case; None for the plain name of a log without a project.

    Raises:
        ProjectError: it is neither.
    """
    from tenure.core.project import CASES, load_project

    plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    if plain and not Path(name).is_dir() and not (CASES / name / "problem.py").exists():
        return None
    return load_project(name).problem


def checked_form(form: str | None) -> Any:
    """One of the forms, or None.

    Raises:
        ProjectError: there is no such form.
    """
    from typing import get_args

    from tenure.core.errors import ProjectError
    from tenure.store.tables.logfile import Form

    if form is None or form in get_args(Form):
        return form
    raise ProjectError(
        expected=f"one of {list(get_args(Form))}", found=repr(form), where="--format", fix="name one of these"
    )


@contextmanager
def opened_store(name: str, problem: Problem | None, home: Path | None, *, make: bool) -> Iterator[tuple[Store, str]]:
    """The store that holds a problem's log, and the name it has there.

    Raises:
        ProjectError: there is none, and none is to be made.
    """
    from tenure.cli.workspace import base_of, existing_log, log_of, open_workspace
    from tenure.core.errors import ProjectError
    from tenure.store.opening import open_store

    if problem is not None and make:
        with open_workspace(name, home).store() as store:
            yield store, problem.name
        return
    place = log_of(base_of(home) / name)
    if problem is not None:
        _, place = existing_log(name, home)
    elif make and isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
    elif isinstance(place, Path) and not place.is_file():
        raise ProjectError(
            expected=f"the log of {name!r}",
            found="no such log",
            where=str(base_of(home)),
            fix="import one first, or name the folder of runtime files with --home",
        )
    key = problem.name if problem else name
    with open_store(place) as store:
        if make:
            store.open_problem(key, key)
        yield store, key


def write_rejects(path: Path, rejected: Sequence[Any]) -> None:
    """Rejected rows as CSV: line, reason, text."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "reason", "text"])
        writer.writerows([rejection.line, rejection.reason, rejection.text] for rejection in rejected)


def _progress(output: Output, rows: int | None) -> Callable[[int], None]:
    """A line every few seconds of long work."""
    last = [time.monotonic()]

    def say(count: int) -> None:
        if time.monotonic() - last[0] >= EVERY_S:
            last[0] = time.monotonic()
            output.say(f"{count} rows{f' of {rows}' if rows else ''}")

    return say
