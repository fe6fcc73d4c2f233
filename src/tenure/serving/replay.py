"""One decision of the log decided again from log and bundle alone, to the bit; and its reason in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import msgspec
import numpy as np

from tenure.core.decision import Arm, Decision
from tenure.core.errors import TenureError
from tenure.core.policy import ROUNDING, Policy
from tenure.core.problem import Problem
from tenure.core.spaces import Action, Box, Discrete
from tenure.rollout.assignment import draw
from tenure.rollout.settings import Settings
from tenure.rollout.stages import fold
from tenure.serving.asking import Asked, Humans, Situation, Steady
from tenure.serving.choice import Choice
from tenure.serving.choose import Chooser, Loader
from tenure.serving.deadline import Deadline
from tenure.serving.observation import Reader
from tenure.serving.wire import DecisionRequest, Named
from tenure.store import Control, Event

PATIENCE_S = 60.0
"""A replay has all the time it needs."""

_DENSITY_OFF = 0.01
"""Most by which that rounding moves a density, as a share of it."""

REASONS = {
    "candidate": "the unit lies in the candidate's share of the traffic, and the candidate answered",
    "control": "the unit lies outside the candidate's share of the traffic, so the incumbent answered",
    "none": "no rollout had begun, so the incumbent answered",
    "shadow": "the candidate was in shadow: it proposed, the incumbent answered",
    "rolled_back": "the candidate was rolled back, so the incumbent answered",
    "killed": "the learned policy had been killed, so the incumbent's action stands",
    "breaker": "a breaker was open, so the incumbent answered",
    "lease": "the server had not seen the log for too long to trust the candidate, so the incumbent answered",
    "stop_file": "a stop file or $TENURE_STOP was set, so the incumbent answered",
    "log_unavailable": "the log could not be read or written, so the incumbent answered",
    "bundle_error": "the candidate's bundle could not be loaded, so the incumbent answered",
    "policy_error": "the candidate failed, so the incumbent answered",
    "illegal_action": "the candidate proposed what is not allowed, so the incumbent answered",
    "deadline": "the candidate took too long, so the incumbent answered",
    "pending": "a rule asks for a person here: the incumbent answered at once, and the candidate's proposal waits",
    "approved": "a person approved the candidate's proposal",
    "expired": "the answer came too late to be acted on, so the incumbent's action stands",
    "unreachable": "the caller could not reach the server and took its own action",
    "refused": "the server refused the caller, who took its own action",
    "deferred": "the caller had not yet said that the action was shown",
    "activated": "the caller said afterwards that the action was shown",
    "observed": "logged by `observe` around the function that decides today",
}
"""The log's words for why an arm answered."""


@dataclass(frozen=True)
class Replayed:
    """What deciding again gave.

    Args:
        same: action, propensity and density are the logged ones; None where it cannot be decided again.
        told: one sentence.
        action: what it gave.
        propensity: its probability; None of a vector that was drawn, which has a density.
        exploration: the rate of exploration under which the logged propensity comes about.
        arm_draw: the unit's number in the traffic split, in [0, 1); below the share it is the candidate's.
        exploration_draw: the decision's number; below the rate of exploration the action is drawn uniformly.
    """

    same: bool | None
    told: str
    action: Action | None
    propensity: float | None
    exploration: float | None
    arm_draw: float
    exploration_draw: float

    def as_dict(self) -> dict[str, Any]:
        """Plain fields."""
        return asdict(self)


def control_at(now: Control, events: Iterable[Event], sequence: int) -> Control:
    """The head row as it was when a decision was written."""
    state = fold(event for event in events if event.sequence < sequence)
    return Control(
        problem=now.problem,
        sequence=sequence,
        kill_epoch=now.kill_epoch,
        killed=state.killed,
        stage=state.stage.value,
        share=state.share,
        version=state.version,
        paused=state.paused,
        salt=now.salt,
        changed_at=state.since,
        cap=state.circuit.cap,
        exploration=state.exploration,
    )


