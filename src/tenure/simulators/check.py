"""Conformance of any simulator with the batch contract, each break named with its field and world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.evidence import Finding, Verdict
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator, Step
from tenure.simulators.batch import fields_of, take, with_fields
from tenure.simulators.walk import Frame, Walk, difference, global_chance_kept, walk


@dataclass(frozen=True)
class _Case:
    problem: Problem
    simulator: Simulator
    n: int
    first: Walk
    again: Walk


def check_simulator(
    problem: Problem, simulator: Simulator, n: int = 8, steps: int = 50, seed: int = 0
) -> list[Finding]:
    """Walk n worlds with random allowed actions, twice, and test every promise of the contract on the record.

    Args:
        problem: declares features, signals and actions with their bounds.
        simulator: what to check.
        n: worlds side by side.
        steps: steps of the walk; a world that ends starts again.
        seed: of all chance of the check.

    Returns:
        One finding per promise: `runs`, `same_seed`, `batch_equals_singles`, `observation`, `signals`,
        `terminated`, `state_unchanged`, `chance`. Without a single step nothing passes; where the dynamics
        draw chance, singles are compared in what they show only and the finding is inconclusive.
    """
    with global_chance_kept():
        first, again = (walk(problem, simulator, n, steps, seed) for _ in range(2))
        case = _Case(problem, simulator, n, first, again)
        runs = _finding("runs", first.broke, f"{steps} steps of {n} worlds went through")
        return [runs, *(_judge(case, gate, test, kept) for gate, test, kept in _GATES), _singles_finding(case)]


def _judge(case: _Case, gate: str, test: Callable[[_Case], str], kept: str) -> Finding:
    broken = test(case)
    if not broken and not case.first.frames:
        return Finding(gate, Verdict.INCONCLUSIVE, "not one step could be taken")
    return _finding(gate, broken, kept)


def _finding(gate: str, broken: str, kept: str) -> Finding:
    return Finding(gate, Verdict.FAIL, broken) if broken else Finding(gate, Verdict.PASS, kept)


def _same_seed(case: _Case) -> str:
    for index, (one, two) in enumerate(zip(case.first.frames, case.again.frames, strict=False)):
        words = difference(one.before, two.before) or difference(_shown(one), _shown(two))
        if words:
            return f"two runs of one seed differ at step {index}: {words}"
    if case.first.broke != case.again.broke:
        return f"two runs of one seed ended differently: {case.first.broke!r} and {case.again.broke!r}"
    return ""


def _shown(frame: Frame) -> dict[str, npt.NDArray[Any]]:
    return {"observation": frame.observation, **_results(frame.step)}


def _observations(case: _Case) -> str:
    features = case.problem.observation
    for index, seen in enumerate(case.first.observations):
        words = _form(seen, (case.n, len(features)), np.dtype(np.float32))
        if words:
            return f"the observation at step {index} {words}"
        for column, feature in enumerate(features):
            words = _outside(seen[:, column], feature.low, feature.high)
            if words:
                return f"feature {feature.name!r} at step {index}: {words}"
    return ""


def _signals(case: _Case) -> str:
    declared = case.problem.signal_names
    for index, frame in enumerate(case.first.frames):
        signals = frame.step.signals
        for what, names in (("not declared", signals.keys() - declared), ("missing", declared - signals.keys())):
            if names:
                return f"signal {min(names)!r} at step {index} is {what}"
        words = _signal_values(case, signals)
        if words:
            return f"{words} at step {index}"
    return ""


def _signal_values(case: _Case, signals: Mapping[str, npt.NDArray[Any]]) -> str:
    for signal in case.problem.signals:
        values = signals[signal.name]
        words = _form(values, (case.n,), np.dtype(np.float64)) or _outside(values, signal.low, signal.high)
        if words:
            return f"signal {signal.name!r} {words}"
    return ""


def _terminated(case: _Case) -> str:
    for index, frame in enumerate(case.first.frames):
        words = _form(frame.step.terminated, (case.n,), np.dtype(np.bool_))
        if words:
            return f"'terminated' at step {index} {words}"
    return ""


def _state_unchanged(case: _Case) -> str:
    for index, frame in enumerate(case.first.frames):
        words = difference(frame.before, fields_of(frame.state))
        if words:
            return f"the state given at step {index} was changed in place: field {words}"
    return ""


def _chance(case: _Case) -> str:
    return "NumPy's global generator was used; draw from the rng given" if case.first.global_chance else ""


_GATES: tuple[tuple[str, Callable[[_Case], str], str], ...] = (
    ("same_seed", _same_seed, "two runs of one seed are equal"),
    ("observation", _observations, "float32 [n, features], finite and within the features' bounds"),
    ("signals", _signals, "exactly those declared, float64 [n], finite and within their bounds"),
    ("terminated", _terminated, "bool [n]"),
    ("state_unchanged", _state_unchanged, "neither observe nor step changes the state it is given"),
    ("chance", _chance, "NumPy's global generator is not touched"),
)


def _singles_finding(case: _Case) -> Finding:
    gate, frames = "batch_equals_singles", case.first.frames
    try:
        broken = next((words for words in map(_singles(case), range(len(frames))) if words), "")
    except Exception as error:
        broken = f"a world alone raised {type(error).__name__}: {error}"
    drew = any(frame.drew for frame in frames)
    if not broken and (drew or not frames):
        why = "the dynamics draw chance, so only what is seen was compared" if drew else "not one step could be taken"
        return Finding(gate, Verdict.INCONCLUSIVE, why)
    return _finding(gate, broken, "each world alone goes as it goes in the batch")


def _singles(case: _Case) -> Callable[[int], str]:
    def compare(index: int) -> str:
        frame = case.first.frames[index]
        for world in range(case.n):
            words = _single(case.simulator, frame, world)
            if words:
                return f"a batch and its worlds alone differ at step {index}: {words}"
        return ""

    return compare


def _single(simulator: Simulator, frame: Frame, world: int) -> str:
    # From the copy, because a broken simulator may have changed the state since.
    one = np.array([world])
    alone = take(with_fields(frame.state, frame.before), one)
    differ = partial(difference, close=True, first=world)
    seen = differ({"observation": frame.observation[one]}, {"observation": simulator.observe(alone)})
    if seen or frame.drew:
        return seen
    step = simulator.step(alone, frame.action[one], np.random.default_rng(0))
    batch = {name: values[one] for name, values in _results(frame.step).items()}
    after = {name: values[one] for name, values in frame.after.items()}
    return differ(batch, _results(step)) or differ(after, fields_of(step.state))


def _results(step: Step) -> dict[str, npt.NDArray[Any]]:
    return {**step.signals, "terminated": step.terminated}


def _form(values: object, shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    if not isinstance(values, np.ndarray):
        return f"is {type(values).__name__}, not an array"
    if values.shape != shape or values.dtype != dtype:
        return f"is {values.dtype} {values.shape}, not {dtype} {shape}"
    return ""


def _outside(values: npt.NDArray[Any], low: float, high: float) -> str:
    # NumPy rounds the bounds to the array's own precision, so a float32 0.1 is not above a bound of 0.1.
    wrong = ~np.isfinite(values) | (values < low) | (values > high)
    if not wrong.any():
        return ""
    world = int(wrong.argmax())
    return f"is {values[world]} in world {world}, not within {low:g} to {high:g}"
