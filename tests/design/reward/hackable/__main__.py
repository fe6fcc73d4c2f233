"""The confusion table over many seeds: `python -m tests.design.reward.hackable --seeds 20`; `--pairs` for the pairs."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from tests.design.reward.hackable.pairs import Pair, matched
from tests.design.reward.hackable.suite import WORLDS, Case, cases, world_of

TEST_SEED = 1000
"""Seeds of the first test start here, of the second at 2000; docs/auditor.md tells what was frozen and drawn when."""


def main() -> None:
    """Audit every world of every seed and print what was flagged, or match the pairs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=TEST_SEED)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pairs", action="store_true", help="the matched pairs instead of the confusion table")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    if given.pairs:
        _say(f"{pairs_told([pair for seed in seeds for pair in _pairs(seed)])}\n")
        return
    found: list[Case] = []
    with ProcessPoolExecutor(given.workers) as pool:
        for part in pool.map(_all, seeds):
            found.extend(part)
            _say("".join(f"{_told(case)}\n" for case in part if case.hackable != case.flagged or case.doubted))
            _say(f"seed {part[0].seed}: {sum(case.hackable == case.flagged for case in part)} of {len(part)} right\n")
    _say(f"\n{table(found)}\n")


def table(found: Sequence[Case]) -> str:
    """Markdown: flagged of hackable rewards, flagged and in doubt of repaired ones, for each world and in sum."""
    flagged = Counter((case.world, case.hackable) for case in found if case.flagged)
    doubted = Counter((case.world, case.hackable) for case in found if case.doubted)
    total = Counter((case.world, case.hackable) for case in found)
    worlds = list(dict.fromkeys(case.world for case in found))

    def row(title: str, names: Sequence[str]) -> str:
        parts = ((flagged, True), (flagged, False), (doubted, False))
        cells = (f"{_sum(part, names, kind)} of {_sum(total, names, kind)}" for part, kind in parts)
        return f"| {title} | {' | '.join(cells)} |"

    head = ["| world | hackable, flagged | repaired, flagged | repaired, in doubt |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *(row(name, [name]) for name in worlds), row("all", worlds)])


def _sum(counts: Counter[tuple[str, bool]], worlds: Sequence[str], hackable: bool) -> int:
    return sum(counts[world, hackable] for world in worlds)


def pairs_told(found: Sequence[Pair]) -> str:
    """One sentence over all matched pairs."""
    areas, n = np.array([pair.area for pair in found]), len(found)
    counts = {word: sum(getattr(pair, word) for pair in found) for word in ("equal", "caught", "richer")}
    return (
        f"{n} matched pairs: {counts['equal']} of equal reward by two one-sided tests, {counts['caught']} told apart "
        f"by their KPIs; by the reward alone the exploit has the higher mean in {counts['richer']} of {n}, "
        f"and the area under the curve is {areas.mean():.3f} ({areas.min():.2f} to {areas.max():.2f})"
    )


def _pairs(seed: int) -> list[Pair]:
    return [matched(world_of(name, seed), seed) for name in WORLDS]


def _all(seed: int) -> list[Case]:
    return list(cases(seed))


def _told(case: Case) -> str:
    kind = "in doubt" if case.doubted else "missed" if case.hackable else "false alarm"
    return f"{kind}: {case.world}, {case.reward!r}, seed {case.seed}: {case.told}"


def _say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
