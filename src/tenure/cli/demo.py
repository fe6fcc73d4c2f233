"""`tenure demo`: the whole road on a shipped case's real data, in one sitting."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from tenure.cli.asked import Asked
from tenure.cli.drill import drill
from tenure.cli.evaluate import count_read, show
from tenure.cli.judge import Judgement, judge
from tenure.cli.live import LiveRun, live, server, told
from tenure.cli.output import Output, percent
from tenure.cli.progress import progress_bar
from tenure.cli.report import carry_over, whole_ledger, write_report
from tenure.cli.services import services
from tenure.cli.train import as_json, checked, sentence_of, train_seeds
from tenure.cli.workspace import Workspace, base_of, open_workspace
from tenure.core.clock import ManualClock, SystemClock
from tenure.core.errors import ProjectError
from tenure.core.evidence import Finding, Verdict, worst
from tenure.monitoring import Channels, Courier
from tenure.rollout import Controller, Stage, Tick
from tenure.rollout.proof import replay_finding
from tenure.store import Store

LEFT_OUT = "lost_rentals"
"""Reward term the deliberately bad candidate is trained without."""
BAD_STEPS = 300_000
FOLDER = "demo"
"""Below the home; emptied when a demo begins."""

T = TypeVar("T")


@dataclass
class Demo:
    """One demo as it goes along."""

    output: Output
    workspace: Workspace
    store: Store
    steps: list[dict[str, Any]] = field(default_factory=list)

    def step(self, name: str, work: Callable[[], T], verdict: Callable[[T], Verdict]) -> T:
        """Do one part, time it, and keep its verdict."""
        self.output.heading(name)
        began = time.perf_counter()
        result = work()
        seconds, word = time.perf_counter() - began, verdict(result)
        self.steps.append({"name": name, "seconds": round(seconds, 1), "verdict": word.word})
        self.output.say(f"{word.word}, {seconds:.0f} s")
        return result

    @property
    def problem(self) -> str:
        """Name of the problem, under which the log keeps it."""
        return self.workspace.project.problem.name

    @property
    def verdict(self) -> Verdict:
        """Of the whole road."""
        return worst(Verdict[step["verdict"].upper()] for step in self.steps)


def run_demo(output: Output, case: str, seeds: int, serve: bool, report: Path, home: Path | None) -> int:
    """The whole road; returns the exit code."""
    workspace = open_workspace(case, base_of(home) / FOLDER)
    with _alone(workspace.home.parent), _fresh_store(workspace) as store:
        demo = Demo(output, workspace, store)
        demo.step("Check the reward by example", lambda: _check(demo), lambda found: found)
        record = demo.step("Train on January to August, select on September", lambda: _train(demo, seeds), _gains)
        demo.step("Ready: the kill rehearsed, an alert delivered", lambda: _ready(demo), lambda ready: worst(ready))
        found = demo.step("Live: October to December by replay", lambda: _live(demo, record.chosen), _completed)
        demo.step("The kill, proven", lambda: _prove_kill(demo, found), _proven)
        held_out = demo.step("The held-out months, all seeds", lambda: _held_out(demo, record), _is_gain)
        refused = demo.step("A gate that says no", lambda: _bad_candidate(demo), _is_refused)
        path = write_report(workspace, store, record, found, held_out, refused, demo.steps, report)
    output.heading("Done")
    output.say(held_out.comparison.sentence)
    output.say(f"Report: {path}")
    next_command = f"tenure versions {case} --home {workspace.home.parent}"
    output.say(f"Next: {next_command}")
    gain = held_out.comparison.gain.as_dict()
    fields = {"steps": demo.steps, "gain": gain, "report": str(path), "next": next_command}
    if serve:
        from tenure.cli.serve import run_server

        run_server(output, case, "127.0.0.1", 0, False, workspace.home.parent, also=fields)
    else:
        output.result(fields)
    return demo.verdict.exit_code


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the home for this demo; another one would empty it under our hands.

    Raises:
        ProjectError: another demo runs there, or the folder cannot be written.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / "lock").open("w")
    except OSError as error:
        raise _not_ours(home, error.strerror or str(error), "give this user the right to write there") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise _not_ours(home, "another demo at work there", "wait for it, or name another --home") from error
        yield


def _not_ours(home: Path, found: str, fix: str) -> ProjectError:
    return ProjectError(expected="a folder for this demo alone", found=found, where=str(home), fix=fix)


def _fresh_store(workspace: Workspace) -> Store:
    shutil.rmtree(workspace.home, ignore_errors=True)
    return workspace.store()


def _check(demo: Demo) -> Verdict:
    found = checked(demo.workspace)
    demo.output.say("Training is refused without this check; `tenure reward audit` attacks the same reward.")
    return found


def _train(demo: Demo, seeds: int) -> Any:
    record = train_seeds(demo.output, demo.workspace, Asked(seeds, name="demo"))
    fields = as_json(record)
    demo.output.say(
        f"September: {percent(record.gain['value'])} below the incumbent "
        f"({percent(record.gain['low'])} to {percent(record.gain['high'])}), {record.steps_per_s:,.0f} steps/s a seed, "
        f"version {record.chosen}, {percent(fields['score']['headroom'])} of the headroom."
    )
    demo.output.say(f"Over its whole weeks: {sentence_of(demo.workspace, record)}")
    return record


def _ready(demo: Demo) -> list[Verdict]:
    """What nothing leaves SHADOW without: today's drill, and a test alert, here to a file beside the log."""
    drilled = drill(demo.workspace, demo.store, "demo")
    kept = demo.workspace.home / "alerts.jsonl"
    courier = Courier(demo.problem, demo.store, Channels({"demo": kept.resolve().as_uri()}, {}), SystemClock())
    tested = courier.test("demo", "demo")
    confirmed = drilled.event.payload["confirmed_ms"]
    within = "not confirmed" if confirmed is None else f"confirmed by the server after {confirmed:.0f} ms"
    demo.output.say(f"{drilled.event.reason.capitalize()}: {within}.")
    demo.output.say(f"{tested.reason.capitalize()}: {kept}")
    passed = (drilled.seen.passed, tested.payload["delivered"])
    return [Verdict.PASS if good else Verdict.FAIL for good in passed]


