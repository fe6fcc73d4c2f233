"""Learned policies: recipes, selection, checkpoints, run records, and the way out to a portable bundle.

Promises: training sees training worlds only; the best checkpoint is chosen on the selection data; the held-out data is
never read here; what leaves is a bundle whose golden answers were checked against the trainer.
Leaves to others: worlds (`simulators`), judging (`evaluation`), keeping and loading bundles (`store`).
"""

from tenure.training.recipes import RECIPES
from tenure.training.recipes.ppo import PPOSettings
from tenure.training.record import CurvePoint, RunRecord, SeedRecord, latest_run, read_record
from tenure.training.seeds import resume, train
from tenure.training.settings import Settings, read_train_settings
from tenure.training.workers import Progress

__all__ = [
    "RECIPES",
    "CurvePoint",
    "PPOSettings",
    "Progress",
    "RunRecord",
    "SeedRecord",
    "Settings",
    "latest_run",
    "read_record",
    "read_train_settings",
    "resume",
    "train",
]
