"""Arguments and options that several verbs share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Project = Annotated[str, typer.Argument(metavar="P", help="a project folder, or a shipped case such as 'bikes'")]
Reason = Annotated[str, typer.Option(help="why, for the audit log")]
Actor = Annotated[str, typer.Option(help="who does it, for the audit log; default the login name")]
Home = Annotated[Path | None, typer.Option(help="folder of runtime files; default .tenure, or $TENURE_HOME")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")]
