"""`tenure sim check` and `tenure sim profile` from outside: exit codes and JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from tests.simulators import test_profile as timed
from tests.simulators.worlds import line_problem
from typer.testing import CliRunner, Result

from tenure.cli.output import Output
from tenure.cli.sim import sim_app
from tenure.cli.sim_profile import run_sim_profile

BROKEN = """
import numpy as np
from tenure.cases.bikes.simulator import BikesSimulator

class Wide(BikesSimulator):
    def observe(self, state):
        return super().observe(state).astype(np.float64)

simulator = Wide()
"""

OWN_ENV = """
import gymnasium
from gymnasium.envs.classic_control import CartPoleEnv

class Pole(CartPoleEnv):
    pass

gymnasium.register("Mine/Pole-v0", entry_point="my_envs:Pole", max_episode_steps=9)
"""


def run(*words: str) -> Result:
    """One command."""
    return CliRunner().invoke(sim_app, list(words))


def test_a_sound_simulator_exits_with_0_and_shows_its_version() -> None:
    done = run("check", "bikes", "--json", "--steps", "10")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["verdict"] == "pass"
    assert "normal" in found["levels"]
    assert len(found["simulator_version"]) == 12
    assert {finding["verdict"] for finding in found["findings"]} == {"pass"}


def test_a_broken_promise_exits_with_4_and_says_the_fix(tmp_path: Path) -> None:
    (tmp_path / "problem.py").write_text("from tenure.cases.bikes.problem import problem\n")
    (tmp_path / "simulator.py").write_text(BROKEN)
    done = run("check", str(tmp_path), "--steps", "5")
    assert done.exit_code == 4, done.output
    assert "float64" in done.output
    assert "astype(np.float32)" in done.output


def test_a_gymnasium_environment_is_checked_by_its_id() -> None:
    done = run("check", "--env", "CartPole-v1", "--steps", "10", "--worlds", "3")
    assert done.exit_code == 0, done.output
    assert "of CartPole-v1" in done.output


def test_an_environment_of_a_module_in_the_current_folder_is_checked_by_module_and_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_envs.py").write_text(OWN_ENV)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [each for each in sys.path if each != str(tmp_path)])
    monkeypatch.setattr("gymnasium.registry", dict(gymnasium.registry))
    monkeypatch.setattr("gymnasium.envs.registration.registry", gymnasium.registry)
    done = run("check", "--env", "my_envs:Mine/Pole-v0", "--steps", "5", "--worlds", "2")
    assert done.exit_code == 0, done.output
    assert "of Mine-Pole-v0" in done.output


@pytest.mark.parametrize("words", [(), ("bikes", "--env", "CartPole-v1"), ("--env", "Nowhere-v9")])
def test_what_is_to_be_checked_must_be_one_thing_that_exists(words: tuple[str, ...]) -> None:
    assert run("check", *words).exit_code == 2


def test_a_profile_tells_speed_shares_memory_and_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = timed.clock()
    simulator = timed.Timed(clock)
    monkeypatch.setattr("tenure.cli.sim_profile.subject", lambda *_: (line_problem(), simulator))
    assert run_sim_profile(Output(json=True), "line", None, clock) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["steps_per_s"] == pytest.approx(1024 / 0.045)
    assert found["simulator_version"] == "line-1"
    assert {"scaling", "shares", "state_bytes_per_world", "gymnasium_steps_per_s", "hints"} <= found.keys()
