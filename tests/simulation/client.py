"""The client of the simulation: impatient, forgetful and sometimes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tenure.core.clock import from_text, to_text
from tenure.core.decision import Kind
from tenure.core.errors import TenureError
from tenure.serving import Answer, DecisionRequest, OutcomeRequest

from .scheduler import MS, SECOND

if TYPE_CHECKING:
    from .world import World


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
        replica, done = self.world.scheduler.chance.choice(self.world.replicas), list[int]()

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
