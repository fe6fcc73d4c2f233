"""What the log must say after any fault: nothing acknowledged is lost, nothing is there twice, the chain is whole."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tenure.store import Store


def check(store: Store, acknowledged: list[dict[str, Any]]) -> None:
    """Hold the ledgers against the log; an answer that says that the log was away was promised to no log."""
    acknowledged = [line for line in acknowledged if line.get("reason") != "log_unavailable"]
    found = store.verify("toy")
    assert found.intact, found.reason
    with store.database.reading() as link:
        decisions = dict_of(link.execute("SELECT decision_id, action, arm FROM answered WHERE problem = 'toy'"))
        ids = Counter(row[0] for row in link.execute("SELECT decision_id FROM decision WHERE problem = 'toy'"))
        outcomes = Counter(link.execute("SELECT decision_id, outcome_id FROM outcome WHERE problem = 'toy'"))
        counted = Counter(link.execute("SELECT decision_id FROM outcome WHERE problem = 'toy' AND counted = 1"))
    lost = [line for line in acknowledged if "decision" in line and line["decision"] not in decisions]
    lost += [line for line in acknowledged if "outcome" in line and (line["of"], line["outcome"]) not in outcomes]
    doubled = [key for counter in (ids, outcomes, counted) for key, times in counter.items() if times > 1]
    told = [line for line in acknowledged if "decision" in line and line not in lost]
    other = [line for line in told if (line["action"], line["arm"]) != decisions[line["decision"]]]
    assert (lost, doubled, other) == ([], [], [])


def dict_of(rows: Any) -> dict[str, tuple[int, str]]:
    """Action and arm by decision."""
    return {decision_id: (action, arm) for decision_id, action, arm in rows}
