"""Disks fill up and lie: the incumbent answers, what was acknowledged stays, and writing resumes by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tenure.store import Store

from .audit import check
from .conftest import Make
from .load import Caller, Load
from .server import until

SMALL = 6 * 2**20
"""Bytes of the disk that fills up."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes under the server's folder."""
    home = tmp_path / "home"
    home.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "none", home]).returncode:
        pytest.skip("NO SMALL DISK: mounting one needs root; the store's own tests fill theirs by a limit")
    yield home
    subprocess.run(["umount", "-l", home], check=True)


def fill(path: Path) -> None:
    """Write until there is no space left."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def answered(caller: Caller, number: int) -> str:
    """Why this arm: one word of the answer to a new request."""
    asked = {"decision_id": f"probe-{number}", "unit_id": "u", "context": {"x": 1}}
    status, answer = caller.post("/v1/toy/decisions", asked)
    assert status == 200, answer
    if answer["reason"] == "log_unavailable":
        assert (answer["action"], answer["arm"]) == (0, "fallback")
    return str(answer["reason"])


def test_a_full_disk_leaves_the_incumbent_answering_and_writing_resumes_by_itself(
    small_disk: Path, serve: Make, log: Callable[[], Store]
) -> None:
    server, numbers = serve(), iter(range(10**6))
    with Load(server.port, server.home.parent) as load:
        until(lambda: load.answered > 50, "there are rows to lose")
        ballast = small_disk / "ballast"
        with pytest.raises(OSError, match="No space left"):
            fill(ballast)
        probe = Caller(server.port)
        until(lambda: answered(probe, next(numbers)) == "log_unavailable", "the disk is full")
        assert all(answered(probe, next(numbers)) in ("log_unavailable", "candidate") for _ in range(50))
        ballast.unlink()
        until(lambda: answered(probe, next(numbers)) == "candidate", "writing resumes")
        probe.close()
    assert server.alive
    server.kill()
    assert load.refused == []
    with log() as store:
        check(store, load.acknowledged())


def test_an_fsync_that_fails_is_no_acknowledgement_and_writing_resumes_by_itself(
    tmp_path: Path, serve: Make, log: Callable[[], Store]
) -> None:
    compiler, flag, shim = shutil.which("cc"), tmp_path / "fsync-fails", tmp_path / "shim.so"
    if compiler is None:
        pytest.skip("NO C COMPILER: the store's own tests let fsync fail inside the process")
    source = Path(__file__).with_name("shim.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    server = serve(environment={"LD_PRELOAD": str(shim), "TENURE_FSYNC_FAILS": str(flag)})
    numbers, probe = iter(range(10**6)), Caller(server.port)
    with Load(server.port, server.home.parent) as load:
        until(lambda: load.answered > 50, "there are rows to lose")
        assert answered(probe, next(numbers)) == "candidate"
        flag.touch()
        until(lambda: answered(probe, next(numbers)) == "log_unavailable", "a failed fsync is seen")
        for _ in range(20):
            assert answered(probe, next(numbers)) == "log_unavailable"
        flag.unlink()
        until(lambda: answered(probe, next(numbers)) == "candidate", "writing resumes")
    probe.close()
    assert server.alive
    server.kill()
    with log() as store:
        check(store, load.acknowledged())
