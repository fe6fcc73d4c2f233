"""Where the jobs of a run are done: in processes of this machine, or on Ray, past one machine.

Promises: the same records, curves and bundles wherever a job ran; when a run ends, however it ends, nothing that it
started goes on; resources are reserved before the first step.
Leaves to others: what a job is (`workers`, `seeds`), and how a recipe learns (`recipes`).
"""

from tenure.training.backends.where import BACKENDS, LOCAL, Where, run_jobs

__all__ = ["BACKENDS", "LOCAL", "Where", "run_jobs"]
