"""Fails when a room that answers or judges live decisions is covered less than its floor."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

FLOOR = 90.0
ROOMS = ("core", "evaluation", "rollout", "serving", "store")


def shares(report: dict[str, dict[str, dict[str, dict[str, int]]]]) -> dict[str, float]:
    """Percent of statements and branches covered, per room."""
    hit: dict[str, int] = defaultdict(int)
    total: dict[str, int] = defaultdict(int)
    for path, entry in report["files"].items():
        parts = Path(path).parts
        room = parts[parts.index("tenure") + 1]
        summary = entry["summary"]
        hit[room] += summary["covered_lines"] + summary["covered_branches"]
        total[room] += summary["num_statements"] + summary["num_branches"]
    return {room: 100.0 * hit[room] / total[room] for room in ROOMS}


def main(path: str) -> int:
    """Print one line a room; exit code 1 when one is below the floor."""
    found = shares(json.loads(Path(path).read_text()))
    for room, share in found.items():
        sys.stdout.write(f"coverage with branches, {room}: {share:.1f} % (floor {FLOOR:.0f} %)\n")
    return int(any(share < FLOOR for share in found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
