"""What a part gives away is enough to go on as before."""

from __future__ import annotations

import random

import numpy as np
import torch

from tenure.training.checkpoints import loaded, saved
from tenure.training.parts import Chance, GlobalChance


def test_a_generator_goes_on_where_it_was_and_stays_the_same_object() -> None:
    rng = np.random.default_rng(3)
    rng.random(5)
    part = Chance(rng)
    kept = loaded(saved(part.state_dict()))
    expected = rng.random(4).tolist()
    part.load_state_dict(kept)
    assert part.rng is rng
    assert rng.random(4).tolist() == expected


def test_the_generators_libraries_share_all_go_on() -> None:
    kept = loaded(saved(GlobalChance().state_dict()))
    expected = torch.rand(1).item(), np.random.rand(), random.random()
    GlobalChance().load_state_dict(kept)
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == expected
