"""The caller's side: a client of the decision server, a world driven through it, and `observe` for no server at all.

Promises: the same ids on every retry, so that nothing is counted twice; an answer whose time is over is not acted on;
without a usable answer the caller's own action stands, and the log is told of it; what is to be reported survives a
crash; what is observed never stops or changes the function that decides. Leaves to others: deciding (`serving`).
Imports core and store only, and httpx.
"""

from tenure.client.answer import Answer
from tenure.client.asking import Retry
from tenure.client.asynchronous import AsyncDecisionClient
from tenure.client.http import DecisionClient, Manner
from tenure.client.observed import Drawn, Observed, observe
from tenure.client.replay import drive

__all__ = [
    "Answer",
    "AsyncDecisionClient",
    "DecisionClient",
    "Drawn",
    "Manner",
    "Observed",
    "Retry",
    "drive",
    "observe",
]
