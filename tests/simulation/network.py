"""Messages between actors: late, lost, twice, out of order, or cut off for a while."""

from __future__ import annotations

from collections.abc import Callable

from .scheduler import MS, SECOND, Act, Scheduler


class Network:
    """Delivers a call to an actor, or does not.

    Args:
        scheduler: of time and chance.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.cut: dict[str, None] = {}
        self.loss = self.twice = 0.0

    def send(self, sender: str, receiver: str, deliver: Act) -> None:
        """Let the receiver act on a message after a while; perhaps never, perhaps twice."""
        chance = self._scheduler.chance
        for _ in range(2 if chance.random() < self.twice else 1):
            if chance.random() >= self.loss:
                delay = chance.choice([MS, chance.randrange(30 * MS), chance.randrange(2 * SECOND)])
                self._scheduler.at(delay, receiver, self._unless_cut(sender, receiver, deliver))

    def _unless_cut(self, sender: str, receiver: str, deliver: Act) -> Callable[[], None]:
        def arrive() -> None:
            if sender not in self.cut and receiver not in self.cut:
                deliver()

        return arrive
