"""The town by hand: drives, doors, windows, vans outside; and nothing of one part met in another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tenure import Split
from tenure.cases.delivery.orders import Arrival, Hardness, arrivals, jam, weather
from tenure.cases.delivery.problem import LOAD, RETURN, VANS, WAIT, incumbent, problem
from tenure.cases.delivery.simulator import BEGINS, NONE, RELOAD, Towns, _ranked, simulator
from tenure.cases.delivery.town import BRIDGE, JAM, MINUTES, SHARE, SLOWER, drive_minutes
from tenure.core.arrays import Floats
from tenure.core.errors import DataError
from tenure.core.evidence import Verdict
from tenure.core.policy import check_policy
from tenure.simulators.check import check_simulator

RNG = np.random.default_rng(0)
NORTH, WEST, SOUTH = 2, 4, 7
PARTS: tuple[Split, ...] = ("train", "selection", "held_out")
NIGHT = 2 * 12
"""Step at two in the morning: no traffic, no jam."""


def town(**fields: Any) -> Towns:
    """One dry town at night without orders; fields of its three vans and orders as given, without the world axis."""
    empty = simulator.panel("train", 0, 1).state
    fresh = Towns(**{name: values[:1] for name, values in vars(empty).items()})
    quiet = replace(fresh, step=np.array([NIGHT]), rain=np.zeros(1), snow=np.zeros(1), orders=np.zeros(1))
    free = replace(quiet, free_at=np.full((1, VANS), NIGHT * 5.0))
    return _ranked(replace(free, **{name: np.array(values)[None] for name, values in fields.items()}))


def orders(*listed: tuple[int, float]) -> Floats:
    """Lists with an order for each (place, minute in which its window opens)."""
    opens = np.full((8, 6), NONE)
    for place, minute in listed:
        opens[place - 1, np.isinf(opens[place - 1]).argmax()] = minute
    return opens


def signals(state: Towns, action: int) -> dict[str, float]:
    """What an action leads to; signals that are 0 are left out."""
    step = simulator.step(state, np.array([action]), RNG)
    return {name: float(values[0]) for name, values in step.signals.items() if values[0]}


def seen(state: Towns, name: str) -> float:
    return float(simulator.observe(state)[0, problem.feature_names.index(name)])


@pytest.fixture
def even_roads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every draw is a half: drives take what they usually take, and a door six minutes."""
    monkeypatch.setattr("tenure.cases.delivery.simulator.uniform", lambda number, step, use: np.full(len(number), 0.5))


