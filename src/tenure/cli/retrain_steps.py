"""The steps of a retraining over one workspace; each may be run twice and does what it does once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tenure.cli.asked import Asked, settings_of, the_training
from tenure.cli.judge import simulate
from tenure.cli.output import Output
from tenure.cli.rollout_moves import operations
from tenure.cli.services import DAY
from tenure.cli.workspace import Workspace
from tenure.core.clock import SystemClock
from tenure.core.errors import TenureError
from tenure.core.evidence import Estimate, Verdict, worst
from tenure.core.policy import Policy
from tenure.evaluation import cluster_by, compare
from tenure.retraining import Data, Done, Result, Step, check_data, examine, regimes
from tenure.retraining.memory import SEED
from tenure.store import Event, Store

RETRAIN = "retrain"
"""Kind of the event that says a retraining was begun, and why."""
ACTOR = "retrain"
MARGIN = 0.05
"""How much worse than the live version or the incumbent a new one may be on the selection data, as a share."""
PAGE = 5_000


@dataclass(frozen=True)
class Retraining:
    """One retraining: where it runs, its folder, and what it was begun as."""

    output: Output
    workspace: Workspace
    store: Store
    folder: Path
    told: dict[str, Any]

    @property
    def log(self) -> Path:
        """The snapshot of the log."""
        return self.folder / "log.parquet"

    @property
    def problem(self) -> str:
        """Name of the problem."""
        return self.workspace.project.problem.name


def steps_of(one: Retraining | None) -> list[Step]:
    """The pipeline, in order; without a retraining only its names and where it stops count."""

    def step(name: str, run: Callable[[Any, Done], Result], stops_at: Verdict = Verdict.INCONCLUSIVE) -> Step:
        return Step(name, partial(run, one), stops_at)

    return [
        step("snapshot", _snapshot),
        step("data", _data),
        step("simulator", _simulator, Verdict.ERROR),  # a doubted simulator is the one the live version came from
        step("train", _train),
        step("control", _control),
        step("bench", _bench),
        step("memory", _memory),
        step("bundle", _bundle),
        step("rollout", _rollout),
    ]


def _snapshot(one: Retraining, _: Done) -> Result:
    """The log as it is, in a file of its own, and the event that says so."""
    from tenure.store.tables.exporting import export_log

    events, problem = one.store.events(one.problem), one.workspace.project.problem
    before = [event for event in events if event.kind == RETRAIN and event.payload["id"] != one.told["id"]]
    if all(event.payload.get("id") != one.told["id"] for event in events if event.kind == RETRAIN):
        payload = {key: one.told[key] for key in ("id", "trigger", "upto", "live")}
        event = Event(one.problem, RETRAIN, ACTOR, one.told["trigger"]["reason"], SystemClock().now(), payload)
        one.store.append_event(event)
    if one.told["upto"] == 0:
        return Result(Verdict.INCONCLUSIVE, "the log holds no decision yet", {"rows": 0})
    rows = export_log(one.store, problem, one.log)
    with one.log.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    after = max((event.payload["upto"] for event in before), default=0)
    told = {"rows": rows, "sha256": digest, "after": after, "upto": one.told["upto"]}
    return Result(Verdict.PASS, f"{rows:,} decisions up to number {one.told['upto']}, SHA-256 {digest[:12]}", told)


def _data(one: Retraining, done: Done) -> Result:
    after, decisions, new, known, last = done["snapshot"].told["after"], 0, 0, 0, 0
    while rows := one.store.read_rows(one.problem, after_sequence=last, limit=PAGE):
        last = rows[-1].decision.sequence
        decisions += len(rows)
        known += sum(row.counted for row in rows)
        new += sum(row.decision.sequence > after for row in rows)
    found = one.store.verify(one.problem)
    return check_data(Data(decisions, new, known, found.intact, found.first_bad), one.told["least"])


def _simulator(one: Retraining, _: Done) -> Result:
    """`sim validate` of the simulator against the snapshot; no case has a hook that fits its simulator anew."""
    from tenure.simulators.fidelity.validation import INCUMBENT, Question, validate
    from tenure.store.tables.trajectories import open_trajectories

    project = one.workspace.project
    policies = {INCUMBENT: project.incumbent, **project.rules}
    try:
        log = open_trajectories(str(one.log), project.problem, 500_000).trajectories
        found = validate(Question(project.problem, project.simulator, log, policies, (INCUMBENT,)))
    except TenureError as error:
        return Result(Verdict.INCONCLUSIVE, f"not to be validated on this log: {error.found}", error.as_dict())
    except Exception as error:  # a simulator's own defect, whatever it raises
        return Result(Verdict.ERROR, f"the simulator breaks: {type(error).__name__}: {error}", {})
    bad = [each.reason for each in found.findings if each.verdict is found.verdict]
    reason = bad[0] if found.verdict is not Verdict.PASS and bad else "the simulator is like this log"
    return Result(found.verdict, reason, {"simulator": project.simulator.version})


def _train(one: Retraining, _: Done) -> Result:
    warm, why = _warm(one)
    record = _trained(one, "warm" if warm else "fresh", one.told["seeds"], warm)
    told = {"version": record.chosen, "run": record.run, "warm_from": None if warm is None else one.told["live"]}
    return Result(Verdict.PASS, f"version {record.chosen}, {why}", told)


def _warm(one: Retraining) -> tuple[Any, str]:
    """From which version the training begins; with the reason where from none."""
    live, workspace = one.told["live"], one.workspace
    if live is None:
        return None, "from nothing: no version is live"
    settings = settings_of(the_training(), workspace, Asked())
    then = workspace.bundle(live).bundle.manifest["lineage"]
    if not hasattr(settings, "warm"):
        return None, f"from nothing: recipe {settings.recipe!r} has no warm start"
    if (then.get("recipe"), tuple(then.get("settings", {}).get("net", ()))) != (settings.recipe, settings.net):
        return None, "from nothing: the live version has another recipe or net"
    from tenure.training.warm_settings import WarmStart

    return WarmStart(str(workspace.here(live)), one.told["stay"]), f"from the live version {live}"


def _trained(one: Retraining, kind: str, seeds: int, warm: Any) -> Any:
    """A run of that name: as it was recorded, gone on with, or begun."""
    from tenure.cli.train import train_seeds
    from tenure.training.resume import PLAN

    name = f"retrain-{one.told['id']}-{kind}"
    begun = (one.workspace.runs / name / PLAN).exists()
    if (one.workspace.runs / name / "record.json").exists():
        return the_training().read_record(one.workspace.runs / name)
    asked = Asked(name=name, resume=True) if begun else Asked(seeds, one.told["steps"], name=name, warm=warm)
    return train_seeds(one.output, one.workspace, asked)


def _control(one: Retraining, done: Done) -> Result:
    """One seed from nothing, to say what the warm start is worth."""
    if done["train"].told["warm_from"] is None:
        return Result(Verdict.PASS, "the training itself began from nothing", {"version": None})
    record = _trained(one, "fresh", 1, None)
    return Result(Verdict.PASS, f"version {record.chosen}, from nothing", {"version": record.chosen})


def _bench(one: Retraining, done: Done) -> Result:
    """The new version against incumbent and live version on the selection data; the control is only told."""
    new, live = done["train"].told["version"], one.told["live"]
    gains = {"incumbent": _gain(one, new, "incumbent")}
    if live is not None:
        gains["live"] = _gain(one, new, live)
    verdict = worst(_not_worse(gain) for gain in gains.values())
    control = done["control"].told["version"]
    if control is not None:
        gains["control"] = _gain(one, new, control)
    words = (f"{name} {gain.value:+.1%} [{gain.low:+.1%}, {gain.high:+.1%}]" for name, gain in gains.items())
    told = {name: gain.as_dict() for name, gain in gains.items()}
    return Result(verdict, f"gain over {', '.join(words)}; may be {MARGIN:.0%} worse", told)


def _gain(one: Retraining, new: str, other: str) -> Estimate:
    """How much better a version does than another policy on the selection data, as a share of the other's figure."""
    project, panel = one.workspace.project, one.workspace.project.simulator.panel("selection")
    base, trace = (simulate(project, one.workspace.policy(name), panel) for name in (other, new))
    period, cluster = cluster_by(panel, DAY, "day")
    return compare(project.problem, base, [trace], period, np.random.default_rng(0), cluster).gain


