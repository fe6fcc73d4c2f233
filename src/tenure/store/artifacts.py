"""Bundles and runs in a store every machine reaches: s3://, gs://, az://, file:// or any other that fsspec knows.

A run lies there as files named by their SHA-256 and an index that names them; the index is written last, so that a
reader sees all of a push or nothing of it. A bundle lies there as its two files, the manifest written last. Whatever is
fetched is hashed before it is used. Credentials and endpoints are those the store's own library reads.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from tenure.core.clock import to_text
from tenure.core.errors import StoreError
from tenure.store.bundles import read_bundle, save_bundle
from tenure.store.far import Far

BUNDLE = ("policy.onnx", "manifest.json")
"""Files of a bundle, in the order in which they are written: with the manifest it is there."""
INDEX, FILES, RUNS, BUNDLES, CHECK = "index.json", "files", "runs", "bundles", ".check"
READS = 3
"""Times a run is read anew because its trainer pushed meanwhile."""


@dataclass(frozen=True)
class Index:
    """What a run's folder held when it was last pushed.

    Args:
        files: SHA-256 of each file by its path below the run's folder.
        at: when it was pushed, UTC, as text.
        finished: whether the run has its record.
    """

    files: dict[str, str]
    at: str
    finished: bool


class Artifacts:
    """One problem's bundles and runs below a URL.

    Args:
        url: where, such as s3://bucket/prefix; the bucket must exist.
        problem: its name, a folder below the URL.
        pause: waits some seconds between two tries.

    Raises:
        SettingsError: no URL, or of a store that fsspec does not know.
        ProjectError: the library of that store is not installed.
    """

    def __init__(self, url: str, problem: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._far = Far(f"{url.rstrip('/')}/{problem}", pause)

    @property
    def url(self) -> str:
        """Where all of it lies."""
        return self._far.url

    def check(self) -> None:
        """Write something and read it back, so that a run does not find out at its end.

        Raises:
            StoreError: there is no such bucket, no right to it, or no way to it.
        """
        word = uuid.uuid4().hex
        self._far.put(f"{CHECK}-{word}", word.encode())
        found = self._far.get(f"{CHECK}-{word}")
        self._far.remove(f"{CHECK}-{word}")
        if found != word.encode():
            raise self._wrong(
                "the bytes just written", "others, or none", CHECK, "use a store that keeps what it takes"
            )

    def push_run(self, folder: Path, now: datetime) -> int:
        """Bring a run's folder there as it is now; files that lie there already are not sent again.

        Args:
            folder: of the run; hidden files, which are half-written ones, stay behind.
            now: UTC.

        Returns:
            How many files were sent.

        Raises:
            StoreError: the store cannot be written.
        """
        place, before = f"{RUNS}/{folder.name}", self._index(folder.name)
        there, files, sent = set(before.files.values()) if before else set(), dict[str, str](), 0
        for path in _visible(folder):
            try:
                content = path.read_bytes()
            except FileNotFoundError:  # a checkpoint that was pruned meanwhile
                continue
            name, digest = path.relative_to(folder).as_posix(), hashlib.sha256(content).hexdigest()
            if digest not in there:
                self._far.put(f"{place}/{FILES}/{digest}", content)
                sent += 1
            there.add(digest)
            files[name] = digest
        index = {"files": files, "at": to_text(now), "finished": "record.json" in files}
        self._far.put(f"{place}/{INDEX}", json.dumps(index, indent=1).encode())
        for digest in there - set(files.values()):
            self._far.remove(f"{place}/{FILES}/{digest}")
        return sent

    def fetch_run(self, run: str, runs: Path) -> Path:
        """Bring a run here, whole or not at all.

        Args:
            run: its name.
            runs: the folder it becomes a folder of.

        Raises:
            StoreError: the run is not there, the store cannot be read, what lies there is not what its index says, or
                a folder of that name is here already.
        """
        for left in range(READS, 0, -1):
            index = self._index(run)
            if index is None:
                raise self._no_run(run)
            half = runs.parent / f".half-{uuid.uuid4().hex}"
            try:
                self._fill(half, run, index)
                return _into_place(half, runs / run)
            except StoreError:
                if left == 1 or self._index(run) == index:  # else its trainer has just pushed and pruned
                    raise
            finally:
                shutil.rmtree(half, ignore_errors=True)
        raise AssertionError("unreachable")

    def runs(self) -> dict[str, Index]:
        """Every run that was pushed, by name, the one pushed last at the end.

        Raises:
            StoreError: the store cannot be read.
        """
        found = {name: self._index(name) for name in self._far.names(RUNS)}
        known = {name: index for name, index in found.items() if index is not None}
        return dict(sorted(known.items(), key=lambda item: item[1].at))

    def push_bundle(self, folder: Path) -> None:
        """Bring a bundle there; one that is there already is left alone, since its name is its content.

        Raises:
            BundleError: it is damaged here.
            StoreError: the store cannot be written.
        """
        if self._far.has(f"{BUNDLES}/{folder.name}/{BUNDLE[-1]}"):
            return
        read_bundle(folder, None)
        for name in BUNDLE:
            self._far.put(f"{BUNDLES}/{folder.name}/{name}", (folder / name).read_bytes())

    def fetch_bundle(self, version: str, bundles: Path) -> Path:
        """Bring a bundle here, whole or not at all, after its hashes were checked.

        Args:
            version: its name.
            bundles: the folder of bundles by version.

        Raises:
            StoreError: it is not there, or the store cannot be read.
            BundleError: what lies there is not the content of that version.
        """
        if re.fullmatch("[0-9a-f]{12}", version) is None:  # it becomes a folder here
            raise self._no_bundle(version)
        half = bundles / f".half-{uuid.uuid4().hex}"
        (half / version).mkdir(parents=True)
        try:
            for name in BUNDLE:
                content = self._far.get(f"{BUNDLES}/{version}/{name}")
                if content is None:
                    raise self._no_bundle(version)
                (half / version / name).write_bytes(content)
            return save_bundle(read_bundle(half / version, None), bundles)
        finally:
            shutil.rmtree(half, ignore_errors=True)

    def versions(self) -> list[str]:
        """Every bundle that was pushed whole, sorted.

        Raises:
            StoreError: the store cannot be read.
        """
        return [name for name in self._far.names(BUNDLES) if self._far.has(f"{BUNDLES}/{name}/{BUNDLE[-1]}")]

    def _index(self, run: str) -> Index | None:
        """What was pushed of a run; None for one that was not."""
        where = f"{RUNS}/{run}/{INDEX}"
        content = self._far.get(where)
        try:
            index = None if content is None else Index(**json.loads(content))
            if index is None or all(_is_safe(name, digest) for name, digest in index.files.items()):
                return index
            found = f"a path that leads out of the run's folder, or no hash: {index.files}"[:200]
        except (ValueError, TypeError, AttributeError) as error:
            found = f"{type(error).__name__}: {error}"
        raise self._wrong("the index of a run, written by `tenure train`", found, where, "remove it, and push again")

    def _fill(self, half: Path, run: str, index: Index) -> None:
        half.mkdir(parents=True)
        for name, digest in index.files.items():
            where = f"{RUNS}/{run}/{FILES}/{digest}"
            content = self._far.get(where)
            found = "none" if content is None else hashlib.sha256(content).hexdigest()
            if content is None or found != digest:
                fix = "fetch again; if it stays so, push the run again from where it was trained"
                raise self._wrong(f"{name} with sha256 {digest[:12]}...", f"{found[:12]}", where, fix)
            (half / name).parent.mkdir(parents=True, exist_ok=True)
            (half / name).write_bytes(content)

    def _no_run(self, run: str) -> StoreError:
        fix = "name one of these, or train it with --artifacts"
        return self._wrong(f"one of the runs {list(self.runs())}", repr(run), RUNS, fix)

    def _no_bundle(self, version: str) -> StoreError:
        fix = "name one of these, or train with --artifacts"
        return self._wrong(f"one of the versions {self.versions()}", repr(version), BUNDLES, fix)

    def _wrong(self, expected: str, found: str, where: str, fix: str) -> StoreError:
        return StoreError(expected=expected, found=found, where=f"{self._far.url}/{where}", fix=fix)


def _visible(folder: Path) -> list[Path]:
    """Files of a run, none that is half-written or a lock."""
    every = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in every if not any(part[0] == "." for part in path.relative_to(folder).parts))


def _is_safe(name: str, digest: str) -> bool:
    """Whether a file of an index stays within its folder and is named by a hash."""
    parts = PurePosixPath(name).parts
    within = bool(parts) and not name.startswith("/") and "\\" not in name and ".." not in parts
    return within and re.fullmatch("[0-9a-f]{64}", digest) is not None


def _into_place(half: Path, folder: Path) -> Path:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        half.rename(folder)
    except OSError as error:
        raise StoreError(
            expected="no folder of that name yet, and a disk that can be written",
            found=error.strerror or str(error),
            where=str(folder),
            fix="go on with what lies there, or move it away first",
        ) from error
    return folder
