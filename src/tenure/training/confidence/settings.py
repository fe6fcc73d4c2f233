"""What `[train.confidence]` may say."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.core.errors import SettingsError


@dataclass(frozen=True)
class Confidence:
    """Learn how sure the policy is, after the run.

    Args:
        within: decisions over which a decision is compared with the incumbent's, the first included.
        situations: to learn from; half as many again calibrate.
        members: networks of the ensemble; five is what the source takes.
        units: hidden units of each.
        passes: over the situations.

    Raises:
        SettingsError: a number is below its least.

    Source: Lakshminarayanan, Pritzel and Blundell (2017), "Simple and scalable predictive uncertainty estimation".
    """

    within: int = 24
    situations: int = 20_000
    members: int = 5
    units: int = 64
    passes: int = 20

    def __post_init__(self) -> None:
        for name, least in (("within", 1), ("situations", 200), ("members", 1), ("units", 1), ("passes", 1)):
            if getattr(self, name) < least:
                raise SettingsError(
                    expected=f"{name} of at least {least}",
                    found=f"{name}={getattr(self, name)}",
                    where="[train.confidence]",
                    fix="mend the table, or leave the field out",
                )
