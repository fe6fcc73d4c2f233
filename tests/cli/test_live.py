"""The live replay of the demo: what its commands say is never thrown away."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tenure.cli.live import killed_by
from tenure.core.errors import StoreError


def command(code: str) -> subprocess.Popen[str]:
    """A kill command that does what a test wants."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], stdout=pipe, stderr=pipe, text=True)


def test_a_kill_command_that_fails_shows_what_it_said() -> None:
    with pytest.raises(StoreError, match=r"exit code 5: disk is full.*run it by hand"):
        killed_by(command("import sys; print('{}'); sys.stderr.write('disk is full'); sys.exit(5)"))


@pytest.mark.parametrize("code", [0, 3])
def test_a_kill_command_that_stopped_gives_what_it_printed(code: int) -> None:
    """3: it stopped, and a server has not confirmed; the demo's own checks judge that."""
    assert killed_by(command(f"import sys; print('{{\"epoch\": 1}}'); sys.exit({code})")) == {"epoch": 1}
