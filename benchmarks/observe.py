"""What `observe` adds to a call, before the group commit behind it; run by hand: `python benchmarks/observe.py`.

The bare function and the observed one are timed in turn in the same run, with a context of five values and a key.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tenure.client.observed import observe

CALLS, ROUNDS, LIMIT_US = 2000, 15, 30.0


def choose(order: str, distance_km: float, weight_kg: float, hour: int, zone: str) -> str:  # noqa: ARG001
    """What decides today."""
    return "bike" if distance_km < 3 and weight_kg < 10 else "van"


def microseconds(function: Callable[..., str], first: int) -> float:
    """Mean time of a call."""
    started = time.perf_counter()
    for i in range(first, first + CALLS):
        function(f"o-{i}", 2.5, 4.0, 9, "north")
    return (time.perf_counter() - started) / CALLS * 1e6


def main() -> None:
    """Compare; exit with 1 above the limit."""
    with tempfile.TemporaryDirectory() as folder:
        observed = observe("routing", log=Path(folder) / "log.sqlite", key="order")(choose)
        microseconds(observed, 0)
        observed.flush(60)
        bare, with_log = [], []
        for turn in range(1, ROUNDS + 1):
            bare.append(microseconds(choose, 0))
            with_log.append(microseconds(observed, turn * CALLS))
            observed.flush(60)
        added = median(with_log) - median(bare)
        print(f"bare {median(bare):.2f} us, observed {median(with_log):.2f} us")
        print(f"added {added:.1f} us a call (limit {LIMIT_US:g}), lost {observed.lost} of {(ROUNDS + 1) * CALLS}")
    sys.exit(added > LIMIT_US)


if __name__ == "__main__":
    main()
