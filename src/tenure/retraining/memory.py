"""The memory suite: past regimes by name, and what a new version lost on each against the live one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tenure.core.errors import ProjectError
from tenure.core.evidence import Verdict
from tenure.retraining.steps import Result

MARGIN = 0.05
"""Largest loss on a past regime, as a share of the incumbent's first KPI there. The issue's own limit: 5 %."""
SEED = 20
"""Of the worlds a regime is judged on: the same for every version, so that both meet the same luck."""


@dataclass(frozen=True)
class Regime:
    """A past regime that must not be forgotten.

    Args:
        name: of the regime.
        level: of the simulator's parameters that stand for it.
        because: why it is kept.
        simulator: version of the simulator it was kept with.
    """

    name: str
    level: str
    because: str
    simulator: str


def remember(folder: Path, regime: Regime) -> Path:
    """Keep a regime; the same again changes nothing.

    Raises:
        ProjectError: its name is no file's name, or another regime has it.
    """
    path = folder / f"{regime.name}.json"
    if not regime.name.replace("-", "").replace("_", "").isalnum():
        raise _wrong("a name of letters, digits, - and _", repr(regime.name), folder)
    if path.exists():
        if _read(path) != regime:
            raise _wrong("a name that no other regime has", repr(regime.name), path)
        return path
    folder.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_text(json.dumps(asdict(regime), indent=1), encoding="utf-8")
    half.replace(path)
    return path


def regimes(folder: Path) -> list[Regime]:
    """The regimes that are kept, by name.

    Raises:
        ProjectError: one of them is damaged.
    """
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def examine(
    kept: list[Regime],
    new: Callable[[str], float],
    live: Callable[[str], float] | None,
    margin: float = MARGIN,
) -> Result:
    """Whether a new version loses more than a margin on any past regime.

    Args:
        kept: the regimes.
        new: from a level to the new version's gain over the incumbent there, as a share.
        live: the same of the live version; None where only the incumbent is live, whose gain is 0.
        margin: largest loss, as a share.
    """
    lost = {one.name: (0.0 if live is None else live(one.level)) - new(one.level) for one in kept}
    told: Mapping[str, object] = {"regimes": [asdict(one) | {"loss": lost[one.name]} for one in kept], "margin": margin}
    if not kept:
        return Result(Verdict.PASS, "no past regime is kept; `tenure retrain P --remember NAME` keeps one", told)
    worst = max(lost, key=lambda name: lost[name])
    words = f"worst of {len(kept)} past regime(s) {worst!r}: loss {100 * lost[worst]:.1f} %, limit {100 * margin:.1f} %"
    return Result(Verdict.PASS if lost[worst] <= margin else Verdict.FAIL, words, told)


def _read(path: Path) -> Regime:
    try:
        return Regime(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise _wrong("a regime as `tenure retrain P --remember` writes it", str(error), path) from error


def _wrong(expected: str, found: str, path: Path) -> ProjectError:
    return ProjectError(expected=expected, found=found, where=str(path), fix="choose another name, or mend the file")
