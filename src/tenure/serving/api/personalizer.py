"""The calls of the retired Azure Personalizer, so that its clients move by changing the address.

A server is one Personalizer loop: its problem. Ids of actions are the problem's labels; features of actions are not
looked at, since an action is known by its label. The first action sent that is not excluded is the baseline: it stands
for what the caller's own system would do. Apprentice mode is the stage SHADOW: the baseline is returned.

Source: REST reference of Azure Personalizer 1.0 (events, rank).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from starlette.responses import Response

from tenure.core.arrays import Bools
from tenure.core.errors import RequestError, TenureError, UnknownError
from tenure.serving.access import Role
from tenure.serving.api.desk import Desk
from tenure.serving.api.operation import Call, Operation, Refusals
from tenure.serving.observation import LARGEST
from tenure.serving.service import DecisionService
from tenure.serving.wire import Answer, DecisionRequest, OutcomeRequest
from tenure.store.activation import Activations

Id = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
Features = list[dict[str, Any]]
DEEPEST = 16
"""Levels of objects and lists inside contextFeatures."""

CODES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "ResourceNotFound",
    408: "RequestTimeout",
    409: "Conflict",
    413: "RequestEntityTooLarge",
    503: "ServiceUnavailable",
}


class RankableAction(Struct, frozen=True):
    """An action by its id, which is a label of the problem."""

    id: Id
    features: Features | None = None


class RankRequest(Struct, frozen=True, rename="camel"):
    """Which action to take: features as objects, which may be nested."""

    actions: Annotated[list[RankableAction], Meta(min_length=1, max_length=50)]
    context_features: Features | None = None
    excluded_actions: list[str] | None = None
    event_id: Id | None = None
    defer_activation: bool | None = False


class RankedAction(Struct, frozen=True):
    """An action and its probability: that of the one taken is the logged one, the others share the rest equally."""

    id: str
    probability: float


class RankResponse(Struct, frozen=True, rename="camel"):
    """Every action sent, the likeliest first, and the one to take."""

    ranking: list[RankedAction]
    event_id: str
    reward_action_id: str


class RewardRequest(Struct, frozen=True):
    """The reward, in the unit of the signal it is."""

    value: float


class AzureProblem(Struct, frozen=True):
    """A code, and what was expected, found and to do."""

    code: str
    message: str


class AzureError(Struct, frozen=True):
    """How Personalizer tells of an error."""

    error: AzureProblem


def refused(error: TenureError) -> Response:
    """An error as Personalizer's clients read it."""
    status = 400 if error.http_status == 422 else error.http_status
    told = AzureError(AzureProblem(CODES.get(status, "InternalServerError"), str(error)))
    return Response(msgspec.json.encode(told), status, media_type="application/json")


def rank(call: Call) -> RankResponse:
    """Decide for one event."""
    asked: RankRequest = call.body
    service = call.desk.service
    request = decision_of(asked, service)
    (answer,) = call.decided([request])
    if isinstance(answer, TenureError):
        raise answer
    if asked.defer_activation:
        _activations(call.desk).defer(answer.decision_id, service.clock.now())
    sent = [action.id for action in asked.actions]
    eligible = _eligible(request, service)
    return RankResponse(ranked(sent, eligible, answer), answer.decision_id, answer.label)


def reward(call: Call) -> None:
    """Report what an event was worth; the first reward counts, a later one is kept and counts for nothing."""
    service, value = call.desk.service, float(call.body.value)
    signals = {reward_signal(service): value}
    service.outcomes([OutcomeRequest(f"reward:{value!r}", call.path["event_id"], signals)])


def activate(call: Call) -> None:
    """Say that a deferred event was shown: from now on it counts."""
    _activations(call.desk).activate(call.path["event_id"], call.desk.service.clock.now())


def decision_of(asked: RankRequest, service: DecisionService) -> DecisionRequest:
    """A rank request as the decision it asks for.

    Raises:
        RequestError: an action is unknown or named twice, or all are excluded, or a feature is no number.
    """
    labels, sent = service.reader.labels, [action.id for action in asked.actions]
    _check_actions(sent, labels)
    excluded = set(asked.excluded_actions or ())
    kept = [name for name in sent if name not in excluded]
    leaves = _named(asked.context_features or [])
    event_id = asked.event_id or uuid.uuid4().hex
    fields = {
        "unit_id": str(leaves.get(service.settings.rollout.unit) or event_id)[:256],
        "context": _context(leaves, service.problem.feature_names),
        "decision_id": event_id,
        "mask": [label in kept for label in labels],
        "incumbent_action": kept[0] if kept else None,
    }
    try:
        return msgspec.convert(fields, DecisionRequest)  # under the checks of any other request
    except msgspec.ValidationError as error:
        raise RequestError(
            expected="a unit and an event that are texts without NUL, of 1 to 256 characters",
            found=str(error),
            where="contextFeatures and eventId",
            fix="send them in that form",
        ) from error


