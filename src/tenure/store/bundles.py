"""Bundles: a policy as data; `policy.onnx` with its normaliser inside, a manifest, golden answers, never a pickle."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.history import History
from tenure.core.policy import Policy, Proposal
from tenure.core.problem import Problem
from tenure.core.residual import Adjusting, Residual
from tenure.core.spaces import Box
from tenure.store.golden import check_golden
from tenure.store.manifest import (
    FORMAT,
    Choice,
    Sureness,
    adjusts,
    broken,
    decided,
    interface,
    read_file,
    read_manifest,
    residual_of,
)

EXTERNAL = b"location"
"""The key under which ONNX names a file that holds weights; no graph of ours contains the word otherwise."""
ALLOWED = "allowed"
"""The second input of a graph whose logits depend on what is allowed; bool [n, actions]."""


FLOAT32_OFF = 2.0**-23
"""Most by which rounding to float32 moves a number, as a share of it."""


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
        session = _session(bundle.onnx)
        self._run = session.run
        self._masked = ALLOWED in {given.name for given in session.get_inputs()}
        self._samples = bundle.manifest.get("choice") == "sample"
        self._vector = bundle.manifest.get("choice") == "vector"
        self.draws = self._samples
        """Whether it uses the draws it is given; making them costs as much as deciding."""
        history = bundle.manifest.get("history")
        self.history: History | None = None if history is None else History(**history)
        """The windows it is shown; None where it is shown plain observations."""
        self.problem_version: str | None = bundle.manifest.get("problem_version")
        self._asked = ["action" if self._vector else "logits"]
        self._asked += [] if bundle.manifest.get("confidence") is None else ["confidence"]

    def answered(self, observation: Floats, allowed: Bools | None = None) -> tuple[Floats, Floats | None]:
        """One logit per action, float32 [n, actions], of a bundle for a `Box` its vectors, float32 [n, numbers].

        Beside it the confidence the bundle carries, float32 [n]; None where it carries none. A graph that wants to know
        what is allowed is told.
        """
        given: dict[str, Any] = {"observation": observation}
        if self._masked:
            every = np.ones((len(observation), len(self.bundle.manifest["actions"])), dtype=bool)
            given[ALLOWED] = every if allowed is None else allowed
        found = self._run(self._asked, given)
        return found[0], found[1] if len(found) > 1 else None

    def answers(self, observation: Floats, allowed: Bools | None = None) -> Floats:
        """What golden answers are of: the vectors of a bundle for a `Box`, else logits."""
        return self.answered(observation, allowed)[0]

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """The best allowed action, or one drawn from the softmax over them, or a vector.

        Its confidence is what the bundle carries; without, its share of the softmax, and 1 for a vector.
        """
        logits, sure = self.answered(observation, allowed)
        if self._vector:
            vectors = self._within(logits.astype(np.float64))
            return Proposal(vectors, np.ones(len(vectors)) if sure is None else sure)
        if allowed is not None:
            logits = np.where(allowed, logits, -np.inf)
        if len(logits) == 1 and not self._samples:
            return _best(logits[0].tolist(), sure)
        weight = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64))
        if self._samples:
            drawn = sampled(weight / weight.sum(axis=1, keepdims=True), draw)
            return drawn if sure is None else replace(drawn, confidence=sure)
        share = np.asarray(1.0 / weight.sum(axis=1))
        # no number among the logits is no number here, whatever the graph says
        return Proposal(logits.argmax(axis=1), share if sure is None else np.where(np.isnan(share), share, sure))

    def _within(self, vectors: Floats) -> Floats:
        """Numbers on a bound that float32 rounds outwards, such as 0.1, put back on it; all others as they are."""
        nearest = np.clip(vectors, *self.bundle.manifest["bounds"])
        return np.where(np.abs(vectors - nearest) <= FLOAT32_OFF * np.abs(nearest), nearest, vectors)


class ResidualBundle(BundlePolicy):
    """A bundle that adjusts the incumbent's action, together with that incumbent: a policy over the problem's actions.

    Args:
        bundle: answers adjustments.
        incumbent: whose action it adjusts.
        problem: states the actions.

    Raises:
        BundleError: it was trained to adjust another incumbent, or one that decided otherwise.
    """

    def __init__(self, bundle: Bundle, incumbent: Policy, problem: Problem) -> None:
        super().__init__(bundle)
        residual = residual_of(bundle.manifest, incumbent)
        assert residual is not None
        self._whole = Adjusting(BundlePolicy(bundle), incumbent, residual, problem.action)
        self.draws = self._whole.draws

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """The incumbent's action, adjusted."""
        return self._whole.propose(observation, allowed, draw)


def sampled(distribution: Floats, draw: Floats) -> Proposal:
    """A stochastic policy's proposal by inverse CDF: the first action whose cumulative share exceeds the draw.

    The distribution is [n, actions], its rows sum to 1; the draws lie in [0, 1), [n]. An action's probability, always
    positive, is also its confidence.
    """
    cumulative = distribution.cumsum(axis=1)
    action = (cumulative > (draw * cumulative[:, -1])[:, None]).argmax(axis=1)
    return Proposal(action, distribution[np.arange(len(action)), action], distribution)


def _best(logits: list[float], sure: Floats | None = None) -> Proposal:
    """The proposal of one row; five times as fast as NumPy on so few numbers, which live decisions mostly are."""
    top = max(logits)
    if sure is not None:
        known = not math.isnan(sum(logits)) and top < math.inf
        return Proposal(np.array([logits.index(top)]), sure if known else np.full(1, np.nan))
    weight = sum([math.exp(logit - top) for logit in logits])
    return Proposal(np.array([logits.index(top)]), np.array([1.0 / weight]))


