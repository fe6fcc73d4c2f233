"""Where the time of one decision goes, inside the server's process: each step of the path timed in groups of 16."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.policies import bundle_of, situations
from benchmarks.servers import NAMES, PROBLEM, PROJECT, service_of
from tenure.serving import DecisionRequest
from tenure.serving import service as service_path
from tenure.serving.choose import Chooser
from tenure.serving.service import DecisionService
from tenure.serving.wire import Answers, decode, encode
from tenure.store import BundlePolicy, Store
from tenure.store import decisions as rows

GROUP, GROUPS = 16, 300


def measure(path: Path) -> dict[str, float]:
    """Median microseconds per decision of each step; the log is a real file with its fsync."""
    observed = situations(PROJECT, 64)
    bodies = [
        msgspec.json.encode({"unit_id": f"u{index}", "context": dict(zip(NAMES, row, strict=True))})
        for index, row in enumerate(observed.tolist())
    ]
    service, standing = service_of(path, BundlePolicy(bundle_of(PROBLEM, observed)))
    spent: dict[str, list[int]] = defaultdict(list)
    restore = [
        _timed(spent, owner, name)
        for owner, name in (
            (service_path, "read"),
            (Chooser, "choose"),
            (BundlePolicy, "propose"),
            (service_path, "rows_of"),
            (Store, "append_decisions"),
            (rows, "append"),
            (DecisionService, "_checked"),
        )
    ]
    for group in range(GROUPS):
        some = [bodies[(group + index) % len(bodies)] for index in range(GROUP)]
        requests = _clocked(spent, "decode", partial(_decoded, some))
        answers = _clocked(spent, "decide", partial(service.decide, requests))
        _clocked(spent, "encode", partial(_encoded, answers))
    for undo in restore:
        undo()
    standing.__exit__(None, None, None)
    service.store.close()
    us = {name: statistics.median(some) / 1000 / GROUP for name, some in spent.items()}
    return {
        "decode the request": us["decode"],
        "check features and mask": us["read"],
        "the policy": us["propose"],
        "arm, exploration, propensity": us["choose"] - us["propose"],
        "make the row": us["rows_of"],
        "number, write and chain the row": us["append"],
        "begin, commit, fsync": us["append_decisions"] - us["append"],
        "check again, make the answer": us["_checked"],
        "encode the answer": us["encode"],
        "all of decide": us["decide"],
    }


def _decoded(bodies: list[bytes]) -> list[DecisionRequest]:
    return [decode(body, DecisionRequest) for body in bodies]


def _encoded(answers: Answers) -> list[bytes]:
    return [encode(answer) for answer in answers]


def _clocked(spent: dict[str, list[int]], name: str, act: Callable[[], Any]) -> Any:
    started = time.perf_counter_ns()
    result = act()
    spent[name].append(time.perf_counter_ns() - started)
    return result


def _timed(spent: dict[str, list[int]], owner: Any, name: str) -> Callable[[], None]:
    """Have a function timed; returns what undoes it."""
    plain = getattr(owner, name)

    def timed(*given: Any, **named: Any) -> Any:
        return _clocked(spent, name, lambda: plain(*given, **named))

    setattr(owner, name, timed)
    return lambda: setattr(owner, name, plain)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for step, microseconds in measure(Path(folder) / "log.sqlite").items():
            print(f"{step:<36}{microseconds:8.1f} us")
