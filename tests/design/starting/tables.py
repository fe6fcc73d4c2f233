"""Small logs whose truth is known."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def written(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]], delimiter: str = ",") -> Path:
    """A CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def offers(path: Path, n: int = 80, seed: int = 0) -> Path:
    """Offers to customers: the action is `offer`, the outcome `revenue`, what was known `age` and `segment`."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        offer, age, segment = rng.choice(["none", "mail", "call"]), int(rng.integers(18, 80)), rng.choice(["a", "b"])
        revenue = round(float(rng.exponential(3) + (2 if offer == "call" else 0)), 2)
        rows.append((f"2026-01-{1 + i % 28:02d} {i % 24:02d}:00:00", age, segment, offer, revenue))
    return written(path, ("time", "age", "segment", "offer", "revenue"), rows)


def episodes(path: Path, count: int = 30, seed: int = 0) -> Path:
    """Episodes of different length in which the action moves the place `x` by -1 or +1."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[Any, ...]] = []
    for episode in range(count):
        x = int(rng.integers(-2, 3))
        for step in range(int(rng.integers(4, 9))):
            move = int(rng.integers(0, 2))
            rows.append((episode, step, "up" if move else "down", round(-abs(x) + 0.3 * float(rng.normal()), 3), x))
            x += 1 if move else -1
    return written(path, ("episode", "step", "action", "reward", "x"), rows)


def german(path: Path, n: int = 60) -> Path:
    """The form of a German spreadsheet: semicolons, decimal commas, points between thousands, the day first."""
    rows = []
    for i in range(n):
        day, price = f"{1 + i % 28:02d}.{1 + i // 28:02d}.2026 {i % 24}:30", f"{1 + i % 3}.{100 + i},5"
        rows.append((day, f"K{i:04d}", price, ("an", "aus")[i % 2], f"{(i * 7) % 11},{25 + i % 50}"))
    return written(path, ("datum", "beleg", "preis", "action", "revenue"), rows, delimiter=";")