def _not_worse(gain: Estimate) -> Verdict:
    """PASS where the whole interval is above the margin, FAIL where it is below."""
    if gain.low >= -MARGIN:
        return Verdict.PASS
    return Verdict.FAIL if gain.high < -MARGIN else Verdict.INCONCLUSIVE


def _memory(one: Retraining, done: Done) -> Result:
    from tenure.training.curriculum import Trials

    project, live = one.workspace.project, one.told["live"]
    trials = Trials(project.problem, project.simulator, project.incumbent, SEED)

    def gain(policy: Policy) -> Callable[[str], float]:
        return lambda level: trials.gain(policy, level)

    new = gain(one.workspace.policy(done["train"].told["version"]))
    return examine(
        regimes(one.workspace.home / "memory"), new, None if live is None else gain(one.workspace.policy(live))
    )


def _bundle(one: Retraining, done: Done) -> Result:
    """Loading answers every golden observation as the trainer did, or refuses."""
    version = done["train"].told["version"]
    lineage = one.workspace.bundle(version).bundle.manifest["lineage"]
    told = {"version": version, "libraries": lineage["libraries"], "commit": lineage["commit"]}
    return Result(Verdict.PASS, f"{version} answers as its trainer did", told)


def _rollout(one: Retraining, done: Done) -> Result:
    """Ask for SHADOW under the gates; one that is there already stays."""
    version = done["train"].told["version"]
    with operations(one.workspace, judging=True) as verbs:
        status = verbs.status()
        if status.version == version and status.stage != "rolled_back":
            return Result(Verdict.PASS, f"{version} is in stage {status.stage}", {"stage": status.stage})
        if status.stage not in ("none", "rolled_back"):
            reason = f"{status.version} has the seat of the candidate, stage {status.stage}; {version} waits"
            return Result(Verdict.INCONCLUSIVE, reason, {"stage": status.stage})
        findings = verbs.start(version, ACTOR, f"retraining {one.told['id']}: {one.told['trigger']['reason']}")
    verdict = worst(finding.verdict for finding in findings)
    told = {"findings": [finding.as_dict() for finding in findings]}
    return Result(verdict, f"{version}: {'; '.join(finding.reason for finding in findings)}", told)
