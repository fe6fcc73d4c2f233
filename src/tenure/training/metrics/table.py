"""Every metric of a learning curve by name: its unit, what it is, what is normal, what it tells when it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Metric:
    """A figure that each checkpoint of a run may have, measured since the one before.

    Args:
        unit: of the figure; `reward` is the problem's own, `learner's` the reward divided by its deviation.
        told: what it is.
        normal: what it does in a run that is well.
        otherwise: what it may tell where it does not.
    """

    unit: str
    told: str
    normal: str
    otherwise: str


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "episodes": Metric(
            "episodes",
            "how many ended; each world's first is left out here and below, since staggered starts cut it short",
            "about the same at each checkpoint after the first",
            "many more: worlds end by themselves early, so the policy fails sooner",
        ),
        "episode_length": Metric(
            "decisions",
            "mean length of those episodes",
            "the horizon where worlds never end by themselves",
            "falling: the learner found a way to end episodes; look whether an early end pays",
        ),
        "return_mean": Metric(
            "reward",
            "mean sum of rewards of the episodes that ended, without discount",
            "rises, then settles",
            "rising while the score does not: what is rewarded is not what the first KPI counts",
        ),
        "return_std": Metric(
            "reward",
            "standard deviation of those sums",
            "falls as the policy becomes steady",
            "large beside what the score gained: single episodes say little, more worlds or data are needed",
        ),
        "return_max": Metric(
            "reward",
            "best of those sums",
            "close to the mean at the end",
            "far above the mean all the time: the good way was met and not learned",
        ),
        "return_min": Metric(
            "reward",
            "worst of those sums",
            "rises with the mean",
            "far below at the end: some worlds are not mastered; look at the tails in tenure evaluate",
        ),
        "return_mean_100": Metric(
            "reward",
            "mean sum of rewards of the last 100 episodes, absent before there are as many",
            "smoother than return_mean",
            "falling for long: what had been learned is lost",
        ),
        "reward_mean": Metric(
            "reward",
            "mean reward of a decision in training; without prices of limits, shaping and the incumbent's twin",
            "rises, then settles",
            "flat: nothing is learned, or exploration costs what is learned; see reward_exploited",
        ),
        "reward_std": Metric(
            "reward",
            "standard deviation of the reward of a decision",
            "of the order of the mean's distance to the incumbent's",
            "0: the reward is the same whatever is done; very large: rare extremes drown the rest",
        ),
        "reward_busy": Metric(
            "share",
            "decisions whose reward differs from the most common one",
            "near 1 where every decision costs or earns",
            "below 0.01: the reward is sparse, and most of what is seen teaches nothing",
        ),
        "term/NAME": Metric(
            "reward",
            "mean of one term of the reward per decision, weight and all; NAME is its signal",
            "the terms move against each other until a balance",
            "one term carries all: the others have weights too small to matter",
        ),
        "kpi/NAME": Metric(
            "the KPI's",
            "each KPI of the policy on the selection data",
            "none becomes worse while the first becomes better",
            "one becomes worse: it should be a term or a limit",
        ),
        "behaviour_entropy": Metric(
            "nats",
            "entropy of the actions taken in training, exploration included; vectors by tenths of their range",
            "falls slowly from that of an even choice",
            "near 0 early: exploration ended before anything was known",
        ),
        "behaviour_top": Metric(
            "share",
            "decisions in training that took the most frequent action",
            "below 0.9 while learning goes on",
            "above 0.9: one action is taken nearly always; others are never learned about",
        ),
        "explored": Metric(
            "share",
            "decisions in training that were not the policy's best; of vectors, a tenth of a range away from it",
            "begins high and falls",
            "near 0 early: too little exploration; high at the end: it never settles, or explores by its settings",
        ),
        "reward_explored": Metric(
            "reward",
            "mean reward of those decisions",
            "below reward_exploited, and more so later",
            "above it: the policy's best is not the best; it has not learned from what it tried",
        ),
        "reward_exploited": Metric(
            "reward",
            "mean reward of decisions that were the policy's best",
            "rises, then settles",
            "flat while the score moves: what pays comes many decisions later",
        ),
        "policy_entropy": Metric(
            "nats",
            "mean entropy of the stochastic policy where it learned; of vectors, of its Gaussian, which may be below 0",
            "falls slowly",
            "near 0 early: it stopped trying; not falling: nothing is preferred",
        ),
        "value_mean": Metric(
            "learner's",
            "mean value the learner expects: of its situations, or of its best actions",
            "within what rewards can sum to with the discount",
            "growing without end: values explode; lower the learning rate or check the reward's scale",
        ),
        "value_loss": Metric(
            "learner's, squared",
            "the critic's loss in its latest updates, as the recipe defines it",
            "falls early, then follows the spread of returns",
            "growing without end: values explode",
        ),
        "explained_variance": Metric(
            "share",
            "variance of the returns that the critic foresees; 1 is all, below 0 is worse than their mean",
            "rises towards 0.5 to 1",
            "near 0: the critic cannot tell situations apart; features miss what matters, or the reward is noise",
        ),
        "kl": Metric(
            "nats",
            "how far an update moves the policy (approximate Kullback-Leibler divergence)",
            "0.001 to 0.05",
            "above 0.1: steps too large; below 0.0001: nothing moves",
        ),
        "clip_share": Metric(
            "share",
            "samples whose change PPO cut off",
            "0.02 to 0.3",
            "above 0.3: steps too large; 0 for long: nothing moves",
        ),
        "gradient_norm": Metric(
            "learner's",
            "length of the gradient before it is cut off, mean over one in so many gradient steps",
            "settles within a factor of ten",
            "0: a dead network or nothing to learn; growing without end: values explode",
        ),
        "learning_rate": Metric(
            "1",
            "of the latest update",
            "as the settings say",
            "near 0: the schedule ended; nothing is learned from here on",
        ),
        "loss": Metric(
            "learner's",
            "what the learner's actor, or the learner as a whole, makes small",
            "tells little by itself: what it is measured against moves too",
            "not finite or growing without end: values explode",
        ),
        "dead_units": Metric(
            "share",
            "hidden units of the acting network that answer the same to all the observations (Sokar et al. 2023)",
            "below 0.3",
            "near 1: a dead network; lower the learning rate, check the scale of the features",
        ),
        "reward_scale": Metric(
            "learner's",
            "standard deviation of the reward as the learner sees it, prices, shaping and twin included",
            "0.1 to 10",
            "outside: the reward is in the wrong scale for networks",
        ),
        "observation_extreme": Metric(
            "learner's",
            "largest absolute feature met, in deviations, before the normaliser cuts it off at 5",
            "below 10",
            "above 10: a feature in the wrong scale, with rare extremes, or one that was constant when it was measured",
        ),
        "train_score": Metric(
            "the first KPI's",
            "first KPI of the same policy on training worlds; at some checkpoints",
            "close to the score, a little better",
            "much better than the score: overfit to the training worlds",
        ),
    }
)
"""By name; `term/NAME` and `kpi/NAME` stand for one metric per term and per KPI."""


def metric_of(name: str) -> Metric:
    """The meaning of a metric of a curve.

    Raises:
        KeyError: no metric is called so.

    >>> metric_of("term/lost").unit
    'reward'
    """
    family, slash, _ = name.partition("/")
    return METRICS[f"{family}/NAME" if slash else name]
