"""Every broken promise of a simulator is named with its field and world."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from tenure.core import Finding, Step, Verdict
from tenure.core.arrays import Floats, Ints
from tenure.simulators import check_simulator
from tenure.simulators.check import verdict_of

from .broken import (
    Crowd,
    CrowdedSignal,
    CrowdedState,
    CrowdedView,
    EndsAtTheLimit,
    Float64Observation,
    GlobalChance,
    HardIsBroken,
    HiddenChance,
    IntegerEnd,
    IntegerMask,
    IntegerSignal,
    MissingSignal,
    Mutating,
    MutatingView,
    NanObservation,
    NanSignal,
    NarrowMask,
    NoActionLeft,
    NoisyCrowd,
    NoisyShare,
    NoisySound,
    NoNormal,
    OwnChance,
    PythonChance,
    Raising,
    Remembering,
    ScalarEnd,
    ShortObservation,
    Shrinking,
    SignalShape,
    Sound,
    UndeclaredSignal,
    WideObservation,
    WideSignal,
    with_signals,
)
from .worlds import Line, LineWalk, Shop, WalledWalk, line_problem, shop_problem

GATES = [
    "runs", "same_seed", "observation", "mask", "signals", "terminated", "time_limit", "state_unchanged",
    "state_complete", "worlds_apart", "chance", "batch_equals_singles",
]  # fmt: skip


def by_gate(simulator: Any, **settings: Any) -> dict[str, Finding]:
    return {finding.gate: finding for finding in check_simulator(line_problem(), simulator, **settings)}


BREAKS = [
    (NanSignal, "signals", "signal 'moved' is nan in world 3, not within 0 to 1 at step 0"),
    (UndeclaredSignal, "signals", "signal 'mood' at step 0 is not declared"),
    (MissingSignal, "signals", "signal 'place' at step 0 is missing"),
    (WideSignal, "signals", "signal 'moved' is 1.5 in world 2, not within 0 to 1 at step 0"),
    (IntegerSignal, "signals", "signal 'moved' is int64 (8,), not float64 (8,) at step 0"),
    (SignalShape, "signals", "signal 'moved' is float64 (8, 1), not float64 (8,) at step 0"),
    (IntegerEnd, "terminated", "'terminated' at step 0 is int64 (8,), not bool (8,)"),
    (ScalarEnd, "terminated", "'terminated' at step 0 is bool, not an array"),
    (Float64Observation, "observation", "the observation at step 0 is float64 (8, 2), not float32 (8, 2)"),
    (ShortObservation, "observation", "the observation at step 0 is float32 (8, 1), not float32 (8, 2)"),
    (WideObservation, "observation", "feature 'position' at step 0: is 10.0 in world 1, not within -9 to 9"),
    (NanObservation, "observation", "feature 'walked' at step 0: is nan in world 7, not within 0 to 99"),
    (
        Mutating,
        "state_unchanged",
        "the state given at step 0 was changed in place: field 'walked' of world 5 is 0 and 7",
    ),
    (MutatingView, "state_unchanged", "field 'walked' of world 4 is 0 and 1"),
    (GlobalChance, "chance", "NumPy's global generator was used"),
    (OwnChance, "same_seed", "two runs of one seed differ at step 0: "),
    (Crowd, "batch_equals_singles", "a batch and its worlds alone differ at step 0: "),
    (CrowdedSignal, "batch_equals_singles", "differ at step 0: 'moved' of world 0 is 0.125 and 1.0"),
    (CrowdedState, "batch_equals_singles", "differ at step 0: 'walked' of world 0 is 2 and 1"),
    (HiddenChance, "same_seed", "two runs of one seed differ at step 1: 'walked' of world 0 is "),
    (CrowdedView, "batch_equals_singles", "'observation' of world "),
    (Shrinking, "runs", "ProjectError at step 0: expected 8 worlds, as in 'position'; found 7 worlds; in Line.walked"),
    (Raising, "runs", "ZeroDivisionError at step 0: nothing to share"),
    (NoActionLeft, "runs", "found none in world 0"),
    (NoActionLeft, "mask", "the mask at step 0 allows nothing in world 0; to do: leave every world at least one"),
    (IntegerMask, "mask", "the mask at step 0 is int8 (8, 3), not bool (8, 3); to do: end with .astype(np.bool_)"),
    (NarrowMask, "mask", "is bool (8, 2), not bool (8, 3); to do: give one row per world and one column per action"),
    (PythonChance, "chance", "Python's global generator was used; to do: draw from the rng given"),
    (Remembering, "state_complete", "stepped again later, goes another way: 'moved' of world 0 is "),
    (
        EndsAtTheLimit,
        "time_limit",
        "in all 8 worlds that took step 5, the last of the problem's horizon, and no feature",
    ),
    (Crowd, "worlds_apart", "when the others became like world 0 at step 0, that one changed: "),
    (CrowdedView, "worlds_apart", "that one changed: 'observation' of world "),
    (NoisyCrowd, "worlds_apart", "acted differently at step 0, another world changed: 'moved' of world 1 is "),
    (NoisyCrowd, "batch_equals_singles", "a batch and its worlds alone differ at step 0: 'moved' of world "),
    (NoisyShare, "batch_equals_singles", "a batch and its worlds alone differ at step 0: 'moved' of world 0 is "),
    (HardIsBroken, "observation", "level 'hard': feature 'position' at step 0: is 20.0 in world 0, not within -9 to 9"),
    (NoNormal, "runs", "the levels are ['hard']; to do: add one called 'normal'"),
    (Float64Observation, "observation", "; to do: end with .astype(np.float32)"),
    (NanObservation, "observation", "; to do: look for a division by 0"),
    (WideSignal, "signals", "; to do: mend it where it is made, or widen its bounds"),
    (Mutating, "state_unchanged", "; to do: copy before writing"),
    (Raising, "runs", "nothing to share (broken.py:"),
]


@pytest.mark.parametrize(("broken", "gate", "words"), BREAKS, ids=[f"{row[0].__name__}-{row[1]}" for row in BREAKS])
def test_a_broken_promise_is_named(broken: type[LineWalk], gate: str, words: str) -> None:
    finding = by_gate(broken())[gate]
    assert finding.verdict is Verdict.FAIL
    assert words in finding.reason


@pytest.mark.parametrize(
    ("broken", "gate"), [(row[0], row[1]) for row in BREAKS if row[1] in {"signals", "chance"}][:-1]
)
def test_one_broken_promise_does_not_hide_that_the_others_were_kept(broken: type[LineWalk], gate: str) -> None:
    verdicts = {name: finding.verdict for name, finding in by_gate(broken()).items()}
    assert verdicts["state_unchanged"] is verdicts["observation"] is verdicts["terminated"] is Verdict.PASS


@pytest.mark.parametrize("simulator", [Sound(), WalledWalk()])
def test_a_sound_deterministic_world_passes_every_gate(simulator: LineWalk) -> None:
    findings = check_simulator(line_problem(), simulator, steps=9)
    assert [finding.gate for finding in findings] == GATES
    assert {finding.verdict for finding in findings} == {Verdict.PASS}


def test_worlds_that_end_start_again_in_the_walk() -> None:
    class Restless(Sound):
        def spoil(self, step: Step) -> Step:
            step = super().spoil(step)
            return Step(step.state, step.signals, step.state.walked >= 3)

        def observe(self, state: Line) -> Floats:
            assert (state.walked < 3).all()
            return super().observe(state)

    frames = by_gate(Restless(), steps=20)
    assert frames["runs"].verdict is Verdict.PASS


@pytest.mark.parametrize(("problem", "simulator"), [(shop_problem(), Shop()), (line_problem(), NoisySound())])
def test_a_sound_world_that_draws_chance_passes_every_gate(problem: Any, simulator: Any) -> None:
    assert {finding.verdict for finding in check_simulator(problem, simulator)} == {Verdict.PASS}


class Shuffling(NoisySound):
    """Gives the worlds numbers out of one hat: sound, but no world can be looked at alone."""

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        return with_signals(super().step(state, action, rng), moved=rng.permutation(len(action)) / len(action))


class OwnGenerator(NoisySound):
    """Draws a seed, and everything else from a generator of its own."""

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        own = np.random.default_rng(rng.integers(2**63))
        return with_signals(super().step(state, action, rng), moved=own.random(len(action)))


@pytest.mark.parametrize("simulator", [Shuffling(), OwnGenerator()])
def test_chance_that_cannot_be_made_alike_leaves_one_gate_open_and_the_whole_passes(simulator: Any) -> None:
    findings = check_simulator(line_problem(), simulator)
    open_gates = {finding.gate: finding.reason for finding in findings if finding.verdict is not Verdict.PASS}
    assert open_gates == {"batch_equals_singles": "the chance it draws cannot be made the same for every world"}
    assert verdict_of(findings) is Verdict.PASS


def test_an_open_gate_counts_where_worlds_were_not_shown_to_be_apart() -> None:
    findings = [Finding("runs", Verdict.PASS, ""), Finding("batch_equals_singles", Verdict.INCONCLUSIVE, "")]
    assert verdict_of([*findings, Finding("worlds_apart", Verdict.INCONCLUSIVE, "")]) is Verdict.INCONCLUSIVE
    assert verdict_of([*findings, Finding("worlds_apart", Verdict.PASS, "")]) is Verdict.PASS
    assert verdict_of([*findings, Finding("worlds_apart", Verdict.FAIL, "")]) is Verdict.FAIL
    assert verdict_of(findings) is Verdict.INCONCLUSIVE


class Rejecting(NoisySound):
    """Draws until it likes the number; two that are the same it never likes."""

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        moved, again = rng.random(len(action)), rng.random(len(action))
        while (moved == again).all():
            again = rng.random(len(action))
        return with_signals(super().step(state, action, rng), moved=again)


class DrawsForSome(NoisySound):
    """Draws once more where a world stands on the right, so that a batch draws more often than a world alone."""

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        right = state.position > 1
        moved = rng.random(len(action))
        if right.any():
            moved[right] = rng.random(right.sum()) / 2
        return with_signals(super().step(state, action, rng), moved=np.minimum(moved, rng.random(len(action))))


@pytest.mark.parametrize("simulator", [Rejecting(), DrawsForSome()])
def test_however_often_it_draws_a_sound_world_passes(simulator: Any) -> None:
    assert by_gate(simulator, steps=20)["batch_equals_singles"].verdict is Verdict.PASS


def test_an_end_at_the_horizon_that_a_feature_tells_is_the_worlds_own() -> None:
    class Deadline(EndsAtTheLimit):
        def observe(self, state: Line) -> Floats:
            return Sound.observe(self, state)

    finding = by_gate(Deadline())["time_limit"]
    assert finding.verdict is Verdict.PASS
    assert finding.reason == "worlds end at step 5, the problem's horizon, and the feature 'walked' tells when"


def test_one_world_has_nobody_to_disturb() -> None:
    assert by_gate(Sound(), n=1)["worlds_apart"].verdict is Verdict.INCONCLUSIVE


def test_only_the_levels_asked_for_are_checked() -> None:
    assert {each.verdict for each in check_simulator(line_problem(), HardIsBroken(), levels=["easy"])} == {Verdict.PASS}


def test_a_world_alone_may_differ_by_rounding() -> None:
    @dataclass(frozen=True)
    class Level:
        height: Floats

    class Rounded(Sound):
        def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Any:
            return Level(rng.random(n))

        def observe(self, state: Any) -> Floats:
            return np.stack([state.height, state.height], axis=1).astype(np.float32)

        def step(self, state: Any, action: Ints, rng: np.random.Generator) -> Step:
            height = state.height * (1 + 1e-12 * len(action))
            return Step(Level(height), {"place": height, "moved": height}, np.zeros(len(action), dtype=bool))

    assert by_gate(Rounded())["batch_equals_singles"].verdict is Verdict.PASS


def test_a_state_changed_in_place_is_not_held_against_the_other_gates() -> None:
    @dataclass(frozen=True)
    class Shown:
        seen: Floats

    class Displayed(Sound):
        def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Any:
            return Shown(np.zeros((n, 2), dtype=np.float32))

        def observe(self, state: Any) -> Floats:
            seen: Floats = state.seen
            return seen

        def step(self, state: Any, action: Ints, rng: np.random.Generator) -> Step:
            after = Shown((state.seen + 1) % 9)
            state.seen[:] = -5
            signals = {"place": after.seen[:, 0].astype(float), "moved": np.ones(len(action))}
            return Step(after, signals, np.zeros(len(action), dtype=bool))

    verdicts = {gate: finding.verdict for gate, finding in by_gate(Displayed()).items()}
    assert verdicts.pop("state_unchanged") is Verdict.FAIL
    assert set(verdicts.values()) == {Verdict.PASS}


def test_a_bound_is_rounded_as_the_observation_was() -> None:
    class Tenth(Sound):
        def observe(self, state: Line) -> Floats:
            return np.full((len(state.walked), 2), 0.1, dtype=np.float32)

    base = line_problem()
    features = tuple(replace(feature, low=-0.1, high=0.1) for feature in base.observation)
    findings = check_simulator(replace(base, observation=features), Tenth())
    assert {finding.gate: finding.verdict for finding in findings}["observation"] is Verdict.PASS


def test_without_a_single_step_nothing_passes() -> None:
    verdicts = {finding.verdict for finding in check_simulator(line_problem(), Sound(), steps=0)[1:]}
    assert verdicts == {Verdict.INCONCLUSIVE}
    assert Verdict.PASS not in {finding.verdict for finding in by_gate(Raising()).values()}


def test_the_check_leaves_the_global_generator_as_it_found_it() -> None:
    before: Any = np.random.get_state()
    check_simulator(line_problem(), GlobalChance())
    after: Any = np.random.get_state()
    assert np.array_equal(before[1], after[1])
    assert before[2] == after[2]


def test_two_runs_of_one_seed_that_break_differently_are_told() -> None:
    class Tiring(Sound):
        calls = 0

        def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
            self.calls += 1
            if self.calls == 20:
                raise RuntimeError("tired")
            return super().step(state, action, rng)

    finding = by_gate(Tiring(), steps=15)["same_seed"]
    ended = "two runs of one seed ended differently: '' and 'RuntimeError at step 4: tired (test_check.py:"
    assert finding.reason.startswith(ended)


def test_fewer_worlds_than_asked_for_are_told() -> None:
    class Few(Sound):
        def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Line:
            return super().reset(n - 1, rng, level)

    assert "expected 8 worlds; found 7; in Line" in by_gate(Few())["runs"].reason


def test_a_simulator_that_ends_the_process_fails_its_check() -> None:
    class Leaving(LineWalk):
        def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
            raise SystemExit(0)

    found = {one.gate: one for one in check_simulator(line_problem(), Leaving())}
    assert found["runs"].verdict is Verdict.FAIL
    assert "SystemExit" in found["runs"].reason
