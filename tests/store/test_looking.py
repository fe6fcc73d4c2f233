"""Everything the log holds of one decision, in one look."""

from __future__ import annotations

from datetime import timedelta

from tenure.core.decision import Arm, Outcome, Place, ShadowProposal
from tenure.store import SqliteStore
from tenure.store.looking import story

from .rows import NOON, decision


def test_an_unknown_decision_has_no_story(store: SqliteStore) -> None:
    assert story(store, "bikes", "none") is None


def test_the_first_row_stays_beside_what_holds_now(store: SqliteStore) -> None:
    store.append_decisions([decision("d1")])
    first = store.decision("bikes", "d1")
    store.append_correction("bikes", "d1", action=2, arm=Arm.FALLBACK, propensity=None, reason="killed", at=NOON)
    found = story(store, "bikes", "d1")
    assert found is not None
    assert found.written == first
    assert (found.standing.action, found.standing.arm, found.standing.reason) == (2, Arm.FALLBACK, "killed")
    assert [(event.kind, event.payload["action"]) for event in found.corrections] == [("correction", 2)]
    assert not found.erased


def test_proposals_and_outcomes_come_with_their_places(store: SqliteStore) -> None:
    store.append_decisions([decision("d1"), decision("d2")])
    proposal = ShadowProposal("d1", Arm.CANDIDATE, "v2", 1, 0.5, 0.75, NOON)
    store.append_proposals("bikes", [proposal])
    outcomes = [
        Outcome.observed("o1", "d1", {"cost": 1.0}, NOON),
        Outcome.observed("o2", "d1", {"cost": 2.0}, NOON),
        Outcome.observed("o3", "d2", {"cost": 3.0}, NOON),
    ]
    store.append_outcomes("bikes", outcomes, received_at=NOON, wait=timedelta(days=1), signals={"cost"})
    found = story(store, "bikes", "d1")
    assert found is not None
    assert found.proposals == (proposal,)
    assert [(kept.outcome, kept.place, kept.counted) for kept in found.outcomes] == [
        (outcomes[0], Place.JOINED, True),
        (outcomes[1], Place.REPEATED, False),
    ]
    assert found.outcomes[0].received_at == NOON
