"""How long one decision takes in process, against a bare call of its own graph in the same run.

The log is a real file with `synchronous=OFF`, so that the disk's fsync is left out; everything else is as it is live,
the lease included. Beside it the floor of any durable decision: the same row in one bare SQLite transaction.
Run by hand: `python -m benchmarks.decide`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.policies import bundle_of, situations
from tenure.core.arrays import Floats
from tenure.core.clock import SystemClock
from tenure.core.errors import TenureError
from tenure.core.project import load_project
from tenure.rollout.settings import Settings
from tenure.serving import Answer, DecisionRequest, DecisionService
from tenure.serving.lease import Watched
from tenure.store import BundlePolicy, Event, SqliteStore

WARM_UP, CALLS = 500, 6000
STAGES = {"shadow": 0.0, "canary": 0.1, "full": 1.0}
LIMIT = 8.0
"""Most decide may cost, in bare calls."""


def requests_of(contexts: Sequence[dict[str, float]], prefix: str) -> list[DecisionRequest]:
    """One request per call, every id and unit its own."""
    return [
        DecisionRequest(f"{prefix}-unit-{index}", contexts[index % len(contexts)], decision_id=f"{prefix}-{index}")
        for index in range(WARM_UP + CALLS)
    ]


def p50_us(act: Callable[[Any], object], inputs: Sequence[Any]) -> float:
    """Median microseconds of a call, after a warm-up."""
    spent = []
    for given in inputs:
        started = time.perf_counter_ns()
        act(given)
        spent.append(time.perf_counter_ns() - started)
    return statistics.median(spent[WARM_UP:]) / 1000


def main() -> int:
    """Print the medians; exit code 1 when decide costs more than the limit."""
    project = load_project("bikes")
    problem, observation = project.problem, situations(project, 64)
    policy = BundlePolicy(bundle_of(problem, observation))
    contexts = [dict(zip(problem.feature_names, row, strict=True)) for row in observation.tolist()]
    bare = p50_us(policy.answers, [observation[index % 64 : index % 64 + 1] for index in range(WARM_UP + CALLS)])
    _line("bare ONNX Runtime call", bare, bare)
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for stage, share in STAGES.items():
            with SqliteStore(Path(folder) / f"{stage}.sqlite", synchronous="OFF") as store:
                store.open_problem(problem.name, "benchmark")
                control = {"stage": stage, "share": share, "version": policy.version}
                now = datetime(2011, 10, 1, tzinfo=UTC)
                store.append_event(Event(problem.name, "stage", "benchmark", "benchmark", now, {}), control=control)
                clock, settings = SystemClock(), Settings()
                standing = Watched(store, problem.name, clock, poll_s=60.0, lease_s=3600.0)
                service = DecisionService(
                    problem, project.incumbent, store, settings, clock, load=lambda _: policy, standing=standing
                )
                decide = p50_us(_decider(service), requests_of(contexts, stage))
                _line(f"decide at {stage}", decide, bare)
                if stage == "full":
                    _line("bare, between decisions", _between(service, policy, observation, contexts), bare)
                    _line("the same row, written bare", _written(store), bare)
            worst = max(worst, decide / bare)
    return int(worst > LIMIT)


def _decider(service: DecisionService) -> Callable[[DecisionRequest], Answer | TenureError]:
    return lambda request: service.decide([request])[0]


def _between(
    service: DecisionService, policy: BundlePolicy, observation: Floats, contexts: Sequence[dict[str, float]]
) -> float:
    """Median microseconds of the bare call when the processor's caches hold a decision, not the graph."""
    spent = []
    for request in requests_of(contexts, "between"):
        service.decide([request])
        started = time.perf_counter_ns()
        policy.answers(observation[:1])
        spent.append(time.perf_counter_ns() - started)
    return statistics.median(spent[WARM_UP:]) / 1000


def _written(store: SqliteStore) -> float:
    """Median microseconds of one transaction that inserts a decision's row and nothing else."""
    with store.database.reading() as connection:
        row = connection.execute("SELECT * FROM decision WHERE sequence = 2").fetchone()
    assert row is not None
    statement = f"INSERT INTO decision VALUES ({', '.join('?' * len(row))})"

    def write(number: int) -> None:
        with store.database.writing() as connection:
            connection.execute(statement, (f"bare-{number}", *row[1:24], 10_000_000 + number, *row[25:]))

    return p50_us(write, range(WARM_UP + CALLS))


def _line(what: str, us: float, bare: float) -> None:
    print(f"{what:28} p50 {us:7.1f} us   {us / bare:5.1f} x bare")


if __name__ == "__main__":
    sys.exit(main())
