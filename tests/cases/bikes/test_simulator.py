"""Districts by hand: trucks that take two hours, bikes that run out, and nothing seen before its time."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tenure import Split
from tenure.cases.bikes import data
from tenure.cases.bikes.data import CSV, HOURS, TRAIN_DAYS, History, history
from tenure.cases.bikes.problem import incumbent, problem
from tenure.cases.bikes.simulator import BikesSimulator, Districts, _as_it_was, simulator
from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError
from tenure.core.evidence import Verdict
from tenure.core.policy import check_policy
from tenure.simulators.batch import take
from tenure.simulators.check import check_simulator

SEPTEMBER = TRAIN_DAYS * 24
RNG = np.random.default_rng(0)


def world_with(past: History) -> BikesSimulator:
    """The simulator over another past."""
    world = BikesSimulator()
    world.__dict__["past"] = past
    return world


def with_demand(hour: int, demand: list[int]) -> BikesSimulator:
    """The simulator with this demand in district 0, from an hour on."""
    changed = history().demand.copy()
    changed[hour : hour + len(demand), 0] = demand
    return world_with(replace(history(), demand=changed))


def district(hour: int, stock: float, on_the_way: float = 0.0) -> Districts:
    return Districts(np.array([hour]), np.array([0]), np.array([stock]), np.array([on_the_way]), **_as_it_was(1))


def move(bikes: int) -> Ints:
    return np.array([bikes + 12])


def feature(observation: Floats, name: str) -> Floats:
    return observation[:, problem.feature_names.index(name)]


def test_three_hours_by_hand() -> None:
    """Order +5, then -12, then nothing; 3, 6 and 2 people come."""
    world, state = with_demand(100, [3, 6, 2]), district(100, stock=4)

    first = world.step(state, move(5), RNG)
    assert first.signals == {"requests": 3, "lost_rentals": 0, "bikes_moved": 0, "idle_bikes": 1}
    assert problem.reward(first.signals) == pytest.approx(-0.10)

    second = world.step(first.state, move(-12), RNG)  # the five have not come yet
    assert second.signals == {"requests": 6, "lost_rentals": 5, "bikes_moved": 5, "idle_bikes": 0}
    assert problem.reward(second.signals) == pytest.approx(-(5 * 2.00 + 5 * 0.25))

    third = world.step(second.state, move(0), RNG)  # they serve this hour; twelve are ordered away, three are there
    assert third.signals == {"requests": 2, "lost_rentals": 0, "bikes_moved": 3, "idle_bikes": 3}
    assert problem.reward(third.signals) == pytest.approx(-(3 * 0.25 + 3 * 0.10))
    assert third.state == replace(third.state, stock=np.array([0.0]), on_the_way=np.array([0.0]))
    assert not third.terminated.any()


def test_a_move_serves_the_requests_two_hours_after_it_was_ordered() -> None:
    world, state = with_demand(100, [9, 9, 9]), district(100, stock=0)
    lost = []
    for bikes in (5, 0, 0):
        step = world.step(state, move(bikes), RNG)
        state = step.state
        lost.append(float(step.signals["lost_rentals"][0]))
    assert lost == [9, 9, 4]


def test_bikes_are_neither_made_nor_lost() -> None:
    rng = np.random.default_rng(7)
    state = simulator.reset(500, rng)
    for _ in range(50):
        step = simulator.step(state, rng.integers(0, 25, 500), rng)
        rented = step.signals["requests"] - step.signals["lost_rentals"]
        moved = np.sign(state.on_the_way) * step.signals["bikes_moved"]
        assert np.array_equal(step.state.stock, state.stock - rented + moved)
        assert (step.state.stock >= 0).all()
        state = step.state


def test_the_features_of_one_hour_by_hand() -> None:
    hour, place, past = 5000, 3, history()
    state = Districts(np.array([hour]), np.array([place]), np.array([7.0]), np.array([-2.0]), **_as_it_was(1))
    seen = simulator.observe(state)
    demand, usual = past.demand[:, place], past.usual[:, place]
    moment = datetime(2011, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    expected = {
        "stock": 7,
        "on_the_way": -2,
        "usual_now": usual[5000],
        "usual_next": usual[5001],
        "usual_arrival": usual[5002],
        "usual_after": usual[5003],
        "recent_1h": (demand[4999] + 1) / (usual[4999] + 1),
        "recent_2h": (demand[4998] + demand[4999] + 1) / (usual[4998] + usual[4999] + 1),
        "recent_3h": (demand[4997:5000].sum() + 1) / (usual[4997:5000].sum() + 1),
        "recent_24h": (demand[4976:5000].sum() + 1) / (usual[4976:5000].sum() + 1),
        "hour": moment.hour,
        "weekday": moment.isoweekday() % 7,
        "working_day": 1,
        "size": past.size[place],
    }
    with CSV.open(newline="") as file:
        rows = {(int(row["day"]) - 1) * 24 + int(row["hr"]): row for row in csv.DictReader(file)}
    row = rows[4999]
    expected |= {"temperature": float(row["temp"]), "humidity": float(row["hum"]), "wind": float(row["windspeed"])}
    expected |= {"sky": {"clear": 0, "cloudy/misty": 1, "light rain/snow": 2, "heavy rain/snow": 3}[row["weathersit"]]}
    assert set(expected) == set(problem.feature_names)
    for name, value in expected.items():
        assert feature(seen, name) == pytest.approx(value, rel=1e-6), name


def test_no_feature_reads_the_demand_or_weather_of_the_hour_or_later() -> None:
    past, everywhere = history(), np.arange(20)
    for hour in (24, 1000, SEPTEMBER, 8000, HOURS - 1):
        demand, weather = past.demand.copy(), past.weather.copy()
        demand[hour:] += 17
        weather[hour:] += 0.25
        other = world_with(replace(past, demand=demand, weather=weather))
        state = Districts(np.full(20, hour), everywhere, np.zeros(20), np.zeros(20), **_as_it_was(20))
        assert np.array_equal(simulator.observe(state), other.observe(state))
        after = replace(state, hour=state.hour + 1)
        if hour + 1 < HOURS:
            assert not np.array_equal(simulator.observe(after), other.observe(after)), "the change must show next hour"


def test_another_future_in_the_file_leaves_every_earlier_observation_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From September on, where the profile is fixed: the whole way from file to features."""
    begin = SEPTEMBER + 100
    lines = CSV.read_text().splitlines()
    for index, line in enumerate(lines[1:], start=1):
        fields = line.split(",")
        if (int(fields[0]) - 1) * 24 + int(fields[2]) >= begin:
            fields[-1], fields[7], fields[9] = "3", "0.99", "0.01"
            lines[index] = ",".join(fields)
    (tmp_path / "year.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(data, "CSV", tmp_path / "year.csv")
    other = world_with(history.__wrapped__())
    hours = np.arange(24, begin + 1)
    n = len(hours)
    state = Districts(hours, hours % 20, np.zeros(n), np.zeros(n), **_as_it_was(n))
    assert np.array_equal(simulator.observe(state), other.observe(state))


def test_before_the_first_hour_the_weather_is_unknown_and_not_that_of_december() -> None:
    seen = simulator.observe(simulator.panel("train").state)
    names = ("temperature", "humidity", "wind", "sky")
    assert [feature(seen, name)[0] for name in names] == pytest.approx([0.5, 0.6, 0.2, 0.0])


def test_the_last_hours_look_ahead_into_the_next_sunday_and_not_into_january() -> None:
    last, usual = simulator.observe(district(HOURS - 1, stock=0)), history().usual
    ahead = [float(feature(last, name)[0]) for name in ("usual_now", "usual_next", "usual_arrival", "usual_after")]
    assert ahead == pytest.approx([usual[HOURS - 1, 0], *usual[24:27, 0]])


def test_no_training_world_touches_september() -> None:
    past, rng = history(), np.random.default_rng(3)
    demand, weather = past.demand.copy(), past.weather.copy()
    demand[SEPTEMBER:], weather[SEPTEMBER:] = 10**6, 10**6
    world = world_with(replace(past, demand=demand, weather=weather))
    state = world.reset(20_000, rng)
    assert state.hour.min() >= 24
    assert state.hour.max() + problem.horizon <= SEPTEMBER
    latest = np.argsort(state.hour)[-200:]
    state = take(state, latest)
    for _ in range(problem.horizon):
        seen = world.observe(state)
        step = world.step(state, incumbent.propose(seen, None, np.zeros(200)).action, rng)
        assert step.signals["requests"].max() < 10**6
        state = step.state
    last = world.observe(state)
    assert feature(last, "temperature").max() <= 1
    assert np.array_equal(last[:, 6:10], simulator.observe(state)[:, 6:10]), "recent demand ends in August"


@pytest.mark.parametrize(
    ("split", "first", "days"),
    [
        ("train", datetime(2011, 1, 1, tzinfo=UTC), 243),
        ("selection", datetime(2011, 9, 1, tzinfo=UTC), 30),
        ("held_out", datetime(2011, 10, 1, tzinfo=UTC), 92),
    ],
)
def test_the_year_is_split_into_january_to_august_september_and_the_rest(
    split: Split, first: datetime, days: int
) -> None:
    panel = simulator.panel(split)
    assert panel.started_at == first
    assert panel.steps == days * 24
    assert panel.interval == timedelta(hours=1)
    assert panel.worlds == tuple(f"district-{number:02d}" for number in range(1, 21))
    assert set(panel.state.hour.tolist()) == {(panel.started_at - datetime(2011, 1, 1, tzinfo=UTC)) // panel.interval}


def test_a_panel_of_some_days_starts_with_three_usual_hours_of_bikes() -> None:
    panel = simulator.panel("held_out", first_day=7, days=2)
    assert panel.started_at == datetime(2011, 10, 8, tzinfo=UTC)
    assert panel.steps == 48
    hour = (273 + 7) * 24
    assert np.array_equal(panel.state.stock, np.rint(history().usual[hour : hour + 3].sum(axis=0)))
    assert panel.moments()[-1] == datetime(2011, 10, 9, 23, tzinfo=UTC)


@pytest.mark.parametrize(("first_day", "days"), [(-1, 5), (0, 0), (0, 31), (30, 1)])
def test_days_outside_a_split_are_refused(first_day: int, days: int) -> None:
    with pytest.raises(DataError, match="days within the 30 of 'selection'"):
        simulator.panel("selection", first_day, days)


def test_days_outside_the_year_are_refused() -> None:
    with pytest.raises(DataError, match="days within the 365 of the year"):
        simulator.stretch(360, 6)


def test_the_year_is_never_repeated_after_its_last_hour() -> None:
    with pytest.raises(IndexError):
        simulator.step(district(HOURS, stock=5), move(0), RNG)


def test_the_simulator_keeps_every_promise_of_the_contract() -> None:
    findings = check_simulator(problem, simulator, n=8, steps=30)
    assert {finding.gate: finding.verdict for finding in findings} == dict.fromkeys(
        (finding.gate for finding in findings), Verdict.PASS
    )


def test_the_incumbent_keeps_every_promise_of_a_policy() -> None:
    check_policy(incumbent, simulator.observe(simulator.reset(50, np.random.default_rng(1))), 25)