def ranked(sent: Sequence[str], eligible: frozenset[str], answer: Answer) -> list[RankedAction]:
    """Probabilities over the actions sent; they sum to 1, an excluded or forbidden one has none.

    Args:
        sent: ids, in the caller's order.
        eligible: labels that mask and constraints allow.
        answer: what was decided.
    """
    others = [name for name in sent if name in eligible and name != answer.label]
    taken = 1.0 if answer.propensity is None or not others else answer.propensity
    rest = (1.0 - taken) / len(others) if others else 0.0
    found = [(taken if name == answer.label else rest if name in others else 0.0, name) for name in sent]
    return [RankedAction(name, probability) for probability, name in sorted(found, key=lambda each: -each[0])]


def reward_signal(service: DecisionService) -> str:
    """The signal a reward is: as tenure.toml says, else the only one.

    Raises:
        UnknownError: there are several, or none of that name.
    """
    named, names = service.settings.serving.personalizer_signal, sorted(service.problem.signal_names)
    if named in names:
        return str(named)
    if named is None and len(names) == 1:
        return names[0]
    raise UnknownError(
        expected=f"serving.personalizer_signal to name one of {names}",
        found=repr(named),
        where="tenure.toml",
        fix="set it to the signal that Personalizer's reward is, and start the server again",
    )


def _activations(desk: Desk) -> Activations:
    return Activations(desk.service.store, desk.problem)


def _eligible(request: DecisionRequest, service: DecisionService) -> frozenset[str]:
    """Labels that mask and constraints allow."""
    reader = service.reader
    allowed: Bools | None = service.problem.allowed(
        reader.observation([reader.row(request.context)]), reader.masks([request])
    )
    return frozenset(label for at, label in enumerate(reader.labels) if allowed is None or allowed[0, at])


def _check_actions(sent: Sequence[str], labels: Sequence[str]) -> None:
    unknown, twice = sorted(set(sent) - set(labels)), len(sent) - len(set(sent))
    if unknown or twice:
        raise RequestError(
            expected=f"actions of {list(labels)}, each once",
            found=f"unknown {unknown}" if unknown else f"{sent}",
            where="actions",
            fix="send the labels of the problem as ids, or add the action to problem.py and train again",
        )


def _named(features: Features) -> dict[str, Any]:
    """Every value by its dotted path, and by its own name where no path is that name."""
    paths = dict(_leaves(features))
    return {path.rpartition(".")[2]: value for path, value in paths.items()} | paths


def _leaves(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every value inside nested objects and lists, under its dotted path."""
    if depth > DEEPEST:
        raise _no_feature(f"at most {DEEPEST} levels of nesting", "more", "contextFeatures")
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, path, depth + 1)
    else:
        yield path, value


def _context(leaves: dict[str, Any], names: Sequence[str]) -> dict[str, float]:
    """The problem's features among them; what it does not name is Personalizer's alone, and left out."""
    return {name: _number(name, leaves[name]) for name in names if leaves.get(name) is not None}


def _number(name: str, value: Any) -> float:
    if isinstance(value, int | float) and abs(value) <= LARGEST:
        return float(value)
    raise _no_feature("a number", repr(value)[:100], f"contextFeatures, feature {name!r}")


def _no_feature(expected: str, found: str, where: str) -> RequestError:
    fix = "send numbers: one feature of the problem for each value a word can have"
    return RequestError(expected=expected, found=found, where=where, fix=fix)


_REFUSALS = Refusals(refused, AzureError)
_V1 = "/personalizer/v1.0"

OPERATIONS = (
    Operation(
        "POST",
        f"{_V1}/rank",
        Role.CLIENT,
        "Decide, as Personalizer does.",
        rank,
        RankRequest,
        RankResponse,
        status=201,
        refusals=_REFUSALS,
    ),
    Operation(
        "POST",
        f"{_V1}/events/{{event_id:id}}/reward",
        Role.CLIENT,
        "Report what an event was worth.",
        reward,
        RewardRequest,
        status=204,
        refusals=_REFUSALS,
    ),
    Operation(
        "POST",
        f"{_V1}/events/{{event_id:id}}/activate",
        Role.CLIENT,
        "Say that a deferred event was shown.",
        activate,
        status=204,
        refusals=_REFUSALS,
    ),
)
