"""`tenure sim`: is the simulator sound, fast, hard enough, and like the world?"""

from __future__ import annotations

import typer

sim_app = typer.Typer(
    help="Whether a simulator keeps its contract, how fast it is, how a policy stands disturbances, and how near "
    "it comes to real data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
