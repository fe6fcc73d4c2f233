"""Misses, refusals and widths of each interval on each law, as a Markdown table: python -m tests.statistics.table."""

from __future__ import annotations

import sys

import numpy as np

from tenure.core.arrays import Floats
from tenure.evaluation import BettingMean
from tenure.evaluation.sequences.bernstein import BernsteinMean

from .laws import LAWS, Law, asymptotic_looks, bernstein_missed, betting_missed, drawn, naive_looks

FEW = 5
"""Streams whose widths are measured where a grid of means makes every stream cost its time."""


def betting_width(x: Floats) -> float:
    both = [BettingMean(0, 1) for _ in range(FEW)]
    for sequence, stream in zip(both, x.T, strict=False):
        sequence.update(stream)
    return float(np.median([sequence.high - sequence.low for sequence in both]))


def bernstein_width(x: Floats) -> float:
    sequence = BernsteinMean(0, 1)
    for row in x:
        sequence.update(row)
    return float(np.median(np.asarray(sequence.high) - np.asarray(sequence.low)))


def rows(name: str, law: Law) -> list[tuple[str, int, float, float]]:
    """Method, misses of 1,000, share of looks refused, median width at the last step."""
    x = drawn(name)
    large, forced, naive = asymptotic_looks(x, law.mean), asymptotic_looks(x, law.mean, True), naive_looks(x, law.mean)
    found = [("asymptotic", int(large.missed.sum()), large.refused, large.width)]
    if large.refused > 0:
        found.append(("asymptotic, its refusal overruled", int(forced.missed.sum()), 0.0, forced.width))
    if law.bounded:
        found.insert(0, ("betting", int(betting_missed(x, law.mean).sum()), 0.0, betting_width(x)))
        found.insert(1, ("empirical Bernstein", int(bernstein_missed(x, law.mean).sum()), 0.0, bernstein_width(x)))
    return [*found, ("Student t, naive", int(naive.missed.sum()), 0.0, naive.width)]


def main() -> None:
    out = sys.stdout.write
    out("| law | interval | misses of 1,000 (73 allowed) | looks refused | width at n = 5,000 |\n")
    out("| --- | --- | ---: | ---: | ---: |\n")
    for name, law in LAWS.items():
        for method, missed, refused, width in rows(name, law):
            out(f"| {name} | {method} | {missed} | {100 * refused:.1f} % | {width:.4g} |\n")


if __name__ == "__main__":
    main()
