"""Settings of the recipes that learn from a log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tenure.training.settings import Settings


@dataclass(frozen=True)
class OfflineSettings(Settings):
    """What every recipe takes that learns from a log, and no world.

    `worlds`, `level`, `disturbances`, `baseline` and `dual_rate` are not read: no world is stepped. Limits count where
    checkpoints are chosen. `steps` are decisions drawn from the log, with repetition; the problem's shaping is left
    out.

    Args:
        log: Tenure's own (.sqlite), an export of it, or a table with a column per feature and signal.
        mapping: TOML saying which column of a table is what; empty guesses by names.
        held_back: share of the log that is not learned from, in (0, 1): its last episodes, or where they are fewer than
            10 the end of each.
        batch: decisions per gradient step; 256 in Kumar et al. (2020) and Kostrikov et al. (2022).
        follow: share by which target networks follow after each step, in (0, 1]; 0.005 in both papers, whose runs have
            a million steps: more spreads values faster, with less calm.
        choose: checkpoints by the simulator's selection data, or by an off-policy estimate on the part held back
            (`pdwis`, which needs propensities and labels; where it can say nothing, the last checkpoint is taken).
        ends: whether the last decision of an episode ended it, so that nothing came after. None asks the simulator:
            where its worlds end by themselves it did, unless the episode reached the horizon; elsewhere the log was cut
            off there.

    Raises:
        SettingsError: a value is out of its range, or adjustments or windows are asked for.
    """

    steps: int = 1_024_000
    learning_rate: float = 3e-4
    log: str = ""
    mapping: str = ""
    held_back: float = 0.2
    batch: int = 256
    follow: float = 0.005
    choose: Literal["simulator", "log"] = "simulator"
    ends: bool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.in_range(2, batch=self.batch)
        self.in_range(0.01, 0.9, held_back=self.held_back)
        self.in_range(1e-6, 1, follow=self.follow)
        if self.residual is not None or self.history is not None:
            expected = "no `residual` and no `history`: a log holds actions, each with one observation"
            raise self.wrong(expected, "one", "leave it out of [train]")
