"""What a candidate would have done, decision by decision, while another answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.decision import Arm
from tenure.store.database import Connection
from tenure.store.rows import Actions, actions_from

_PROPOSALS = """SELECT decision_id, action, confidence, vector FROM proposal
WHERE problem = ? AND version = ? AND arm = ? ORDER BY id"""


@dataclass(frozen=True, eq=False)
class Proposals:
    """One version's proposals, in the order they were recorded.

    Args:
        decision_id: the decision each belongs to; [n].
        action: what it would have done; int64 [n], or float64 [n, numbers] where it is a vector.
        confidence: how sure it was, in [0, 1]; [n].
    """

    decision_id: list[str]
    action: Actions
    confidence: Floats


def candidate_proposals(connection: Connection, problem: str, version: str) -> Proposals:
    """What one version proposed as the candidate; one row per decision."""
    rows = connection.execute(_PROPOSALS, (problem, version, Arm.CANDIDATE.value)).fetchall()
    ids, action, confidence, vector = (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 4
    width = next((text.count(",") + 1 for text in vector if text is not None), 0)
    return Proposals(ids, actions_from(action, vector, width), np.array(confidence, dtype=np.float64))
