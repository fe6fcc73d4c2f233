"""Worlds as batches: stepping a panel, checking a simulator, and adapters for the training libraries.

Promises: no Python loop over worlds in any step; chance only from the generators and seeds given; a time limit is
a truncation, never a termination; no state is changed in place.
Leaves to others: what a world is (a case's `simulator.py`), learning (training), judging traces (evaluation).

The adapters are modules of their own, because each needs a library that serving does without:
`vec_env` (Stable-Baselines3), `gym_env` and `vector_env` (Gymnasium).
"""

from tenure.simulators.actions import allowed_actions, nearest_allowed, random_actions
from tenure.simulators.batch import put, size, take
from tenure.simulators.check import check_simulator
from tenure.simulators.remembering import RememberingWorlds
from tenure.simulators.rollout import Run, run
from tenure.simulators.throughput import steps_per_second

__all__ = [
    "RememberingWorlds",
    "Run",
    "allowed_actions",
    "check_simulator",
    "nearest_allowed",
    "put",
    "random_actions",
    "run",
    "size",
    "steps_per_second",
    "take",
]
