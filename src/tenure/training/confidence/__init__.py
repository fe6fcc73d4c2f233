"""How sure a policy is: a head beside the policy, learned after the run and calibrated on worlds kept apart.

Confidence is the probability that the decision brings at least as much reward as the incumbent's would have in its
place, over the next decisions, which the policy takes in either case (`tenure.simulators.twins`).
Promises: the policy is not touched; fitting, calibration, the check and the report each have data of their own; a head
that fails the check does not leave with the bundle.
Leaves to others: how the rows are simulated (`simulators`), how the answer is kept and served (`store`, `serving`).
"""

from tenure.training.confidence.settings import Confidence

__all__ = ["Confidence"]
