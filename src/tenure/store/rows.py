"""Between dataclasses and stored rows; what is stored is exactly what is hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tenure.core.clock import from_text, to_text
from tenure.core.decision import Arm, Decision, Outcome, ShadowProposal
from tenure.core.spaces import Action
from tenure.store.records import Control, Event

Actions = npt.NDArray[Any]
"""Actions of n decisions: int64 [n], or float64 [n, numbers] of a `Box`."""
Values = tuple[Any, ...]
"""The values of one row, in the order of its table's columns."""

# Fields of a decision that are stored in another form, by position.
_ACTION = 13
_READ: tuple[tuple[int, Callable[[Any], Any]], ...] = ((6, from_text), (7, json.loads), (11, Arm), (15, bool))


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not a JSON value")


_fast = msgspec.json.Encoder(order="sorted", enc_hook=_plain)
_vector = msgspec.json.Decoder(tuple[float, ...]).decode
_exact = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain)
_encode = msgspec.msgpack.Encoder().encode
_moment = lru_cache(maxsize=64)(to_text)  # the rows of a group share theirs


def to_json(value: Mapping[str, Any]) -> str:
    """JSON with sorted keys: equal mappings give equal text; NaN and infinity survive.

    Raises:
        TypeError: a value is neither plain JSON nor a NumPy number.
    """
    mapping = value if isinstance(value, dict) else dict(value)
    text = _fast.encode(mapping).decode()
    # msgspec writes NaN and infinity as null, and quarantine must keep what came; it is eight times faster, though.
    return _exact.encode(mapping) if "null" in text else text


def from_json(text: str) -> dict[str, Any]:
    """The mapping `to_json` wrote."""
    mapping: dict[str, Any] = json.loads(text)
    return mapping


def stored_action(action: Action) -> tuple[int, str | None]:
    """An action as two columns: its index and nothing, or `NO_INDEX` and the vector as JSON, exact to the last bit."""
    if isinstance(action, tuple):
        return NO_INDEX, _exact.encode(action)
    return int(action), None


def action_from(index: int, vector: str | None) -> Action:
    """The action two columns hold."""
    return index if vector is None else _vector(vector)


def actions_from(index: Sequence[int | None], vector: Sequence[str | None], width: int) -> Actions:
    """Actions as two columns hold them, as one array.

    Args:
        index: of the actions; None where nobody proposed; [n].
        vector: None where the action is an index; [n].
        width: numbers of a vector; 0 where actions are indices.

    Returns:
        int64 [n], -1 where there is none; or float64 [n, width], NaN where there is none.
    """
    if not width:
        return np.array([NO_INDEX if one is None else one for one in index], dtype=np.int64)
    nothing = (np.nan,) * width
    return np.array([nothing if text is None else _vector(text) for text in vector], dtype=np.float64)


def decision_values(row: Decision, sequence: int, nonce: bytes) -> Values:
    """A decision as stored under a sequence number, in the order of its fields, with what salts its personal ones."""
    action, vector = stored_action(row.action)
    return (
        row.decision_id,
        row.problem,
        row.problem_version,
        row.unit_id,
        row.episode_id,
        row.step,
        _moment(row.decided_at),
        to_json(row.context),
        row.observation,
        row.mask,
        row.stage,
        row.arm.value,
        row.version,
        action,
        None if row.propensity is None else float(row.propensity),
        int(row.explored),
        float(row.confidence),
        row.kill_epoch,
        row.reason,
        row.latency_us,
        row.request_hash,
        row.density,
        row.candidates,
        row.position,
        sequence,
        nonce,
        None,
        vector,
    )


def numbered(row: Decision, sequence: int) -> Decision:
    """The same decision under its number."""
    fields = row.__dict__.copy()
    fields["sequence"] = sequence
    twin = object.__new__(Decision)
    object.__setattr__(twin, "__dict__", fields)  # as Decision.of, without another copy of the fields
    return twin


def decision_from(values: Values) -> Decision:
    """A decision from a row of `answered`: its fields in their order, and the vector where the action is one."""
    *fields, vector = values
    if vector is not None:
        fields[_ACTION] = _vector(vector)
    for position, read in _READ:
        fields[position] = read(fields[position])
    return Decision(*fields)


def event_values(event: Event, sequence: int) -> Values:
    """An event as stored under a sequence number."""
    return event.problem, sequence, event.kind, event.actor, event.reason, to_text(event.at), to_json(event.payload)


def event_from(values: Values) -> Event:
    """An event from its row."""
    problem, sequence, kind, actor, reason, at, payload = values
    return Event(problem, kind, actor, reason, from_text(at), from_json(payload), sequence)


@lru_cache(maxsize=256)
def control_from(values: Values) -> Control:
    """The control row, from its columns in the order of `Control`'s fields."""
    problem, sequence, epoch, killed, stage, share, version, paused, salt, changed_at, cap, exploration = values
    moment = None if changed_at is None else from_text(changed_at)
    flags = bool(killed), stage, share, version, bool(paused)
    return Control(problem, sequence, epoch, *flags, salt, moment, cap, exploration)


def proposal_values(problem: str, row: ShadowProposal) -> Values:
    """A shadow proposal as stored."""
    computed_at = _moment(row.computed_at)
    sureness = float(row.propensity), float(row.confidence)
    action, vector = stored_action(row.action)
    return problem, row.decision_id, row.arm.value, row.version, action, *sureness, computed_at, vector, row.apart


def outcome_body(outcome: Outcome) -> tuple[str | None, str, str]:
    """What must be equal for a repeat of an outcome to be the same outcome: observed_at, signals, kind."""
    observed_at = None if outcome.observed_at is None else to_text(outcome.observed_at)
    signals = {name: float(value) for name, value in outcome.signals.items()}
    return observed_at, to_json(signals), outcome.kind.value


PERSONAL = (3, 4, 7, 8, 20, 22)
"""Columns of a decision that may say who it was for: unit, episode, context, observation, request hash, candidates."""
NONCE, ERASED, VECTOR = 25, 26, 27
"""Columns that salt the personal ones, hold their digest once they are erased, and hold the vector of a `Box`."""
NO_INDEX = -1
"""Stands in the column of the action where it is a vector."""
_personal_columns = itemgetter(*PERSONAL)
_plain_columns = itemgetter(*[column for column in range(NONCE) if column not in PERSONAL])


def personal_digest(values: Values) -> bytes:
    """A commitment to the personal columns of a decision; without the nonce nobody can guess them from it.

    Keyed BLAKE2b (RFC 7693), 32 bytes.
    """
    return hashlib.blake2b(_encode(_personal_columns(values)), key=values[NONCE], digest_size=32).digest()


def decision_bytes(values: Values) -> bytes:
    """What the chain hashes of a decision's row: equal before and after its personal columns are erased."""
    digest = values[ERASED] or personal_digest(values)
    vector = () if values[VECTOR] is None else (values[VECTOR],)  # rows without one hash as before there were any
    return _encode(("decision", digest, *_plain_columns(values), *vector))


def hashed_correction(values: Values) -> Values:
    """What the chain hashes of a correction's row: decision, action, arm, propensity, reason, and a vector if any."""
    return values if values[-1] is not None else values[:-1]


def event_bytes(values: Values, correction: Values | None) -> bytes:
    """What the chain hashes of an event's row, with the correction it stands for, if any."""
    return _encode(("event", *values, correction))
