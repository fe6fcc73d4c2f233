"""A small problem with its rule, candidates good and bad, and a store that fails on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.clock import Clock, ManualClock
from tenure.core.decision import Arm, Decision
from tenure.core.errors import BundleError, StoreError
from tenure.core.policy import Policy, Proposal
from tenure.core.problem import Constraint, Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Box, Discrete, Feature
from tenure.rollout.settings import RolloutSettings, Settings
from tenure.serving import Answer, DecisionRequest, DecisionService
from tenure.serving.deadline import Deadline
from tenure.store import Appended, Control, Event, Fold, SqliteStore

NOON = datetime(2011, 10, 1, 12, tzinfo=UTC)
ACTIONS = ("a", "b", "c", "d")
LABELLED = Discrete(ACTIONS)


def problem(constraints: tuple[Constraint, ...] = (), action: Discrete | Box = LABELLED) -> Problem:
    """Four actions, or vectors, over two features, the second with a default."""
    return Problem(
        name="toy",
        about="for tests",
        observation=(Feature("x", "m", 0, 10), Feature("y", "m", default=1.0)),
        action=action,
        signals=(Signal("cost", "$", 0, 100),),
        reward=Reward((Term("cost", -1.0, "$", "it is paid"),)),
        kpis=(KPI("cost", "$", "lower", {"cost": 1}),),
        constraints=constraints,
    )


@dataclass
class Fixed:
    """Always the same action; `before` is called first, and may raise or kill."""

    action: Any = 1
    confidence: float = 0.5
    distribution: Any = None
    version: str = "v1"
    before: Callable[[], object] = lambda: None
    asked: int = 0
    proposal: Any = None

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        self.asked += len(observation)
        self.before()
        if self.proposal is not None:
            proposal: Proposal = self.proposal
            return proposal
        n = len(observation)
        distribution = None if self.distribution is None else np.tile(self.distribution, (n, 1))
        action = np.tile(self.action, (n, 1)) if isinstance(self.action, tuple) else np.full(n, self.action)
        return Proposal(action, np.full(n, self.confidence), distribution)


class Fragile(SqliteStore):
    """A log that can be taken away, and killed at a chosen moment."""

    away: frozenset[str] = frozenset()
    before_append: Callable[[], object] = staticmethod(lambda: None)
    after_append: Callable[[], object] = staticmethod(lambda: None)

    def control(self, problem: str) -> Control:
        self._there("control")
        return super().control(problem)

    def kill_epoch(self, problem: str) -> int:
        self._there("kill_epoch")
        return super().kill_epoch(problem)

    def still_stands(self, problem: str, epoch: int, sequence: int) -> bool:
        self._there("kill_epoch")
        return super().still_stands(problem, epoch, sequence)

    def append_decisions(self, rows: Any, fold: Fold | None = None, beside: Any = None) -> Appended:
        self.before_append()
        self._there("append_decisions")
        appended = super().append_decisions(rows, fold, beside)
        self.after_append()
        return appended

    def append_proposals(self, problem: str, rows: Any) -> None:
        self._there("append_proposals")
        super().append_proposals(problem, rows)

    def _there(self, verb: str) -> None:
        if verb in self.away:
            raise StoreError(expected="a disk", found="none", where=verb, fix="mount it")

    def stop(self) -> None:
        """Kill the candidate."""
        self.kill("toy", actor="ann", reason="drill", at=NOON)


@dataclass
class World:
    """A service over a fresh log, on a clock moved by hand."""

    folder: Path
    candidate: Any = field(default_factory=Fixed)
    incumbent: Any = field(default_factory=lambda: Fixed(0, 1.0, version="rule"))
    exploration: float = 0.0
    constraints: tuple[Constraint, ...] = ()
    action: Discrete | Box = LABELLED
    clock: Clock = field(default_factory=lambda: ManualClock(NOON))
    broken: bool = False
    deadline: Deadline = field(default_factory=lambda: Deadline(60.0))
    neighbours: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = Fragile(self.folder / "log.db", synchronous="OFF")
        self.problem = problem(self.constraints, self.action)
        settings = Settings(rollout=RolloutSettings(salt="salt", exploration=self.exploration))
        self.service = DecisionService(
            self.problem,
            self.incumbent,
            self.store,
            settings,
            self.clock,
            self.load,
            deadline=self.deadline,
            **self.neighbours,
        )

    def load(self, version: str) -> Policy:
        """The candidate, unless its bundle is broken."""
        if self.broken:
            raise BundleError(expected="a bundle", found="none", where=version, fix="train again")
        policy: Policy = self.candidate
        return policy

    def at(self, stage: str, share: float) -> World:
        """The rollout at a stage."""
        event = Event("toy", "stage", "ann", "test", NOON, {})
        self.store.append_event(event, control={"stage": stage, "share": share, "version": "v1"})
        return self

    def wait(self, **span: float) -> None:
        """Let time pass."""
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(timedelta(**span))

    def ask(self, *requests: DecisionRequest) -> list[Any]:
        """Answers of one group."""
        return list(self.service.decide(requests))

    def one(self, name: str = "d1", **fields: Any) -> Answer:
        """The answer to one good request."""
        (answer,) = self.ask(request(name, **fields))
        assert isinstance(answer, Answer), answer
        return answer

    def row(self, name: str = "d1") -> Decision:
        """A decision as every reader sees it."""
        found = self.store.decision("toy", name)
        assert found is not None
        return found

    def count(self, what: str = "decisions") -> int:
        """Rows of the log."""
        return self.store.counts("toy")[what]

    def learned_after_kill(self) -> int:
        """Learned decisions whose number is greater than the last kill's."""
        kills = [event.sequence for event in self.store.events("toy") if event.kind == "kill"]
        return self.store.learned_after("toy", kills[-1]) if kills else 0


def request(name: str | None = "d1", *, unit: str = "u1", x: float = 2.0, **fields: Any) -> DecisionRequest:
    """A good request."""
    return DecisionRequest(unit, {"x": x, "y": 3.0}, decision_id=name, **fields)


def who(answer: Answer) -> tuple[str, Arm, str]:
    """Label, arm and reason of an answer."""
    return answer.label, Arm(answer.arm), answer.reason
