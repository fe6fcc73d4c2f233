"""A bundle's manifest: what it must say, and what it must share with the problem it decides."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import BundleError
from tenure.core.history import History
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.residual import Residual
from tenure.core.spaces import Discrete

FORMAT = 2
READABLE = (1, 2)
"""Format 1 knew no `choice`: its bundles take the best action."""
Choice = Literal["argmax", "sample", "vector"]
"""What a bundle does with its graph's answer: take the best logit's action, draw one from their softmax, or answer the
vector itself, which the graph has cut off at the bounds."""


class _Golden(msgspec.Struct):
    observation: list[list[float]]
    action: list[Any] | None = None
    logits: list[list[float]] | None = None


class _Residual(msgspec.Struct):
    """The bundle answers adjustments to the actions of this incumbent."""

    within: float
    incumbent: str
    base: list[Any]


class _History(msgspec.Struct):
    """The bundle is shown windows of so many observations."""

    steps: int
    half_life: float | None = None


@dataclass(frozen=True)
class Sureness:
    """What a graph's second answer, `confidence`, is.

    Args:
        meaning: of what it is the probability, in words.
        within: decisions over which that is told.
        golden: the trainer's answers in the golden situations; [rows], in [0, 1].
    """

    meaning: str
    within: int
    golden: Floats

    def as_dict(self) -> dict[str, Any]:
        """What a manifest says of it."""
        return {"meaning": self.meaning, "within": self.within}


class _Confidence(msgspec.Struct):
    """The graph also says how sure it is."""

    meaning: str
    within: int


class _Manifest(msgspec.Struct):
    """The fields without which a bundle cannot be checked."""

    problem: str
    features: list[str]
    actions: list[str]
    policy_sha256: str
    golden: _Golden
    choice: Choice = "argmax"
    bounds: tuple[list[float], list[float]] | None = None
    residual: _Residual | None = None
    history: _History | None = None
    confidence: _Confidence | None = None


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest in a bundle's folder, with every field that checks need.

    Raises:
        BundleError: it is missing, no JSON, of another format, or a field is missing or of another kind.
    """
    path = folder / "manifest.json"
    try:
        manifest = json.loads(read_file(path))
    except ValueError as error:
        raise broken(path, "JSON", str(error)) from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found not in READABLE:
        raise broken(path, f"a format of {READABLE}", f"format {found}")
    try:
        msgspec.convert(manifest, _Manifest)
    except msgspec.ValidationError as error:
        raise broken(path, f"the fields {list(_Manifest.__struct_fields__)}", str(error)) from error
    checked: dict[str, Any] = manifest
    return checked


def read_file(path: Path) -> bytes:
    """A file of a bundle.

    Raises:
        BundleError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise broken(path, "a readable file", error.strerror or str(error)) from error


def adjusts(residual: Residual, incumbent: Policy, golden: Floats) -> dict[str, Any]:
    """What a manifest says of a bundle of adjustments: its bound, and what the incumbent does in golden situations."""
    base = np.asarray(_decides(incumbent, golden)).tolist()
    return {"within": residual.within, "incumbent": incumbent.version, "base": base}


def residual_of(manifest: dict[str, Any], incumbent: Policy) -> Residual | None:
    """The bound of a bundle that adjusts that incumbent's actions; None for a bundle that answers actions itself.

    Raises:
        BundleError: it was trained to adjust another incumbent, or one that decided otherwise.
    """
    told = manifest.get("residual")
    if told is None:
        return None
    golden = np.array(manifest["golden"]["observation"], dtype=np.float32)
    if incumbent.version != told["incumbent"] or not np.allclose(_decides(incumbent, golden), told["base"]):
        expected = f"the incumbent that this bundle adjusts, {told['incumbent']!r}, deciding as it did"
        raise broken(Path("manifest.json"), expected, f"{incumbent.version!r}, which decides otherwise")
    return Residual(told["within"])


def _decides(incumbent: Policy, observation: Floats) -> Any:
    """What an incumbent does in those situations, with chance held at its middle."""
    return incumbent.propose(observation, None, np.full(len(observation), 0.5)).action


def decided(problem: Problem, manifest: dict[str, Any]) -> Problem:
    """The problem as the bundle's graph faces it: shown windows, answering adjustments, or neither."""
    residual, history = manifest.get("residual"), manifest.get("history")
    seen = problem if history is None else History(**history).problem(problem)
    return seen if residual is None else Residual(residual["within"]).problem(seen)


def interface(problem: Problem) -> dict[str, Any]:
    """What a bundle must share with the problem it decides: names, and both orders."""
    shared = {"problem": problem.name, "features": list(problem.feature_names)}
    space = problem.action
    if isinstance(space, Discrete):
        return {**shared, "actions": list(space.labels)}
    return {**shared, "actions": list(space.names), "bounds": [list(space.low), list(space.high)]}


def broken(path: Path, expected: str, found: str) -> BundleError:
    """What to say of a bundle that cannot be trusted."""
    fix = "restore the bundle from a copy, or train again; nothing is served from it"
    return BundleError(expected=expected, found=found, where=str(path), fix=fix)
