"""Killed at random moments under load, a server loses nothing it acknowledged and doubles nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from tenure.store import Store

from . import LONG
from .audit import check
from .conftest import Make
from .load import Load
from .server import until

POINTS = 1_000 if LONG else 50


def test_kill_9_at_random_points_loses_and_doubles_nothing_acknowledged(serve: Make, log: Callable[[], Store]) -> None:
    server, chance = serve(share=0.5), random.Random(4)
    with Load(server.port, server.home.parent) as load:
        for _ in range(POINTS):
            before = load.answered
            until(lambda: load.answered > before, "somebody is answered")  # noqa: B023
            time.sleep(chance.random() * 0.1)  # the moment is the test's chance, no synchronisation
            server.kill()
            server.start()
    server.kill()
    assert load.refused == []
    with log() as store:
        check(store, load.acknowledged())
