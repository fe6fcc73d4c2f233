"""A problem's spaces in Gymnasium's words."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from tenure.core.problem import Problem
from tenure.core.spaces import Discrete


def action_space(problem: Problem) -> spaces.Space[Any]:
    """The actions of one world: `Discrete`, or a float32 `Box`."""
    if isinstance(problem.action, Discrete):
        return spaces.Discrete(problem.action.size)
    low, high = np.array(problem.action.low, np.float32), np.array(problem.action.high, np.float32)
    return spaces.Box(low, high, dtype=np.float32)


def observation_space(problem: Problem) -> spaces.Box:
    """What is seen of one world: a float32 `Box` with the features' own bounds."""
    low = np.array([feature.low for feature in problem.observation], np.float32)
    high = np.array([feature.high for feature in problem.observation], np.float32)
    return spaces.Box(low, high, dtype=np.float32)
