"""Public commands as a story runs them: each in a process of its own, its JSON read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

long = pytest.mark.skipif(os.environ.get("TENURE_STORIES") != "long", reason="TENURE_STORIES=long tells it in full")


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    """A command at work."""
    command = [sys.executable, "-m", "tenure.cli", *words, "--home", str(home), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(running: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    """Its exit code and what it printed."""
    out, complaint = running.communicate(timeout=600)
    assert out, complaint
    found: dict[str, Any] = json.loads(out)
    return running.returncode, found


def tenure(home: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """A command from start to end."""
    return end(start(home, *words))


def finding(found: dict[str, Any], gate: str) -> dict[str, Any]:
    """The first finding of a gate."""
    return next(each for each in found["findings"] if each["gate"] == gate)


def reasons(found: dict[str, Any], verdict: str) -> str:
    """Why the findings of that verdict came out so."""
    return "; ".join(each["reason"] for each in found["findings"] if each["verdict"] == verdict)
