"""What a learner makes of a window: the newest observation and an average, where it is not shown all of them."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.history import History


def mixing(history: History, features: int) -> Floats | None:
    """From a window in the learner's units to the newest observation and the average; None where all are kept.

    Args:
        history: of the policy.
        features: of one observation.

    Returns:
        float32 [steps * features, 2 * features].
    """
    if history.half_life is None:
        return None
    same = np.eye(features)
    newest = np.concatenate([same, *[np.zeros_like(same)] * (history.steps - 1)])
    average = np.concatenate([weight * same for weight in history.weights])
    return np.concatenate([newest, average], axis=1).astype(np.float32)
