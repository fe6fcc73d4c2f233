"""The caller's side: a client of the decision server, a world driven through it, and `observe` for no server at all.

Promises: the same ids on every retry, so that nothing is counted twice; what is observed never stops or changes the
function that decides. Leaves to others: deciding (`serving`). Imports core and store only, and httpx.
"""

from tenure.client.http import DecisionClient
from tenure.client.observed import Drawn, Observed, observe
from tenure.client.replay import drive

__all__ = ["DecisionClient", "Drawn", "Observed", "drive", "observe"]
