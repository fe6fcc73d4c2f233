"""Whatever order decisions, kills, restores, retries and lost logs come in, the log stays true."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenure.core.decision import Arm
from tenure.serving import Answer

from .toy import NOON, World, request

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("decide"), st.lists(st.integers(0, 12), min_size=1, max_size=4)),
        st.tuples(
            st.sampled_from(
                ["kill", "restore", "promote", "wait", "kill_while_choosing", "kill_after_append", "lose", "lose_check"]
            ),
            st.none(),
        ),
    ),
    max_size=25,
)


def take(world: World, step: tuple[str, Any]) -> list[Any]:
    verb, ids = step
    world.store.away = frozenset()
    if verb == "decide":
        answers = world.ask(*(request(f"d{number}", unit=f"u{number}") for number in ids))
        world.candidate.before = world.store.after_append = lambda: None
        return answers
    acts: dict[str, Callable[[], object]] = {
        "kill": world.store.stop,
        "restore": lambda: (
            world.store.control("toy").killed and world.store.restore("toy", actor="ann", reason="checked", at=NOON)
        ),
        "promote": lambda: world.store.control("toy").killed or world.at("canary", 0.5),
        "wait": lambda: world.wait(seconds=20),
        "kill_while_choosing": lambda: setattr(world.candidate, "before", once(world)),
        "kill_after_append": lambda: setattr(world.store, "after_append", once(world)),
        "lose": lambda: setattr(world.store, "away", frozenset({"append_decisions"})),
        "lose_check": lambda: setattr(world.store, "away", frozenset({"kill_epoch"})),
    }
    acts[verb]()
    return []


def once(world: World) -> Any:
    left = [world.store.stop]
    return lambda: left.pop()() if left else None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_answers_and_log_agree_and_nothing_learned_follows_a_kill(steps: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), exploration=0.2).at("canary", 0.5)
        with world.store:
            logged: dict[str, Answer] = {}
            for step in steps:
                for answer in take(world, step):
                    assert isinstance(answer, Answer)
                    logged[answer.decision_id] = answer
                if world.store.control("toy").killed:
                    assert world.learned_after_kill() == 0
            take(world, ("decide", [99]))
            check(world, logged)


def check(world: World, logged: dict[str, Answer]) -> None:
    log = world.store.read_log("toy")
    assert len(set(log.decision_id)) == len(log)
    for decision_id, answer in logged.items():
        row = world.row(decision_id)
        assert (row.action, row.arm, row.propensity) == (answer.action, Arm(answer.arm), answer.propensity)
    for arm, propensity in zip(log.arm, log.propensity.tolist(), strict=True):
        assert 0 < propensity <= 1 or (arm == "fallback" and propensity != propensity)
    assert len(world.service.away.spool) == 0
    assert world.store.verify("toy").intact
