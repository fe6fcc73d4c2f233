"""Decision-service JSON, the log lines of Vowpal Wabbit and of Azure Personalizer, and our words for theirs.

Cost is minus reward. An event whose activation was deferred and never came, and one that says `_skipLearn`, is kept but
carries a flag: it trains nothing and counts for nothing. Words without a place of their own (`a`, `p`, `o`, `pdrop`,
`VWState`...) are kept under `_dsjson` in the context, so that nothing is lost on the way back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]

OWN = frozenset({"_label_cost", "_label_probability", "_label_Action", "_labelIndex", "Timestamp", "EventId", "c"})
DEFERRED, SKIPPED = "deferred", "skipped"
_DEFERRED_WORDS = ("DeferredAction", "deferredAction", "deferActivation", "deferred")
_ACTIVATED_WORDS = ("ActionTaken", "activated", "Activated")


def is_dsjson(record: Record) -> bool:
    """Whether an object is one of those lines."""
    return any(name in record for name in OWN - {"c", "Timestamp", "EventId"}) or {"c", "a", "p"} <= set(record)


def understood(record: Record) -> Record:
    """One decision under our names.

    Raises:
        ValueError: it is no decision (a later observation, say), or its fields contradict each other.
    """
    if "c" not in record and not is_dsjson(record):
        raise ValueError("it is no decision: no context `c` and no label")
    context = record.get("c") or {}
    if not isinstance(context, dict):
        raise ValueError("its context `c` is no object")
    ours = record.get("tenure")
    if isinstance(ours, dict) and "theirs" in ours:
        return _exact(ours, record, context)
    candidates = context.get("_multi")
    found: dict[str, Any] = {
        "decision_id": record.get("EventId"),
        "decided_at": record.get("Timestamp"),
        "action": _action(record),
        "propensity": record.get("_label_probability", _first(record.get("p"))),
        "reward": _reward(record),
        "flag": _flag(record),
    }
    if isinstance(candidates, list) and candidates:
        if found["action"] is not None and not 0 <= found["action"] < len(candidates):
            raise ValueError(f"action {found['action']} is none of its {len(candidates)} candidates")
        found |= {"allowed": [True] * len(candidates), "candidates": candidates}
    rest = {name: value for name, value in record.items() if name not in OWN}
    plain = {name: value for name, value in context.items() if name != "_multi" or not isinstance(value, list)}
    return found | {"context": plain | ({"_dsjson": rest} if rest else {})}


def _exact(ours: Record, record: Record, context: Record) -> Record:
    """Of a line of our own export: its exact values, under `tenure`, win over the field's words."""
    names = ours.get("theirs", ())
    plain = {name: value for name, value in context.items() if name != "_multi"}
    theirs = {"_dsjson": {name: record[name] for name in names}} if names else {}
    return {name: value for name, value in ours.items() if name != "theirs"} | {"context": plain | theirs}


def _action(record: Record) -> int | None:
    """The chosen action, from 0; `_label_Action` counts from 1."""
    zero, one = record.get("_labelIndex"), record.get("_label_Action", _first(record.get("a")))
    numbers = [value for value in (zero, one) if value is not None]
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in numbers):
        raise ValueError("its action is no whole number")
    if zero is not None and one is not None and zero != one - 1:
        raise ValueError(f"_labelIndex {zero} and _label_Action {one} name two actions")
    return None if not numbers else int(zero) if zero is not None else int(numbers[0]) - 1


def _reward(record: Record) -> Any:
    """Minus the label's cost (never -0), else the first observation's value; none where activation never came."""
    if _flag(record) == DEFERRED:
        return None
    cost = record.get("_label_cost")
    if isinstance(cost, int | float):
        return -cost if cost else 0.0
    if cost is not None:
        return cost
    values = [event["v"] for event in _observations(record) if isinstance(event.get("v"), int | float)]
    return values[0] if values else None


def _flag(record: Record) -> str | None:
    if any(record.get(word) is True for word in _DEFERRED_WORDS) and not _activated(record):
        return DEFERRED
    return SKIPPED if record.get("_skipLearn") is True else None


def _activated(record: Record) -> bool:
    return any(event.get(word) is True for event in (record, *_observations(record)) for word in _ACTIVATED_WORDS)


def _observations(record: Record) -> list[Record]:
    found = record.get("o")
    return [event for event in found if isinstance(event, dict)] if isinstance(found, list) else []


def _first(values: Any) -> Any:
    return values[0] if isinstance(values, list) and values else None
