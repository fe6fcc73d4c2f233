"""`tenure why`: one decision told from the log, from what was known to what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.cli.output import Output, percent
from tenure.cli.weighing import Weighed, explained
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.clock import to_text
from tenure.core.errors import UnknownError
from tenure.core.spaces import Action
from tenure.serving.replay import REASONS, Replay, Replayed, control_at
from tenure.store import Control, Store, VersionRow
from tenure.store.looking import KeptOutcome, Story, story
from tenure.store.pending import Pending, PendingDecision


@dataclass(frozen=True)
class Told:
    """Everything there is to say of one decision."""

    story: Story
    word: Callable[[Action], str]
    control: Control
    version: VersionRow | None
    pending: PendingDecision | None
    replayed: Replayed
    weighed: Weighed

    def as_dict(self) -> dict[str, Any]:
        """The object of `--json`."""
        row, word = self.story.standing, self.word
        return {
            "decision_id": row.decision_id,
            "sequence": row.sequence,
            "decided_at": to_text(row.decided_at),
            "unit_id": row.unit_id,
            "erased": self.story.erased,
            "context": dict(row.context),
            "action": word(row.action),
            "arm": row.arm.value,
            "stage": row.stage,
            "reason": row.reason,
            "because": REASONS.get(row.reason, row.reason),
            "confidence": row.confidence,
            "alternatives": [
                {
                    "arm": one.arm.value,
                    "version": one.version,
                    "action": word(one.action),
                    "apart": one.apart,
                    "confidence": one.confidence,
                }
                for one in self.story.proposals
            ],
            "weighed": {
                "arm": self.weighed.arm.value,
                "version": self.weighed.version,
                "action": word(self.weighed.action),
            },
            "distribution": self.weighed.distribution,
            "influence": self.weighed.influence,
            "unexplained": self.weighed.unexplained,
            "version": self._version(),
            "propensity": {
                "value": row.propensity,
                "density": row.density,
                "share": self.control.live_share,
                "explored": row.explored,
                "exploration": self.replayed.exploration,
            },
            "corrections": [
                {"at": to_text(one.at), "reason": one.reason, "action": word(_action(one.payload["action"]))}
                for one in self.story.corrections
            ],
            "written": {"action": word(self.story.written.action), "arm": self.story.written.arm.value},
            "pending": None if self.pending is None else self._pending(self.pending),
            "outcomes": [_outcome(one) for one in self.story.outcomes],
            "replay": self.replayed.as_dict(),
        }

    def _version(self) -> dict[str, Any]:
        found = {"version": self.story.standing.version}
        if self.version is None:
            return found
        return {**found, "registered_at": to_text(self.version.registered_at), **self.version.record}

    def _pending(self, row: PendingDecision) -> dict[str, Any]:
        return {
            "rule": row.rule,
            "action": self.word(row.action),
            "confidence": row.confidence,
            "status": row.status,
            "until": to_text(row.until),
            "decided_by": row.decided_by,
        }


def run_why(output: Output, decision_id: str, project: str, home: Path | None) -> None:
    """Tell one decision.

    Raises:
        UnknownError: no such decision.
    """
    workspace = open_workspace(project, home)
    with workspace.store() as store:
        told = tell(workspace, store, decision_id)
    fields = told.as_dict()
    _say(output, told, fields)
    output.result(fields)


def tell(workspace: Workspace, store: Store, decision_id: str) -> Told:
    """Everything the log and the bundle say of a decision.

    Raises:
        UnknownError: no such decision.
    """
    problem, name = workspace.project.problem, workspace.project.problem.name
    found = story(store, name, decision_id)
    if found is None:
        raise UnknownError(
            expected="the id of a decision in the log",
            found=repr(decision_id),
            where=f"the log of {name!r}",
            fix="copy the id from the server's answer, and name its project with --project",
        )
    control = control_at(store.control(name), store.events(name), found.written.sequence)
    replay = Replay(problem, workspace.project.incumbent, workspace.bundle, workspace.settings, _humans(workspace))
    versions = {row.version: row for row in store.versions(name)}
    return Told(
        story=found,
        word=replay.reader.word,
        control=control,
        version=versions.get(found.standing.version),
        pending=Pending(store).find(name, decision_id),
        replayed=replay.again(found.written, control),
        weighed=explained(workspace, store, found),
    )


def _humans(workspace: Workspace) -> Any:
    from tenure.rollout.human import Humans

    rules = workspace.settings.human
    return Humans(rules, workspace.project.problem) if rules else None


def _action(told: int | Sequence[float]) -> Action:
    """What a correction's event says was done."""
    return told if isinstance(told, int) else tuple(told)


