"""The clock in a log: its advance is never taken for the action's effect, and an effect beside it is still seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tenure.core.arrays import Floats
from tenure.design.assess.behaviour import behaviour_of
from tenure.design.assess.clock import moved_by_nothing, with_clock
from tenure.design.assess.consequence import consequence
from tenure.design.assess.records import Records, read_records
from tenure.design.assess.thresholds import CERTAIN
from tenure.design.assess.worth import later_worth
from tenure.store.tables.logfile import open_log

N = 3_000


def night_rule(seed: int, push: float = 0.0, *, steered: bool = True) -> dict[str, Any]:
    """Half-hours in which a rule follows the clock, and so does demand; the action moves demand by `push`."""
    rng = np.random.default_rng(seed)
    at = np.datetime64("2025-01-01", "us") + np.arange(N) * np.timedelta64(30, "m")
    hour = np.arange(N) / 2 % 24
    chance = np.where((hour >= 8) & (hour < 18), 0.9, 0.1) if steered else np.full(N, 0.5)
    on = rng.random(N) < chance
    noise: Floats = np.zeros(N)
    for row in range(1, N):
        noise[row] = 0.7 * noise[row - 1] + rng.normal() + push * on[row - 1]
    return {
        "decided_at": at,
        "action": np.where(on, "on", "off").tolist(),
        "propensity": np.where(on, chance, 1 - chance),
        "reward": rng.normal(size=N) + 0.2 * on,
        "demand": noise + 3 * np.sin(2 * np.pi * (hour - 6) / 24),
    }


def next_state_p(records: Records) -> float:
    found = consequence(records, behaviour_of(records), later_worth(records, 0.9)).next_state
    assert found is not None
    return found.p


def test_the_hour_that_steers_the_choice_is_seen_and_its_advance_is_no_effect() -> None:
    blind = read_records(open_log(night_rule(0)))
    seeing = with_clock(blind)
    assert seeing.names == ("demand", "hour of the decision")
    assert next_state_p(blind) < CERTAIN  # what a user saw
    assert next_state_p(seeing) > CERTAIN


def test_an_effect_beside_the_clock_is_still_found() -> None:
    assert next_state_p(with_clock(read_records(open_log(night_rule(1, push=1.0))))) < CERTAIN


def test_a_clock_that_steers_nothing_or_is_told_already_is_not_added() -> None:
    idle = read_records(open_log(night_rule(2, steered=False)))
    assert with_clock(idle) is idle
    hour = np.arange(N) / 2 % 24
    told = read_records(open_log({**night_rule(2), "hour": hour}))
    assert with_clock(told) is told
    timeless = {name: cells for name, cells in night_rule(2).items() if name != "decided_at"}
    assert read_records(open_log(timeless)).clock is None


@pytest.mark.parametrize(("name", "fixed"), [("hour", True), ("turn", True), ("kind", True), ("demand", False)])
def test_what_the_clock_or_its_own_value_fixes_is_moved_by_nothing(name: str, fixed: bool) -> None:
    more = {
        "hour": np.arange(N) // 2 % 24,
        "turn": np.arange(N) % 7,  # a counter that begins again: known from its value before
        "kind": np.full(N, 3.0),
    }
    records = read_records(open_log({**night_rule(3), **more}))
    found = dict(zip(records.names, moved_by_nothing(records, records.following >= 0).tolist(), strict=True))
    assert found[name] is fixed
