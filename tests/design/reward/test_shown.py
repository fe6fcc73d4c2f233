"""The stretch of an exploit that is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.design.reward.test_exploit import PROBLEM, mill

from tenure.design.reward.conduct import Conduct
from tenure.design.reward.shown import SHOWN, shown_steps


def test_steps_show_features_action_signals_and_reward_by_term() -> None:
    step, _ = shown_steps(PROBLEM, mill(flour=(20, 20, 20, 20)), mill(), "noise")
    assert step.features == {"load": 0.0}
    assert step.action == "fast"
    assert step.signals == {"flour": 20.0, "sparks": 0.0, "noise": 40.0, "power": 5.0}
    assert step.reward == {"flour": 40.0}


def test_the_stretch_is_where_the_harm_is_in_the_world_that_gains_most() -> None:
    quiet = _long(mill(), noisy_from=None)
    found = shown_steps(PROBLEM, _long(mill(flour=(10, 30, 12, 13)), noisy_from=60), quiet, "noise")
    assert len(found) == SHOWN
    assert found[0].step == 60
    assert found[0].signals["flour"] == 30.0


def test_a_world_that_ended_is_shown_to_its_end() -> None:
    ended = mill(flour=(20, 20, 20, 20))
    ended.trace.action[1] = -1
    assert [step.step for step in shown_steps(PROBLEM, ended, mill(), "noise")] == [0]


def _long(short: Conduct, noisy_from: int | None) -> Conduct:
    """The same for 100 steps, loud for as many steps as are shown."""
    trace = short.trace
    signals = {name: np.repeat(values[:1], 100, axis=0) for name, values in trace.signals.items()}
    if noisy_from is not None:
        signals["noise"][noisy_from : noisy_from + SHOWN] = 99.0
    action, seen = np.ones((100, 4), dtype=np.int64), np.zeros((100, 4, 1), dtype=np.float32)
    return replace(short, trace=replace(trace, signals=signals, action=action, observation=seen))
