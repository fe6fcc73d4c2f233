"""Conformance of any simulator with the batch contract, each break named with its field and world, and the fix."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tenure.core.errors import TenureError
from tenure.core.evidence import Finding, Verdict, worst
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator
from tenure.simulators import check_form, check_worlds
from tenure.simulators.check_case import Answer, Break, Case, Kept, Undecided
from tenure.simulators.check_limit import time_limit
from tenure.simulators.walk import global_chance_kept, raised_at, walk

FORM = ("runs", "observation", "mask", "signals", "terminated")
"""Promises of form: without them the others can hardly be looked at."""
SINGLES, APART = "batch_equals_singles", "worlds_apart"


def check_simulator(
    problem: Problem,
    simulator: Simulator,
    n: int = 8,
    steps: int = 50,
    seed: int = 0,
    levels: Sequence[str] | None = None,
) -> list[Finding]:
    """Walk n worlds with random allowed actions, twice, and test every promise of the contract on the record.

    Args:
        problem: declares features, signals and actions with their bounds.
        simulator: what to check.
        n: worlds side by side.
        steps: steps of the walk; a world that ends starts again.
        seed: of all chance of the check.
        levels: parameter sets to check; default all.

    Returns:
        One finding per promise, in the order of the tables of docs/simulators.md; of several levels the first that
        breaks it is told. Without a single step nothing passes.
    """
    known = list(simulator.levels)
    if "normal" not in known:
        found = f"the levels are {known}; to do: add one called 'normal'"
        return [Finding("runs", Verdict.FAIL, found)]
    chosen = known if levels is None else list(levels)
    by_level = [_level(problem, simulator, n, steps, seed, level) for level in chosen]
    return [_first(each, chosen) for each in zip(*by_level, strict=True)]


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """What the findings come to.

    Where a simulator draws chance in a way that no check can make equal for every world, `batch_equals_singles` stays
    inconclusive for ever; it is left out of the count when no world changed with another (`worlds_apart` passed).
    """
    apart = any(each.gate == APART and each.verdict is Verdict.PASS for each in findings)
    return worst(
        each.verdict
        for each in findings
        if not (apart and each.gate == SINGLES and each.verdict is Verdict.INCONCLUSIVE)
    )


def _level(problem: Problem, simulator: Simulator, n: int, steps: int, seed: int, level: str) -> list[Finding]:
    found: list[Finding] = []
    with global_chance_kept():
        first, again = (walk(problem, simulator, n, steps, seed, level) for _ in range(2))
        case = Case(problem, simulator, level, n, seed, first, again)
        for gate, test, kept in _GATES:
            broken = next((each.gate for each in found if each.gate in FORM and each.verdict is Verdict.FAIL), "")
            found.append(_judge(case, gate, _unless(broken, test), kept))
    return found


def _unless(broken: str, test: Callable[[Case], Answer]) -> Callable[[Case], Answer]:
    """The test; what it stumbles over where a promise of form is broken already says nothing of its own."""

    def tried(case: Case) -> Answer:
        try:
            return test(case)
        except (Exception, SystemExit) as error:  # a simulator that ends the process must not end its check with 0
            if broken:
                return Undecided(f"cannot be looked at before {broken!r} is mended")
            if isinstance(error, TenureError):
                return Break(f"expected {error.expected}; found {error.found}; in {error.where}", error.fix)
            raised = f"{type(error).__name__}: {error}{raised_at(error)}"
            return Break(f"the simulator raised {raised}", "mend what raised it")

    return tried


def _judge(case: Case, gate: str, test: Callable[[Case], Answer], kept: str) -> Finding:
    answer = test(case)
    if isinstance(answer, Break):
        return Finding(gate, Verdict.FAIL, f"{answer.found}; to do: {answer.fix}")
    if not case.first.frames and gate != "runs":
        return Finding(gate, Verdict.INCONCLUSIVE, "not one step could be taken")
    if isinstance(answer, Undecided):
        return Finding(gate, Verdict.INCONCLUSIVE, answer.why)
    return Finding(gate, Verdict.PASS, answer.words if isinstance(answer, Kept) else kept)


def _first(findings: Sequence[Finding], levels: Sequence[str]) -> Finding:
    """The worst of one promise over the levels, the first of equals, with the level's name unless it is `normal`."""
    level, found = max(zip(levels, findings, strict=True), key=lambda pair: pair[1].verdict)
    if found.verdict is Verdict.PASS or level == "normal":
        return found
    return Finding(found.gate, found.verdict, f"level {level!r}: {found.reason}")


def _runs(case: Case) -> Answer:
    if case.first.broke:
        return Break(case.first.broke, case.first.fix or "mend what raised it")
    return Kept(f"{len(case.first.frames)} steps of {case.n} worlds went through")


def _chance(case: Case) -> Answer:
    # Of the second walk: libraries loaded on first use may draw once while they start.
    if not case.again.global_chance:
        return None
    used = " and ".join(case.again.global_chance)
    return Break(f"{used} global generator was used", "draw from the rng given")


_GATES: tuple[tuple[str, Callable[[Case], Answer], str], ...] = (
    ("runs", _runs, ""),
    ("same_seed", check_worlds.same_seed, "two runs of one seed are equal"),
    ("observation", check_form.observations, "float32 [n, features], finite and within the features' bounds"),
    ("mask", check_form.mask, "leaves every world at least one action"),
    ("signals", check_form.signals, "exactly those declared, float64 [n], finite and within their bounds"),
    ("terminated", check_form.terminated, "bool [n]"),
    ("time_limit", time_limit, ""),
    ("state_unchanged", check_worlds.state_unchanged, "neither observe, mask nor step changes the state it is given"),
    ("state_complete", check_worlds.state_complete, "a state stepped again later goes the same way"),
    (APART, check_worlds.worlds_apart, "what one world is or does changes no other"),
    ("chance", _chance, "NumPy's and Python's global generators are not touched"),
    (SINGLES, check_worlds.batch_equals_singles, "each world alone goes as it goes in the batch"),
)
