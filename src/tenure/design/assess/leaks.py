"""Columns of a log that hold what came of the decision: never seen by a policy, and named."""

from __future__ import annotations

from pathlib import Path

from tenure.core.logged import LoggedSource
from tenure.design.starting.leaks import Leak, find_leaks
from tenure.design.starting.roles import Roles
from tenure.design.starting.table import read_table
from tenure.store.tables.logfile import LogFile


def leaks_of(source: LoggedSource) -> tuple[Leak, ...]:
    """What `tenure init` would leave out too; nothing of a log that is no file of one table.

    A column whose name alone says that it was known afterwards is one too: it may be the right answer.
    """
    if not isinstance(source, LogFile) or not Path(source.source.name).is_file():
        return ()
    mapping = source.mapping
    outcome, action = mapping.column("reward"), mapping.column("action")
    if outcome is None or action is None:
        return ()
    used = {name for taken in mapping.roles.values() for name in taken.columns} | set(mapping.features)
    table = read_table(Path(source.source.name), used)
    roles = Roles(
        action=action,
        outcome=outcome,
        time=mapping.column("decided_at"),
        unit=mapping.column("unit_id"),
        episode=mapping.column("episode_id"),
        step=mapping.column("step"),
        propensity=mapping.column("propensity"),
        left_out={},
        rest=mapping.features,
        known=table.inner,
        guesses=(),
    )
    return find_leaks(table, roles)
