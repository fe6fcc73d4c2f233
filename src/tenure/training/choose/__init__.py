"""Which recipe suits a problem, in words, and which cannot be taken at all.

Promises: rules of thumb are told with their reason and their source; a refusal names what would make the match legal
and what that costs. Leaves to others: finding out which is best here (`race`).
"""

from tenure.training.choose.advice import Advice, advise
from tenure.training.choose.legal import legal, refuse

__all__ = ["Advice", "advise", "legal", "refuse"]
