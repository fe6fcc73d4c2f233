"""A throw-away PostgreSQL server, durable as a real one; from the system's package or from `pgserver`."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
import pytest

_numbers = count()


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`; None where there is none."""
    found = shutil.which("initdb")
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    embedded = find_spec("pgserver")
    folders = [Path(found).resolve().parent] if found else []
    folders += reversed(system)
    if embedded and embedded.origin:
        folders.append(Path(embedded.origin).parent / "pginstall" / "bin")
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


def _user() -> str | None:
    """Who runs it: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Server:
    """A running server.

    Args:
        folder: its data and its socket.
        programs: the folder of initdb and postgres.
    """

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.user = folder, _user()
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        if self.user:
            shutil.chown(folder, self.user)
        self._run("initdb", "--pgdata", str(folder / "data"), "--username=postgres", "--auth=trust", "--no-sync")

    def url(self, schema: str = "public") -> str:
        """The address of one schema."""
        return f"postgresql:///postgres?host={self.folder}&user=postgres&options=-csearch_path%3D{schema}"

    def fresh(self) -> str:
        """The address of a schema nobody has used."""
        name = f"log{next(_numbers)}"
        with psycopg.connect(self.url()) as link:
            link.execute(f"CREATE SCHEMA {name}".encode())
        return self.url(name)

    def start(self) -> None:
        """Start and wait until it answers."""
        options = [f"unix_socket_directories={self.folder}", "listen_addresses=", "fsync=on", "max_connections=60"]
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data")]
        command += [part for option in options for part in ("-c", option)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, user=self.user, cwd=self.folder)
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url()).close()
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop at once, ending all sessions; SIGQUIT as a crash would."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(timeout=30)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, user=self.user, cwd=self.folder)


@contextmanager
def server() -> Iterator[Server]:
    """A server, stopped and removed at the end; skips, loudly, where there is no PostgreSQL at all."""
    programs = binaries()
    if programs is None:
        pytest.skip("NO POSTGRESQL: neither initdb nor the package pgserver is installed; nothing was tested on it")
    folder = Path(tempfile.mkdtemp(prefix="tenure-pg-"))
    folder.chmod(0o755)
    try:
        running = Server(folder, programs)
        running.start()
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
