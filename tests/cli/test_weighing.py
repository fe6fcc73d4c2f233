"""What sways a vector, by a linear policy worked by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.cli.weighing import moved
from tenure.core.arrays import Bools, Floats
from tenure.core.policy import Proposal
from tenure.core.spaces import Box

SPACE = Box(("u", "v"), ("m", "m"), (-10.0, 0.0), (10.0, 40.0))


@dataclass(frozen=True)
class Linear:
    """u is the first feature, v four times the second; the third sways nothing."""

    version: str = "linear"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        assert allowed is None
        assert len(draw) == len(observation)
        vectors = np.stack([observation[:, 0], 4 * observation[:, 1]], axis=1).astype(np.float64)
        return Proposal(vectors, np.ones(len(vectors)))


def test_a_feature_sways_a_vector_by_how_far_it_moves_when_hidden() -> None:
    found = moved(Linear(), SPACE, np.array([5, 2, 7], dtype=np.float32), np.array([1, 3, 0], dtype=np.float32))
    np.testing.assert_allclose(found, [4 / 20, 4 / 40, 0.0])
