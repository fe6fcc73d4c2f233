"""Bundles: a policy as data; `policy.onnx` with its normaliser inside, a manifest, golden answers, never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import BundleError
from tenure.core.policy import Proposal
from tenure.core.problem import Discrete, Problem

FORMAT = 1
TOLERANCE = 1e-3
"""Largest difference of a logit from its golden value, in nats: other processors round otherwise."""


@dataclass(frozen=True)
class Bundle:
    """A policy as data, content-addressed: its version is the hash of everything in it."""

    onnx: bytes
    manifest: dict[str, Any]

    @cached_property
    def version(self) -> str:
        """First 12 digits of the SHA-256 of the manifest, which itself holds the graph's."""
        return hashlib.sha256(_canonical(self.manifest)).hexdigest()[:12]


class BundlePolicy:
    """A loaded bundle that decides, with ONNX Runtime and NumPy only."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.version = bundle.version
        self._run = _session(bundle.onnx).run

    def logits(self, observation: Floats) -> Floats:
        """One logit per action; float32 [n, actions]."""
        logits: Floats = self._run(["logits"], {"observation": observation})[0]
        return logits

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """The best allowed action; its share of the softmax is the confidence."""
        logits = self.logits(observation)
        if allowed is not None:
            logits = np.where(allowed, logits, -np.inf)
        action = logits.argmax(axis=1)
        weight = np.exp(logits - logits.max(axis=1, keepdims=True))
        return Proposal(action, np.asarray(1.0 / weight.sum(axis=1)))


def make_bundle(
    problem: Problem,
    onnx: bytes,
    golden: Floats,
    logits: Floats,
    lineage: dict[str, Any],
    evaluation: dict[str, Any],
) -> Bundle:
    """A bundle of a graph, checked against the answers its trainer gave.

    Args:
        problem: what it decides.
        onnx: the graph, input `observation` [n, features], output `logits` [n, actions].
        golden: situations; float32 [rows, features].
        logits: the trainer's answers there; float32 [rows, actions].
        lineage: where it comes from.
        evaluation: its score on the selection data.

    Raises:
        BundleError: the graph answers otherwise than the trainer.
    """
    manifest = {
        "format": FORMAT,
        "problem": problem.name,
        "problem_version": problem.version,
        "reward_version": problem.reward_version,
        "features": list(problem.feature_names),
        "actions": list(problem.action.labels) if isinstance(problem.action, Discrete) else [],
        "policy_sha256": hashlib.sha256(onnx).hexdigest(),
        "golden": {
            "observation": golden.tolist(),
            "logits": logits.tolist(),
            "action": logits.argmax(axis=1).tolist(),
        },
        "lineage": lineage,
        "evaluation": evaluation,
    }
    bundle = Bundle(onnx, json.loads(json.dumps(manifest)))
    _check_golden(BundlePolicy(bundle), "the graph just exported")
    return bundle


def save_bundle(bundle: Bundle, bundles: Path) -> Path:
    """Write a bundle to its own folder, whole or not at all; saving it again changes nothing."""
    folder = bundles / bundle.version
    if folder.exists():
        return folder
    bundles.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(dir=bundles, prefix=".half-"))
    for name, content in (("policy.onnx", bundle.onnx), ("manifest.json", _canonical(bundle.manifest))):
        with (half / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    try:
        half.rename(folder)
    except OSError:  # somebody else saved the same bundle first
        shutil.rmtree(half)
    return folder


def load_bundle(folder: Path, problem: Problem) -> BundlePolicy:
    """A bundle ready to decide: hashes, problem and golden answers checked.

    Raises:
        BundleError: files are missing or damaged, it belongs to another problem, or it answers otherwise than it did.
    """
    bundle = Bundle(_read(folder / "policy.onnx"), _manifest(folder))
    found = hashlib.sha256(bundle.onnx).hexdigest()
    if found != bundle.manifest.get("policy_sha256"):
        raise _broken(folder / "policy.onnx", "the graph named in the manifest", f"another, sha256 {found[:12]}...")
    if bundle.version != folder.name:
        raise _broken(folder / "manifest.json", f"content of version {folder.name}", f"content of {bundle.version}")
    theirs = (bundle.manifest["problem"], bundle.manifest["features"])
    if theirs != (problem.name, list(problem.feature_names)):
        raise _broken(folder, f"a bundle for {problem.name!r} with its features", f"one for {theirs[0]!r}: {theirs[1]}")
    policy = BundlePolicy(bundle)
    _check_golden(policy, str(folder))
    return policy


def _session(onnx: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own errors have no common base
        raise _broken(Path("policy.onnx"), "a graph ONNX Runtime can load", str(error)[:200]) from error


def _check_golden(policy: BundlePolicy, where: str) -> None:
    golden = policy.bundle.manifest["golden"]
    found = policy.logits(np.array(golden["observation"], dtype=np.float32))
    worst = float(np.abs(found - np.array(golden["logits"], dtype=np.float32)).max())
    if not worst <= TOLERANCE:
        raise _broken(Path(where), f"the golden answers within {TOLERANCE}", f"one that is off by {worst:.3g}")


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(_read(folder / "manifest.json"))
    except ValueError as error:
        raise _broken(folder / "manifest.json", "JSON", str(error)) from error
    if manifest.get("format") != FORMAT:
        raise _broken(folder / "manifest.json", f"format {FORMAT}", f"format {manifest.get('format')}")
    return manifest


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _broken(path, "a readable file", error.strerror or str(error)) from error


def _canonical(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()


def _broken(path: Path, expected: str, found: str) -> BundleError:
    fix = "restore the bundle from a copy, or train again; nothing is served from it"
    return BundleError(expected=expected, found=found, where=str(path), fix=fix)