def test_a_drive_by_hand() -> None:
    """To the north are 8 minutes; at 17 o'clock 1.7 times as much, in snow 1.5 times that; a jam is for the bridge."""
    assert drive_minutes(0, NORTH, 2, 0, 40) == 8  # type: ignore[arg-type]
    assert drive_minutes(0, NORTH, 17, 2, 40) == pytest.approx(8 * 1.7 * 1.5)  # type: ignore[arg-type]
    assert drive_minutes(0, SOUTH, 17, 0, 40) == pytest.approx(8 * 1.7 + 40)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("drawn", "clock", "snow", "minutes"),
    [
        (0.5, 17, 0, 60),  # a usual day's peak
        (0.5, 16.5, 0, 50),  # half way from 40 at four to 60 at five
        (0.5, 17, 1, 90),  # snow
        (0.0, 16, 0, 60),  # the peak comes an hour earlier
        (1.0, 17, 0, 40),  # an hour later: now as usually at four
        (0.0, 23.5, 0, 0),  # no hour of the next day is asked
    ],
)
def test_jams_at_the_bridge_move_by_up_to_an_hour_and_are_longer_in_snow(
    drawn: float, clock: float, snow: float, minutes: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenure.cases.delivery.orders.uniform", lambda number, step, use: np.full(len(number), drawn))
    hard = Hardness(np.ones(1), np.zeros(1), np.full(1, 2 * snow))
    assert jam(np.array([7]), np.array([int(clock * 12)]), hard)[0] == pytest.approx(minutes)


def test_the_jam_that_is_foretold_is_the_one_that_comes() -> None:
    state = simulator.reset(64, np.random.default_rng(4))
    foretold = simulator.observe(state)[:, problem.feature_names.index("jam_soon")]
    for _ in range(12):
        state = simulator.step(state, np.full(64, WAIT), RNG).state
    came = simulator.observe(state)[:, problem.feature_names.index("jam")]
    assert came.max() > 10
    assert np.array_equal(foretold, came)


def test_no_jam_is_beyond_what_the_features_allow() -> None:
    bound = next(feature.high for feature in problem.observation if feature.name == "jam")
    assert JAM.max() * SLOWER.max() <= bound


def test_training_towns_begin_by_day() -> None:
    hour = simulator.reset(4096, np.random.default_rng(5)).step % 288 / 12
    assert BEGINS == (5, 15)
    assert (hour.min(), hour.max()) == (5, 15 - 1 / 12)


def test_ways_are_as_long_back_as_forth_and_the_bridge_lies_on_ways_to_the_south_alone() -> None:
    assert np.array_equal(MINUTES, MINUTES.T)
    assert BRIDGE[0].tolist() == [False] * 6 + [True] * 3
    assert not BRIDGE[6:, 6:].any()


@pytest.mark.usefixtures("even_roads")
def test_an_order_waits_from_its_window_to_its_door_and_the_van_is_out_until_it_is_done() -> None:
    """Opened 10 minutes ago, 8 minutes away: 8 of the 18 from now on; six at the door make 14 outside."""
    state = town(opens=orders((NORTH, NIGHT * 5 - 10)))
    assert signals(state, 0) == {"delivered": 1, "waiting_minutes": 8, "driven_minutes": 8, "van_minutes": 14}
    after = simulator.step(state, np.array([0]), RNG).state
    assert after.free_at[0].max() == NIGHT * 5 + 14
    assert sorted(after.load[0].tolist()) == [LOAD - 1, LOAD, LOAD]
    assert np.isinf(after.opens).all()


@pytest.mark.usefixtures("even_roads")
def test_a_van_that_comes_before_the_window_waits_at_the_door() -> None:
    state = town(opens=orders((NORTH, NIGHT * 5 + 20)))
    assert signals(state, 0) == {"delivered": 1, "driven_minutes": 8, "van_minutes": 26}


@pytest.mark.usefixtures("even_roads")
def test_minutes_after_the_window_are_late() -> None:
    """Opened 55 minutes ago and 8 away: three minutes after the hour."""
    late = signals(town(opens=orders((NORTH, NIGHT * 5 - 55))), 0)
    assert (late["late"], late["late_minutes"], late["waiting_minutes"]) == (1, 3, 8)


def test_all_minutes_of_a_waiting_order_add_up_to_its_delivery_time() -> None:
    """Three steps listed, then sent to: the parts are the time from the window to the door."""
    state, total = town(opens=orders((NORTH, NIGHT * 5 + 2))), 0.0
    for action in (WAIT, WAIT, WAIT, 0):
        step = simulator.step(state, np.array([action]), RNG)
        total, now, state = total + step.signals["waiting_minutes"][0], state.step[0] * 5, step.state
    assert total == pytest.approx(now + step.signals["driven_minutes"][0] - (NIGHT * 5 + 2))


def test_a_van_at_the_depot_costs_nothing_and_one_that_waits_outside_its_minutes() -> None:
    assert signals(town(), WAIT) == {}
    assert signals(town(place=[NORTH] * 3), WAIT) == {"van_minutes": 5, "parked_minutes": 5}
    since = town(place=[NORTH] * 3, free_at=[NIGHT * 5.0 - 3] * 3)
    assert signals(since, WAIT) == {"van_minutes": 8, "parked_minutes": 8}


@pytest.mark.usefixtures("even_roads")
def test_a_van_is_parked_until_its_next_job_and_no_longer() -> None:
    """Free for 3 minutes, then 8 home: 11 outside, of which 3 without a job."""
    found = signals(town(place=[NORTH] * 3, free_at=[NIGHT * 5.0 - 3] * 3), RETURN)
    assert (found["van_minutes"], found["parked_minutes"]) == (11, 3)


@pytest.mark.usefixtures("even_roads")
def test_a_van_that_returns_is_loaded_again_and_out_until_it_is_home() -> None:
    state = town(place=[NORTH] * 3, load=[0] * 3)
    assert signals(state, RETURN) == {"driven_minutes": 8, "van_minutes": 8}
    after = simulator.step(state, np.array([RETURN]), RNG).state
    assert sorted(after.load[0].tolist()) == [0, 0, LOAD]
    assert after.free_at[0].max() == NIGHT * 5 + 8 + RELOAD


def test_masks_by_hand() -> None:
    """The first order of each district with one, while the van has a crate and is free; a return from outside only."""

    def allowed(state: Towns) -> list[int]:
        return np.flatnonzero(simulator.mask(state)[0]).tolist()

    two = orders((NORTH, 0.0), (NORTH, 5.0), (WEST, 0.0))
    assert allowed(town(opens=two)) == [0, 1, WAIT]
    assert allowed(town(opens=two, place=[NORTH] * 3)) == [0, 1, WAIT, RETURN]
    assert allowed(town(opens=two, place=[NORTH] * 3, load=[0] * 3)) == [WAIT, RETURN]
    assert allowed(town(opens=two, free_at=[NIGHT * 5 + 1.0] * 3)) == [WAIT]


def test_slots_hold_the_districts_whose_door_opens_first_for_the_van_that_is_free_longest() -> None:
    """That van is in the west: 4 minutes to a door there, 16 to the north; the south's window opens in half an hour."""
    now = NIGHT * 5.0
    listed = orders((SOUTH, now + 30), (NORTH, now - 7), (WEST, now))
    state = town(opens=listed, place=[0, WEST, NORTH], free_at=[now, now - 5, now + 9])
    assert [seen(state, f"door_{slot}") for slot in (1, 2, 3, 4)] == [4, 16, 30, 150]
    assert [seen(state, f"drive_{slot}") for slot in (1, 2, 3, 4)] == [4, 16, 16, 150]
    assert [seen(state, f"across_{slot}") for slot in (1, 2, 3, 4)] == [0, 0, 1, 0]
    assert [seen(state, f"since_{slot}") for slot in (1, 2, 3, 4)] == [0, 7, -30, -90]
    assert [seen(state, f"orders_{slot}") for slot in (1, 2, 3, 4)] == [1, 1, 1, 0]
    assert [seen(state, f"others_{slot}") for slot in (1, 2, 3)] == [0, 1, 0]
    assert [seen(state, f"busy_{van}") for van in (1, 2, 3)] == [0, 0, 9]
    assert (seen(state, "vans_free"), seen(state, "vans_out"), seen(state, "waiting")) == (2, 2, 2)
    assert (seen(state, "van_east_1"), seen(state, "van_south_1")) == (-1, 0)


def test_an_order_for_a_full_list_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    new = Arrival(np.array([True]), np.array([NORTH - 1]), np.array([500.0]))
    monkeypatch.setattr("tenure.cases.delivery.simulator.arrivals", lambda *_: (new,))
    room = town(opens=orders(*[(NORTH, 400.0)] * 5))
    assert signals(room, WAIT) == {"orders": 1}
    assert (simulator.step(room, np.array([WAIT]), RNG).state.opens[0, NORTH - 1] == [400] * 5 + [500]).all()
    assert signals(town(opens=orders(*[(NORTH, 400.0)] * 6)), WAIT) == {"orders": 1, "turned_away": 1}


def test_orders_and_weather_come_as_often_as_stated() -> None:
    """At 11 o'clock in dry weather: 6 orders an hour, 0.3 as many more in the 3 of 10 towns where a fair is on."""
    number, step = np.arange(200_000), np.full(200_000, 11 * 12)
    hard = Hardness(np.ones(len(number)), np.full(len(number), 0.25), np.full(len(number), 0.05))
    sky = weather(number, step, hard)
    assert np.bincount(sky) / len(sky) == pytest.approx([0.7, 0.25, 0.05], abs=0.005)
    came = arrivals(number, step, replace(hard, rain=0 * hard.rain, snow=0 * hard.snow))
    fair = 0.3 * 0.3  # it begins at any time from 8 to 18 o'clock, so by 11 in three of ten towns
    orders_per_hour = sum(one.comes.sum() for one in came) / len(number) * 12
    assert orders_per_hour == pytest.approx(6 * (1 + fair), rel=0.02)
    later = np.concatenate([one.opens[one.comes] for one in came]) - (11 * 12 + 1) * 5
    assert (later == 0).mean() == pytest.approx(0.5, abs=0.01)
    assert 30 <= later[later > 0].min() < later.max() <= 90


def test_shares_of_an_hour_add_up_to_one() -> None:
    assert SHARE.sum(axis=1) == pytest.approx(np.ones(24))


def test_the_simulator_keeps_its_contract() -> None:
    assert {f.verdict for f in check_simulator(problem, simulator)} == {Verdict.PASS}


def test_levels_set_orders_and_weather() -> None:
    states = [simulator.reset(3, np.random.default_rng(0), level) for level in ("easy", "normal", "hard")]
    assert [state.orders[0] for state in states] == [0.8, 1.0, 1.15]
    assert [state.snow[0] for state in states] == [0.0, 0.05, 0.15]


def test_no_town_of_one_part_is_met_in_another() -> None:
    met = {part: set(simulator.panel(part).state.number.tolist()) for part in PARTS}
    drawn = set(simulator.reset(4096, np.random.default_rng(5)).number.tolist())
    assert not (met["train"] | drawn) & met["selection"]
    assert not (met["train"] | drawn) & met["held_out"]
    assert not met["selection"] & met["held_out"]


def test_every_policy_meets_the_same_orders() -> None:
    def came(action: int) -> list[float]:
        state, found = simulator.panel("train", 0, 1).state, []
        for _ in range(100):
            allowed = simulator.mask(state)[:, action]
            step = simulator.step(state, np.where(allowed, action, WAIT), RNG)
            state = step.state
            found.append(float(step.signals["orders"].sum()))
        return found

    assert came(0) == came(WAIT)


def test_days_that_do_not_exist_are_refused() -> None:
    with pytest.raises(DataError, match="8 days from day 0"):
        simulator.panel("selection", 0, 8)


def test_a_panel_of_the_second_day_has_that_days_orders() -> None:
    second = simulator.panel("held_out", 1, 1)
    assert (second.steps, second.state.step[0], second.started_at.day) == (288, 288, 6)
    assert second.independent


def test_the_incumbent_keeps_the_policy_contract() -> None:
    state = simulator.reset(64, np.random.default_rng(3))
    for _ in range(60):
        seen, mask = simulator.observe(state), simulator.mask(state)
        action = incumbent.propose(seen, mask, np.zeros(64)).action
        assert mask[np.arange(64), action].all()
        state = simulator.step(state, action, RNG).state
    check_policy(incumbent, seen, problem.action.size, mask)