class Replay:
    """Decides logged decisions of one problem again.

    Args:
        problem: what was decided.
        incumbent: its rule.
        load: from a version to its policy.
        settings: of tenure.toml, for exploration and the rules that ask for a person.
        humans: those rules.
    """

    def __init__(
        self, problem: Problem, incumbent: Policy, load: Loader, settings: Settings, humans: Humans | None
    ) -> None:
        self.reader, self._incumbent, self._load = Reader(problem), incumbent, load
        self._settings, self._humans = settings, humans

    def again(self, row: Decision, control: Control) -> Replayed:
        """Decide a row, as it was written first, under the head it was written under."""
        draws = draw(control.salt, "arm", row.unit_id), draw(control.salt, "explore", row.decision_id)
        if row.arm in (Arm.FALLBACK, Arm.HUMAN):
            told = f"arm {row.arm}, reason {row.reason}: what made it so is outside log and bundle"
            return Replayed(None, told, None, None, None, *draws)
        if not row.observation or row.problem_version != self.reader.problem.version:
            told = "its features were erased" if not row.observation else "the problem has changed since"
            return Replayed(None, f"{told}, so it cannot be decided again", None, None, None, *draws)
        return self._compared(row, control, draws)

    def _compared(self, row: Decision, control: Control, draws: tuple[float, float]) -> Replayed:
        asked = self._asked(row)
        choice, rate = None, None
        for rate in self._rates(control):
            try:
                (choice,) = self._chooser(control.salt, rate).choose(Situation(asked, control, row.decided_at))
            except TenureError as error:
                return Replayed(None, f"it cannot be decided again: {error}", None, None, None, *draws)
            if _same(self.reader.space, row, choice):
                told = f"decided again from log and bundle: action, arm and propensity are equal {self._how_far}"
                return Replayed(True, told, choice.action, choice.propensity, rate, *draws)
        assert choice is not None
        if choice.arm is Arm.FALLBACK and row.arm is not Arm.FALLBACK:
            told = f"the candidate cannot be asked again ({choice.reason})"
            return Replayed(None, told, None, None, None, *draws)
        told = f"deciding again gives action {choice.action} of arm {choice.arm} with propensity {choice.propensity}"
        return Replayed(False, told, choice.action, choice.propensity, rate, *draws)

    @property
    def _how_far(self) -> str:
        return "to rounding" if isinstance(self.reader.space, Box) else "to the bit"

    def _asked(self, row: Decision) -> Asked:
        observation = np.frombuffer(row.observation, dtype=np.float32)[None]
        allowed = None if row.mask is None else np.frombuffer(row.mask, dtype=bool)[None]
        return Asked([self._request(row)], observation, allowed)

    def _request(self, row: Decision) -> DecisionRequest:
        """The request; the action its caller named is not in the log, but the hash of the whole request is."""
        plain = DecisionRequest(row.unit_id, dict(row.context), row.decision_id, row.episode_id, row.step)
        for mask, named in product((None, _mask(row)), self._names(row.action)):
            request = msgspec.structs.replace(plain, mask=mask, incumbent_action=named)
            if request.body_hash() == row.request_hash:
                return request
        return plain

    def _names(self, action: Action) -> Sequence[Named]:
        """How a caller may have named an action."""
        return [list(action)] if isinstance(action, tuple) else [self.reader.word(action), action]

    def _rates(self, control: Control) -> Sequence[float]:
        """Rates of exploration that may have been in force: as set, the floor, or none left of the budget."""
        rules = self._settings
        known = [control.exploration, rules.rollout.exploration, rules.exploration.floor, 0.0]
        return list(dict.fromkeys(rate for rate in known if rate is not None))

    def _chooser(self, salt: str, rate: float) -> Chooser:
        known = _Known(rate, self._settings.exploration.scale)
        return Chooser(self.reader, self._incumbent, self._load, salt, known, self._humans, Deadline(PATIENCE_S))


class _Known(Steady):
    """Exploration at a rate that is tried out."""

    def __init__(self, rate: float, scale: float) -> None:
        super().__init__(rate, scale)
        self._known = rate

    def epsilon(self, segment: str, now: Any, control: Control, beside: Any = None) -> float:
        del segment, now, control, beside
        return self._known


def _mask(row: Decision) -> list[bool] | None:
    return None if row.mask is None else [bool(allowed) for allowed in row.mask]


def _same(space: Discrete | Box, row: Decision, choice: Choice) -> bool:
    if isinstance(space, Box):
        return _same_vector(space, row, choice)
    return (row.action, row.arm, row.propensity) == (choice.action, choice.arm, choice.propensity)


def _same_vector(space: Box, row: Decision, choice: Choice) -> bool:
    """A graph asked about one row rounds its last digits otherwise than when it was asked about a group."""
    if not isinstance(row.action, tuple) or row.arm is not choice.arm or row.propensity != choice.propensity:
        return False
    near = space.apart(np.array(row.action), np.array(choice.action)) <= ROUNDING
    logged, found = row.density, choice.density
    if logged is None or found is None:
        return bool(near) and logged == found
    return bool(near) and math.isclose(logged, found, rel_tol=_DENSITY_OFF)
