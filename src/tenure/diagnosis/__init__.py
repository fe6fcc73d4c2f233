"""Why training does not work: hypotheses about a run, and short controlled trainings that test them.

Promises: reads the run record only; every cause is a hypothesis with a probe that changes one thing, on seeds of its
own, beside a control; a verdict needs an interval; a run that is well is left in peace; the held-out data is never
read.
Leaves to others: training (`training`), showing and applying (`cli`).
"""

from tenure.diagnosis.diagnose import diagnose
from tenure.diagnosis.findings import Allowance, Cause, Diagnosis, Fix, Found

__all__ = ["Allowance", "Cause", "Diagnosis", "Fix", "Found", "diagnose"]
