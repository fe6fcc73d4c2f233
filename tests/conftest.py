"""What tests of several rooms share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from tests.postgres import Server, server

# A slow moment of a busy machine is no fault of the code: timings are compared in benchmarks/, never here.
settings.register_profile("tenure", deadline=None)
settings.load_profile("tenure")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One throw-away PostgreSQL server for all tests; each asks it for a `fresh()` schema."""
    with server() as running:
        yield running
