"""Conformance of any store with what the rest of Tenure builds on, each broken promise named."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tenure.core.decision import Arm, Decision, Outcome
from tenure.core.errors import ConflictError, FencedError, StoreError
from tenure.core.evidence import Finding, Verdict
from tenure.store.folding import Recent
from tenure.store.log import Store
from tenure.store.records import Event, Receipt, Trip

PROBLEM, NOON, WAIT = "check", datetime(2011, 10, 1, 12, tzinfo=UTC), timedelta(hours=1)
WRITERS, COMMITS = 4, 10


def check_store(make: Callable[[], Store]) -> list[Finding]:
    """Put every promise of a store to the test.

    Args:
        make: opens an empty store, each time another.

    Returns:
        One finding per promise: `numbering`, `fence`, `once`, `corrections`, `places`, `adoption`, `counts`, `verify`,
        `folds`, `atomic`, `snapshot`, `writers`.
    """
    return [_finding(gate, kept, test, make) for gate, (kept, test) in _GATES.items()]


def _finding(gate: str, kept: str, test: Callable[[Store], str], make: Callable[[], Store]) -> Finding:
    with make() as store:
        store.open_problem(PROBLEM, "salt")
        try:
            broken = test(store)
        except Exception as error:  # a store that is not ours may raise anything
            broken = f"{type(error).__name__}: {error}"
    return Finding(gate, Verdict.FAIL if broken else Verdict.PASS, broken or kept)


def _row(name: str, epoch: int = 0) -> Decision:
    where = (PROBLEM, "p1", "unit", None, None, NOON, {"x": 1.0}, bytes(4), None, "canary")
    return Decision(name, *where, Arm.CANDIDATE, "v1", 1, 0.5, False, 0.5, epoch, "split", 10, "ab")


def _measured(outcome_id: str, decision_id: str, cost: float = 1.0) -> Outcome:
    return Outcome.observed(outcome_id, decision_id, {"cost": cost}, NOON)


def _send(store: Store, *outcomes: Outcome, after: timedelta = timedelta(0)) -> list[Receipt]:
    return store.append_outcomes(PROBLEM, outcomes, received_at=NOON + after, wait=WAIT, signals={"cost"})


def _differ(what: str, expected: object, found: object) -> str:
    return "" if expected == found else f"{what}: expected {expected}, found {found}"


def _numbering(store: Store) -> str:
    store.append_decisions([_row("a"), _row("b")])
    event = store.append_event(Event(PROBLEM, "hold", "check", "r", NOON, {}))
    store.append_correction(PROBLEM, "a", action=0, arm=Arm.INCUMBENT, propensity=1.0, reason="r", at=NOON)
    last = store.append_decisions([_row("c")]).written[0].sequence
    return _differ("numbers", ([1, 2, 5], 3, 5), (store.read_log(PROBLEM).sequence.tolist(), event.sequence, last))


def _fence(store: Store) -> str:
    epoch = store.kill(PROBLEM, actor="check", reason="r", at=NOON).kill_epoch
    stale = store.append_decisions([_row("a"), _row("b", epoch)])
    try:
        store.append_event(Event(PROBLEM, "hold", "check", "r", NOON, {}), expect_sequence_epoch=0)
    except FencedError:
        return _differ("rows written after a kill", (0, 2), (len(stale.written), len(stale.fenced)))
    return "an event decided before a kill was written after it"


def _once(store: Store) -> str:
    first = store.append_decisions([_row("a"), replace(_row("a"), action=0)])
    again = store.append_decisions([_row("a")])
    found = len(first.written), first.existing[0].action, len(again.written), again.existing[0].sequence
    return _differ("one id three times", (1, 1, 0, 1), found)


def _corrections(store: Store) -> str:
    store.append_decisions([_row("a")])
    for action in (2, 0):
        store.append_correction(PROBLEM, "a", action=action, arm=Arm.INCUMBENT, propensity=None, reason="r", at=NOON)
    row, frame = store.decision(PROBLEM, "a"), store.read_log(PROBLEM)
    found = row and (row.action, row.arm, row.propensity), frame.action.tolist(), store.learned_after(PROBLEM, 0)
    return _differ("the latest correction", ((0, Arm.INCUMBENT, None), [0], 0), found)


def _places(store: Store) -> str:
    store.append_decisions([_row("a"), _row("b")])
    sent = _send(store, _measured("o1", "a"), _measured("o2", "a"), _measured("o1", "a"), _measured("o", "none"))
    sent += _send(store, _measured("o", "a", float("nan")))
    sent += _send(store, _measured("o", "b"), after=2 * WAIT)
    try:
        _send(store, _measured("new", "b"), _measured("o1", "a", 2.0))
    except ConflictError:
        found = [f"{one.status} {one.place.value}" for one in sent]
        expected = ["created joined", "created repeated", "exists joined", "created orphan", "created quarantine",
                    "created late"]  # fmt: skip
        return _differ("places", (expected, 1), (found, store.counts(PROBLEM)["late"]))
    return "another body under a stored id was taken"


def _adoption(store: Store) -> str:
    _send(store, _measured("o1", "a", 3.0), _measured("o2", "a", 4.0))
    store.append_decisions([_row("a")])
    frame, counts = store.read_log(PROBLEM), store.counts(PROBLEM)
    return _differ("early outcomes", ([3.0], 2, 0), (frame.signals["cost"].tolist(), counts["early"], counts["orphan"]))


def _counts(store: Store) -> str:
    store.append_decisions([_row("a"), replace(_row("b"), arm=Arm.INCUMBENT)])
    _send(store, _measured("o", "a"))
    counts = store.counts(PROBLEM)
    return _differ("counts", (2, 1, 1), (counts["decisions"], counts["learned"], counts["joined"]))


def _verify(store: Store) -> str:
    store.append_decisions([_row("a")])
    store.append_decisions([_row("b")])
    before = store.verify(PROBLEM)
    with store.database.writing() as connection:
        connection.execute("UPDATE decision SET action = 9 WHERE decision_id = 'b'")
    after = store.verify(PROBLEM)
    return _differ("an edited row", (True, False, 2), (before.intact, after.intact, after.first_bad))


def _folds(store: Store) -> str:
    store.append_decisions([_row("a")])

    def trip(recent: Recent) -> Trip:
        return Trip(Event(PROBLEM, "trip", "check", f"{recent.numbers}", NOON, {}), {"cap": 0.0})

    store.append_outcomes(PROBLEM, [_measured("o", "a")], received_at=NOON, wait=WAIT, signals={"cost"}, fold=trip)
    control, events = store.control(PROBLEM), store.events(PROBLEM)
    found = control.cap, control.kill_epoch, [(event.kind, event.reason) for event in events]
    return _differ("a breaker that trips", (0.0, 1, [("trip", "[1]")]), found)


def _atomic(store: Store) -> str:
    def broken(_: Recent) -> Trip | None:
        raise StoreError(expected="", found="", where="", fix="")

    store.append_decisions([_row("a")])
    try:
        store.append_outcomes(
            PROBLEM, [_measured("o", "a")], received_at=NOON, wait=WAIT, signals=["cost"], fold=broken
        )
    except StoreError:
        return _differ("outcomes of a transaction that failed", 0, store.counts(PROBLEM)["joined"])
    return "the error of a fold was swallowed"


def _snapshot(store: Store) -> str:
    with store.database.snapshot() as connection:
        count = "SELECT count(*) FROM decision"
        before = connection.execute(count).get
        store.append_decisions([_row("a")])
        return _differ("rows in one snapshot", (0, 0), (before, connection.execute(count).get))


def _writers(store: Store) -> str:
    failed: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for commit in range(COMMITS):
                store.append_decisions([_row(f"{name}{commit}"), _row(f"shared{commit}")])
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcdefgh"[:WRITERS]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = store.read_log(PROBLEM).sequence.tolist()
    expected = list(range(1, WRITERS * COMMITS + COMMITS + 1))
    return _differ("writers at the same time", ([], expected, True), (failed, numbers, store.verify(PROBLEM).intact))


_GATES: dict[str, tuple[str, Callable[[Store], str]]] = {
    "numbering": ("decisions, events and corrections share one order without gaps", _numbering),
    "fence": ("nothing decided before a kill, and nothing learned, is written after it", _fence),
    "once": ("each id is written once, and a repeat gets the stored row", _once),
    "corrections": ("every reader sees the latest correction", _corrections),
    "places": ("every outcome is in exactly one place, whatever it says", _places),
    "adoption": ("the first measured outcome that came early counts", _adoption),
    "counts": ("rows and outcomes are counted by place", _counts),
    "verify": ("an edited row is found where it stands", _verify),
    "folds": ("what a fold calls for moves the epoch and sets the head, with its event", _folds),
    "atomic": ("a transaction that fails leaves nothing behind", _atomic),
    "snapshot": ("a snapshot sees one state", _snapshot),
    "writers": ("writers at the same time share one order and one chain", _writers),
}
