"""The ten stages of the road as a live checklist: done and what shows it, or blocked, or open with the next command.

`stages` is a pure function of facts; `facts.py` gathers these from records alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tenure.core.evidence import Finding, Verdict

Standing = Literal["done", "open", "blocked"]


@dataclass(frozen=True)
class Step:
    """One thing to be shown.

    Args:
        fact: which, as `gather` names it.
        command: what to run as long as it is not; `{P}` stands for the project, `{V}` for the version to start.
        mended: what to run after a refusal, once what it names is mended; the same command where it says nothing else,
            and none where asking again would be answered alike.
    """

    fact: str
    command: str
    mended: str | None = None


@dataclass(frozen=True)
class Row:
    """One stage.

    Args:
        name: of the stage.
        after: stages that come before it.
        steps: what it takes, in order.
    """

    name: str
    after: tuple[str, ...]
    steps: tuple[Step, ...]


TABLE = (
    Row("use case", (), (Step("assessed", "tenure assess {P}", mended=""),)),
    Row(
        "environment and reward",
        (),
        (
            Step("reward_check", "tenure reward check {P}", mended="tenure reward check {P}"),
            Step("reward_audit", "tenure reward audit {P}", mended="tenure reward check {P}"),
        ),
    ),
    Row("algorithm", ("environment and reward", "simulation"), (Step("run", "tenure train {P}"),)),
    Row("simulation", (), (Step("simulator", "tenure next {P}"),)),
    Row("training at scale", ("algorithm",), (Step("seeds", "tenure train {P} --seeds 5"),)),
    Row(
        "training and its proof",
        ("algorithm",),
        (Step("gain", "tenure train {P} --seeds 5"), Step("held_out", "tenure evaluate {P} --held-out")),
    ),
    Row("exploration", (), (Step("exploration", 'tenure rollout explore {P} --rate 0.001 --reason "WHY"'),)),
    Row(
        "shadow",
        ("training and its proof",),
        (
            Step("started", 'tenure rollout start {P} --version {V} --reason "WHY"'),
            Step("alert", "tenure alerts test {P}"),
            Step("drill", "tenure drill {P}"),
            Step("shadowed", "tenure tick {P}"),
        ),
    ),
    Row(
        "deployment",
        ("shadow",),
        (Step("approved", 'tenure approvals approve {P} --reason "WHY"'), Step("complete", "tenure tick {P}")),
    ),
    Row("retraining", ("deployment",), (Step("retrained", "tenure train {P} --seeds 5"),)),
)
"""The ten stages in the order of the road; simulation stands fourth there, and is needed by the third."""

Facts = Mapping[str, Finding]
"""One finding per fact of the table: PASS is shown, INCONCLUSIVE not yet, FAIL was asked and not answered by a pass."""


@dataclass(frozen=True)
class StageStanding:
    """Where one stage stands.

    Args:
        number: from 1.
        name: of the stage.
        verdict: `done`; `open`, its command can be run now; `blocked`.
        shown: what shows that it is done; empty before.
        blocked_by: why it is not, most pressing first.
        command: what to run next; empty where nothing is to be done.
        mend: the command is for after a person has mended what was refused.
    """

    number: int
    name: str
    verdict: Standing
    shown: str
    blocked_by: tuple[str, ...]
    command: str
    mend: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain fields."""
        return {**asdict(self), "blocked_by": list(self.blocked_by)}


def stages(facts: Facts, project: str, version: str = "VERSION") -> list[StageStanding]:
    """Where all ten stages stand.

    Args:
        facts: one finding for every fact of the table.
        project: what a person types for P.
        version: what a person types for V.
    """
    done = {row.name for row in TABLE if _open_step(row, facts) is None}
    typed = {"{P}": project, "{V}": version}
    return [_standing(number, row, facts, done, typed) for number, row in enumerate(TABLE, 1)]


def next_standing(standings: list[StageStanding]) -> StageStanding | None:
    """The first stage that can go on, at once or once something is mended; None at the end of the road."""
    return next((each for each in standings if each.command and (each.verdict == "open" or each.mend)), None)


def _standing(number: int, row: Row, facts: Facts, done: set[str], typed: Mapping[str, str]) -> StageStanding:
    step = _open_step(row, facts)
    if step is None:
        shown = "; ".join(facts[each.fact].reason for each in row.steps)
        return StageStanding(number, row.name, "done", shown, (), "")
    found = facts[step.fact]
    waits = tuple(f"stage {_number(name)}, {name}, is not done" for name in row.after if name not in done)
    refused = found.verdict is Verdict.FAIL
    standing: Standing = "blocked" if waits or refused else "open"
    command = step.command if step.mended is None or not refused else step.mended
    words = " ".join(typed.get(word, word) for word in command.split(" "))
    mend = refused and not waits and bool(step.mended)
    return StageStanding(number, row.name, standing, "", (*waits, found.reason), words, mend)


def _open_step(row: Row, facts: Facts) -> Step | None:
    return next((step for step in row.steps if facts[step.fact].verdict is not Verdict.PASS), None)


def _number(name: str) -> int:
    return next(number for number, row in enumerate(TABLE, 1) if row.name == name)