def make_bundle(
    problem: Problem,
    onnx: bytes,
    golden: Floats,
    logits: Floats,
    lineage: dict[str, Any],
    evaluation: dict[str, Any],
    choice: Choice = "argmax",
    residual: tuple[Residual, Policy] | None = None,
    history: History | None = None,
    sureness: Sureness | None = None,
) -> Bundle:
    """A bundle of a graph, checked against the answers its trainer gave.

    Args:
        problem: what it decides.
        onnx: the graph, `observation` [n, features], if it asks `allowed` [n, actions], to `logits` [n, actions]; for
            a `Box` from `observation` to `action` [n, numbers], within its bounds.
        golden: situations; float32 [rows, features].
        logits: the trainer's answers there, float32 [rows, actions]; for a `Box` its vectors, float32 [rows, numbers].
        lineage: where it comes from.
        evaluation: its score on the selection data.
        choice: take the action of the highest logit, or sample from the softmax over the allowed ones; a `Box` has
            neither and takes the vector.
        residual: the graph answers adjustments within this bound to this incumbent's actions, not the actions.
        history: the graph is shown windows; the golden situations are some.
        sureness: what the graph's second answer `confidence`, [n], means and is in those situations.

    Raises:
        BundleError: the graph answers otherwise than the trainer.
    """
    told: dict[str, Any] = {} if residual is None else {"residual": adjusts(*residual, golden)}
    told |= {} if history is None else {"history": asdict(history)}
    told |= {} if sureness is None else {"confidence": sureness.as_dict()}
    sure = {} if sureness is None else {"confidence": sureness.golden.tolist()}
    faced = decided(problem, told)
    manifest = {
        "format": FORMAT,
        **interface(faced),
        **told,
        "choice": "vector" if isinstance(problem.action, Box) else choice,
        "problem_version": problem.version,
        "reward_version": problem.reward_version,
        "policy_sha256": hashlib.sha256(onnx).hexdigest(),
        "golden": {"observation": golden.tolist(), **_golden_answers(faced, logits), **sure},
        "lineage": lineage,
        "evaluation": evaluation,
    }
    bundle = Bundle(onnx, json.loads(json.dumps(manifest)))
    check_golden(BundlePolicy(bundle), "the graph just exported")
    return bundle


def _golden_answers(problem: Problem, answers: Floats) -> dict[str, Any]:
    if isinstance(problem.action, Box):
        return {"action": answers.tolist()}
    return {"logits": answers.tolist(), "action": answers.argmax(axis=1).tolist()}


def save_bundle(bundle: Bundle, bundles: Path) -> Path:
    """Write a bundle to its own folder, whole or not at all; saving it again mends what is damaged in it."""
    folder = bundles / bundle.version
    files = {"policy.onnx": bundle.onnx, "manifest.json": _canonical(bundle.manifest)}
    if all((folder / name).is_file() and (folder / name).read_bytes() == files[name] for name in files):
        return folder
    half = bundles / f".half-{uuid.uuid4().hex}"
    half.mkdir(parents=True)
    try:
        for name, content in files.items():
            _write(half / name, content)
        _sync(half)
        _put(half, folder, files)
        _sync(bundles)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return folder


def load_bundle(folder: Path, problem: Problem | None, incumbent: Policy | None = None) -> BundlePolicy:
    """A bundle ready to decide: hashes, problem and golden answers checked.

    Args:
        folder: named by its version.
        problem: whose bundle it must be; None takes any, for evaluation on a log without a project. Of a bundle that
            adjusts the incumbent's action it then gives the adjustments.
        incumbent: of the problem; needed where the bundle adjusts its action.

    Raises:
        BundleError: files are missing or damaged, it belongs to another problem, or it answers otherwise than it did.
    """
    bundle = read_bundle(folder, problem)
    policy = BundlePolicy(bundle)
    check_golden(policy, str(folder))
    if problem is None or "residual" not in bundle.manifest:
        return policy
    if incumbent is None:
        raise broken(folder, "the incumbent whose action this bundle adjusts", "none")
    return ResidualBundle(bundle, incumbent, problem)


def read_bundle(folder: Path, problem: Problem | None) -> Bundle:
    """A bundle whose hashes and problem are checked; its graph is not looked into, and nothing of it runs.

    Raises:
        BundleError: files are missing or damaged, or it belongs to another problem.
    """
    bundle = Bundle(read_file(folder / "policy.onnx"), read_manifest(folder))
    found = hashlib.sha256(bundle.onnx).hexdigest()
    if found != bundle.manifest["policy_sha256"]:
        raise broken(folder / "policy.onnx", "the graph named in the manifest", f"another, sha256 {found[:12]}...")
    if bundle.version != folder.name:
        raise broken(folder / "manifest.json", f"content of version {folder.name}", f"content of {bundle.version}")
    for what, ours in (interface(decided(problem, bundle.manifest)) if problem is not None else {}).items():
        if bundle.manifest.get(what) != ours:
            raise broken(folder, f"a bundle for the {what} {ours!r}", f"one for {bundle.manifest.get(what)!r}")
    return bundle


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _put(half: Path, folder: Path, names: Iterable[str]) -> None:
    try:
        half.rename(folder)
    except OSError:  # it is there: somebody else was first, or it is damaged; each file is replaced whole
        for name in names:
            os.replace(half / name, folder / name)


def _session(onnx: bytes) -> Any:
    if EXTERNAL in onnx:
        raise broken(Path("policy.onnx"), "a graph with all its weights inside", "one that names files outside")
    import onnxruntime  # its threads must not be inherited by those who only write a log and fork

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own errors have no common base
        raise broken(Path("policy.onnx"), "a graph ONNX Runtime can load", str(error)[:200]) from error


def _canonical(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
