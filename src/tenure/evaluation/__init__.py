"""Evidence: from what was measured to how far it can be trusted, and whether it is enough.

Promises: estimators and gates are pure functions, sequences have one verb (`update`); chance is an argument; a figure
comes with its interval, its method and the independent unit it counts; sequences hold at every look together; no data
and too little data are never a PASS; an observation outside its stated bounds is refused, never clipped.
Leaves to others: running policies (simulators), reading the log (store), what a finding leads to (rollout), and
settings. Imports core, NumPy and SciPy; scikit-learn only where a model is fitted; the store only where any log and any
policy are taken (`off_policy.anywhere`, `off_policy.targets`).

Shelves: `sequences` (confidence sequences), `off_policy` (a policy's value from another's log), `episodes` (the same,
per episode), `shadow` (the shadow report), `experiment` (is the experiment sound); what all use lies beside them.
"""

from tenure.evaluation.comparison import Comparison, KpiRow, TailRow, cluster_by, compare
from tenure.evaluation.experiment.health import sample_ratio
from tenure.evaluation.gates import enough, not_worse, same_actions, sequential_harm, sequential_not_worse
from tenure.evaluation.headroom import crossed_headroom, headroom_share
from tenure.evaluation.intervals import (
    Sums,
    crossed_bootstrap,
    crossed_change,
    crossed_gain,
    relative_gain,
    t_interval,
)
from tenure.evaluation.sequences.betting import BettingLower, BettingMean, BettingUpper, betting_interval
from tenure.evaluation.sequences.boundaries import (
    asymptotic_radius,
    best_rho,
    decisions_to_settle,
    normal_mixture_bound,
)
from tenure.evaluation.tails import quantile_interval, worst_share_mean
from tenure.evaluation.units import UnitGains, unit_differences, unit_gains

__all__ = [
    "BettingLower",
    "BettingMean",
    "BettingUpper",
    "Comparison",
    "KpiRow",
    "Sums",
    "TailRow",
    "UnitGains",
    "asymptotic_radius",
    "best_rho",
    "betting_interval",
    "cluster_by",
    "compare",
    "crossed_bootstrap",
    "crossed_change",
    "crossed_gain",
    "crossed_headroom",
    "decisions_to_settle",
    "enough",
    "headroom_share",
    "normal_mixture_bound",
    "not_worse",
    "quantile_interval",
    "relative_gain",
    "same_actions",
    "sample_ratio",
    "sequential_harm",
    "sequential_not_worse",
    "t_interval",
    "unit_differences",
    "unit_gains",
    "worst_share_mean",
]
