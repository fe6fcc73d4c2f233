"""Checkpoints a training can go on from: whole or not at all, hashed, and few enough for the disk."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tenure.core.clock import Clock
from tenure.core.errors import StoreError
from tenure.core.reward import KPI
from tenure.training.record import CurvePoint

EVERY_S = 5.0
"""Seconds between two checkpoints at least, however fast the gradient steps are."""
SHARE = 0.05
"""Share of the time that writing may take: after one that took long, the next waits 1 / SHARE times as long."""
GRAPH, STATE, MANIFEST = "graph.pt", "state.pt", "manifest.json"
"""Files of a checkpoint: the policy, everything needed to go on, and the hashes of both."""


@dataclass(frozen=True)
class Keep:
    """Which checkpoints stay: the last ones whole; the best, and the first of each part of the run, without the state.

    Args:
        last: how many stay whole, at least 1; a damaged one falls back to the one before.
        parts: of the run, of each of which the policy stays.
    """

    last: int = 3
    parts: int = 10

    def whole(self, points: Sequence[CurvePoint]) -> set[int]:
        """Gradient steps of those that stay with everything."""
        return set(sorted(point.gradient_steps for point in points)[-self.last :])

    def policies(self, points: Sequence[CurvePoint], kpi: KPI, steps: int) -> set[int]:
        """Gradient steps of those whose policy stays.

        Args:
            points: of all checkpoints.
            kpi: the first one; the best is the earliest of equals.
            steps: of the whole run.
        """
        firsts: dict[int, int] = {}
        for point in sorted(points, key=lambda point: -point.gradient_steps):
            firsts[min(point.steps * self.parts // steps, self.parts - 1)] = point.gradient_steps
        best = max(sorted(points, key=lambda point: point.gradient_steps), key=lambda point: point.merit(kpi))
        return {best.gradient_steps, *firsts.values()}


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint on the disk.

    Args:
        folder: where its files lie; named by its gradient steps.
        point: of the learning curve.
        files: SHA-256 of each file by its name; without `state.pt` nothing goes on from here.
        why: what kept the state from being written; empty where nothing did.
    """

    folder: Path
    point: CurvePoint
    files: Mapping[str, str] = field(default_factory=dict)
    why: str = ""

    @property
    def resumable(self) -> bool:
        """Whether a training can go on from here."""
        return STATE in self.files

    def damage(self) -> str:
        """The first file that is not as it was written; empty for none."""
        for name, digest in self.files.items():
            path = self.folder / name
            if not path.exists():
                return f"{path} is missing"
            if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                return f"{path} is not as it was written"
        return ""

    def graph(self) -> nn.Module:
        """Its policy, ready to answer; the file is a pickle of our own: read none that somebody sent."""
        graph: nn.Module = loaded((self.folder / GRAPH).read_bytes())
        return graph.eval()

    def state(self) -> dict[str, Any]:
        """Everything the training needs to go on; a pickle of our own, too."""
        state: dict[str, Any] = loaded((self.folder / STATE).read_bytes())
        return state


