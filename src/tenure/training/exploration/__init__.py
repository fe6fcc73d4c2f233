"""How learners explore: shares of random actions that fall, and ensembles that disagree where little is known.

Promises: what is tried comes with its exact probability; nothing here touches the selection data.
`ensemble` is imported by itself: it is heavier than what settings need.
Leaves to others: the rules of bandits (`training/bandit_rules.py`), the budget of live exploration (`rollout`).
"""

from tenure.training.exploration.decay import SHAPES, Decay, Shape, ValueDifference

__all__ = ["SHAPES", "Decay", "Shape", "ValueDifference"]
