"""Every number a diagnosis decides by, with its reason; judged on fresh problems only (docs/diagnose.md)."""

from __future__ import annotations

ERROR = 0.01
"""Chance that one probe confirms a cause that changes nothing, one-sided, shared among the probe's arms."""
WORTH = 0.25
"""Shares of the span a treated arm must be better by to be worth naming: less is tuning, not a broken run."""
FLOOR = 0.25
"""The span is at least this share of what lies between a random policy and the best one known, so that a run which
equals a good incumbent is not measured by the nothing between the two."""
AT_BOUND = 0.05
"""Shares of the way from a random policy to the bound within which nothing is left to find."""

STRONG = 0.5
"""Strength of a suspicion that is probed even where the curves look well."""
WEAK = 0.1
"""Strength below which a suspicion is not worth a probe, even where they do not."""

LAST = 1 / 3
"""Share of a curve that is its end, as `on_plateau` of the tuning has it."""
FIRST = 1 / 5
"""Share of a curve that is its beginning."""
FEWEST_POINTS = 6
"""Checkpoints a curve needs before its shape says anything: two in each third."""
NOISES = 3.0
"""Standard errors a change between two parts of a curve must have: one false shape among some hundred runs."""
FALL = 0.25
"""Share of the way from its start to its peak that a curve must lose again to have collapsed or forgotten."""
SUDDEN = 1 / 5
"""Share of the training within which a fall is a collapse; a slower one is forgetting."""
SWING = 0.2
"""Typical distance, in spans, of one checkpoint from the next in a curve that oscillates."""
OVERFIT = 0.25
"""Spans by which the policy's lead over the incumbent is larger in training worlds than on the selection data."""
RELIES = 0.1
"""Spans by which shuffling a feature costs more in training worlds than on the selection data, to suspect a leak."""
MOST_ARMS = 3
"""Arms of a probe at most, its control among them: what the time of one is planned for."""
FEWEST_SEEDS = 3
"""Seeds of an arm before anything is said of it; the rest is trained where these three are promising."""
EVEN = 0.02
"""Shares of the way within which a run merely equals the incumbent."""
UNPROVEN = 0.5
"""How much a run is in trouble that merely equals the incumbent where nobody knows the bound: perhaps it is as good as
can be, perhaps it learned nothing; a probe tells."""
HEADROOM = 0.8
"""Share of a probe's time that trainings are planned for: the rest is for what takes longer than in the run."""
MORE_EXCESS = 0.01
"""Share of a limit by which the treated arm may exceed it more than the control: a fix must not buy its gain there."""
PLANNED_SEEDS = 5
"""Seeds of each arm a probe's time is planned for; where trainings are short, more are taken."""
DIRECT = 0.6
"""Share of a direct sign's strength (dead units, no tries, a wild scale) that stands without the run being in trouble:
enough for a probe, since a run above a poor incumbent may still be a broken one."""
PILOT = 3.0
"""Times what is planned for a training that the control's first one may take before it is given up and shortened."""
SLACK = 1.3
"""Times what is planned that it may take without being shortened."""
