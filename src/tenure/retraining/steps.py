"""Steps of a pipeline, each written down whole before the next begins, so that a crash costs one step at most."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenure.core.errors import StoreError
from tenure.core.evidence import Verdict
from tenure.core.plain import finite

FILE = "steps.json"
"""What was done, in a retraining's folder."""


@dataclass(frozen=True)
class Result:
    """What a step found.

    Args:
        verdict: of the step.
        reason: one sentence.
        told: plain JSON values: figures, versions, and hashes of what it made.
    """

    verdict: Verdict
    reason: str
    told: Mapping[str, Any] = field(default_factory=dict)


Done = Mapping[str, Result]
"""Results of the steps so far, by name."""


@dataclass(frozen=True)
class Step:
    """One step; run twice it must do what it does once, since a crash may come before its result is kept.

    Args:
        name: of the step.
        run: does it, from what was found before.
        stops_at: the verdict from which on nothing more is done; INCONCLUSIVE lets only a PASS through.
    """

    name: str
    run: Callable[[Done], Result]
    stops_at: Verdict = Verdict.INCONCLUSIVE


def carry_out(steps: Sequence[Step], folder: Path, fault: Callable[[str], None] = lambda _: None) -> dict[str, Result]:
    """Do the steps that are not done, in order; stops after one whose verdict stops it.

    Args:
        steps: of the pipeline, in order.
        folder: where results are kept, and read from after a crash.
        fault: called as `before NAME`, `inside NAME` (done, not yet kept) and `after NAME`; a test raises there.

    Raises:
        StoreError: the results cannot be kept, or what is kept is damaged.
    """
    done = read(folder)
    for step in steps:
        if step.name not in done:
            fault(f"before {step.name}")
            result = step.run(done)
            fault(f"inside {step.name}")
            done = {**done, step.name: result}
            _write(folder, done)
            fault(f"after {step.name}")
        if done[step.name].verdict >= step.stops_at:
            break
    return done


def is_ended(steps: Sequence[Step], done: Done) -> bool:
    """Whether nothing is left to do: every step is done, or one stopped the rest."""
    return all(step.name in done for step in steps) or any(
        step.name in done and done[step.name].verdict >= step.stops_at for step in steps
    )


def read(folder: Path) -> dict[str, Result]:
    """The results that are kept in a folder; none where it has none.

    Raises:
        StoreError: the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["digest"] != _digest(kept["steps"]):
            raise ValueError("its digest is another")
        return {
            one["name"]: Result(Verdict[one["verdict"].upper()], one["reason"], one["told"]) for one in kept["steps"]
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            expected="the results of a retraining, whole",
            found=str(error),
            where=str(path),
            fix="remove this folder and retrain: nothing in it is live",
        ) from error


def as_json(done: Done) -> list[dict[str, Any]]:
    """The results as plain fields, in the order they were found."""
    return [
        {"name": name, "verdict": one.verdict.word, "reason": one.reason, "told": finite(one.told)}
        for name, one in done.items()
    ]


def _digest(steps: object) -> str:
    return hashlib.sha256(json.dumps(steps, sort_keys=True).encode()).hexdigest()


def _write(folder: Path, done: Done) -> None:
    """Whole or not at all, and on the disk before the next step begins."""
    steps, half = as_json(done), folder / f".{FILE}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with half.open("w", encoding="utf-8") as file:
            json.dump({"digest": _digest(steps), "steps": steps}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        half.replace(folder / FILE)
    except OSError as error:
        raise StoreError(
            expected="a disk with room for the results of a retraining",
            found=error.strerror or str(error),
            where=str(folder),
            fix="free space, then run the same command again: it goes on after the last step that was kept",
        ) from error
