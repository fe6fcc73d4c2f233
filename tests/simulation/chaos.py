"""Misfortune from the seed, until it is told to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from .replica import Replica
from .scheduler import SECOND

if TYPE_CHECKING:
    from .world import World


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
            "start": self._start,
            "clock -1 h": lambda: self._jump(replica, timedelta(hours=-1)),
            "clock +30 d": lambda: self._jump(replica, timedelta(days=30)),
            "clock right": lambda: self._jump(replica, timedelta(0)),
            "cut": lambda: self.world.network.cut.update({replica.name: None}),
            "whole": self.world.network.cut.clear,
            "away": lambda: self._away(replica),
            "back": self._back,
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
            replica.faults.end()
            replica.start()

    def _start(self) -> None:
        for replica in self.world.replicas:
            replica.start()

    def _away(self, replica: Replica) -> None:
        replica.faults.away = True

    def _back(self) -> None:
        for replica in self.world.replicas:
            replica.faults.away = False

    def _jump(self, replica: Replica, skew: timedelta) -> None:
        replica.clock.skew = skew

    def weather(self, replica: Replica) -> None:
        """How often one replica's log, its candidate and the network fail from now on."""
        chance, faults = self.world.scheduler.chance, replica.faults
        faults.before, faults.after, faults.slow = (chance.choice([0.0, 0.0, 0.05, 0.3]) for _ in range(3))
        replica.lying = chance.choice([0.0, 0.2])
        self.world.network.loss, self.world.network.twice = chance.choice([0.0, 0.1]), chance.choice([0.0, 0.2])
