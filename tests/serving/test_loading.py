"""Bundles loaded behind the answers: nobody waits, one load at a time, and failures rest ever longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from tenure.core.decision import Arm
from tenure.core.errors import BundleError
from tenure.serving.loading import FIRST_PAUSE_S, LONGEST_PAUSE_S, Loading

from .conftest import Make
from .toy import Fixed, who

WAIT_S = 20.0


class Disk:
    """Loads when it may; each try takes the next behaviour, the last one for ever."""

    def __init__(self, *tries: Callable[[], Fixed]) -> None:
        self.tries, self.asked, self.now = list(tries), 0, 0.0

    def __call__(self, version: str) -> Fixed:
        self.asked += 1
        return self.tries[min(self.asked, len(self.tries)) - 1]()


def broken() -> Fixed:
    raise ValueError("cut short")


def settled(loading: Loading, asked: int, disk: Disk) -> None:
    """Wait until that many tries have ended."""
    until = time.monotonic() + WAIT_S
    while disk.asked < asked or loading._versions["v1"].loading:
        assert time.monotonic() < until
        time.sleep(0.001)


def test_nobody_waits_for_a_load_that_never_ends_and_it_is_begun_once() -> None:
    let_go = threading.Event()

    def endless() -> Fixed:
        let_go.wait(WAIT_S)
        return Fixed()

    disk = Disk(endless)
    loading = Loading(disk)
    started = time.monotonic()
    for _ in range(3):
        with pytest.raises(BundleError, match="being loaded"):
            loading("v1")
    assert not loading.wait("v1", 0.01)
    assert (disk.asked, time.monotonic() - started < WAIT_S / 2) == (1, True)
    let_go.set()
    assert loading.wait("v1", WAIT_S)


def test_what_was_loaded_is_handed_out_and_never_loaded_again() -> None:
    disk = Disk(Fixed)
    loading = Loading(disk)
    assert loading.wait("v1", WAIT_S)
    assert loading("v1") is loading("v1")
    assert disk.asked == 1


def test_a_failure_is_told_at_once_and_tried_again_after_pauses_that_double() -> None:
    disk = Disk(broken)
    loading = Loading(disk, lambda: disk.now)
    pauses = [FIRST_PAUSE_S * 2**doubled for doubled in range(6)] + [LONGEST_PAUSE_S] * 2
    assert pauses[:2] + pauses[-3:] == [1.0, 2.0, 32.0, 60.0, 60.0]
    assert not loading.wait("v1", WAIT_S)
    for tries, pause in enumerate(pauses, start=1):
        settled(loading, tries, disk)
        disk.now += pause - 0.5
        with pytest.raises(BundleError, match="ValueError: cut short"):
            loading("v1")
        assert (disk.asked, loading._versions["v1"].loading) == (tries, False)
        disk.now += 0.5
        with pytest.raises(BundleError):
            loading("v1")


def test_a_bundle_that_was_mended_is_picked_up() -> None:
    disk = Disk(broken, Fixed)
    loading = Loading(disk, lambda: disk.now)
    assert not loading.wait("v1", WAIT_S)
    settled(loading, 1, disk)
    disk.now += FIRST_PAUSE_S
    with pytest.raises(BundleError):
        loading("v1")
    settled(loading, 2, disk)
    assert loading("v1").version == "v1"


def test_the_incumbent_answers_at_once_while_a_bundle_hangs_at_load(make: Make) -> None:
    let_go = threading.Event()

    def endless(_: str) -> Fixed:
        let_go.wait(WAIT_S)
        return Fixed()

    world = make().at("full", 1.0)
    world.service.chooser._load = loading = Loading(endless)
    started = time.monotonic()
    assert who(world.one("d1")) == ("a", Arm.FALLBACK, "bundle_error")
    assert time.monotonic() - started < WAIT_S / 2
    let_go.set()
    assert loading.wait("v1", WAIT_S)
    assert who(world.one("d2")) == ("b", Arm.CANDIDATE, "candidate")
