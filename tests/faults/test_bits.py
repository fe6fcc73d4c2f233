"""Bits that flip on the disk are found, and said to whoever asks; a log that cannot be trusted is not served as if."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenure.store import SqliteStore, Store

from .conftest import Make
from .load import Load
from .server import Server, until


def command(server: Server, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of `tenure ...` on the server's project."""
    verb = [sys.executable, "-m", "tenure.cli", *words, str(server.project), "--home", str(server.home), "--json"]
    done = subprocess.run(verb, capture_output=True, text=True, timeout=60, env={**os.environ})
    return done.returncode, json.loads(done.stdout) if done.stdout else {"error": done.stderr}


@pytest.fixture
def filled(serve: Make, log: Callable[[], Store]) -> Server:
    """A log with rows in its main file, and its server stopped."""
    server = serve(share=0.5)
    with Load(server.port, server.home.parent, 1) as load:
        until(lambda: load.answered > 100, "there are rows")
    server.kill()
    with log() as store, store.database.writing() as link:
        link.execute("SELECT 1")
    fold_wal(server.home / "toy" / "log.sqlite")
    return server


def fold_wal(path: Path) -> None:
    """Bring every page from the write-ahead log into the file itself."""
    with SqliteStore(path) as store, store.connections.reading():
        pass
    import apsw

    link = apsw.Connection(str(path))
    link.pragma("wal_checkpoint", "TRUNCATE")
    link.close()


def flip(path: Path, text: bytes) -> None:
    """Flip one bit wherever a text stands: in the row, in copies that pages hold of it, and in indexes."""
    content = path.read_bytes()
    assert text in content
    path.write_bytes(content.replace(text, text[:-1] + bytes([text[-1] ^ 1])))


@pytest.mark.parametrize("text", [b"control", b"c0-17", b'{"x":4.0}'])
def test_a_flipped_bit_in_a_row_is_found_by_verify_and_by_doctor(filled: Server, text: bytes) -> None:
    assert command(filled, "log", "verify")[0] == 0
    flip(filled.home / "toy" / "log.sqlite", text)
    code, found = command(filled, "log", "verify")
    assert (code, found.get("intact")) == (4, False) or code == 5, found
    assert command(filled, "doctor")[0] in (4, 5)


def test_a_destroyed_page_is_an_error_that_says_so_and_no_crash(filled: Server) -> None:
    path = filled.home / "toy" / "log.sqlite"
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = bytes(64)
    path.write_bytes(content)
    code, found = command(filled, "log", "verify")
    assert code in (4, 5), found
    assert "Traceback" not in json.dumps(found)
