"""The race: recipes on a small share of the budget, several seeds each, the weaker half dropped on the way.

Promises: every contestant gets as many decisions in the same kind of worlds, meets the same selection data, and is
judged by the interquartile mean over seeds with its interval; that nobody beats the incumbent is an answer.
Leaves to others: which recipes to enter (`choose`), training them (`seeds`); it never reads the held-out data.
"""

from tenure.training.race.race import race, rounds
from tenure.training.race.scores import Score, interquartile_mean, score
from tenure.training.race.standing import Prediction, Race, Rung, Standing

__all__ = ["Prediction", "Race", "Rung", "Score", "Standing", "interquartile_mean", "race", "rounds", "score"]
