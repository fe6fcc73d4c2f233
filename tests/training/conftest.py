"""One tiny run of two seeds, shared; its project refuses every look at the held-out months."""

from __future__ import annotations

import pytest

from tenure.training import Progress, train

from .tiny import GUARDED, TINY, Tiny, project_with


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Two seeds of a few thousand steps, each in its own process."""
    base = tmp_path_factory.mktemp("tiny")
    project, reported = project_with(base / "guarded", GUARDED), list[Progress]()
    record = train(project, TINY, (1, 2), base / "home", "tiny", reported.append)
    return Tiny(project, base / "home", record, reported)
