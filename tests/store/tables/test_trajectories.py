"""A log of any form as trajectories."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tenure.core.errors import DataError
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Discrete, Feature
from tenure.store import SqliteStore
from tenure.store.tables.trajectories import open_trajectories

from ..rows import NOON, SIGNALS, WAIT, decision, outcome
from .test_stored import BIKES

problem = Problem(
    name="pump",
    about="Run or rest.",
    observation=(Feature("heat", "C", 0, 100), Feature("wind", "m/s", 0, 50, default=3.0)),
    action=Discrete(("rest", "run")),
    signals=(Signal("cost", "$", 0, 10), Signal("wear", "mm", 0, 1)),
    reward=Reward((Term("cost", -1.0, "$/$", "it costs"),)),
    kpis=(KPI("cost", "$", "lower", {"cost": 1.0}),),
)

TABLE = """episode_id,step,decided_at,action,heat,wind,cost,wear,crew
b,1,2024-01-01T01:00:00,run,21,4,2.5,0.2,7
b,0,2024-01-01T00:00:00,rest,20,,1.5,0.1,7
a,0,2024-01-02T00:00:00,run,30,5,,0.3,8
"""


def table(tmp_path: Path, text: str = TABLE) -> str:
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_rows_of_a_table_are_sorted_by_episode_and_step_with_every_column(tmp_path: Path) -> None:
    found = open_trajectories(table(tmp_path), problem).trajectories
    assert found.world == ("a", "b")
    assert found.episode.tolist() == [0, 1, 1]
    assert found.step.tolist() == [0, 0, 1]
    assert found.action.tolist() == [1, 0, 1]
    assert found.feature("heat").tolist() == [30, 20, 21]
    assert np.isnan(found.feature("wind")[1])
    assert found.feature("crew").tolist() == [8, 7, 7]
    assert np.isnan(found.signals["cost"][0])
    assert found.signals["wear"].tolist() == [0.3, 0.1, 0.2]
    assert str(found.at[0]) == "2024-01-02T00:00:00.000000"


def test_a_mapping_says_which_column_is_the_action(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[columns]\naction = "deed"\n')
    text = TABLE.replace("at,action", "at,deed").replace(",crew", ",action").replace(",7\n", ",rest\n")
    found = open_trajectories(table(tmp_path, text.replace(",8\n", ",rest\n")), problem, mapping=str(mapping))
    assert found.trajectories.action.tolist() == [1, 0, 1]


def test_a_signal_whose_name_says_it_is_a_cost_stays_a_signal_with_its_sign(tmp_path: Path) -> None:
    found = open_trajectories(table(tmp_path), problem).trajectories
    assert found.signals["cost"][1:].tolist() == [1.5, 2.5]


def test_a_column_that_is_missing_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    place = table(tmp_path, TABLE.replace("heat", "warmth").replace("wear", "abrasion"))
    with pytest.raises(DataError) as caught:
        open_trajectories(place, problem)
    assert caught.value.expected == "columns ['heat', 'wear']"
    assert "warmth" in caught.value.found
    assert caught.value.where == place


def test_a_feature_with_a_default_may_be_missing_and_is_nan(tmp_path: Path) -> None:
    found = open_trajectories(table(tmp_path, TABLE.replace("wind", "breeze")), problem).trajectories
    assert np.isnan(found.feature("wind")).all()
    assert "breeze" in found.names


def test_a_step_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="step 0 of episode 'b' twice"):
        open_trajectories(table(tmp_path, TABLE.replace("b,1,", "b,0,")), problem)


def test_without_steps_the_times_order_and_without_episodes_the_units_do(tmp_path: Path) -> None:
    text = "\n".join(
        [
            "unit_id,decided_at,action,heat,wind,cost,wear",
            "u,2024-01-01T02:00:00,run,22,4,3,0.1",
            "u,2024-01-01T01:00:00,rest,21,4,2,0.1",
            "v,2024-01-01T00:00:00,rest,20,4,1,0.1",
        ]
    )
    found = open_trajectories(table(tmp_path, text + "\n"), problem).trajectories
    assert found.world == ("u", "v")
    assert found.feature("heat").tolist() == [21, 22, 20]
    assert found.step.tolist() == [0, 1, 0]


def test_signals_of_an_export_come_from_their_json(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    line = {"episode_id": "a", "step": 0, "action": "run", "context": {"heat": 20, "wind": 4}}
    rows = [{**line, "signals": {"cost": 1.0, "wear": 0.5}}, {**line, "step": 1, "signals": None}]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    found = open_trajectories(str(path), problem).trajectories
    assert found.signals["wear"].tolist()[0] == 0.5
    assert np.isnan(found.signals["wear"][1])
    assert found.at is None


def test_tenures_own_log_gives_observations_contexts_and_counted_signals(tmp_path: Path) -> None:
    rows = [decision(f"d{k}", episode_id="e", step=k, context={"bikes": 4.0, "crew": float(k)}) for k in range(3)]
    outcomes = [outcome("o", "d0", cost=1.5, trips=2.0), outcome("p", "d1", cost=float("inf"))]  # d1's is in quarantine
    with SqliteStore(tmp_path / "log.sqlite") as store:
        store.open_problem("bikes", "salt")
        store.append_decisions([rows[1], rows[0], rows[2]])
        store.append_outcomes("bikes", outcomes, received_at=NOON, wait=WAIT, signals=SIGNALS)
    found = open_trajectories(str(tmp_path / "log.sqlite"), BIKES).trajectories
    assert found.step.tolist() == [0, 1, 2]
    assert found.feature("bikes").tolist() == [4, 4, 4]
    assert found.feature("crew").tolist() == [0, 1, 2]
    assert found.signals["cost"][0] == 1.5
    assert np.isnan(found.signals["cost"][1:]).all()
    assert found.propensity.tolist() == [0.25] * 3


def long_table(tmp_path: Path, episodes: int, steps: int) -> str:
    """Episodes of that length; heat tells the episode, wind the step."""
    lines = [
        f"e{k},{step},run,{k % 100},{step},{k % 7},0.5"
        for step in range(steps)  # an episode's lines lie far apart
        for k in range(episodes)
    ]
    return table(tmp_path, "\n".join(["episode_id,step,action,heat,wind,cost,wear", *lines]) + "\n")


def test_a_long_log_is_read_in_whole_episodes_and_says_how_many(tmp_path: Path) -> None:
    place = long_table(tmp_path, 5_000, 4)
    whole, found = open_trajectories(place, problem), open_trajectories(place, problem, most=4_000)
    assert (whole.read, whole.share, len(whole.trajectories)) == (20_000, 1.0, 20_000)
    assert (found.read, found.share) == (20_000, 0.125)
    assert len(found.trajectories) == 4 * found.trajectories.episodes <= 4_000
    names = [whole.trajectories.world.index(name) for name in found.trajectories.world]
    same = whole.trajectories.take(np.array(names))
    assert np.array_equal(found.trajectories.observation, same.observation)
    assert np.array_equal(found.trajectories.signals["cost"], same.signals["cost"])
    assert found.trajectories.step.tolist() == [0, 1, 2, 3] * found.trajectories.episodes