class Checkpoints:
    """The checkpoints of one seed.

    Args:
        folder: where they lie, a folder each.
        kpi: the first one, by which the best is known.
        steps: of the whole run.
        clock: says when the next is due.
        keep: which stay.
    """

    def __init__(self, folder: Path, kpi: KPI, steps: int, clock: Clock, keep: Keep = Keep()) -> None:
        self.folder, self.kpi, self.steps, self.clock, self.keep = folder, kpi, steps, clock, keep
        self._next = clock.monotonic() + EVERY_S
        for half in folder.glob(".*"):
            shutil.rmtree(half)

    @property
    def due(self) -> bool:
        """Whether the last one is long enough ago."""
        return self.clock.monotonic() >= self._next

    def save(self, point: CurvePoint, graph: bytes, state: Mapping[str, Any] | None) -> Checkpoint:
        """Write one, whole or not at all, and remove those that need not stay.

        Args:
            point: where the training is.
            graph: the policy, as `saved` gives it.
            state: to go on from; None for a policy alone. What cannot be pickled is left out and told in `why`.

        Raises:
            StoreError: the disk is full or must not be written; the last good checkpoint is named.
        """
        began = self.clock.monotonic()
        files = {GRAPH: graph}
        pickled, why = (None, "") if state is None else _pickled(state)
        if pickled is not None:
            files[STATE] = pickled
        try:
            written = self._write(point, files, why)
            self._prune()
        except OSError as error:
            raise self.full(error) from error
        now = self.clock.monotonic()
        self._next = now + max(EVERY_S, (now - began) / SHARE)
        return written

    def all(self) -> list[Checkpoint]:
        """Those on the disk, the earliest first."""
        return stored(self.folder)

    def newest(self) -> tuple[Checkpoint | None, list[str]]:
        """The newest one to go on from, and what was wrong with newer ones."""
        told = [] if not self.folder.exists() else _unreadable(self.folder)
        for one in reversed(self.all()):
            damage = one.damage() or one.why
            if one.resumable and not damage:
                return one, told
            told += [damage] if damage else []
        return None, told

    def drop_after(self, gradient_steps: int) -> None:
        """Remove those of a future that a training which goes on from there will not have."""
        for path in self.folder.glob("[!.]*"):
            one = _read(path)
            if one is None or one.point.gradient_steps > gradient_steps:
                shutil.rmtree(path)

    def full(self, error: OSError) -> StoreError:
        """What to say when a training cannot write any more."""
        last, _ = self.newest()
        kept = "no checkpoint was written yet" if last is None else f"the last good checkpoint is {last.folder}"
        after = "" if last is None else f", after {last.point.steps:,} steps"
        return StoreError(
            expected="a disk with room for the next checkpoint",
            found=f"{error.strerror or error}; {kept}{after}, and nothing before it is lost",
            where=str(error.filename or self.folder),
            fix="free space or set the right to write there, then go on with `tenure train P --resume`",
        )

    def _write(self, point: CurvePoint, files: Mapping[str, bytes], why: str) -> Checkpoint:
        half, final = self.folder / f".{point.gradient_steps}", self.folder / str(point.gradient_steps)
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        manifest = {"point": asdict(point), "files": digests, "why": why}
        try:
            half.mkdir(parents=True)
            for name, content in {**files, MANIFEST: json.dumps(manifest, indent=1).encode()}.items():
                write_synced(half / name, content)
            shutil.rmtree(final, ignore_errors=True)  # one that a run left which went on from before it
            half.replace(final)
        except OSError:
            shutil.rmtree(half, ignore_errors=True)
            raise
        _sync(self.folder)
        return Checkpoint(final, point, digests, why)

    def _prune(self) -> None:
        every = self.all()
        points = [one.point for one in every]
        whole, policies = self.keep.whole(points), self.keep.policies(points, self.kpi, self.steps)
        for one in every:
            if one.point.gradient_steps in whole:
                continue
            if one.point.gradient_steps not in policies:
                shutil.rmtree(one.folder)
            elif one.resumable:
                _thin(one)


def stored(folder: Path) -> list[Checkpoint]:
    """The checkpoints in a folder, the earliest first; one without a readable manifest is none."""
    found = (_read(path) for path in folder.glob("[!.]*"))
    return sorted((one for one in found if one), key=lambda one: one.point.gradient_steps)


def saved(thing: object) -> bytes:
    """A module, or a state, as bytes."""
    content = io.BytesIO()
    torch.save(thing, content, pickle_protocol=pickle.HIGHEST_PROTOCOL)
    return content.getvalue()


def loaded(content: bytes) -> Any:
    """What `saved` made bytes of; a pickle of our own: read none that somebody sent."""
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=False)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _pickled(state: Mapping[str, Any]) -> tuple[bytes | None, str]:
    try:
        return saved(dict(state)), ""
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        return None, f"the state of this training cannot be kept: {type(error).__name__}: {error}"


def _read(folder: Path) -> Checkpoint | None:
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
        return Checkpoint(folder, CurvePoint(**found["point"]), found["files"], found["why"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _unreadable(folder: Path) -> list[str]:
    return [f"{path / MANIFEST} cannot be read" for path in sorted(folder.glob("[!.]*")) if _read(path) is None]


def _thin(one: Checkpoint) -> None:
    """Leave the policy, remove the state; the manifest goes first, so that it never names what is gone."""
    thin = replace(one, files={name: digest for name, digest in one.files.items() if name == GRAPH})
    manifest = {"point": asdict(thin.point), "files": dict(thin.files), "why": thin.why}
    half = one.folder / f".{MANIFEST}"
    write_synced(half, json.dumps(manifest, indent=1).encode())
    half.replace(one.folder / MANIFEST)
    (one.folder / STATE).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
