"""How much each feature swayed one decision, by occlusion: hide it, ask again, compare."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError


def occlusion(probabilities: Callable[[Floats], Floats], observation: Floats, baseline: Floats, action: int) -> Floats:
    """Change of the probability of the chosen action when one feature after the other takes its baseline value.

    Positive: the feature's own value spoke for the action. Features are hidden one at a time, so what only two of them
    together bring about is not seen, and a feature at its baseline has none.

    Args:
        probabilities: of every action; float32 [n, features] to [n, actions], in [0, 1].
        observation: what was decided on; float32 [features].
        baseline: an unremarkable value of each feature, such as its median; [features].
        action: index of the chosen action.

    Returns:
        p(observation) - p(observation with feature i at its baseline); [features], in [-1, 1].

    Raises:
        EvidenceError: observation and baseline differ in length, or a probability is not finite.

    Source: occlusion after Zeiler and Fergus (2014), section 4.2, with one feature for their patch.
    """
    if observation.shape != baseline.shape or observation.ndim != 1:
        raise _wrong("one baseline value per feature", f"{observation.shape} and {baseline.shape}")
    n = len(observation)
    asked = np.tile(observation.astype(np.float32), (n + 1, 1))
    asked[np.arange(n), np.arange(n)] = baseline
    chosen = np.asarray(probabilities(asked), dtype=float)[:, action]
    if not np.isfinite(chosen).all():
        raise _wrong("finite probabilities", str(chosen[~np.isfinite(chosen)][0]))
    return np.asarray(chosen[n] - chosen[:n])


def _wrong(expected: str, found: str) -> EvidenceError:
    return EvidenceError(
        expected=expected, found=found, where="occlusion", fix="give the observation of the log and finite medians"
    )
