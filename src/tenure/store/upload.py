"""A bundle that came over the network: bytes of a stranger until every check has passed, and never more than data."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import threading
import uuid
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from tenure.core.errors import BundleError, RequestError
from tenure.core.problem import Problem
from tenure.store.bundles import Bundle, load_bundle, read_bundle, save_bundle

LARGEST_MEMBERS = {"policy.onnx": 64 * 1024 * 1024, "manifest.json": 8 * 1024 * 1024}
"""The files of a bundle, all of them, and their bytes when unpacked, at most."""
LARGEST_UPLOAD = sum(LARGEST_MEMBERS.values())
"""Bytes of the zip, at most: it need not be compressed."""
LOAD_WITHIN_S = 30
"""Seconds, of the wall and of one processor, the graph may take to load and to give its golden answers."""
LOAD_WITHIN_BYTES = 3 * 1024**3 // 2
"""Address space of the process that tries it; the libraries take 0.2 GB of it."""

_TRY = "import sys; from tenure.store.upload import tried; sys.exit(tried(sys.argv[1]))"
_TRYING = threading.Lock()


class _Lineage(Struct):
    run: str
    seed: int


class _Evaluation(Struct):
    score: float


class _Record(Struct):
    """What `tenure versions` reads of every registered version."""

    problem_version: Annotated[str, Meta(max_length=64)]
    reward_version: Annotated[str, Meta(max_length=64)]
    lineage: _Lineage
    evaluation: _Evaluation


def unpacked(body: bytes, sha256: str) -> Bundle:
    """The bundle in a zip of exactly `policy.onnx` and `manifest.json`; the graph is not looked into.

    Args:
        body: the zip.
        sha256: of the zip, as its sender counted it; compared before a byte of it is interpreted.

    Raises:
        RequestError: it is another, no such zip, too large unpacked, or its parts do not belong together.
    """
    found = hashlib.sha256(body).hexdigest()
    if found != sha256.lower():
        raise _refused(f"a body with SHA-256 {sha256}", found, "send it again: it was damaged on the way")
    files = _members(body)
    manifest = _manifest(files["manifest.json"])
    bundle = Bundle(files["policy.onnx"], manifest)
    if hashlib.sha256(bundle.onnx).hexdigest() != manifest.get("policy_sha256"):
        raise _refused("the graph named in the manifest", "another", "pack policy.onnx with its own manifest.json")
    return bundle


def accepted(bundle: Bundle, problem: Problem, bundles: Path) -> dict[str, Any]:
    """Try a bundle in a process of its own, then put it among the others; returns the record to register.

    Its graph never runs in this process: here only hashes and manifest are read.

    Raises:
        RequestError: it is for another problem, names files outside, cannot be loaded, or answers otherwise than its
            golden rows say, or another is being tried; nothing is kept of it.
    """
    record = _record(bundle.manifest)
    if record["problem_version"] != problem.version:
        found = f"one for {record['problem_version']!r}"
        raise _refused(f"a bundle for problem version {problem.version!r}", found, "train again")
    room = bundles / f".upload-{uuid.uuid4().hex}"
    try:
        folder = save_bundle(bundle, room)
        read_bundle(folder, problem)
        _try_alone(folder)
        save_bundle(bundle, bundles)
    except BundleError as error:
        raise _refused(error.expected, error.found, "mend the bundle; nothing of it was kept") from error
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return record


def tried(folder: str) -> int:
    """In a process of its own: load a bundle and check its golden answers; 0 when right, 1 with words when not."""
    import resource  # which Windows has not

    resource.setrlimit(resource.RLIMIT_AS, (LOAD_WITHIN_BYTES, LOAD_WITHIN_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (LOAD_WITHIN_S, LOAD_WITHIN_S))  # ends it where the server is gone too
    try:
        load_bundle(Path(folder), None)
    except BundleError as error:
        sys.stdout.write(json.dumps({"expected": error.expected, "found": error.found}))
        return 1
    return 0


def _try_alone(folder: Path) -> None:
    """One at a time: what many take together has no other limit.

    Raises:
        BundleError: it is no good.
        RequestError: another is being tried.
    """
    if not _TRYING.acquire(blocking=False):
        raise _refused("one upload at a time", "another that is being tried", f"try again in {LOAD_WITHIN_S} s")
    try:
        _try_apart(folder)
    finally:
        _TRYING.release()


def _try_apart(folder: Path) -> None:
    """A graph that crashes, hangs or eats memory takes down a process that nobody misses.

    Raises:
        BundleError: it does, or it is no good.
    """
    command = [sys.executable, "-c", _TRY, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_WITHIN_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise _broken("a graph that loads", f"one that took over {LOAD_WITHIN_S} s", folder) from None
    if done.returncode == 1 and done.stdout:
        told = json.loads(done.stdout)
        raise _broken(told["expected"], told["found"], folder)
    if done.returncode != 0:
        raise _broken("a graph that loads", f"one that ended its process with code {done.returncode}", folder)


def _members(body: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(BytesIO(body)) as packed:
            names = [member.filename for member in packed.infolist()]
            if sorted(names) != sorted(LARGEST_MEMBERS):
                raise _refused(f"a zip of exactly {sorted(LARGEST_MEMBERS)}", f"{names[:5]}", "pack these two, flat")
            return {name: _member(packed, name, limit) for name, limit in LARGEST_MEMBERS.items()}
    # The last three: a password is needed, the method is unknown, the stream is no stream.
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, EOFError, ValueError) as error:
        raise _refused("a zip without password", str(error) or type(error).__name__, "pack it again") from error


def _member(packed: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Its bytes; what the zip says of their number is not believed."""
    with packed.open(name) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise _refused(f"at most {limit} bytes of {name} unpacked", "more", "send a smaller policy")
    return content


def _manifest(text: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refused("a JSON object in manifest.json", str(error), "export the bundle again") from error


def _record(manifest: dict[str, Any]) -> dict[str, Any]:
    fields = _Record.__struct_fields__
    try:
        msgspec.convert(manifest, _Record)
    except msgspec.ValidationError as error:
        raise _refused(f"the fields {list(fields)}", str(error), "export the bundle again") from error
    return {key: manifest[key] for key in fields}


def _refused(expected: str, found: str, fix: str) -> RequestError:
    return RequestError(expected=expected, found=found, where="the uploaded bundle", fix=fix)


def _broken(expected: str, found: str, folder: Path) -> BundleError:
    return BundleError(expected=expected, found=found, where=str(folder), fix="train again")
