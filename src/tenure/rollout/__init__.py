"""Stages, traffic split, gates and guardrails: how far the evidence allows a candidate, and the way back.

Promises: every move is one row of one table, recorded with its reason in the transaction that makes it; harm is
looked for in every state; zero never passes; stopping needs one person, a share under approval needs a second.
Leaves to others: figures (`evaluation`), answers (`serving`), replay and training (handed in as callables).
Its names load when first used, so that `tenure kill` does not wait for the figures of a gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.lazily import exports

if TYPE_CHECKING:
    from tenure.rollout.assignment import draw, gets_candidate
    from tenure.rollout.breakers import Breakers, BreakerStatus
    from tenure.rollout.controller import Controller, Step, Tick, next_step
    from tenure.rollout.evidence import Evidence, Services
    from tenure.rollout.exploration import Exploration
    from tenure.rollout.gains import daily_gains, live_gains
    from tenure.rollout.human import Humans
    from tenure.rollout.ledger import Ledger, Unit
    from tenure.rollout.operations import Operations
    from tenure.rollout.settings import Settings, as_plain, read_settings
    from tenure.rollout.stages import MOVES, Move, RolloutState, Stage, check_head, fold, transition_to
    from tenure.rollout.status import Status

__all__ = [
    "MOVES",
    "BreakerStatus",
    "Breakers",
    "Controller",
    "Evidence",
    "Exploration",
    "Humans",
    "Ledger",
    "Move",
    "Operations",
    "RolloutState",
    "Services",
    "Settings",
    "Stage",
    "Status",
    "Step",
    "Tick",
    "Unit",
    "as_plain",
    "check_head",
    "daily_gains",
    "draw",
    "fold",
    "gets_candidate",
    "live_gains",
    "next_step",
    "read_settings",
    "transition_to",
]

_HOMES = {
    "draw": "assignment",
    "gets_candidate": "assignment",
    "BreakerStatus": "breakers",
    "Breakers": "breakers",
    "Controller": "controller",
    "Step": "controller",
    "Tick": "controller",
    "next_step": "controller",
    "Evidence": "evidence",
    "Services": "evidence",
    "Exploration": "exploration",
    "daily_gains": "gains",
    "live_gains": "gains",
    "Humans": "human",
    "Ledger": "ledger",
    "Unit": "ledger",
    "Operations": "operations",
    "Settings": "settings",
    "as_plain": "settings",
    "read_settings": "settings",
    "MOVES": "stages",
    "Move": "stages",
    "RolloutState": "stages",
    "Stage": "stages",
    "check_head": "stages",
    "fold": "stages",
    "transition_to": "stages",
    "Status": "status",
}

__getattr__ = exports(__name__, _HOMES)
