"""The caller's side: a client of the decision server, and a world driven through it for replays.

Promises: the same ids on every retry, so that nothing is counted twice. Leaves to others: deciding (`serving`).
Imports core only, and httpx.
"""

from tenure.client.http import DecisionClient
from tenure.client.replay import drive

__all__ = ["DecisionClient", "drive"]
