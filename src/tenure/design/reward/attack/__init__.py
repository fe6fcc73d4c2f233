"""Cheap exploiters: each looks for behaviour that a reward pays well, without looking at a single KPI.

Promises: every exploiter is a function from a `Hunt` to candidates, deterministic by seed, bounded in steps and not
in time, and steps worlds as one batch. Leaves to others: whether a candidate is an exploit (`exploit`), what the audit
says of it (`audit`).

`POOL` lists them, the cheapest first; a new one is a module with one such function and a line there.
"""

from tenure.design.reward.attack.hunt import FULL, Candidate, Effort, Exploiter, Hunt
from tenure.design.reward.attack.pool import POOL

__all__ = ["FULL", "POOL", "Candidate", "Effort", "Exploiter", "Hunt"]
