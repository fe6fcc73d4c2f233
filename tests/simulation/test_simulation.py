"""Whatever goes wrong in whatever order, the promises of the log hold after every step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from scipy.stats import binom

from .toy import STAGES
from .world import Seen, run

SEEDS = int(os.environ.get("TENURE_SEEDS", "200"))
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def runs() -> list[Seen]:
    """Every seed, once; without the traces, which a long form could not hold."""
    return [told(run(seed)) for seed in range(SEEDS)]


def told(seen: Seen) -> Seen:
    """A run whose invariants held; else how to see it again, and its last lines."""
    if seen.violated is not None:
        again = f"again: {sys.executable} -m tests.simulation {seen.seed}"
        pytest.fail("\n".join([*seen.trace[-30:], seen.violated, again]), pytrace=False)
    seen.trace.clear()
    return seen


def test_every_invariant_holds_after_every_step_of_every_seed(runs: list[Seen]) -> None:
    assert [seen.violated for seen in runs] == [None] * SEEDS


@pytest.mark.parametrize("seed", [6640, 8999, 9528])
def test_a_repeated_decision_is_answered_from_one_moment_of_the_log(seed: int) -> None:
    """Seeds in which a correction or a kill came between two readings of row and epoch."""
    assert told(run(seed)).violated is None


def test_the_seeds_reach_what_the_invariants_are_about(runs: list[Seen]) -> None:
    reached = sum((Counter(seen.kinds) for seen in runs), Counter())
    events = {"start", "promote", "pause", "resume", "rollback", "kill", "restore", "correction", "trip"}
    places = {"joined", "orphan", "late", "repeated", "quarantine", "early"}
    assert {"incumbent", "candidate", "fallback"} | events | places <= set(reached)


def test_the_learned_share_lies_in_its_binomial_band_at_every_stage(runs: list[Seen]) -> None:
    for share in STAGES:
        arms = [learned for seen in runs for learned in seen.split.get(share, {}).values()]
        low, high = binom.interval(0.999, len(arms), share)
        assert len(arms) >= SEEDS
        assert low <= sum(arms) <= high


def test_a_unit_keeps_the_candidate_as_the_share_grows(runs: list[Seen]) -> None:
    for seen in runs:
        for share in STAGES:
            learned = {unit for unit, was in seen.split.get(share, {}).items() if was}
            later = [seen.split.get(larger, {}) for larger in STAGES if larger > share]
            assert all(arms.get(unit, True) for arms in later for unit in learned)


def test_the_same_seed_gives_the_same_run_in_this_process_and_in_another() -> None:
    first = run(7)
    assert run(7).digest == first.digest != run(8).digest
    command = [sys.executable, "-m", "tests.simulation", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert f"digest {first.digest}" in done.stdout.splitlines()
