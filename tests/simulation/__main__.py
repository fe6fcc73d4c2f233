"""`python -m tests.simulation SEED`: one run again, with its whole trace."""

from __future__ import annotations

import sys

from .world import run

if __name__ == "__main__":
    seen = run(int(sys.argv[1]))
    sys.stdout.write("\n".join([*seen.trace, f"digest {seen.digest}", seen.violated or "every invariant held", ""]))
    sys.exit(0 if seen.violated is None else 4)
