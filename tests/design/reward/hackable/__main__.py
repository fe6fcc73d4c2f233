"""The confusion table over many seeds: `python -m tests.design.reward.hackable --seeds 20 --first 1000`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.design.reward.hackable.suite import Case, cases

TEST_SEED = 1000
"""Test seeds start here; the auditor's thresholds were frozen before one of them was drawn."""


def main() -> None:
    """Audit every world of every seed and print what was flagged."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=TEST_SEED)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    found: list[Case] = []
    with ProcessPoolExecutor(given.workers) as pool:
        for part in pool.map(_all, seeds):
            found.extend(part)
            _say("".join(f"{_told(case)}\n" for case in part if case.hackable != case.flagged))
            _say(f"seed {part[0].seed}: {sum(case.hackable == case.flagged for case in part)} of {len(part)} right\n")
    _say(f"\n{table(found)}\n")


def table(found: Sequence[Case]) -> str:
    """Markdown: flagged over all, of hackable and of repaired rewards, for each world and in sum."""
    flagged = Counter((case.world, case.hackable) for case in found if case.flagged)
    total = Counter((case.world, case.hackable) for case in found)
    worlds = list(dict.fromkeys(case.world for case in found))

    def cell(names: Sequence[str], hackable: bool) -> str:
        return f"{sum(flagged[name, hackable] for name in names)} of {sum(total[name, hackable] for name in names)}"

    rows = [f"| {name} | {cell([name], True)} | {cell([name], False)} |" for name in worlds]
    head = ["| world | hackable, flagged | repaired, flagged |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, f"| all | {cell(worlds, True)} | {cell(worlds, False)} |"])


def _all(seed: int) -> list[Case]:
    return list(cases(seed))


def _told(case: Case) -> str:
    kind = "missed" if case.hackable else "false alarm"
    return f"{kind}: {case.world}, {case.reward!r}, seed {case.seed}: {case.told}"


def _say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
