"""Uploaded bundles: bytes of a stranger until every check has passed; nothing of a bad one is kept."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenure.core.errors import RequestError
from tenure.store import Bundle, load_bundle
from tenure.store import upload as uploading
from tenure.store.upload import accepted, unpacked

from .graphs import WEIGHTS, linear
from .test_bundles import PROBLEM, bundle

LINEAGE: dict[str, Any] = {"lineage": {"run": "r1", "seed": 1}, "evaluation": {"score": 1.5}}


def good(**changes: Any) -> Bundle:
    return bundle(**LINEAGE | changes)


def text(made: Bundle) -> bytes:
    return json.dumps(made.manifest).encode()


def packed(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", method) as writing:
        for name, content in members:
            writing.writestr(name, content)
    return body.getvalue()


def zipped(made: Bundle) -> bytes:
    return packed([("policy.onnx", made.onnx), ("manifest.json", text(made))])


def opened(body: bytes) -> Bundle:
    return unpacked(body, hashlib.sha256(body).hexdigest())


def take(made: Bundle, folder: Path) -> dict[str, Any]:
    return accepted(made, PROBLEM, folder)


def test_a_good_bundle_becomes_a_version_that_decides(tmp_path: Path) -> None:
    made = good()
    record = take(opened(zipped(made)), tmp_path)
    assert record == {
        "problem_version": PROBLEM.version,
        "reward_version": PROBLEM.reward_version,
        **LINEAGE,
    }
    assert load_bundle(tmp_path / made.version, PROBLEM).version == made.version
    assert [path.name for path in tmp_path.iterdir()] == [made.version]


def test_a_stored_zip_is_as_good_as_a_compressed_one() -> None:
    made = good()
    body = packed([("manifest.json", text(made)), ("policy.onnx", made.onnx)], zipfile.ZIP_STORED)
    assert opened(body).version == made.version


def test_the_hash_is_compared_before_a_byte_is_interpreted() -> None:
    with pytest.raises(RequestError, match="SHA-256"):
        unpacked(b"not even a zip", "0" * 64)


def encrypted() -> bytes:
    """The flag that says a password is needed, in both headers of the first member."""
    body = bytearray(zipped(good()))
    body[6] |= 1
    at = body.index(b"PK\x01\x02")
    body[at + 8] |= 1
    return bytes(body)


def lying() -> bytes:
    """A member whose headers understate its size."""
    made = good()
    body = bytearray(packed([("policy.onnx", made.onnx + bytes(5000)), ("manifest.json", text(made))]))
    at = body.index(b"PK\x01\x02")
    struct.pack_into("<I", body, 22, 10)
    struct.pack_into("<I", body, at + 24, 10)
    return bytes(body)


BAD: dict[str, Callable[[], bytes]] = {
    "no zip": lambda: b"garbage",
    "empty": lambda: b"",
    "a pickle": lambda: pickle.dumps({"a": 1}),
    "a pickle beside": lambda: packed([("policy.onnx", b""), ("manifest.json", b"{}"), ("policy.pkl", b"")]),
    "climbing out": lambda: packed([("../policy.onnx", b""), ("manifest.json", b"{}")]),
    "absolute": lambda: packed([("/policy.onnx", b""), ("manifest.json", b"{}")]),
    "in a folder": lambda: packed([("v1/policy.onnx", b""), ("v1/manifest.json", b"{}")]),
    "no manifest": lambda: packed([("policy.onnx", b"")]),
    "cut": lambda: zipped(good())[:-30],
    "a password": encrypted,
    "a lying size": lying,
    "no JSON": lambda: packed([("policy.onnx", b""), ("manifest.json", b"\xff{")]),
    "a list": lambda: packed([("policy.onnx", b""), ("manifest.json", b"[]")]),
    "too deep": lambda: packed([("policy.onnx", b""), ("manifest.json", b'{"a":' + b"[" * 100_000)]),
    "not a number": lambda: packed([("policy.onnx", b""), ("manifest.json", b'{"a": NaN}')]),
    "another graph": lambda: packed([("policy.onnx", b"x"), ("manifest.json", text(good()))]),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_bundle_is_the_senders_to_mend(what: str) -> None:
    with pytest.raises(RequestError):
        opened(BAD[what]())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused() -> None:
    made = good()
    with pytest.raises(RequestError, match="exactly"):
        opened(packed([("policy.onnx", made.onnx), ("policy.onnx", b"other"), ("manifest.json", text(made))]))


def test_a_bomb_is_cut_at_the_limit_whatever_it_says_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(uploading.LARGEST_MEMBERS, "policy.onnx", 1000)
    body = packed([("policy.onnx", bytes(10_000_000)), ("manifest.json", b"{}")])
    assert len(body) < 20_000
    with pytest.raises(RequestError, match="at most 1000 bytes"):
        opened(body)


def forged(**changes: Any) -> Bundle:
    """A bundle that belongs together, and says something else."""
    made = good()
    onnx = changes.pop("onnx", made.onnx)
    manifest = {**made.manifest, "policy_sha256": hashlib.sha256(onnx).hexdigest(), **changes}
    return Bundle(onnx, manifest)


FORGED: dict[str, dict[str, Any]] = {
    "no graph": {"onnx": b"garbage"},
    "weights in another file": {"onnx": linear(outside=True)},
    "other answers": {"onnx": linear(WEIGHTS * 2)},
    "another problem": {"problem": "other"},
    "another problem version": {"problem_version": "0" * 12},
    "other features": {"features": ["y", "x"]},
    "other actions": {"actions": ["a", "b", "z"]},
    "no golden rows": {"golden": {"observation": [], "logits": []}},
    "golden rows of words": {"golden": "many"},
    "an unknown format": {"format": 99},
    "no run": {"lineage": {"seed": 1}},
    "no score": {"evaluation": {}},
}


@pytest.mark.parametrize("what", FORGED)
def test_a_bundle_that_is_no_policy_of_this_problem_is_refused_and_nothing_of_it_kept(
    what: str, tmp_path: Path
) -> None:
    with pytest.raises(RequestError):
        take(forged(**FORGED[what]), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "word"), [("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "-11"), ("while True: pass", "took")]
)
def test_a_graph_that_crashes_or_hangs_takes_nothing_with_it(
    code: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "_TRY", code)
    monkeypatch.setattr(uploading, "LOAD_WITHIN_S", 0.5)
    with pytest.raises(RequestError, match=word):
        take(good(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_process_that_tries_a_bundle_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)  # not for the tests' own process
    assert uploading.tried(str(tmp_path)) == 1
    assert set(json.loads(capsys.readouterr().out)) == {"expected", "found"}


def test_the_graph_never_runs_in_the_servers_own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a stranger's graph was opened here")

    made = good()
    monkeypatch.setattr("tenure.store.bundles._session", never)
    take(made, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [made.version]


@pytest.mark.parametrize(("code", "word"), [("while True: pass", "code -"), ("bytearray(2 * 1024**3)", "code 1")])
def test_the_process_that_tries_a_bundle_may_take_so_much_processor_and_memory(
    code: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = f"def load(*_): {code}" if code.startswith("byte") else f"def load(*_):\n    {code}"
    monkeypatch.setattr(
        uploading, "_TRY", f"{runs}\nfrom tenure.store import upload as u\nu.LOAD_WITHIN_S = 2\n"
        "u.load_bundle = load\nu.tried('')"
    )  # fmt: skip
    with pytest.raises(RequestError, match=word):
        take(good(), tmp_path)


def test_one_bundle_is_tried_at_a_time(tmp_path: Path) -> None:
    with uploading._TRYING, pytest.raises(RequestError, match="one upload at a time"):
        take(good(), tmp_path)
    take(good(), tmp_path)
