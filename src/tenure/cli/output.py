"""How commands speak: text for people, one JSON object for programs, one exit code."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from datetime import datetime
from typing import Any

PIPED = 200
"""Columns of a table where nobody's terminal says how many there are."""

SHORT = 100
"""Characters of a reason that people are shown in a list."""


class Output:
    """Where a command writes; with `json` nothing but the final object goes to standard output."""

    def __init__(self, *, json: bool) -> None:
        from rich.console import Console

        self.json, self._answer = json, sys.stdout
        self.console = Console(stderr=json, highlight=False, soft_wrap=True)
        if not self.console.is_terminal:
            self.console.width = PIPED

    def say(self, text: str) -> None:
        """One line for people."""
        from rich.markup import escape

        self.console.print(escape(text))

    def heading(self, text: str) -> None:
        """A line that begins a part."""
        from rich.markup import escape

        self.console.print(f"\n[bold]{escape(text)}[/bold]")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A small table for people; the first and last columns are text, the others figures."""
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        for index, column in enumerate(columns):
            table.add_column(
                column, justify="left" if index in (0, len(columns) - 1) else "right", no_wrap=index + 1 < len(columns)
            )
        for row in rows:
            table.add_row(*map(escape, row))
        self.console.print(table)

    def history(self, events: Sequence[tuple[datetime, str, str, str]]) -> None:
        """Events for people, a line each: when, what, who, and how the reason begins."""
        what = max((len(kind) for _, kind, _, _ in events), default=0)
        who = max((len(actor) for _, _, actor, _ in events), default=0)
        for at, kind, actor, reason in events:
            self.say(f"{at:%Y-%m-%d %H:%M}  {kind:<{what}}  {actor:<{who}}  {short(reason)}")
        if any(short(reason) != reason for *_, reason in events):
            self.say("Reasons that end in ... are whole with --json.")

    def result(self, fields: Mapping[str, Any]) -> None:
        """The object of `--json`; nothing for people, who have read it already."""
        from tenure.core.plain import finite

        if self.json:
            self._answer.write(json.dumps(finite(fields), default=str, ensure_ascii=True, allow_nan=False) + "\n")


@contextmanager
def reported(output: Output) -> Iterator[None]:
    """Turn an error of ours into its message and exit code; others are defects and keep their traceback.

    With `json`, what a project's own code prints goes to standard error.
    """
    from tenure.core.errors import TenureError

    try:
        with redirect_stdout(sys.stderr) if output.json else nullcontext():
            yield
    except TenureError as error:
        output.result(error.as_dict())
        lines = (f"expected: {error.expected}", f"found:    {error.found}", f"where:    {error.where}")
        output.console.print(f"[bold red]{type(error).__name__}[/bold red]")
        for line in (*lines, *f"to do:    {error.fix}".splitlines()):
            output.say(f"  {line}")
        raise SystemExit(error.exit_code) from error


def short(text: str) -> str:
    """How a text begins, on one line that an eye can take in.

    >>> short("bake at 1 %: enough; " * 9)
    'bake at 1 %: enough; bake at 1 %: enough; bake at 1 %: enough; bake at 1 %: enough; bake at 1 %: ...'
    """
    return textwrap.shorten(text, SHORT, placeholder=" ...")


def percent(share: float) -> str:
    """A share as percent with one decimal."""
    return f"{100 * share:.1f} %"


def needed(value: str | None, what: str) -> str:
    """The argument, once it was given.

    Raises:
        RequestError: it was not.
    """
    from tenure.core.errors import RequestError

    if value is None:
        raise RequestError(expected=what, found="none", where="the command line", fix="give it; see --help")
    return value
