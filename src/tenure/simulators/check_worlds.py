"""Contract tests between worlds: nothing is shared, nothing is remembered outside the state, a batch is its worlds."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.simulator import State, Step
from tenure.core.spaces import Discrete
from tenure.simulators.actions import allowed_actions, nearest_allowed
from tenure.simulators.alike import Alike, Endless
from tenure.simulators.batch import Fields, fields_of, take
from tenure.simulators.check_case import Answer, Break, Case, Undecided, chance_of, restored, results, rows, spaced
from tenure.simulators.walk import Frame, difference

LOOKS = 12
"""Steps of a walk that the costlier tests look at."""

ENDS = 4
"""Steps in which worlds ended that are looked at besides."""

ALONG = "work along the first axis only: look for sums, maxima, sorts, loops and indices that run over the worlds"
INSIDE = "put everything that changes into the state, and keep nothing in the simulator object between calls"
WORDS = "the chance it draws cannot be made the same for every world"


def same_seed(case: Case) -> Answer:
    """Two walks of one seed are equal."""
    fix = "draw all chance from the rng given, and keep nothing between two runs"
    for index, (one, two) in enumerate(zip(case.first.frames, case.again.frames, strict=False)):
        words = difference(one.before, two.before) or difference(_shown(one), _shown(two))
        if words:
            return Break(f"two runs of one seed differ at step {index}: {words}", fix)
    if case.first.broke != case.again.broke:
        found = f"two runs of one seed ended differently: {case.first.broke!r} and {case.again.broke!r}"
        return Break(found, fix)
    return None


def _shown(frame: Frame) -> dict[str, npt.NDArray[Any]]:
    return {"observation": frame.observation, **results(frame.step)}


def state_unchanged(case: Case) -> Answer:
    """Neither observe, mask nor step changes the state it is given."""
    for index, frame in enumerate(case.first.frames):
        words = difference(frame.before, fields_of(frame.state))
        if words:
            found = f"the state given at step {index} was changed in place: field {words}"
            return Break(found, "copy before writing, and build the next state with dataclasses.replace")
    return None


def state_complete(case: Case) -> Answer:
    """A state stepped again later, by the same action and chance, goes the same way."""
    frames = case.first.frames
    for index in reversed(spaced(frames, LOOKS)):
        frame = frames[index]
        state = restored(frame)
        seen = difference({"observation": frame.observation}, {"observation": case.simulator.observe(state)})
        step = case.simulator.step(state, frame.action, chance_of(frame))
        words = seen or difference(_came(frame), {**results(step), **fields_of(step.state)})
        if words:
            return Break(f"the state of step {index}, stepped again later, goes another way: {words}", INSIDE)
    return None


def _came(frame: Frame) -> dict[str, npt.NDArray[Any]]:
    return {**results(frame.step), **frame.after}


def worlds_apart(case: Case) -> Answer:
    """What one world is or does changes no other world."""
    if case.n < 2:
        return Undecided("one world has nobody to disturb; take at least two")
    aligned = False
    for index in spaced(case.first.frames, LOOKS):
        frame, world = case.first.frames[index], index % case.n
        for disturbed in (_one_acts_differently, _all_become_one):
            words, same_draws = disturbed(case, frame, world)
            aligned |= same_draws
            if words:
                return Break(words.format(index), ALONG)
    return None if aligned else Undecided("how much chance is drawn depends on the worlds, so it cannot be compared")


def _one_acts_differently(case: Case, frame: Frame, world: int) -> tuple[str, bool]:
    others = np.flatnonzero(np.arange(case.n) != world)
    words, same_draws = _disturbed(case, frame, restored(frame), _other_action(case, frame, world), others)
    return words and f"when world {world} acted differently at step {{}}, another world changed: {words}", same_draws


def _all_become_one(case: Case, frame: Frame, world: int) -> tuple[str, bool]:
    every = np.full(case.n, world)
    state, action = take(restored(frame), every), frame.action[every]
    words, same_draws = _disturbed(case, frame, state, action, np.array([world]))
    return words and f"when the others became like world {world} at step {{}}, that one changed: {words}", same_draws


def _disturbed(
    case: Case, frame: Frame, state: State, action: npt.NDArray[Any], others: npt.NDArray[Any]
) -> tuple[str, bool]:
    """What changed in the others, in words; whether the same chance was drawn, without which a step says nothing."""
    usual, chance = chance_of(frame), chance_of(frame)
    case.simulator.step(restored(frame), frame.action, usual)
    seen = case.simulator.observe(state).copy()
    step = case.simulator.step(state, action, chance)
    same_draws = usual.bit_generator.state == chance.bit_generator.state
    before, after = {"observation": frame.observation}, {"observation": seen}
    if same_draws:
        before, after = before | _came(frame), after | _fields(step)
    return difference(rows(before, others), rows(after, others), close=True, worlds=others), same_draws


def _other_action(case: Case, frame: Frame, world: int) -> npt.NDArray[Any]:
    action = frame.action.copy()
    space = case.problem.action
    if isinstance(space, Discrete):
        action[world] = (action[world] + 1) % space.size
        return _legal(case, restored(frame), action)
    action[world] = np.array(space.low) + np.array(space.high) - action[world]
    return action


def _legal(case: Case, state: State, action: npt.NDArray[Any]) -> npt.NDArray[Any]:
    allowed = allowed_actions(case.problem, case.simulator, state, case.simulator.observe(state))
    return action if allowed is None else nearest_allowed(action, allowed)


def batch_equals_singles(case: Case) -> Answer:
    """Each world alone goes as it goes in the batch; where chance is drawn, under chance that is alike for all."""
    frames = case.first.frames
    looked = {*spaced(frames, LOOKS), *_first_ends(frames)}
    undecided = ""
    for index, frame in enumerate(frames):
        words = _seen_alone(case, frame)
        if not words and index in looked:
            words, why = _under_alike_chance(case, frame) if frame.drew else (_alone(case, frame, None), "")
            undecided = undecided or why
        if words:
            return Break(f"a batch and its worlds alone differ at step {index}: {words}", ALONG)
    return Undecided(undecided) if undecided else None


def _first_ends(frames: list[Frame]) -> list[int]:
    """The first steps in which a world ended: what is rare is where it goes wrong."""
    return [index for index, frame in enumerate(frames) if np.any(frame.step.terminated)][:ENDS]


def _seen_alone(case: Case, frame: Frame) -> str:
    state = restored(frame)
    seen = [case.simulator.observe(take(state, np.array([world]))) for world in range(case.n)]
    return _compared({"observation": frame.observation}, [{"observation": each} for each in seen])


def _under_alike_chance(case: Case, frame: Frame) -> tuple[str, str]:
    """The difference in words, or why nothing can be said; both empty when there is none."""
    words, undecided = "", False
    for constant in (False, True):
        chance = partial(Alike, case.seed, constant=constant)
        try:
            words = _alone(case, frame, chance)
            if not words:
                return "", ""
            undecided |= _uneven(case, frame, chance)
        except Endless:
            undecided = True
    return ("", WORDS) if undecided else (words, "")


def _alone(case: Case, frame: Frame, chance: Any) -> str:
    state = restored(frame)
    batch = _came(frame) if chance is None else _fields(case.simulator.step(state, frame.action, chance()))
    singles = []
    for world in range(case.n):
        one, rng = np.array([world]), np.random.default_rng(0) if chance is None else chance()
        singles.append(_fields(case.simulator.step(take(restored(frame), one), frame.action[one], rng)))
    return _compared(batch, singles)


def _compared(batch: Fields, singles: list[Fields]) -> str:
    """Where the batch and its worlds alone differ; at once where the shapes fit, which is fast."""
    rank = {name: np.shape(values)[1:] for name, values in batch.items()}
    if all({name: np.shape(values)[1:] for name, values in each.items()} == rank for each in singles):
        return difference(batch, {name: np.concatenate([each[name] for each in singles]) for name in batch}, close=True)
    pairs = ((rows(batch, np.array([world])), each, world) for world, each in enumerate(singles))
    return next((words for one, two, world in pairs if (words := difference(one, two, worlds=[world]))), "")


def _uneven(case: Case, frame: Frame, chance: Any) -> bool:
    """Whether worlds that are equal in everything come out different, or numbers were drawn together."""
    same, rng = np.zeros(case.n, dtype=np.int64), chance()
    came = _fields(case.simulator.step(take(restored(frame), same), frame.action[same], rng))
    first = rows(came, same)
    return bool(rng.joint) or difference(first, came, close=True) != ""


def _fields(step: Step) -> dict[str, npt.NDArray[Any]]:
    return {**results(step), **fields_of(step.state)}
