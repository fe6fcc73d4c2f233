"""Runs the suite, or one family of it; see the package."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, fields
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.diagnosis.families import FAMILIES, Family
from benchmarks.diagnosis.judging import SILENT, Row, judged, truth


def matrix(rows: Sequence[Row]) -> str:
    """Causes against what was named, with the shares that count."""
    names = [*dict.fromkeys(family.cause for family in FAMILIES), SILENT]
    cells = Counter((row.cause, row.named) for row in rows)
    lines = ["| true \\ named | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
    for true in names:
        counts = " | ".join(str(cells[true, named] or "") for named in names)
        lines.append(f"| {true} | {counts} |")
    broken = [row for row in rows if row.cause != SILENT]
    healthy = [row for row in rows if row.cause == SILENT]
    right, false = sum(row.cause == row.named for row in broken), sum(row.named != SILENT for row in healthy)
    seconds = sorted(row.diagnosed_s for row in rows)
    lines.append(
        f"\n{right} of {len(broken)} causes named first; {false} false alarms in {len(healthy)} healthy runs; "
    )
    lines.append(f"a diagnosis took {np.median(seconds):.0f} s (median), {max(seconds):.0f} s at most.")
    return "\n".join(lines)


def wanted(first: int, runs: int) -> Iterable[tuple[Family, int]]:
    """A fresh seed for each of so many broken and as many healthy runs, families in turns."""
    for broken, offset in ((True, 0), (False, runs)):
        own = [family for family in FAMILIES if family.broken == broken]
        yield from ((own[number % len(own)], first + offset + number) for number in range(runs))


def kept(path: Path) -> list[Row]:
    """Rows of an earlier run."""
    if not path.exists():
        return []
    kinds = {field.name: {"int": int, "float": float}.get(str(field.type), str) for field in fields(Row)}
    with path.open(newline="") as file:
        return [Row(**{name: kinds[name](value) for name, value in row.items()}) for row in csv.DictReader(file)]


def remaining(rows: Sequence[Row], first: int, runs: int) -> list[tuple[str, int]]:
    """Families' names and seeds that no row tells of yet."""
    done = {(row.family, row.seed) for row in rows}
    return [(family.name, seed) for family, seed in wanted(first, runs) if (family.name, seed) not in done]


def suite(first: int, runs: int, processes: int, path: Path) -> None:
    """Run what is not in the file yet, and print the matrix."""
    rows = kept(path)
    left = remaining(rows, first, runs)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for row in pool.map(judged, *zip(*left, strict=True)) if left else []:
            rows.append(row)
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
                writer.writeheader()
                writer.writerows(asdict(each) for each in rows)
            print(f"{len(rows):>3}", row, file=sys.stderr, flush=True)
    print(matrix(rows))


def main() -> None:
    """One family, the truth of all, or the suite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", action="append", choices=[family.name for family in FAMILIES])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--truth", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--csv", type=Path, default=Path("docs/diagnosis.csv"))
    asked = parser.parse_args()
    families = [one for one in FAMILIES if not asked.family or one.name in asked.family]
    if asked.runs:
        suite(asked.first, asked.runs, asked.processes, asked.csv)
        return
    for family in families:
        kind = "broken" if family.broken else "healthy"
        said = truth(family, asked.seed, asked.seeds) if asked.truth else str(judged(family.name, asked.seed))
        print(f"{family.cause:<24}{kind:<8}{family.name:<28}{said}", flush=True)


if __name__ == "__main__":
    main()
