"""`python -m tests.design.assess --seeds 20`: the confusion table of docs/assess.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.design.assess.truth import FIRST_TEST, Answer, answers, confusion


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=FIRST_TEST, help="first seed; development used 0 to 19")
    told = parser.parse_args()
    found: list[Answer] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(told.first, told.first + told.seeds):
            new = answers(seed, Path(folder))
            found += new
            wrong = ", ".join(f"{answer.family}: {answer.answered}" for answer in new if not answer.ok)
            sys.stdout.write(f"seed {seed}: {sum(answer.ok for answer in new)} of {len(new)} {wrong}\n")
            sys.stdout.flush()
    sys.stdout.write(confusion(found) + "\n")


if __name__ == "__main__":
    main()
