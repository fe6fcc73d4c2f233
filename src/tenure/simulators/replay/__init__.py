"""Histories that might as well have been: the past replayed with slight variations.

Promises: pure functions on arrays whose first axis is time; chance only from the generator given; no variation is the
history itself; what a variation keeps (totals, means, kinds of day) is stated and tested.
Leaves to others: which series of a problem no action changes (its simulator), and what is done with them.
"""

from tenure.simulators.replay.days import bootstrap_days, of_days
from tenure.simulators.replay.variations import scaled, smoothed, warped

__all__ = ["bootstrap_days", "of_days", "scaled", "smoothed", "warped"]
