"""Methods that a project's simulator may have for validation, called so that whatever they raise is a finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import DataError, TenureError
from tenure.core.simulator import Panel
from tenure.core.trajectories import Trajectories
from tenure.simulators.walk import raised_at

T = TypeVar("T")


def replay_panel(simulator: Any, log: Trajectories) -> Panel:
    """`replayed` of the project's simulator.

    Raises:
        DataError: it cannot take this log, by its own word or by what it raised.
    """
    panel: Panel = _asked("replayed", lambda: simulator.replayed(log))
    return panel


def begun_at(simulator: Any, observation: Floats, rng: np.random.Generator) -> Any:
    """`from_observation` of the project's simulator.

    Raises:
        DataError: it raised something.
    """
    return _asked("from_observation", lambda: simulator.from_observation(observation, rng))


def _asked(name: str, ask: Callable[[], T]) -> T:
    try:
        return ask()
    except TenureError:
        raise
    except Exception as error:
        raise DataError(
            expected=f"`{name}` to take this log",
            found=f"{type(error).__name__}: {error}{raised_at(error)}",
            where=f"`{name}` of the project's simulator",
            fix="mend the line that raised it, or raise tenure.core.errors.DataError with what the log lacks",
        ) from error
