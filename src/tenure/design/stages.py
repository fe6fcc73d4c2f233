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
    """

    fact: str
    command: str


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
    Row("use case", (), (Step("assessed", "tenure assess {P}"),)),
    Row(
        "environment and reward",
        (),
        (Step("reward_check", "tenure reward check {P}"), Step("reward_audit", "tenure reward audit {P}")),
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
"""One finding per fact of the table: PASS is shown, INCONCLUSIVE not yet, FAIL speaks against going on."""


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
    """

    number: int
    name: str
    verdict: Standing
    shown: str
    blocked_by: tuple[str, ...]
    command: str

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


def next_command(standings: list[StageStanding]) -> str:
    """The command of the first stage that can go on; empty at the end of the road."""
    return next((each.command for each in standings if each.verdict == "open"), "")


def _standing(number: int, row: Row, facts: Facts, done: set[str], typed: Mapping[str, str]) -> StageStanding:
    step = _open_step(row, facts)
    if step is None:
        shown = "; ".join(facts[each.fact].reason for each in row.steps)
        return StageStanding(number, row.name, "done", shown, (), "")
    found = facts[step.fact]
    waits = tuple(f"stage {_number(name)}, {name}, is not done" for name in row.after if name not in done)
    standing: Standing = "blocked" if waits or found.verdict is Verdict.FAIL else "open"
    words = (typed.get(word, word) for word in step.command.split(" "))
    return StageStanding(number, row.name, standing, "", (*waits, found.reason), " ".join(words))


def _open_step(row: Row, facts: Facts) -> Step | None:
    return next((step for step in row.steps if facts[step.fact].verdict is not Verdict.PASS), None)


def _number(name: str) -> int:
    return next(number for number, row in enumerate(TABLE, 1) if row.name == name)
