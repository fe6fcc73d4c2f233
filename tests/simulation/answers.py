"""What was said to clients, held against the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.errors import ConflictError, TenureError
from tenure.core.spaces import Action
from tenure.serving import Answer, DecisionRequest, OutcomeRequest
from tenure.store import Receipt

from .watch import Watch

if TYPE_CHECKING:
    from .replica import Replica

Said = tuple[Action, str, float | None]


class Answers:
    """Every answer and every acknowledgement, as it leaves a replica or reaches the client.

    Args:
        watch: what the log says.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.last: dict[str, tuple[Said, int]] = {}
        self.bodies: dict[str, str] = {}
        self.spooled: dict[str, tuple[Action, str]] = {}

    def sent(self, replica: Replica, request: DecisionRequest, answer: Answer | TenureError) -> None:
        """An answer leaves a replica: the log says the same, unless the answer says that it could not be asked."""
        name, demand = str(request.decision_id), self.watch.demand
        if isinstance(answer, TenureError):
            demand(isinstance(answer, ConflictError), f"{name} was refused: {answer}")
            return
        said = answer.action, answer.arm, answer.propensity
        if answer.reason == "log_unavailable" and not self._logged(request, said):
            demand(answer.arm == "fallback", f"{name} answered without the log by {answer.arm}")
            demand(replica.kept(name), f"{name} was answered without the log and is in no spool")
            self.spooled[name] = answer.action, request.unit_id
            return
        demand(name in self.watch.rows, f"{name} was answered and is not in the log")
        row = self.watch.rows[name]
        demand(said in row.said, f"{name}: answered {said}, the log says {row.said}")
        demand(self.bodies.setdefault(name, request.unit_id) == request.unit_id, f"{name} answered for two bodies")
        demand(row.unit == request.unit_id, f"{name} is logged for {row.unit}, answered for {request.unit_id}")
        if answer.arm == "candidate" and row.epoch != self.watch.head.epoch:  # the kill came after the re-check
            demand(row.epoch in replica.epochs, f"{name}: learned answer of epoch {row.epoch} sent after a kill")
        self._agrees_with_the_last(name, said, len(row.said))

    def accepted(self, answer: Answer) -> None:
        """The client acts on an answer."""
        logged = answer.decision_id in self.watch.rows or answer.decision_id in self.spooled
        self.watch.demand(logged, f"{answer.decision_id} was accepted and is nowhere")

    def acknowledged(self, receipt: Receipt) -> None:
        """An outcome is promised to be in its place."""
        kept = self.watch.join.kept.get((receipt.decision_id, receipt.outcome_id))
        now = None if kept is None else kept.place
        waited = now == "early" or (kept is not None and kept.beyond)
        right = receipt.place.value in (now, "orphan" if waited else now)
        self.watch.demand(right, f"{receipt} is {now} by hand")

    def refused(self, requests: list[OutcomeRequest], error: TenureError) -> None:
        """A refusal of outcomes writes nothing, which the watch sees; a conflict must be one."""
        if not isinstance(error, ConflictError):
            return
        bodies: dict[tuple[str, str], str] = {}
        for request in requests:
            key = request.decision_id, request.outcome_id
            kept = self.watch.join.kept.get(key)
            body = str((request.observed_at, dict(request.signals), request.kind.value))
            if bodies.setdefault(key, body if kept is None else kept.body) != body:
                return
        self.watch.demand(False, f"{requests} conflict with nothing")

    def _logged(self, request: DecisionRequest, said: Said) -> bool:
        """Whether the log holds this answer to this request."""
        row = self.watch.rows.get(str(request.decision_id))
        return row is not None and row.unit == request.unit_id and said in row.said

    def settled(self) -> None:
        """In peace: every answer that was given without the log is in it, and it says what was answered."""
        for name, (action, unit) in self.spooled.items():
            self.watch.demand(name in self.watch.rows, f"{name} was answered without the log, which never got it")
            row = self.watch.rows[name]
            stands = row.unit != unit or row.said[-1][:2] in ((action, "fallback"), (action, "incumbent"))
            self.watch.demand(stands, f"{name}: answered {action} without the log, which says {row.said}")

    def _agrees_with_the_last(self, name: str, said: Said, version: int) -> None:
        """The same id, the same answer, unless a correction came between."""
        before = self.last.get(name)
        if before is not None and before[1] == version:
            self.watch.demand(before[0] == said, f"{name}: first {before[0]}, then {said}")
        self.last[name] = said, version
