"""What `tenure sim check` runs: the contract's promises on a project's simulator or a Gymnasium environment."""

from __future__ import annotations

import os
import sys

from tenure.cli.output import Output
from tenure.core.errors import RequestError
from tenure.core.evidence import Verdict
from tenure.core.problem import Problem
from tenure.core.project import Project, load_project
from tenure.core.simulator import Simulator


def run_sim_check(output: Output, project: str | None, env: str | None, worlds: int, steps: int, seed: int) -> int:
    """Check, tell every promise, and give the exit code."""
    from tenure.simulators.check import check_simulator, verdict_of

    problem, simulator = subject(project, env)
    worlds = _room(output, simulator, worlds)
    findings = check_simulator(problem, simulator, worlds, steps, seed)
    verdict, levels = verdict_of(findings), list(simulator.levels)
    output.table(("promise", "verdict", "what was found"), [(e.gate, e.verdict.word, e.reason) for e in findings])
    walked = f"{worlds} worlds, {steps} steps, seed {seed}, at {_listed(levels)}"
    output.say(f"\n{verdict.word}: simulator {simulator.version} of {problem.name}; {walked}.")
    if verdict is Verdict.PASS and any(each.verdict is Verdict.INCONCLUSIVE for each in findings):
        output.say("What is inconclusive no check can settle for this simulator; its worlds were shown to be apart.")
    output.result(
        {
            "verdict": verdict.word,
            "findings": [each.as_dict() for each in findings],
            "problem": problem.name,
            "simulator_version": simulator.version,
            "levels": levels,
            "incidents": tell_incidents(output, simulator),
        }
    )
    return verdict.exit_code


def subject(project: str | None, env: str | None) -> tuple[Problem, Simulator]:
    """The problem and simulator of a project, or of a registered Gymnasium environment.

    Raises:
        RequestError: both, or neither.
        ProjectError: no such project or environment.
    """
    if (project is None) == (env is None):
        found = "neither" if project is None else "both"
        fix = "give one: tenure sim check bikes, or tenure sim check --env CartPole-v1"
        raise RequestError(expected="a project or an environment", found=found, where="the command line", fix=fix)
    if env is not None:
        from tenure.simulators.gymnasium_problem import problem_of
        from tenure.simulators.gymnasium_world import GymnasiumSimulator

        _look_here()
        world = GymnasiumSimulator(env)
        return problem_of(world), world
    loaded = load_project(project or "")
    return loaded.problem, sound_parts(loaded)


def sound_parts(project: Project) -> Simulator:
    """The project's simulator, once it has every part of one.

    Raises:
        ProjectError: a part is missing.
    """
    from tenure.simulators.check_parts import require_parts

    require_parts(project.simulator, place_of(project))
    return project.simulator


def place_of(project: Project) -> str:
    """Where its simulator is written, for messages."""
    return str(project.folder / "simulator.py")


def _room(output: Output, simulator: Simulator, wanted: int) -> int:
    """Worlds to check side by side; told where there is room for fewer than asked for."""
    from tenure.simulators.room import room_for

    given = room_for(simulator, wanted)
    if given < wanted:
        output.say(f"The simulator can hold {given} worlds at once; {given} are checked, not {wanted}.")
    return given


def _look_here() -> None:
    """Let modules of the current folder be found, as `python -m` does; an installed command does not look there."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


def tell_incidents(output: Output, simulator: Simulator) -> dict[str, int]:
    """What a bridge mended on the way; told when there was any."""
    from tenure.simulators.incidents import incidents_of, sentence_of

    counted = incidents_of(simulator)
    if sentence := sentence_of(counted):
        output.say(f"{sentence}.")
    return counted


def _listed(levels: list[str]) -> str:
    return f"the level {levels[0]}" if len(levels) == 1 else f"the levels {', '.join(levels)}"