def _outcome(kept: KeptOutcome) -> dict[str, Any]:
    return {
        "outcome_id": kept.outcome.outcome_id,
        "kind": kept.outcome.kind.value,
        "signals": dict(kept.outcome.signals),
        "place": kept.place.value,
        "note": kept.note,
        "counted": kept.counted,
        "received_at": to_text(kept.received_at),
    }


def _say(output: Output, told: Told, fields: dict[str, Any]) -> None:
    row = told.story.standing
    output.say(f"Decision {row.decision_id}, row {row.sequence}, {fields['decided_at']}, unit {row.unit_id}")
    output.say(f"{fields['action']!r} by {row.arm.value} {row.version}, stage {row.stage}: {fields['because']}.")
    if told.story.erased:
        output.say(
            "Its unit was erased on request: who and what it was for is gone; action, arm, time and chain are left."
        )
    _say_propensity(output, told)
    for one in fields["corrections"]:
        output.say(f"Corrected {one['at']} to {one['action']!r}: {one['reason']}")
    for one in fields["alternatives"]:
        far = "" if one["apart"] is None else f", {percent(one['apart'])} of a number's range apart"
        said = f"{one['arm']} {one['version']} would have done {one['action']!r}"
        output.say(f"{said}, confidence {one['confidence']:.2f}{far}")
    if told.pending is not None:
        waits = fields["pending"]
        output.say(f"Rule {waits['rule']!r} asked a person for {waits['action']!r}: {waits['status']}")
    _say_features(output, told)
    for one in fields["outcomes"]:
        counts = "counts" if one["counted"] else "does not count"
        output.say(f"Outcome {one['outcome_id']}: {one['signals']} ({one['place']}, {counts}) {one['note']}")
    if not fields["outcomes"]:
        output.say("No outcome has come.")
    output.say(f"Replay: {told.replayed.told}.")


def _say_propensity(output: Output, told: Told) -> None:
    row, rate = told.story.standing, told.replayed.exploration
    value = "unknown" if row.propensity is None else f"{row.propensity:.6g}"
    value = value if row.density is None else f"none, but a density of {row.density:.6g}"
    drawn = "" if rate is None else f", exploration {percent(rate)}"
    explored = "; it was drawn to explore" if row.explored else ""
    share = percent(told.control.live_share)
    output.say(f"Propensity {value}: the candidate had {share} of the units{drawn}{explored}.")


def _say_features(output: Output, told: Told) -> None:
    weighed = told.weighed
    whose = f"{weighed.arm.value} {weighed.version}'s {told.word(weighed.action)!r}"
    if weighed.influence is None:
        output.say(f"No feature of {whose} can be weighed: {weighed.unexplained}.")
        return
    of = "its odds" if weighed.distribution is not None else "the vector, as a share of a number's range,"
    output.say(f"Weighed is {whose}: the change of {of} with each feature hidden.")
    context = told.story.standing.context
    output.table(
        ["feature", "value", "influence", ""],
        [
            [name, f"{context[name]:.6g}" if name in context else "default", f"{sway:+.3f}", ""]
            for name, sway in weighed.influence.items()
        ],
    )
    if weighed.distribution is None:
        return
    best = sorted(weighed.distribution.items(), key=lambda item: -item[1])[:3]
    output.say("The policy's own odds: " + ", ".join(f"{label} {percent(chance)}" for label, chance in best))
