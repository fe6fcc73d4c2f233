"""Reading what one candidate would have done."""

from __future__ import annotations

from tenure.core.decision import Arm
from tenure.store import Store

from .rows import decision, proposal


def test_only_the_version_asked_for_and_only_as_candidate(store: Store) -> None:
    store.append_decisions([decision("d1"), decision("d2"), decision("d3")])
    rows = [
        proposal("d1", action=4, confidence=0.9),
        proposal("d1", version="older"),
        proposal("d2", arm=Arm.INCUMBENT, version="v2"),
        proposal("d3", action=1, confidence=0.2),
    ]
    store.append_proposals("bikes", rows)
    found = store.candidate_proposals("bikes", "v2")
    assert found.decision_id == ["d1", "d3"]
    assert found.action.tolist() == [4, 1]
    assert found.confidence.tolist() == [0.9, 0.2]


def test_no_proposals_are_empty_columns(store: Store) -> None:
    found = store.candidate_proposals("bikes", "v2")
    assert (found.decision_id, len(found.action), len(found.confidence)) == ([], 0, 0)
