"""Who acts: replicas of the product, a client that retries, people, and whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tenure.core.clock import from_text, to_text
from tenure.core.decision import Kind
from tenure.core.errors import ConflictError, StoreError, TenureError
from tenure.core.policy import Policy
from tenure.rollout.breakers import Breakers
from tenure.serving import Answer, DecisionRequest, DecisionService, OutcomeRequest
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
            self.service, _ = None, self.database.close()

    def freeze(self, span: int) -> None:
        """Stand still altogether, as under SIGSTOP."""
        for actor in (self.name, f"{self.name} watch"):
            self.world.scheduler.hold(actor, span)

    def poll(self) -> None:
        """One look at the log, if up, and the next one later; what was spooled goes into the log."""
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


@dataclass
class Client:
    """Asks for decisions, retries under the same id, acts on what is still valid, reports what came of it."""

    world: World
    made: int = 0
    accepted: dict[str, Answer] = field(default_factory=dict)

    def ask(self) -> None:
        """One group of new requests, and the next one later."""
        chance = self.world.scheduler.chance
        group = [self._request() for _ in range(chance.choice([1, 1, 1, 2, 4]))]
        self._send(group, 3)
        if chance.random() < 0.1:  # somebody else under the same id: one of the two gets a conflict
            self._send([DecisionRequest("stranger", {"x": 3.0}, decision_id=group[0].decision_id)], 1)
        if chance.random() < 0.1:
            self.report(str(group[0].decision_id), self.world.scheduler.chance.randrange(SECOND))  # perhaps early
        self.world.scheduler.at(chance.randrange(700 * MS), "client", self.ask)

    def _request(self) -> DecisionRequest:
        chance = self.world.scheduler.chance
        self.made += 1
        mask = chance.choice([None, None, [True, False, True], [False, True, True]])
        unit = f"{self.world.salt}-u{chance.randrange(30)}"
        return DecisionRequest(unit, {"x": float(chance.randrange(10))}, decision_id=f"d{self.made}", mask=mask)

    def _send(self, group: list[DecisionRequest], tries: int) -> None:
        replica = self.world.scheduler.chance.choice(self.world.replicas)

        def back(answers: Any) -> None:
            self.world.network.send(replica.name, "client", lambda: self._take(answers))

        self.world.network.send("client", replica.name, lambda: replica.decide(group, back))
        if tries > 1:
            self.world.scheduler.at(3 * SECOND, "client", lambda: self._again(group, tries - 1))

    def _again(self, group: list[DecisionRequest], tries: int) -> None:
        open_ = [request for request in group if request.decision_id not in self.accepted]
        if open_:
            self._send(open_, tries)

    def _take(self, answers: list[Answer | TenureError]) -> None:
        now = self.world.client_clock.now()
        for answer in answers:
            if isinstance(answer, TenureError) or answer.decision_id in self.accepted:
                continue
            if from_text(answer.valid_until) < now:
                continue
            self.accepted[answer.decision_id] = answer
            self.world.answers.accepted(answer)
            self.report(answer.decision_id, self.world.scheduler.chance.choice([MS, SECOND, 5 * SECOND, 21 * SECOND]))

    def report(self, decision_id: str, delay: int) -> None:
        """What came of a decision: right, wrong, repeated, or of a decision nobody made."""
        chance = self.world.scheduler.chance
        cost = chance.choice([10.0, 50.0, 50.1, 90.0, 90.0])
        signals = chance.choice([{"cost": cost}] * 8 + [{"cost": 101.0}, {}, {"cost": 1.0, "other": 1.0}])
        good = OutcomeRequest("o1", decision_id, signals, to_text(self.world.client_clock.now()))
        what = [good]
        if chance.random() < 0.2:
            what += [good, OutcomeRequest("o2", decision_id, {"cost": 5.0})]
        if chance.random() < 0.1:
            what += [OutcomeRequest("o1", f"nobody-{decision_id}", {"cost": 5.0})]
        if chance.random() < 0.1:
            what += [OutcomeRequest("w", decision_id, {}, kind=Kind.WINDOW_CLOSED)]
        if chance.random() < 0.1:
            what += [OutcomeRequest("o1", decision_id, {"cost": float("nan")})]  # conflicts: the group is refused
        chance.shuffle(what)
        self.world.scheduler.at(delay, "client", lambda: self._report(what, 3))

    def _report(self, what: list[OutcomeRequest], tries: int) -> None:
        replica, done = self.world.scheduler.chance.choice(self.world.replicas), []

        def again() -> None:
            if not done and tries > 1:
                self._report(what, tries - 1)

        self.world.network.send(
            "client",
            replica.name,
            lambda: replica.outcomes(
                what, lambda _: self.world.network.send(replica.name, "client", lambda: done.append(1))
            ),
        )
        self.world.scheduler.at(4 * SECOND, "client", again)


@dataclass
class Chaos:
    """Seeded misfortune; `heal` ends all of it."""

    world: World
    healed: bool = False

    def strike(self) -> None:
        """One more thing goes wrong, or right again."""
        if self.healed:
            return
        chance = self.world.scheduler.chance
        replica = chance.choice(self.world.replicas)
        acts: dict[str, Callable[[], None]] = {
            "crash": replica.crash,
            "freeze": lambda: replica.freeze(chance.choice([SECOND, 10 * SECOND])),
            "start": lambda: [other.start() for other in self.world.replicas] and None,
            "clock -1 h": lambda: self._jump(replica, timedelta(hours=-1)),
            "clock +30 d": lambda: self._jump(replica, timedelta(days=30)),
            "clock right": lambda: self._jump(replica, timedelta(0)),
            "cut": lambda: self.world.network.cut.update({replica.name: None}),
            "whole": self.world.network.cut.clear,
            "away": lambda: setattr(replica.faults, "away", True),
            "back": lambda: [setattr(other.faults, "away", False) for other in self.world.replicas] and None,
            "weather": lambda: self.weather(replica),
            "other weather": lambda: self.weather(replica),
        }
        what = chance.choice(list(acts))
        self.world.scheduler.note(f"chaos: {what} {replica.name}")
        acts[what]()
        self.world.scheduler.at(chance.randrange(3 * SECOND), "chaos", self.strike)

    def heal(self) -> None:
        """Everything works from here on."""
        self.healed = True
        self.world.network.cut.clear()
        self.world.network.loss = self.world.network.twice = 0.0
        for replica in self.world.replicas:
            replica.clock.skew, replica.lying = timedelta(0), 0.0
            replica.faults.away, replica.faults.before, replica.faults.after, replica.faults.slow = False, 0.0, 0.0, 0.0
            replica.start()

    def _jump(self, replica: Replica, skew: timedelta) -> None:
        replica.clock.skew = skew

    def weather(self, replica: Replica) -> None:
        """How often one replica's log, its candidate and the network fail from now on."""
        chance, faults = self.world.scheduler.chance, replica.faults
        faults.before, faults.after, faults.slow = (chance.choice([0.0, 0.0, 0.05, 0.3]) for _ in range(3))
        replica.lying = chance.choice([0.0, 0.2])
        self.world.network.loss, self.world.network.twice = chance.choice([0.0, 0.1]), chance.choice([0.0, 0.2])
