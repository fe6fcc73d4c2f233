"""What is measured while a learner learns: names, units and meanings, and the meters that fill them.

Promises: no Python loop over worlds; measuring draws no chance, so that a run is the same with and without it; what a
recipe does not have is absent, never 0; sums over checkpoints are parts of a checkpoint, so that a resumed run measures
the same.
Leaves to others: the curve (`watcher`), the record (`record`), what the figures say (`diagnosis`).
"""

from tenure.training.metrics.table import METRICS, Metric, metric_of

__all__ = ["METRICS", "Metric", "metric_of"]
