"""From which policy a training begins; apart from `warm`, which needs torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tenure.core.errors import SettingsError


@dataclass(frozen=True)
class WarmStart:
    """From which policy a training begins.

    Args:
        bundle: folder of the version; of the same recipe and `net`.
        stay: weight in the loss of the mean KL divergence from that policy to the learner (Schulman et al. 2017,
            section 4, with the live policy in the place of the last one), at least 0; over all actions, also forbidden
            ones.

    Raises:
        SettingsError: the weight is below 0 or no number.
    """

    bundle: str
    stay: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.stay < float("inf"):
            raise SettingsError(
                expected="a weight of at least 0",
                found=f"stay={self.stay}",
                where="[train.warm]",
                fix="0 leaves the learner free",
            )

    @property
    def version(self) -> str:
        """What it begins from."""
        return Path(self.bundle).name
