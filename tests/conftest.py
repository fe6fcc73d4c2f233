"""What tests of several rooms share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.postgres import Server, server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One throw-away PostgreSQL server for all tests; each asks it for a `fresh()` schema."""
    with server() as running:
        yield running
