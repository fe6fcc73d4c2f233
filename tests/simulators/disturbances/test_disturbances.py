"""Each disturbance does to a clock exactly what its first sentence says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.simulators.worlds import EndlessWalk, Shop, UpTo, line_problem, shop_problem

from tenure.core import Simulator
from tenure.core.arrays import Floats
from tenure.core.errors import SettingsError
from tenure.simulators import run
from tenure.simulators.disturbances import (
    ActionDelay,
    DemandShock,
    Disturbance,
    DroppedSensors,
    NetworkDelay,
    ObservationDelay,
    Obstacle,
    SensorNoise,
    StuckSensors,
    disturbed,
)

from .worlds import Clock, Masked, Plain, clock_problem

N = 400
ERROR = 1e-6
"""Rate at which a binomial test below would fail though the code is right."""


def watch(
    simulator: Simulator, steps: int, n: int = 1, actions: Sequence[int] = (), seed: int = 0
) -> tuple[Floats, list[Any]]:
    """What is seen before each step and after the last, [steps + 1, n, features], and the signals of each step."""
    rng = np.random.default_rng(seed)
    state = simulator.reset(n, rng)
    seen, signals = [simulator.observe(state)], []
    for index in range(steps):
        action = np.full(n, actions[index] if index < len(actions) else 0)
        step = simulator.step(state, action, rng)
        state = step.state
        seen.append(simulator.observe(state))
        signals.append(step.signals)
    return np.array(seen), signals


def times(disturbances: Sequence[Disturbance], steps: int = 6, n: int = 1) -> Floats:
    return watch(disturbed(clock_problem(), Clock(), disturbances), steps, n)[0]


def within(hits: int, tries: int, share: float) -> None:
    assert stats.binomtest(hits, tries, share).pvalue > ERROR


def test_a_delay_shows_the_reading_of_so_many_steps_ago_and_before_it_the_first() -> None:
    seen = times([ObservationDelay(2)])
    assert seen[:, 0, 0].tolist() == [0, 0, 0, 1, 2, 3, 4]
    assert seen[:, 0, 1].tolist() == [0, 0, 0, 10, 20, 30, 40]


def test_a_delay_of_some_features_leaves_the_others_on_time() -> None:
    seen = times([ObservationDelay(1, ("tens",))])
    assert seen[:, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert seen[:, 0, 1].tolist() == [0, 0, 10, 20, 30, 40, 50]


def test_delays_add_up() -> None:
    assert np.array_equal(times([ObservationDelay(1), ObservationDelay(2)]), times([ObservationDelay(3)]))


def test_a_network_shows_ages_in_the_shares_that_uniform_travel_times_give() -> None:
    # Newest is age a: none of the ages below a has arrived, P = (1 - 1/3)(1 - 2/3) for a = 2, by hand.
    steps = 200
    seen = times([NetworkDelay(2)], steps, n=40)[2:, :, 0]
    age: Any = np.arange(2, steps + 1)[:, None] - seen
    # Ages of neighbouring steps share messages; those four apart share none.
    apart = age[::4].ravel()
    for steps_old, share in ((0, 1 / 3), (1, 2 / 3 * 2 / 3), (2, 2 / 3 * 1 / 3)):
        within(int((apart == steps_old).sum()), apart.size, share)


def test_a_network_never_goes_back_in_time() -> None:
    assert (np.diff(times([NetworkDelay(4)], 100, n=20)[:, :, 0], axis=0) >= 0).all()


def test_a_networks_message_holds_all_its_features() -> None:
    seen = times([NetworkDelay(3)], 50, n=20)
    assert np.array_equal(seen[:, :, 1], 10 * seen[:, :, 0])


def test_noise_has_the_standard_deviation_it_is_given_in_the_features_unit() -> None:
    simulator = disturbed(clock_problem(), Clock(), [SensorNoise({"free": 2.0})])
    seen, _ = watch(simulator, 20, N)
    error = seen[:, :, 2] + np.arange(21)[:, None]
    spread = float((error**2).sum()) / 4
    low, high = (float(stats.chi2.ppf(tail, error.size)) for tail in (ERROR / 2, 1 - ERROR / 2))
    assert low < spread < high
    assert np.array_equal(seen[:, :, :2], times([], 20, N)[:, :, :2])


def test_noise_in_shares_means_shares_of_the_declared_range_and_stays_within_it() -> None:
    disturbance = SensorNoise(0.01, ("time", "tens"))
    assert disturbance.scale(clock_problem()).tolist() == [10.0, 100.0, 0.0]
    seen = times([disturbance], 20, N)
    assert seen[:, :, 0].min() == 0.0
    assert seen[:, :, 0].max() > 20


def test_a_share_of_a_range_that_is_not_declared_is_refused_with_its_feature() -> None:
    with pytest.raises(SettingsError, match=r"a finite range; found 'free' without one"):
        disturbed(clock_problem(), Clock(), [SensorNoise(0.1)])


def test_a_missing_reading_leaves_the_last_one_standing() -> None:
    seen = times([DroppedSensors(1.0, ("time",))])
    assert seen[:, 0, 0].tolist() == [0] * 7
    assert seen[:, 0, 1].tolist() == [0, 10, 20, 30, 40, 50, 60]


def test_a_missing_reading_may_get_the_features_default() -> None:
    assert times([DroppedSensors(1.0, ("free",), "default")])[:, 0, 2].tolist() == [5.0] * 7
    with pytest.raises(SettingsError, match=r"features with a default; found 'time' without one"):
        disturbed(clock_problem(), Clock(), [DroppedSensors(0.1, ("time",), "default")])


def test_readings_are_missing_as_often_as_stated_each_sensor_by_itself() -> None:
    steps = 50
    lost = (
        times([DroppedSensors(0.3)], steps, N)[1:, :, :2] != np.array([1, 10]) * np.arange(1, steps + 1)[:, None, None]
    )
    within(int(lost.sum()), lost.size, 0.3)
    within(int(lost.all(axis=2).sum()), lost[..., 0].size, 0.3**2)


def test_a_stuck_sensor_shows_the_reading_before_for_so_many_steps() -> None:
    seen = times([StuckSensors(1.0, 3, ("time",))], 7)
    # It stops at step 1 and, never failing to, again and again: the value never moves.
    assert seen[:, 0, 0].tolist() == [0] * 8
    assert seen[:, 0, 1].tolist() == [10.0 * step for step in range(8)]
    runs = times([StuckSensors(0.05, 3, ("time",))], 300, n=50)[:, :, 0]
    jumps = np.diff(runs, axis=0)[:-10]
    assert set(np.unique(jumps)) >= {0.0, 1.0, 4.0}
    assert ((jumps == 0) | (jumps % 3 == 1)).all()


def test_sensors_are_stuck_for_the_share_of_time_that_follows_from_chance_and_length() -> None:
    disturbance = StuckSensors(0.05, 5)
    assert disturbance.share == pytest.approx(0.25 / (0.25 + 0.95))
    seen = times([disturbance], 600, n=N)[-1, :, 0]
    within(int((seen != 600).sum()), N, disturbance.share)


def test_an_action_takes_effect_so_many_steps_later_and_before_that_the_first_does() -> None:
    simulator = disturbed(clock_problem(), Clock(), [ActionDelay(2)])
    _, signals = watch(simulator, 6, actions=[3, 1, 4, 1, 5, 9])
    assert [float(one["taken"][0]) for one in signals] == [3, 3, 3, 1, 4, 1]


def test_a_vector_of_numbers_is_delayed_as_a_whole() -> None:
    simulator = disturbed(clock_problem(box=True), Clock(), [ActionDelay(1)])
    rng = np.random.default_rng(0)
    state, taken = simulator.reset(2, rng), []
    for step in range(3):
        after = simulator.step(state, np.array([[0.5 + step], [0.25]]), rng)
        state = after.state
        taken.append(after.signals["taken"].tolist())
    assert taken == [[0.5, 0.25], [0.5, 0.25], [1.5, 0.25]]


def test_a_late_action_that_is_not_allowed_any_more_gives_way_to_the_nearest() -> None:
    simulator = disturbed(clock_problem(), Masked(), [ActionDelay(1)])
    _, signals = watch(simulator, 3, actions=[9, 2, 9])
    assert [float(one["taken"][0]) for one in signals] == [9, 8, 2]


def test_a_shock_begins_and_ends_when_it_is_due() -> None:
    _, signals = watch(disturbed(clock_problem(), Clock(), [DemandShock(3.0, at=2, steps=2)]), 6)
    assert [float(one["demand"][0]) for one in signals] == [10, 10, 30, 30, 10, 10]
    _, signals = watch(disturbed(clock_problem(), Clock(), [DemandShock(0.5)]), 3)
    assert [float(one["demand"][0]) for one in signals] == [5, 5, 5]


def test_a_shock_and_an_obstacle_go_together_in_either_order() -> None:
    one, other = DemandShock(2.0, at=1), Obstacle(0.25, at=2)
    noise = SensorNoise({"time": 1.0})
    stacks: list[list[Disturbance]] = [[noise, one, other], [other, one, noise]]
    for stack in stacks:
        _, signals = watch(disturbed(clock_problem(), Clock(), stack), 4)
        assert [float(step["demand"][0]) for step in signals] == [10, 20, 20, 20]
        assert [float(step["open"][0]) for step in signals] == [1, 1, 0.75, 0.75]


@pytest.mark.parametrize("disturbance", [DemandShock(2.0), Obstacle(0.5)])
def test_what_a_simulator_does_not_support_is_said(disturbance: Disturbance) -> None:
    with pytest.raises(SettingsError, match=r"a simulator with a method `(shocked|obstructed)`; found one without"):
        disturbed(clock_problem(), Plain(), [disturbance])


IDLE: list[Disturbance] = [
    ObservationDelay(0), NetworkDelay(0), SensorNoise(0.0), SensorNoise({"stock": 0.0}), DroppedSensors(0.0),
    StuckSensors(0.0, 3), ActionDelay(0), DemandShock(1.0), Obstacle(0.0),
]  # fmt: skip


def test_no_strength_is_the_simulator_itself() -> None:
    shop = Shop()
    assert disturbed(shop_problem(), shop, IDLE) is shop
    assert disturbed(shop_problem(), shop, []) is shop


@pytest.mark.parametrize(
    "disturbance",
    [ObservationDelay(3), NetworkDelay(3), SensorNoise({"stock": 3.0}), DroppedSensors(0.5), StuckSensors(0.2, 4)],
)
def test_what_disturbs_the_readings_alone_leaves_the_world_bit_for_bit_as_it_was(disturbance: Disturbance) -> None:
    problem = shop_problem()
    rng, other = np.random.default_rng(3), np.random.default_rng(3)
    plain, worlds = Shop(), disturbed(problem, Shop(), [disturbance])
    state, disturbed_state = plain.reset(50, rng), worlds.reset(50, other)
    for step in range(20):
        one = plain.step(state, np.full(50, step % 5), np.random.default_rng(step))
        two = worlds.step(disturbed_state, np.full(50, step % 5), np.random.default_rng(step))
        state, disturbed_state = one.state, two.state
        assert np.array_equal(one.signals["lost"], two.signals["lost"])
        assert np.array_equal(state.stock, disturbed_state.world.stock)


def test_a_policy_on_a_disturbed_panel_meets_its_worlds_side_by_side() -> None:
    problem, worlds = line_problem(), disturbed(line_problem(), EndlessWalk(), [ObservationDelay(1)])
    trace = run(problem, worlds, UpTo(1), worlds.panel("selection")).trace
    assert trace.observation is not None
    # Up to 1: at 0 it goes on by `stay` (action 1), whose place is 0; the delayed reading follows.
    assert trace.observation[:2, :, 0].tolist() == [[0, 2], [0, 2]]
    assert trace.worlds == ("a", "b")


def test_the_version_tells_what_was_done_and_in_which_order() -> None:
    problem = clock_problem()
    stacks: list[list[Disturbance]] = [
        [], [ObservationDelay(1)], [ObservationDelay(2)], [ObservationDelay(1, ("time",))],
        [ObservationDelay(1), DroppedSensors(0.1)], [DroppedSensors(0.1), ObservationDelay(1)],
    ]  # fmt: skip
    versions = [disturbed(problem, Clock(), stack).version for stack in stacks]
    assert len(set(versions)) == len(stacks)
    assert versions == [disturbed(problem, Clock(), stack).version for stack in stacks]


def test_world_comes_before_action_and_action_before_reading_whatever_the_order_given() -> None:
    stack: list[Disturbance] = [ObservationDelay(1), ActionDelay(1), DemandShock(2.0)]
    versions = {
        disturbed(clock_problem(), Clock(), order).version for order in (stack, stack[::-1], stack[1:] + stack[:1])
    }
    assert len(versions) == 1


def test_a_mask_is_there_exactly_where_the_simulator_has_one() -> None:
    problem = clock_problem()
    assert not hasattr(disturbed(problem, Clock(), [ObservationDelay(1)]), "mask")
    masked: Any = disturbed(problem, Masked(), [ObservationDelay(1), ActionDelay(1)])
    assert masked.mask(masked.reset(2, np.random.default_rng(0))).shape == (2, 10)


@pytest.mark.parametrize(
    "disturbance",
    [
        ObservationDelay(1, ("tim",)),
        SensorNoise({"tim": 1.0}),
        NetworkDelay(1, ("tim",)),
        DroppedSensors(0.1, ("tim",)),
        StuckSensors(0.1, 1, ("tim",)),
    ],
)
def test_a_feature_that_does_not_exist_is_named(disturbance: Disturbance) -> None:
    with pytest.raises(SettingsError, match=r"some of the features \['time', 'tens', 'free'\]; found 'tim'"):
        disturbed(clock_problem(), Clock(), [disturbance])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ObservationDelay(-1), "steps of at least 0; found -1"),
        (lambda: NetworkDelay(-1), "found -1"),
        (lambda: SensorNoise(-0.1), "standard deviations of at least 0; found -0.1"),
        (lambda: SensorNoise(float("nan")), "found nan"),
        (lambda: DroppedSensors(1.5), r"a share in \[0, 1\]; found 1.5"),
        (lambda: StuckSensors(-0.5, 1), r"a chance in \[0, 1\]"),
        (lambda: StuckSensors(0.5, 0), "steps of at least 1; found 0"),
        (lambda: ActionDelay(-2), "found -2"),
        (lambda: DemandShock(-1.0), r"a strength in \[0, inf\]; found -1.0"),
        (lambda: DemandShock(float("inf")), "found inf"),
        (lambda: Obstacle(1.1), r"a strength in \[0, 1\]; found 1.1"),
    ],
)
def test_an_impossible_strength_is_refused(make: Any, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        make()
