"""Learned policies: recipes, selection, checkpoints, run records, and the way out to a portable bundle.

Promises: training sees training worlds only; the best checkpoint is chosen on the selection data; the held-out data is
never read here; what leaves is a bundle whose golden answers were checked against the trainer.
Leaves to others: worlds (`simulators`), judging (`evaluation`), keeping and loading bundles (`store`).
"""

from tenure.training.record import CurvePoint, RunRecord, SeedRecord, latest_run, read_record
from tenure.training.seeds import train
from tenure.training.settings import PPOSettings, read_train_settings
from tenure.training.workers import Progress

__all__ = [
    "CurvePoint",
    "PPOSettings",
    "Progress",
    "RunRecord",
    "SeedRecord",
    "latest_run",
    "read_record",
    "read_train_settings",
    "train",
]
