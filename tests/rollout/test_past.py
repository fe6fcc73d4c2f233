"""What breakers would have made of past vectors, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tenure.core.spaces import Box
from tenure.rollout.past import tripped
from tenure.rollout.rules import BreakerRule
from tenure.rollout.settings import Settings
from tenure.store import SqliteStore

from .test_ledger import frame
from .world import PROBLEM

BOXED = replace(PROBLEM, action=Box(("u", "v"), ("m", "m"), (0.0, 0.0), (1.0, 10.0)))
LATER = datetime(2031, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("v", "times"), [(5.4, 0), (5.6, 1)])
def test_vectors_disagree_where_a_number_is_a_twentieth_of_its_range_apart(
    tmp_path: Path, v: float, times: int
) -> None:
    done, none = [0.5, 5.0], [np.nan, np.nan]
    rows = frame(4, action=np.array([done] * 4), shadow_action=np.array([done, [0.5, v], [0.5, v], none]))
    settings = Settings(breaker=[BreakerRule(measure="disagreement", above=0.5, consecutive=2)])
    with SqliteStore(tmp_path / "log.db") as store:
        (found,) = tripped(BOXED, settings, store, rows, LATER)
    assert (found.times, found.decisions) == (times, 3)
