"""Valuing a policy on a log of ten million decisions, beside a pandas and NumPy re-implementation in the same run.

    python benchmarks/evidence.py [--rows 10000000] [--backend local]

Writes a seeded Parquet log of 20 features to a temporary folder (about 1.7 GB for ten million rows), then runs, each in
a process of its own so that its peak memory is its own: ours on a tenth of the rows, ours on all rows, and the peer on
all rows. The peer reads the same columns with pandas and computes IPS, SNIPS and a doubly robust estimate with the same
cross-fitted ridge, without intervals, confidence sequence, segments or diagnostics.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FEATURES, ACTIONS, CHUNK = 20, 5, 250_000
COEFFICIENTS = np.random.default_rng(0).normal(size=(FEATURES, ACTIONS)) * 0.15


def write(path: Path, rows: int) -> None:
    """A log of a softmax policy with linear rewards; row i is the same whatever the length."""
    writer: pq.ParquetWriter | None = None
    for start in range(0, rows, CHUNK):
        table = _table(start, min(CHUNK, rows - start))
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd", compression_level=1)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def _table(start: int, n: int) -> pa.Table:
    rng = np.random.default_rng([1, start])
    x = rng.normal(size=(n, FEATURES)).astype(np.float32)
    score = x @ COEFFICIENTS
    p = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    action = np.minimum((p.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1), ACTIONS - 1)
    reward = (x @ COEFFICIENTS[:, ::-1])[np.arange(n), action] + np.where(x[:, 3] > 1, 0.5, 0.0) * (action == 2)
    ids = np.arange(start, start + n)
    columns: dict[str, object] = {
        "decision_id": pa.array([f"d{i}" for i in ids]),
        "unit_id": pa.array([f"u{i // 4}" for i in ids]),
        "action": action,
        "propensity": p[np.arange(n), action],
        "reward": reward + rng.normal(scale=0.5, size=n),
    }
    columns |= {f"x{i:02d}": x[:, i] for i in range(FEATURES)}
    return pa.table(columns)


def ours(path: str, backend: str) -> dict[str, object]:
    """IPS, SNIPS, DR and the others, confidence sequence and segments, in batches."""
    from tenure.evaluation.off_policy.decisions import evaluate_log
    from tenure.evaluation.off_policy.targets import uniform
    from tenure.store.tables.logfile import open_log

    log = open_log(path, unique=False)
    each = None
    if backend == "ray":
        from tenure.training.cluster import ray_pass

        each = ray_pass(log)
    report = evaluate_log(log, uniform, segments=True, each=each)
    values = {name: report.estimate(name).value for name in ("ips", "snips", "dr")}
    return values | {
        "sequence": None if report.sequence is None else [report.sequence.low, report.sequence.high],
        "segments": len(report.segments),
    }


def peer(path: str, _: str) -> dict[str, object]:
    """The same three estimates as an analyst writes them with pandas and NumPy."""
    import pandas as pd

    frame = pd.read_parquet(path, columns=["unit_id", "action", "propensity", "reward", *_names()])
    x = np.concatenate([np.ones((len(frame), 1)), frame[_names()].to_numpy(dtype=np.float64)], axis=1)
    action, reward = frame["action"].to_numpy(), frame["reward"].to_numpy()
    fold = pd.util.hash_array(frame["unit_id"].to_numpy(dtype=object)) % 2
    w = 1 / ACTIONS / frame["propensity"].to_numpy()
    q = np.empty((len(frame), ACTIONS))
    for number in range(2):
        for a in range(ACTIONS):
            rows = (fold != number) & (action == a)
            gram = x[rows].T @ x[rows] + np.eye(x.shape[1])
            q[fold == number, a] = x[fold == number] @ np.linalg.solve(gram, x[rows].T @ reward[rows])
    dr = q.mean(axis=1) + w * (reward - q[np.arange(len(q)), action])
    return {"ips": (w * reward).mean(), "snips": (w * reward).sum() / w.sum(), "dr": dr.mean()}


def _names() -> list[str]:
    return [f"x{i:02d}" for i in range(FEATURES)]


def _alone(what: str, path: Path, backend: str) -> dict[str, object]:
    command = [sys.executable, __file__, "--only", what, "--path", str(path), "--backend", backend]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]))


def main() -> None:
    """Run all, or one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--backend", choices=["local", "ray"], default="local")
    parser.add_argument("--only", choices=["ours", "peer"])
    parser.add_argument("--path")
    asked = parser.parse_args()
    if asked.only:
        started = time.perf_counter()
        found = (ours if asked.only == "ours" else peer)(asked.path, asked.backend)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": round(seconds, 1), "peak_mib": round(peak), **found}))
        return
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.parquet", Path(folder) / "large.parquet"
        write(small, asked.rows // 10)
        write(large, asked.rows)
        for name, what, path in (("tenth", "ours", small), ("ours", "ours", large), ("peer", "peer", large)):
            print(f"{name:6}", _alone(what, path, asked.backend), flush=True)


if __name__ == "__main__":
    main()
