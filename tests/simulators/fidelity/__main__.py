"""`python -m tests.simulators.fidelity --seeds 20`: the table of docs/validation.md, one line for each wrong answer."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.simulators.fidelity.depot import DEFECTS
from tests.simulators.fidelity.truth import FIRST_TEST, Answer, answers


def main() -> None:
    """Judge every pair of every seed and print who was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=FIRST_TEST, help="first seed; development used 0 to 3")
    parser.add_argument("--workers", type=int, default=2)
    told = parser.parse_args()
    found: list[Answer] = []
    with ProcessPoolExecutor(told.workers) as pool:
        for part in pool.map(_all, range(told.first, told.first + told.seeds)):
            found += part
            _say(f"seed {part[0].seed}: {sum(answer.right for answer in part)} of {len(part)} right")
            for answer in part:
                if not answer.right:
                    kind = "defect" if answer.defect else "faithful"
                    _say(f"  {answer.pair}, {kind}: {answer.verdict}, {', '.join(answer.failed[:8])}")
    _say(table(found))


def table(found: Sequence[Answer]) -> str:
    """Markdown: what was said of defects and of faithful simulators, by pair and in all."""
    head = ["| pair | defect found and named | faithful passed | faithful failed |", "| --- | --- | --- | --- |"]
    rows = [_row(name, [answer for answer in found if answer.pair == name]) for name in DEFECTS]
    return "\n".join([*head, *rows, _row("all", found)])


def _row(title: str, found: Sequence[Answer]) -> str:
    wrong = [answer for answer in found if answer.defect]
    faithful = [answer for answer in found if not answer.defect]
    failed = sum(answer.verdict == "fail" for answer in faithful)
    cells = (sum(answer.right for answer in wrong), sum(answer.right for answer in faithful), failed)
    return (
        f"| {title} | "
        + " | ".join(f"{n} of {len(of)}" for n, of in zip(cells, (wrong, faithful, faithful), strict=True))
        + " |"
    )


def _all(seed: int) -> list[Answer]:
    return list(answers(seed))


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