def _gains(record: Any) -> Verdict:
    return Verdict.PASS if record.gain["low"] > 0 else Verdict.INCONCLUSIVE


def _live(demo: Demo, version: str) -> LiveRun:
    panel = demo.workspace.project.simulator.panel("held_out")
    with server(demo.workspace) as url, progress_bar(demo.output) as bar:
        bar.console.print(f"server {url}, salt {demo.store.control(demo.problem).salt!r}", highlight=False)
        task = bar.add_task("2011", total=panel.steps * panel.interval.total_seconds(), note="")

        def watch(midnight: datetime, tick: Tick) -> None:
            where = f"{tick.state.stage.value} {100 * tick.state.share:g} %"
            bar.update(task, completed=(midnight - panel.started_at).total_seconds(), note=where)
            bar.update(task, description=f"{midnight:%d %b}")
            if tick.state.since == midnight:
                bar.console.print(f"{midnight:%d %b}: {where}", highlight=False)

        found = live(demo.workspace, demo.store, version, url, watch)
    for event in demo.store.events(demo.problem):
        if event.kind != "correction":
            demo.output.say(f"{event.at:%Y-%m-%d %H:%M}  {event.kind:<9} {event.actor}: {event.reason}")
    demo.output.say(carry_over(demo.workspace, whole_ledger(demo.workspace, demo.store)))
    return found


def _completed(found: LiveRun) -> Verdict:
    state = found.ticks[-1][1].state
    if state.stage is Stage.ROLLED_BACK:
        return Verdict.FAIL
    return Verdict.PASS if state.complete else Verdict.INCONCLUSIVE


def _prove_kill(demo: Demo, found: LiveRun) -> dict[str, Any]:
    if found.killed is None:
        return {}
    sequence, name = found.killed["sequence"], demo.problem
    frame = demo.store.read_log(name, after_sequence=sequence)
    proof = {
        "sequence": sequence,
        "epoch": found.killed["epoch"],
        "learned_before": demo.store.counts(name)["learned"],
        "learned_after": demo.store.learned_after(name, sequence),
        "decisions_after": len(frame),
        "retry": told(found.retry),
        "intact": demo.store.verify(name).intact,
    }
    demo.output.say(
        f"Kill row {sequence}, epoch {proof['epoch']}: {proof['learned_before']} learned decisions before it, "
        f"{proof['learned_after']} after it, {proof['decisions_after']} decisions answered by the incumbent since. "
        f"The last learned decision: {proof['retry']}. Hash chain intact: "
        f"{'yes' if proof['intact'] else 'no'}."
    )
    return proof


def _proven(proof: dict[str, Any]) -> Verdict:
    if not proof:
        return Verdict.ERROR
    good = proof["learned_after"] == 0 and proof["decisions_after"] > 0 and proof["intact"]
    return Verdict.PASS if good else Verdict.FAIL


def _held_out(demo: Demo, record: Any) -> Judgement:
    policies = [demo.workspace.bundle(seed.version) for seed in record.seeds]
    found = judge(demo.workspace.project, policies, "held_out")
    reads = count_read(demo.workspace, f"demo, run {record.run}")
    show(demo.output, found, f"{len(policies)} seed(s)")
    demo.output.say(f"No gate used this figure. Held-out data read {reads} time(s) in this home.")
    return found


def _is_gain(found: Judgement) -> Verdict:
    return Verdict.PASS if found.comparison.gain.low > 0 else Verdict.INCONCLUSIVE


def _bad_candidate(demo: Demo) -> list[Finding]:
    """A candidate that is not paid for lost rentals, before the entry gate and, for show, the shadow gate."""
    record = train_seeds(demo.output, demo.workspace, Asked(1, BAD_STEPS, (LEFT_OUT,), "bad"))
    project, settings = demo.workspace.project, demo.workspace.settings
    panel = project.simulator.panel("held_out")
    rooms = services(demo.workspace)
    end = panel.started_at + panel.steps * panel.interval
    controller = Controller(project.problem, settings, demo.store, rooms, ManualClock(end))
    findings = controller.start(record.chosen, "demo")
    days = settings.rollout.shadow.min_days
    incumbent, candidate = (rooms.replay(name, panel.started_at, days) for name in (None, record.chosen))
    rules = settings.for_share(settings.rollout.stages[0], "replay")
    findings += [replay_finding(project.problem, rule, incumbent, candidate) for rule in rules]
    for finding in findings:
        demo.output.say(f"{finding.verdict.word}: {finding.gate}: {finding.reason}")
    demo.output.say("Refused at the entry, as it should be; the shadow gate is asked for show.")
    return findings


def _is_refused(findings: list[Finding]) -> Verdict:
    return Verdict.PASS if findings[0].verdict is Verdict.FAIL else Verdict.FAIL
