"""A short search in a simulator: what planning on a tiny map, or fitted values of a sample, would decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.policy import Proposal
from tenure.design.assess.policies import SmallRule, best_allowed, small_rule
from tenure.design.assess.records import Records
from tenure.design.assess.surface import Surface, fit_surface
from tenure.design.assess.worth import Later
from tenure.simulators.actions import nearest_allowed

MOST_FITS = 60
"""Surfaces evaluated at most in a search; fewer rounds where there are many actions."""
MOST_PLACES = 2000
"""Different situations up to which a world counts as tiny."""
SWEEPS = 2000
"""Sweeps of value iteration at most."""


@dataclass(frozen=True, eq=False)
class Searched:
    """A policy by fitted values."""

    surface: Surface
    column: int
    version: str

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """The action of highest fitted worth."""
        worth = self.surface.everywhere(np.asarray(observation, dtype=float))[:, :, self.column]
        return Proposal(best_allowed(worth, allowed), np.ones(len(observation)))


@dataclass(frozen=True, eq=False)
class Ruled:
    """A rule of two questions as a policy."""

    rule: SmallRule
    version: str = "small rule"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """Its action, or the allowed one nearest to it."""
        action: Ints = self.rule(np.asarray(observation, dtype=float))
        return Proposal(action if allowed is None else nearest_allowed(action, allowed), np.ones(len(action)))


@dataclass(frozen=True, eq=False)
class Planned:
    """A plan over every situation met; in one never met, the first allowed action."""

    plan: dict[bytes, int]
    version: str = "plan"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """The planned action."""
        seen = np.ascontiguousarray(observation, dtype=np.float32)
        action: Ints = np.array([self.plan.get(row.tobytes(), 0) for row in seen], dtype=np.int64)
        return Proposal(action if allowed is None else nearest_allowed(action, allowed), np.ones(len(action)))


def search(records: Records, later: Later, discount: float) -> tuple[Searched, Searched, Ruled]:
    """Policies by the moment, looking ahead, and a rule of two questions, from a sample of a world.

    Fitted Q iteration from the sampling policy's own values; as many rounds as the number of actions leaves time for.

    Source: Ernst, Geurts and Wehenkel (2005), JMLR 6.
    """
    actions = len(records.labels)
    y = np.stack([records.reward, records.reward + later.foreseen.mean(axis=0)], axis=1)
    surface = fit_surface(records.x, records.action, y, actions)
    now = Searched(surface, 0, "by the moment")
    goes_on = records.following >= 0
    for _ in range(max(1, min(10, MOST_FITS // actions))):
        best = surface.everywhere(records.x)[:, :, 1].max(axis=1)
        level = 0.0 if records.episodic else float(best.mean())
        follows = np.where(goes_on, discount * (best[records.following] - level), 0.0)
        surface = fit_surface(
            records.x, records.action, np.stack([records.reward, records.reward + follows], axis=1), actions
        )
    worth = surface.everywhere(records.x)[:, :, 1]
    return now, Searched(surface, 1, "looking ahead"), Ruled(small_rule(records.x, worth))


def plan(records: Records, discount: float) -> Planned | None:
    """An exact plan where a world is tiny and what follows is fixed by situation and action; None elsewhere.

    Value iteration over the situations met, on what was seen to follow each; pairs never tried are left out.

    Source: Bellman (1957).
    """

    seen = np.ascontiguousarray(records.x, dtype=np.float32)
    places, place = np.unique(seen, axis=0, return_inverse=True)
    if len(places) > min(MOST_PLACES, len(records) // 4):
        return None
    actions = len(records.labels)
    pair = place * actions + records.action
    after = np.where(records.following >= 0, place[records.following], -1)
    known = records.following >= 0 if not records.episodic else np.ones(len(records), dtype=bool)
    leads, pays = np.full(len(places) * actions, -1), np.full(len(places) * actions, -np.inf)
    leads[pair[known]], pays[pair[known]] = after[known], records.reward[known]
    agree = (leads[pair] == after) & np.isclose(pays[pair], records.reward, rtol=1e-6, atol=1e-9)
    if not agree[known].all():
        return None
    value = np.zeros(len(places))
    for _ in range(SWEEPS):
        q = (pays + discount * np.where(leads >= 0, value[leads], 0.0)).reshape(len(places), actions)
        new = np.where(np.isfinite(q.max(axis=1)), q.max(axis=1), 0.0)
        if np.abs(new - value).max() < 1e-9 * (1 + np.abs(new).max()):
            break
        value = new
    return Planned({row.tobytes(): int(action) for row, action in zip(places, q.argmax(axis=1), strict=True)})
