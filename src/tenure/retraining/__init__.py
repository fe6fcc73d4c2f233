"""When to retrain, and the steps from a log to a new rollout in SHADOW.

Promises: every step is kept whole before the next begins, and a crash anywhere is mended by the same command; a
version that forgot a past regime goes no further; nothing here makes a version live.
Leaves to others: learning (`training`), judging and moving a rollout (`rollout`), putting it together (`cli`).
"""

from tenure.retraining.checks import Data, check_data
from tenure.retraining.memory import Regime, examine, regimes, remember
from tenure.retraining.retention import prunable
from tenure.retraining.steps import Done, Result, Step, as_json, carry_out, is_ended, read
from tenure.retraining.triggers import BY_HAND, Facts, Rule, Trigger, trigger

__all__ = [
    "BY_HAND",
    "Data",
    "Done",
    "Facts",
    "Regime",
    "Result",
    "Rule",
    "Step",
    "Trigger",
    "as_json",
    "carry_out",
    "check_data",
    "examine",
    "is_ended",
    "prunable",
    "read",
    "regimes",
    "remember",
    "trigger",
]
