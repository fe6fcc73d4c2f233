"""How many worlds a simulator can hold side by side: any number, unless it says otherwise in `most_worlds`."""

from __future__ import annotations

from tenure.core.simulator import Simulator


def most_worlds(simulator: Simulator) -> int | None:
    """The most it can hold at once; None for any number. A simulator in another process may have such a limit."""
    most: int | None = getattr(simulator, "most_worlds", None)
    return most


def room_for(simulator: Simulator, wanted: int) -> int:
    """So many worlds as wanted, or as there is room for."""
    most = most_worlds(simulator)
    return wanted if most is None else min(wanted, most)
