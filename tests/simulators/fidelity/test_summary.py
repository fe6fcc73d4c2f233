"""Many findings in a sentence: another season, another mechanism, or neither known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from tests.simulators.fidelity.depot import problem
from tests.simulators.fidelity.rows import rows

from tenure.simulators.fidelity.differences import Difference
from tenure.simulators.fidelity.sample import sample_of
from tenure.simulators.fidelity.summary import Place, in_short, places

WHERE = {
    "weather": Place(21.5, 11.0, 0.3), "demand": Place(6.0, 5.0, 0.0), "stock": Place(9.0, 12.0, 0.0),
    "heat": Place(30.0, 20.0, 0.0), "usual": Place(6.0, 5.0, 0.0), "hour": Place(11.5, 11.5, 0.0),
}  # fmt: skip
OUTSIDE = ("usual", "weather", "heat", "hour", "demand")


def found(fails: Sequence[tuple[str, str, float]], replay: float | None = None) -> list[Difference]:
    """Failing differences (aspect, field, value), one that passes, and a replay with that distance."""
    far = [Difference(aspect, field, "", value, value - 0.1, value + 0.1, 0.2) for aspect, field, value in fails]
    again = [] if replay is None else [Difference("replay", "stock", "", replay, replay, replay, 0.15)]
    return [*far, Difference("level", "hour", "", 0.0, 0.0, 0.1, 0.2), *again]


def test_nothing_is_said_where_nothing_fails() -> None:
    assert in_short(problem, found([], replay=0.0), WHERE, OUTSIDE) == ""


def test_another_season_is_told_with_its_figures_and_what_the_simulator_never_makes() -> None:
    told = in_short(problem, found([("level", "weather", 2.0), ("level", "stock", 0.5)]), WHERE, OUTSIDE)
    assert told.startswith(
        "The log is of other days than the simulator's worlds: weather is 21.5 degrees on average in the log and 11 in "
        "the simulator, which never makes 30% of the log's values. No action changes these:"
    )
    assert "stock" not in told


def test_a_replay_that_agrees_says_that_it_is_not_the_mechanism_and_one_that_does_not_says_nothing() -> None:
    fails = [("level", "weather", 2.0)]
    assert "it is the season, not the mechanism" in in_short(problem, found(fails, replay=0.0), WHERE, OUTSIDE)
    assert "mechanism" not in in_short(problem, found(fails, replay=0.5), WHERE, OUTSIDE)


def test_what_actions_change_points_at_the_mechanism() -> None:
    told = in_short(problem, found([("level", "stock", 0.5), ("noise", "stock", 0.5)]), WHERE, OUTSIDE)
    assert told == "What no action changes is alike; what differs is stock: look at what the simulator makes of actions"


def test_a_simulator_that_does_not_say_what_no_action_changes_is_asked_to() -> None:
    told = in_short(problem, found([("level", "stock", 0.5)]), WHERE, None)
    assert told.startswith("stock is 9 pieces on average in the log and 12 in the simulator. Whether the log is of")
    assert "`unaffected`" in told


def test_the_furthest_three_are_told_and_the_rest_counted() -> None:
    fails = [("level", "demand", 0.5), ("level", "weather", 2.0), ("level", "heat", 1.0), ("level", "usual", 0.4)]
    told = in_short(problem, found([*fails, ("noise", "weather", 0.5)]), WHERE, OUTSIDE)
    assert [told.index(f"{name} is") for name in ("weather", "heat", "demand")] == sorted(
        told.index(f"{name} is") for name in ("weather", "heat", "demand")
    )
    assert "usual is" not in told
    assert "; and 1 more field(s)" in told


def test_a_field_that_fails_in_its_pattern_alone_is_named() -> None:
    assert "what differs is demand" in in_short(problem, found([("season", "demand", 0.5)]), WHERE, OUTSIDE)


def test_places_are_means_and_the_share_beyond_everything_simulated() -> None:
    seen = ([1.0, 2.0, 9.0, np.nan], [1.0, 5.0])
    real, made = (sample_of(rows({"x": np.array(each)}, {}, 1), ("x",), (), "episode") for each in seen)
    found = places(real, made)["x"]
    assert (found.real, found.simulated) == (4.0, 3.0)
    assert found.beyond == pytest.approx(1 / 3)
