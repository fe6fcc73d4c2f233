"""A turn is one process's at a time; one that died gives way."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

import pytest

from tenure.core.errors import MoveError
from tenure.store import Store
from tenure.store.turns import turn

from .rows import NOON

SPAN = timedelta(minutes=10)


def test_only_one_holds_a_turn_until_it_is_given_back(store: Store) -> None:
    with turn(store, "bikes", "tick", "a", NOON, SPAN):
        with pytest.raises(MoveError, match="another process"), turn(store, "bikes", "tick", "b", NOON, SPAN):
            pass
        with turn(store, "bikes", "other", "b", NOON, SPAN), turn(store, "trams", "tick", "b", NOON, SPAN):
            pass
    with turn(store, "bikes", "tick", "b", NOON, SPAN):
        pass


def test_an_error_gives_it_back(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), turn(store, "bikes", "tick", "a", NOON, SPAN):
        raise ZeroDivisionError
    with turn(store, "bikes", "tick", "b", NOON, SPAN):
        pass


def test_one_that_died_gives_way_and_cannot_give_back_what_is_anothers(store: Store) -> None:
    with ExitStack() as dead:
        dead.enter_context(turn(store, "bikes", "tick", "a", NOON, SPAN))
        later = NOON + SPAN
        with ExitStack() as alive:
            alive.enter_context(turn(store, "bikes", "tick", "b", later, SPAN))
            dead.close()
            with pytest.raises(MoveError), turn(store, "bikes", "tick", "c", later, SPAN):
                pass
