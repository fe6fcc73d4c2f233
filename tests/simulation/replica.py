"""A server of the simulation: the product's own service, alone in its process as far as it can tell."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tenure.core.errors import ConflictError, StoreError
from tenure.core.policy import Policy
from tenure.rollout.breakers import Breakers
from tenure.serving import DecisionRequest, DecisionService, OutcomeRequest
from tenure.serving.deadline import Deadline
from tenure.serving.lease import Watched
from tenure.serving.spool import Spool
from tenure.store import Store

from .faulty import Crashed, Faults, FaultyDatabase
from .scheduler import MS, SECOND, SkewedClock
from .toy import LEASE_S, PROBLEM, Candidate, Incumbent, settings

if TYPE_CHECKING:
    from .world import World

Reply = Callable[[Any], None]
POLL = 500 * MS
"""Between two looks at the log."""


class Replica:
    """One server: the product's own service over its own connections, on its own clock, with a spool on its own disk.

    Args:
        world: it lives in.
        name: of the actor.
    """

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.clock = SkewedClock(world.scheduler)
        self.faults = Faults()
        self.lying, self.began, self.polling = 0.0, 0, False
        self.epochs: dict[int, None] = {}
        self.service: DecisionService | None = None
        self.start()
        world.scheduler.at(0, f"{name} watch", self.poll)

    def start(self) -> None:
        """Come up, if down and if the log can be read."""
        if self.service is not None:
            return
        scheduler, limits = self.world.scheduler, settings(self.world.salt)
        self.database = FaultyDatabase(self.world.open(), scheduler, self.name, self._committed)
        store = Store(self.database)
        self.watched = Watched(store, PROBLEM.name, self.clock, poll_s=POLL / SECOND, lease_s=LEASE_S)
        self.service = DecisionService(
            PROBLEM,
            Incumbent(),
            store,
            limits,
            self.clock,
            self._load,
            standing=self.watched,
            breakers=Breakers(PROBLEM, limits),
            spool=Spool(self.world.path.with_name(f"{self.name}.spool"), lambda _: None),
            deadline=Deadline(limits.serving.deadline_ms / 1000, self.clock.monotonic),
        )
        self.database.faults = self.faults
        self.database.seen, self.database.meanwhile = self._seen, self.world.people.hurry

    def crash(self) -> None:
        """Lose everything but the log and the spool."""
        if self.service is not None:
            self.service = None
            self.database.close()

    def freeze(self, span: int) -> None:
        """Stand still altogether, as under SIGSTOP."""
        for actor in (self.name, f"{self.name} watch"):
            self.world.scheduler.hold(actor, span)

    def poll(self) -> None:
        """One look at the log, if up, and the next one later."""
        if self.service is not None and not self.polling:
            self.polling = True
            with suppress(Crashed):
                self.watched.poll()
            self.polling = False
        self.world.scheduler.at(POLL, f"{self.name} watch", self.poll)

    def decide(self, requests: list[DecisionRequest], reply: Reply) -> None:
        """Answer a group, if up."""
        service = self.service
        if service is None:
            return
        self.began = self.world.scheduler.now
        self.epochs.clear()
        try:
            answers = service.decide(requests)
        except Crashed:
            return
        for request, answer in zip(requests, answers, strict=True):
            self.world.answers.sent(self, request, answer)
        reply(answers)

    def outcomes(self, requests: list[OutcomeRequest], reply: Reply) -> None:
        """Write outcomes, if up and the log can be written."""
        if self.service is None:
            return
        self.began = self.world.scheduler.now
        try:
            receipts = self.service.outcomes(requests)
        except Crashed:
            return
        except (StoreError, ConflictError) as error:
            self.world.answers.refused(requests, error)
            return
        for receipt in receipts:
            self.world.answers.acknowledged(receipt)
        reply(receipts)

    def kept(self, decision_id: str) -> bool:
        """Whether an answer waits in the spool, on disk."""
        path = self.world.path.with_name(f"{self.name}.spool")
        return f'"{decision_id}"'.encode() in path.read_bytes()

    def _seen(self) -> None:
        """The log was read: the epoch that was in force is known."""
        if not self.polling:
            self.epochs[self.world.watch.head.epoch] = None

    def _committed(self, actor: str) -> None:
        """What was known before new decisions were written says nothing of them."""
        rows = len(self.world.watch.rows)
        self.world.watch.committed(actor, self.began)
        if len(self.world.watch.rows) > rows:
            self.epochs.clear()

    def _load(self, version: str) -> Policy:
        return Candidate(version, self._before_proposing)

    def _before_proposing(self) -> str:
        chance = self.world.scheduler.chance
        if chance.random() >= self.lying:
            return ""
        how = chance.choice(["raise", "illegal", "nan", "stall"])
        self.world.scheduler.note(f"{self.name}'s candidate: {how}")
        if how == "raise":
            raise RuntimeError("a policy is somebody else's code")
        if how == "stall":
            self.database.stall(chance.randrange(5 * SECOND))
        return how
