"""The head, worked by hand: its curve, its folded form, and the graph it leaves in."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tenure.core.arrays import Floats
from tenure.training.confidence.graph import ConfidentGraph
from tenure.training.confidence.head import APART, Ensemble, Head, Sure, head_for, rising
from tenure.training.normaliser import CLIP

IDENTITY = np.array([-1.0, 1.0]), np.array([0.0, 1.0])
"""A curve from 0 at a logit of -1 to 1 at a logit of 1."""


def rows(n: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal([0, 5, 100], [1, 2, 50], (n, 3)).astype(np.float32)


def test_the_curve_is_the_share_of_good_ones_where_that_rises_and_their_mean_where_it_falls() -> None:
    # Four values: shares 0, 1/2, 1/4, 1; the two in the middle fall, so both are their mean, 3/8.
    logit = np.repeat([-2.0, -1.0, 1.0, 2.0], 4)
    good = np.array([0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1], dtype=bool)
    stated, share = rising(logit, good)
    assert np.interp([-2, -1, 1, 2], stated, share) == pytest.approx([0, 0.375, 0.375, 1])


def test_points_of_the_curve_are_never_so_near_that_float32_loses_its_slope() -> None:
    logit = np.concatenate([np.zeros(50), np.linspace(0, 1e-6, 50), [1.0]])
    stated, share = rising(logit, np.arange(101) % 2 == 0)
    assert (np.diff(stated) >= APART).all()
    assert (np.diff(share) >= 0).all()
    assert len(rising(np.zeros(50), np.ones(50, dtype=bool))[0]) == 2


def test_the_served_form_is_the_mean_logit_bent_by_the_curve() -> None:
    head = head_for(rows(500), members=3, units=8, seed=1)
    with torch.no_grad():
        head.ensemble.shift.copy_(torch.tensor([0.5, -0.5, 0.3]))
        raw = head(torch.as_tensor(rows(1000, 2))).numpy()
        served = Sure(head, np.array([-1.0, 0.0, 2.0]), np.array([0.1, 0.6, 0.9]))(
            torch.as_tensor(rows(1000, 2))
        ).numpy()
    assert np.abs(served - np.interp(raw, [-1, 0, 2], [0.1, 0.6, 0.9])).max() < 1e-5
    assert raw.std() > 0.1


def test_what_lies_far_beyond_what_was_seen_is_cut_off() -> None:
    seen = rows(500)
    head = head_for(seen, members=2, units=8, seed=1)
    sure = Sure(head, *IDENTITY)
    edge = torch.as_tensor(seen.mean(axis=0) + (CLIP + np.array([0, 1, 100])[:, None]) * seen.std(axis=0))
    with torch.no_grad():
        said = sure(edge.to(torch.float32)).numpy()
    assert said == pytest.approx([said[0]] * 3, abs=1e-4)


def test_the_members_begin_apart_and_one_seed_begins_alike() -> None:
    def first(seed: int) -> torch.Tensor:
        ensemble = Ensemble(3, 4, 8, torch.Generator().manual_seed(seed))
        with torch.no_grad():
            return torch.as_tensor(ensemble(torch.ones(1, 3))[0])

    assert len(set(first(1).tolist())) == 4
    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


def test_making_a_head_draws_nothing_from_the_chance_that_all_share() -> None:
    before = torch.get_rng_state()
    head_for(rows(50), members=2, units=4, seed=1)
    assert torch.equal(before, torch.get_rng_state())


def test_the_policys_answer_leaves_as_it_was() -> None:
    policy = nn.Linear(2, 3)
    seen = torch.as_tensor(rows(1000)[:, :2])
    with torch.no_grad():
        beside = torch.cat([seen, policy(seen)], dim=1).numpy()
        sure = Sure(Head(beside, Ensemble(5, 2, 4, torch.Generator())), *IDENTITY)
        answer, confidence = ConfidentGraph(policy, sure, within=3)(seen)
        assert torch.equal(answer, policy(seen))
    assert confidence.shape == (1000,)
    assert 0 <= confidence.min() < confidence.max() <= 1
