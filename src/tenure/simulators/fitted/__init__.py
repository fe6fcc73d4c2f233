"""A simulator fitted to a log, where no mechanism is known, with the errors it makes.

Promises: a simulator like any other, stepped as arrays; what it predicts worse than "nothing changes" is said; chance
is what the model did not explain, drawn from rows it was not fitted to; features that no action changes may be replayed
from the log instead.
Leaves to others: whether such a world is near enough to the real one (`tenure sim validate`).
"""

from tenure.simulators.fitted.errors import Errors, HorizonError, OneStep
from tenure.simulators.fitted.fit import Fitted, fit_simulator
from tenure.simulators.fitted.simulator import FittedSimulator

__all__ = ["Errors", "Fitted", "FittedSimulator", "HorizonError", "OneStep", "fit_simulator"]
