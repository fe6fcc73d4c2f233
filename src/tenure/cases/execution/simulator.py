"""Desks as a batch; a desk's number decides its market's chance, so every policy meets the same prices and regimes.

The price follows Almgren and Chriss (2000): a child order pays half the spread and a temporary impact in proportion to
its size, and leaves a permanent one behind; then the market moves. Beyond them, volatility, volume and drift have
regimes that last (Markov chains), of which the desk sees noisy signs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from tenure import Panel, Split, Step
from tenure.core.arrays import Floats, Ints
from tenure.core.chance import uniform
from tenure.core.errors import DataError

from .market import MARKETS, Market, moved_on, table
from .problem import DEAR, LOTS, SLOTS, child_lots

DAY = 144
"""Slots of a day; the market never closes."""
KEPT = 0.7
"""Weight of the earlier flow beside the latest imbalance."""
SPLITS: dict[Split, int] = {"train": 0, "selection": 10**9, "held_out": 2 * 10**9}
"""The first desk number of each part; 10^9 numbers lie between, so no desk is in two parts."""
DESKS, DAYS = 64, 28
"""Size of a whole panel."""
START = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Desks:
    """n desks at the start of a slot.

    Args:
        number: whose chance it is; int64 [n].
        level: which market, by its place among the levels; int64 [n].
        slot: slots since the start; int64 [n].
        remaining: lots not bought; int64 [n].
        moved: middle price against the order's arrival price, in bp; float64 [n].
        wild: the market is wild and not calm; int64 [n], 0 or 1.
        thin: it is thin and not thick; int64 [n], 0 or 1.
        drift: it drifts down, not, or up: 0, 1, 2; int64 [n].
        flow: imbalances of the earlier slots; float64 [n].
    """

    number: Ints
    level: Ints
    slot: Ints
    remaining: Ints
    moved: Floats
    wild: Ints
    thin: Ints
    drift: Ints
    flow: Floats


class ExecutionSimulator:
    """Desks that buy order after order, twelve slots each.

    Args:
        markets: the levels, by name; `normal` among them.
        shown: the level of panels.
    """

    def __init__(self, markets: Mapping[str, Market] = MARKETS, shown: str = "normal") -> None:
        self.levels, self.shown = markets, shown
        self._table = table(markets)

    @cached_property
    def version(self) -> str:
        """Hash of the code and parameters of the market."""
        parts = [(Path(__file__).parent / name).read_bytes() for name in ("market.py", "simulator.py")]
        told = repr((sorted(self.levels.items()), self.shown)).encode()
        return hashlib.sha256(b"".join([*parts, told])).hexdigest()[:12]

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Desks:
        """n training desks at a random slot of 28 days, with what may be left of an order."""
        slot = rng.integers(0, DAYS * DAY, n)
        started = self._desks(SPLITS["train"] + rng.integers(0, 10**9, n), slot, level)
        left = SLOTS - slot % SLOTS
        about = np.rint(LOTS * (left / SLOTS) ** rng.uniform(0.5, 3.0, n)).astype(np.int64)
        return replace(started, remaining=np.where(left == SLOTS, LOTS, about))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """64 desks of one part, side by side from midnight over whole days.

        Raises:
            DataError: the days lie outside the 28 of a part.
        """
        days = DAYS - first_day if days is None else days
        if first_day < 0 or days < 1 or first_day + days > DAYS:
            found, where = f"{days} days from day {first_day}", "panel of the case 'execution'"
            raise DataError(
                expected=f"days within the {DAYS} of {split!r}", found=found, where=where, fix="ask for fewer"
            )
        state = self._desks(SPLITS[split] + np.arange(DESKS), np.full(DESKS, first_day * DAY), self.shown)
        names = tuple(f"desk-{number:02d}" for number in range(1, DESKS + 1))
        started = START + timedelta(days=first_day)
        return Panel(state, days * DAY, names, started, timedelta(minutes=10), independent=True)

    def observe(self, state: Desks) -> Floats:
        """What the desk sees; float32 [n, 7]."""
        blur = self._of("blur", state)
        draw = [uniform(state.number, state.slot, use) - 0.5 for use in range(2)]
        spread = np.where(state.wild, self._of("wide", state), self._of("tight", state)) * (1 + blur * draw[0])
        volume = np.where(state.thin, 0.6, 1.4) * (1 + blur * draw[1])
        seen = self._imbalance(state)
        flow = KEPT * state.flow + (1 - KEPT) * seen
        left = SLOTS - state.slot % SLOTS
        columns = [left, state.remaining, state.moved, spread, volume, seen, flow]
        return np.stack(columns, axis=1, dtype=np.float32, casting="same_kind")

    def step(self, state: Desks, action: Ints, rng: np.random.Generator) -> Step:  # noqa: ARG002
        """One slot: the child order is bought, then the market moves; the chance is the desk's own."""
        left = SLOTS - state.slot % SLOTS
        return self.buy(state, np.where(left == 1, state.remaining, child_lots(state.remaining, left, action)))

    def buy(self, state: Desks, bought: Ints | Floats) -> Step:
        """One slot in which each desk buys so many lots of what remains; [n]."""
        left = SLOTS - state.slot % SLOTS
        share, unbought = bought / LOTS, (state.remaining - bought) / LOTS
        wild = state.wild == 1
        sd = np.where(wild, self._of("wild", state), self._of("calm", state))
        over = np.where(wild, self._of("wide", state), self._of("tight", state))
        over = over + share * np.where(state.thin, self._of("thin", state), self._of("thick", state))
        move = self._of("drift", state) * (state.drift - 1) + self._of("permanent", state) * share
        move = move + sd * _noise(state)
        signals = _signals(state, share, unbought, over, move, sd)
        signals["finished"] = (left == 1).astype(float)
        return Step(self._after(state, bought, move, left), signals, np.zeros(len(left), dtype=bool))

    def _after(self, state: Desks, bought: Ints | Floats, move: Floats, left: Ints) -> Desks:
        draw = [uniform(state.number, state.slot, use) for use in range(6, 9)]
        ends = left == 1
        return replace(
            state,
            slot=state.slot + 1,
            remaining=np.where(ends, LOTS, state.remaining - bought),
            moved=np.where(ends, 0.0, state.moved + move),
            wild=moved_on(state.wild, self._of("volatility_stays", state), draw[0], 2),
            thin=moved_on(state.thin, self._of("volume_stays", state), draw[1], 2),
            drift=moved_on(state.drift, self._of("drift_stays", state), draw[2], 3),
            flow=KEPT * state.flow + (1 - KEPT) * self._imbalance(state),
        )

    def _imbalance(self, state: Desks) -> Floats:
        """The drift, with noise; with its sign turned from the slot on at which the market's regime is new."""
        sign = np.where(state.slot >= self._of("turns_at", state), -1.0, 1.0)
        noise = 2 * (uniform(state.number, state.slot, 2) - 0.5)
        return np.asarray(0.6 * sign * (state.drift - 1) + 0.8 * self._of("blur", state) * noise)

    def _of(self, name: str, state: Desks) -> Floats:
        return self._table[name][state.level]

    def _desks(self, numbers: Ints, slot: Ints, level: str) -> Desks:
        """Desks before an order, in regimes as likely as they are in the long run."""
        n = len(numbers)
        draw = [uniform(numbers, slot, use) for use in range(9, 12)]
        return Desks(
            number=numbers,
            level=np.full(n, list(self.levels).index(level)),
            slot=slot,
            remaining=np.full(n, LOTS),
            moved=np.zeros(n),
            wild=(draw[0] * 2).astype(np.int64),
            thin=(draw[1] * 2).astype(np.int64),
            drift=(draw[2] * 3).astype(np.int64),
            flow=np.zeros(n),
        )


def _noise(state: Desks) -> Floats:
    """Mean 0 and standard deviation 1, within -3 and 3: three uniform draws added."""
    drawn = sum(uniform(state.number, state.slot, use) for use in range(3, 6))
    return np.asarray(2 * (drawn - 1.5))


def _signals(
    state: Desks, share: Floats, unbought: Floats, over: Floats, move: Floats, sd: Floats
) -> dict[str, Floats]:
    """What a slot costs: `over` the middle price for the share bought, and the `move` on what is unbought."""
    slippage = np.where(share > 0, (state.moved + over) / 10_000, 0.0)
    return {
        "shortfall": share * over + unbought * move,
        "risk": (sd * unbought) ** 2,
        "slippage": slippage,
        "dear": (slippage > DEAR).astype(float),
        "children": (share > 0).astype(float),
        "impact": share * over,
    }


simulator = ExecutionSimulator()
