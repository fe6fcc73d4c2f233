"""What runs behind the answers and never in their way: the shadow, and what watches the decisions themselves."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby

from tenure.core.decision import Arm, Decision, ShadowProposal
from tenure.core.spaces import Box
from tenure.serving.asking import Asked
from tenure.serving.offers import Offer
from tenure.serving.service import Answered, DecisionService

LARGEST_BACKLOG = 10_000
"""Answered groups the shadow may lag behind; further ones are lost to it, and counted."""

GATHERED_S = 0.2
"""How long groups gather before the shadow takes them on together, so that it costs the answers little."""

TAKEN_AT_ONCE = 256
"""Groups the shadow takes on together, at most."""

SLICE_ROWS = 64
"""Decisions the shadow works on between two looks at whether a group is being computed."""

PATIENCE_S = 0.05
"""Longest it waits for that: it comes behind the answers, but it does come."""

CLOSING_S = 10.0
"""How long a closing server waits for the shadow; what hangs longer is left behind."""

log = logging.getLogger("tenure.serving")


class Shadow:
    """One thread that asks the arm that did not answer what it would have done, and logs it; then breakers look.

    A killed or rolled-back candidate is not asked any more.
    """

    def __init__(self, service: DecisionService) -> None:
        self._service = service
        self._queue: queue.Queue[Answered | None] = queue.Queue(LARGEST_BACKLOG)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tenure-shadow", daemon=True)
        service.behind = self._take
        self._thread.start()

    @property
    def lag(self) -> int:
        """Answered groups that wait."""
        return self._queue.qsize()

    def close(self) -> None:
        """Log what is waiting, then stop."""
        self._service.behind = lambda _: None
        self._closing.set()
        with suppress(queue.Full):
            self._queue.put(None, timeout=CLOSING_S)
        self._thread.join(CLOSING_S)

    def _take(self, answered: Answered) -> None:
        try:
            self._queue.put_nowait(answered)
        except queue.Full:
            self._lost([answered])

    def _lost(self, groups: Sequence[Answered]) -> None:
        self._service.counters["shadow_lost"] += sum(len(group.decisions) for group in groups)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            self._closing.wait(GATHERED_S)
            groups, ended = [first], False
            while len(groups) < TAKEN_AT_ONCE and not ended:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                ended = following is None
                groups += [] if following is None else [following]
            self._work(groups)
            if ended:
                return

    def _work(self, groups: list[Answered]) -> None:
        for group in groups:
            self._service.seen([row for _, row in group.decisions])
        try:
            proposals = [row for some in _slices(groups) for row in self._proposals(some)]
            if proposals:
                self._make_way()
                self._service.store.append_proposals(self._service.problem.name, proposals)
        except Exception:  # a policy, the incumbent or the log: the next groups get their chance
            self._lost(groups)
            log.exception("the shadow of %d groups was lost", len(groups))
        try:
            self._service.breakers.look(self._service.store, self._service.clock.now())
        except Exception:  # what watches must not stop the shadow; it looks again behind the next groups
            self._service.counters["looks_lost"] += 1
            log.exception("a look of the breakers failed")

    def _make_way(self) -> None:
        """Wait while a group is computed: two threads that compute would keep taking Python's lock from each other."""
        self._service.calm.wait(PATIENCE_S)

    def _proposals(self, groups: Sequence[Answered]) -> list[ShadowProposal]:
        self._make_way()
        proposals: list[ShadowProposal] = []
        for version, some in groupby(groups, _asked_version):
            if version is not None:
                same = list(some)
                proposals += self._by_candidate(same, version) + self._by_incumbent(same)
        return proposals

    def _by_candidate(self, groups: Sequence[Answered], version: str) -> list[ShadowProposal]:
        """What the candidate would have done; if it fails on all together, each group by itself."""
        rows, asked = _answered_by(groups, Arm.INCUMBENT)
        if not rows:
            return []
        offer, _ = self._service.chooser.candidate_offer(groups[0].situation._replace(asked=asked))
        if offer is not None:
            return self._rows(rows, offer, Arm.CANDIDATE, version)
        alone = groups if len(groups) > 1 else []
        return [proposal for group in alone for proposal in self._by_candidate([group], version)]

    def _by_incumbent(self, groups: Sequence[Answered]) -> list[ShadowProposal]:
        chooser = self._service.chooser
        rows, asked = _answered_by(groups, Arm.CANDIDATE)
        if not rows:
            return []
        return self._rows(rows, chooser.incumbent_offer(asked), Arm.INCUMBENT, chooser.incumbent.version)

    def _rows(self, rows: list[Decision], offer: Offer, arm: Arm, version: str) -> list[ShadowProposal]:
        space = self._service.problem.action
        return [
            ShadowProposal(
                decision_id=row.decision_id,
                arm=arm,
                version=version,
                action=proposed,
                propensity=offer.probability(index, proposed),
                confidence=offer.confidence[index],
                computed_at=row.decided_at,
                apart=float(space.apart(row.action, proposed)) if isinstance(space, Box) else None,
            )
            for index, (row, proposed) in enumerate(zip(rows, offer.action, strict=True))
        ]


def _slices(groups: Sequence[Answered]) -> Iterator[list[Answered]]:
    """The groups in order, as many at a time as hold about `SLICE_ROWS` decisions."""
    some: list[Answered] = []
    for group in groups:
        some.append(group)
        if sum(len(each.decisions) for each in some) >= SLICE_ROWS:
            yield some
            some = []
    if some:
        yield some


def _asked_version(answered: Answered) -> str | None:
    """The candidate of a group; None where it is not asked any more."""
    control = answered.situation.control
    return None if control.killed or control.stage == "rolled_back" else control.version


def _answered_by(groups: Sequence[Answered], arm: Arm) -> tuple[list[Decision], Asked]:
    """The decisions one arm has answered, and what was asked."""
    rows: list[Decision] = []
    asked: list[Asked] = []
    for group in groups:
        seen = [(index, row) for index, row in group.decisions if row.arm is arm]
        rows += [row for _, row in seen]
        if seen:
            asked.append(group.situation.asked.only([index for index, _ in seen]))
    return rows, Asked.joined(asked) if asked else groups[0].situation.asked
