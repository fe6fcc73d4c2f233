"""Golden answers: a graph must still answer as its trainer did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.store.manifest import broken

if TYPE_CHECKING:
    from tenure.store.bundles import BundlePolicy

TOLERANCE = 1e-3
"""Largest difference of a logit from its golden value, in nats (of a vector's number, as a share of its range): other
processors round otherwise."""


def check_golden(policy: BundlePolicy, where: str) -> None:
    """Compare the graph's answers with the trainer's.

    Raises:
        BundleError: they differ, or the graph does not take the features or give one logit per action.
    """
    manifest = policy.bundle.manifest
    golden = np.array(manifest["golden"]["observation"], dtype=np.float32)
    vector = manifest.get("choice") == "vector"
    what = "action" if vector else "logits"
    answers = np.array(manifest["golden"].get(what) or [], dtype=np.float32)
    wanted = (len(golden), len(manifest["features"])), (len(golden), len(manifest["actions"]))
    if not len(golden) or (golden.shape, answers.shape) != wanted:
        raise broken(Path(where), f"golden rows of shapes {wanted}", f"{golden.shape} and {answers.shape}")
    try:
        found = policy.answers(golden)
    except Exception as error:  # ONNX Runtime's own errors have no common base
        raise broken(Path(where), f"a graph from `observation` to `{what}`", str(error)[:200]) from error
    if found.shape != answers.shape:
        raise broken(Path(where), f"{what} of shape {answers.shape}", f"shape {found.shape}")
    worst = float((np.abs(found - answers) / _width(manifest, where)).max())
    if not worst <= TOLERANCE:
        raise broken(Path(where), f"the golden answers within {TOLERANCE}", f"one that is off by {worst:.3g}")
    if manifest.get("confidence") is not None:
        _check_confidence(policy, golden, where)


def _check_confidence(policy: BundlePolicy, golden: Floats, where: str) -> None:
    """The same of what the graph says of its own answers."""
    wanted = np.array(policy.bundle.manifest["golden"].get("confidence") or [], dtype=np.float32)
    try:
        found = policy.answered(golden)[1]
    except Exception as error:  # ONNX Runtime's own errors have no common base
        raise broken(Path(where), "a graph from `observation` to `confidence`", str(error)[:200]) from error
    if found is None or found.shape != wanted.shape:
        shape = None if found is None else found.shape
        raise broken(Path(where), f"confidence of shape {wanted.shape}", f"shape {shape}")
    if not (np.abs(found - wanted) <= TOLERANCE).all():
        worst = float(np.abs(found - wanted).max())
        raise broken(Path(where), f"the golden confidence within {TOLERANCE}", f"one that is off by {worst:.3g}")


def _width(manifest: dict[str, Any], where: str) -> Floats:
    """What a difference is measured in: a number's range for a vector, nats for logits."""
    if manifest.get("choice") != "vector":
        return np.ones(1)
    low, high = np.array(manifest.get("bounds") or [[], []], dtype=np.float64)
    if len(low) != len(manifest["actions"]) or not (np.isfinite(high - low).all() and (low < high).all()):
        raise broken(Path(where), "bounds, low < high, of every number", str(manifest.get("bounds")))
    return np.asarray(high - low)
