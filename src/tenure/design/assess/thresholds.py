"""Every number the assessor decides by, frozen before its first test; docs/assess.md says what changed after it."""

from __future__ import annotations

ALPHA = 0.05
"""Error rate of every interval."""

CERTAIN = 0.01
"""Error rate of the test that the action changes what comes next: a false alarm costs a needless planner."""

FEWEST_ROWS = 400
"""Decisions below which nothing is measured: each half must hold a regression per action."""

FEWEST_EPISODES = 30
"""Units (episodes, or stretches of one stream) below which a log cannot carry offline RL."""

FEWEST_EFFECTIVE = 100.0
"""Effective decisions of the best policy below which its value is not known from the log."""

SMALLEST_CHANCE = 0.005
"""An action that is taken more rarely than this is not compared with the others."""

LATER_SHARE = 0.10
"""Share of the action's worth that comes later, from which on it matters that the next state changes."""

PLANNING_SHARE = 0.10
"""Share of the headroom that only a policy that looks ahead finds, from which on looking ahead pays."""

RULE_KEEPS = 0.90
"""Share of the headroom that a constant or a small rule must keep to be recommended; in a folder with a bound, share of
the way from the incumbent to the bound."""

RULE_MAY_LOSE = 0.25
"""Share of the headroom that the small rule may lose at most, at the end of its interval."""

SMALLEST_GAIN = 0.02
"""Headroom per decision below which there is nothing to learn, in standard deviations of the reward of an
independent unit: in a log of one decision, in a folder of the incumbent's mean over one world."""

LABEL_EXPLAINS = 0.95
"""Share of the reward's variance that the later column and the action must explain for the label to be known."""

LABEL_ADDS = 0.05
"""How much more than the situation and the action it must explain."""

DRIFT_SHARE = 0.10
"""Share of what a reward model explains that may be lost to age before it is to be fitted again."""

MOVES_NOTHING = 0.05
"""Variance of the next situation (in variances of a feature) that the action may move at most, for the situation to
count as untouched."""

WEIGHTS_MAY_MISS = 0.25
"""How far the mean weight of a log may be from the 1 that honest propensities give: where a rule acts without chance, a
model of who acted how takes some tenths of its actions for others."""

SURE_ERRORS = 5.0
"""Standard errors by which it must miss it besides; one honest log in a million does."""

MOST_COPIES = 0.05
"""Share of rows that may be copies of others."""

CONTINUOUS = 0.95
"""Share of the distinct rows in which a column has a value of its own, from which on equal rows are no chance."""

FEWEST_VARIATION = 0.01
"""Probability that two decisions in the same situation differ, below which a log can compare nothing."""
