"""Ground truth for the assessor: every family drawn with a seed, assessed, and compared with its right answer."""

from __future__ import annotations

import csv
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tests.design.assess.families import LOGS
from tests.design.assess.folders import FOLDERS

from tenure.core.evidence import Verdict
from tenure.core.project import load_project
from tenure.design.assess.assessment import assess_folder, assess_log
from tenure.store.tables.logfile import open_log

CLASSES = ("rule_or_solver", "supervised", "bandit", "offline_rl", "online_rl")
DEVELOPMENT = range(20)
"""Seeds on which thresholds were developed."""
FIRST_TEST = 1000
"""First of the test seeds, which did not exist before the thresholds were frozen."""


@dataclass(frozen=True)
class Answer:
    """One family of one seed: what is right, and what was answered (`inconclusive` counts as no answer)."""

    family: str
    seed: int
    right: str
    answered: str

    @property
    def ok(self) -> bool:
        return self.right == self.answered


def chance(seed: int, family: str) -> np.random.Generator:
    """Chance of one family under one seed."""
    return np.random.default_rng([seed, zlib.crc32(family.encode())])


def answers(seed: int, folder: Path) -> list[Answer]:
    """All families of a seed; logs and folders are written below `folder`, and only those are assessed."""
    return [*(_of_log(name, seed, folder) for name in LOGS), *(_of_folder(name, seed, folder) for name in FOLDERS)]


def _of_log(name: str, seed: int, folder: Path) -> Answer:
    right, draw = LOGS[name]
    path = folder / f"{name}-{seed}.csv"
    write_csv(draw(chance(seed, name)), path)
    return _answer(name, seed, right, assess_log(open_log(path), str(path)))


def _of_folder(name: str, seed: int, folder: Path) -> Answer:
    right, draw = FOLDERS[name]
    path = draw(chance(seed, name)).write(folder / f"{name}-{seed}")
    return _answer(name, seed, right, assess_folder(load_project(path), name))


def _answer(name: str, seed: int, right: str, assessed: Any) -> Answer:
    unsettled = assessed.advice.verdict is Verdict.INCONCLUSIVE
    return Answer(name, seed, right, "inconclusive" if unsettled else assessed.advice.recommendation)


def write_csv(columns: Mapping[str, Any], path: Path) -> None:
    """A log as a company would hand it over."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def confusion(found: Iterable[Answer]) -> str:
    """Right answers down, given answers across, as a Markdown table."""
    counts = Counter((answer.right, answer.answered) for answer in found)
    across = (*CLASSES, "inconclusive")
    lines = ["| right \\ answered | " + " | ".join(across) + " |", "| --- |" + " ---: |" * len(across)]
    lines += ["| " + " | ".join([row, *(str(counts[row, column]) for column in across)]) + " |" for row in CLASSES]
    return "\n".join(lines)
