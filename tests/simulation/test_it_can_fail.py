"""A guard switched off is found within the seeds of CI, or the simulation would prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tenure.core.decision import Place
from tenure.rollout import assignment, breakers, windows
from tenure.rollout.rules import BreakerRule
from tenure.serving import choose
from tenure.serving.lease import Watched
from tenure.serving.settle import Settler
from tenure.serving.spool import Spool
from tenure.store import Store, chain, decisions, journal, outcomes

from .world import run

SEEDS = 200

Break = Callable[[pytest.MonkeyPatch], None]


def no_fence(patch: pytest.MonkeyPatch) -> None:
    """Rows of a passed epoch are written."""
    assert "kill_epoch = ?" in journal._TAKE
    patch.setattr(journal, "_TAKE", journal._TAKE.replace("kill_epoch = ?", "kill_epoch >= ?"))


def no_recheck(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the epoch again before sending."""
    seen: dict[int, int] = {}
    append = Store.append_decisions

    def remembered(store: Store, rows: Any, *more: Any) -> Any:
        seen[id(store)] = rows[-1].kill_epoch
        return append(store, rows, *more)

    patch.setattr(Store, "append_decisions", remembered)
    patch.setattr(Store, "kill_epoch", lambda store, problem: seen.get(id(store), 0))
    patch.setattr(Store, "still_stands", lambda *_: True)


def no_lease(patch: pytest.MonkeyPatch) -> None:
    """Whatever was seen last is trusted for good."""
    patch.setattr(Watched, "control", lambda watched: (watched._view[0], ""))


def no_spool(patch: pytest.MonkeyPatch) -> None:
    """What is answered without the log is kept in memory only."""
    patch.setattr(Spool, "_written", lambda *_: True)


def breaker_too_late(patch: pytest.MonkeyPatch) -> None:
    """It trips one decision after the one it should trip on."""
    first_broken = windows.first_broken
    patch.setattr(breakers, "first_broken", lambda rule, values: first_broken(longer(rule, 1), values))


def breaker_too_early(patch: pytest.MonkeyPatch) -> None:
    """It trips one decision before the one it should trip on."""
    first_broken = windows.first_broken
    patch.setattr(breakers, "first_broken", lambda rule, values: first_broken(longer(rule, -1), values))


def longer(rule: BreakerRule, by: int) -> BreakerRule:
    """The same rule for a longer run."""
    assert rule.consecutive is not None
    return msgspec.structs.replace(rule, consecutive=rule.consecutive + by)


def repeats_decided_anew(patch: pytest.MonkeyPatch) -> None:
    """A repeated id gets what would be decided now."""
    patch.setattr(Settler, "settled", lambda settler, row, *_: row)


def no_adoption(patch: pytest.MonkeyPatch) -> None:
    """Outcomes that came before their decision stay orphans."""
    patch.setattr(decisions, "adopt_orphans", lambda *_: [])


def window_closed_counts(patch: pytest.MonkeyPatch) -> None:
    """Unknown is taken for a measurement."""
    patch.setattr(outcomes, "_UNMEASURED", ())


def late_is_joined(patch: pytest.MonkeyPatch) -> None:
    """The reward wait time is forgotten."""
    place = outcomes._place

    def forgiving(connection: Any, arrival: Any, outcome: Any) -> Any:
        found = place(connection, arrival, outcome)
        return (Place.JOINED, *found[1:]) if found[0] is Place.LATE else found

    patch.setattr(outcomes, "_place", forgiving)


def beyond_unseen(patch: pytest.MonkeyPatch) -> None:
    """What lies out of bounds is kept from the breakers."""
    place = outcomes._place

    def hidden(connection: Any, arrival: Any, outcome: Any) -> Any:
        found = place(connection, arrival, outcome)
        return (*found[:3], None) if found[0] is Place.QUARANTINE else found

    patch.setattr(outcomes, "_place", hidden)


def own_propensity(patch: pytest.MonkeyPatch) -> None:
    """The policy's own probability is logged, not that of what was done."""
    patch.setattr(choose, "propensity", lambda candidate, *_: max(candidate, 1e-6))


def unsticky_split(patch: pytest.MonkeyPatch) -> None:
    """The split is drawn a little too wide."""
    draw = assignment.draw
    patch.setattr(choose, "draw", lambda salt, *ids: draw(salt, *ids) / (1.5 if ids[0] == "arm" else 1.0))


def unchained(patch: pytest.MonkeyPatch) -> None:
    """Every commit starts a chain of its own."""
    chained = chain.chained
    patch.setattr(journal, "chained", lambda _, rows: chained(bytes(32), rows))


GUARDS: list[Break] = [
    no_fence,
    no_recheck,
    no_lease,
    no_spool,
    breaker_too_late,
    breaker_too_early,
    repeats_decided_anew,
    no_adoption,
    window_closed_counts,
    late_is_joined,
    beyond_unseen,
    own_propensity,
    unsticky_split,
    unchained,
]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_a_guard_that_is_off_is_found(guard: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    guard(monkeypatch)
    found = next((seed for seed in range(SEEDS) if run(seed).violated), None)
    assert found is not None, f"{guard.__doc__} and {SEEDS} seeds did not see it"
