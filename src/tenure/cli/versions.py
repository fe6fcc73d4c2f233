"""`tenure versions`: what is registered, what is live or was at a moment, and who moved what and why."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from tenure.cli.output import Output, percent
from tenure.cli.workspace import open_workspace
from tenure.core.clock import SystemClock, from_text, to_text
from tenure.core.errors import SettingsError
from tenure.rollout.as_of import as_of
from tenure.store import Event, VersionRow


def list_versions(output: Output, project: str, at: str | None, home: Path | None) -> None:
    """Versions, the live one, and every move of the rollout with its reason, as they were at a moment or are now.

    Raises:
        RequestError: the moment is none.
    """
    workspace, moment = open_workspace(project, home), SystemClock().now() if at is None else from_text(at)
    name = workspace.project.problem.name
    with workspace.store() as store:
        rows, events = store.versions(name, None if at is None else moment), store.events(name)
    # Without a moment everything counts, also what a clock that ran ahead has dated later.
    stood = as_of(events, moment if at is not None else _end(events, moment))
    shown = [event for event in events if at is None or event.at <= moment]
    state = stood.state
    killed = "  KILLED" if state.killed else ""
    output.say(f"stage {state.stage.value}, share {percent(state.share)}{killed}")
    output.table(
        ["version", "registered", "run", "seed", "selection score", ""],
        [[*_figures(row), _place(row.version, stood.live, state.version)] for row in rows],
    )
    output.history([(event.at, event.kind, event.actor, event.reason) for event in shown])
    output.result(
        {
            **stood.as_dict(),
            "versions": [
                {"version": row.version, "registered_at": to_text(row.registered_at), **row.record} for row in rows
            ],
            "history": [
                {"at": to_text(e.at), "kind": e.kind, "actor": e.actor, "reason": e.reason, "sequence": e.sequence}
                for e in shown
            ],
        }
    )


def carry(output: Output, project: str, fetch: str | None, push: str | None, home: Path | None) -> None:
    """Bring a bundle here and register it, or bring one to where artifacts are kept.

    Raises:
        SettingsError: no store of artifacts is named.
        StoreError: the version is not there, or the store cannot be used.
    """
    workspace = open_workspace(project, home)
    artifacts = workspace.artifacts
    if artifacts is None:
        raise SettingsError(
            expected="a store of artifacts",
            found="none",
            where=f"{workspace.project.settings_path}, [artifacts] url",
            fix="name one there, or in $TENURE_ARTIFACTS: docs/deploy.md",
        )
    if push is not None:
        artifacts.push_bundle(workspace.bundles / push)
        output.say(f"Version {push} lies in {artifacts.url}.")
    if fetch is not None:
        manifest = workspace.bundle(fetch).bundle.manifest
        record = {key: manifest[key] for key in ("problem_version", "reward_version", "lineage", "evaluation")}
        with workspace.store() as store:
            store.register_version(fetch, workspace.project.problem.name, SystemClock().now(), record)
        output.say(f"Version {fetch} is here, checked and registered.")


def _end(events: list[Event], now: datetime) -> datetime:
    return max((now, *(event.at for event in events)))


def _figures(row: VersionRow) -> list[str]:
    """A version's row; one that was uploaded has no run."""
    lineage: dict[str, Any] = row.record.get("lineage") or {}
    score = (row.record.get("evaluation") or {}).get("score")
    told = "" if score is None else f"{score:.3f}"
    run, seed = lineage.get("run", ""), lineage.get("seed", "")
    return [row.version, f"{row.registered_at:%Y-%m-%d %H:%M}", str(run), str(seed), told]


def _place(version: str, live: str | None, candidate: str | None) -> str:
    return "live" if version == live else "candidate" if version == candidate else ""
