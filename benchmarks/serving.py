"""Requests per second of one ONNX policy behind HTTP: without a log, with a row per answer, and as Tenure serves it.

    python benchmarks/serving.py [--rounds 5] [--seconds 2] [--json]

The policy (two 64-unit layers, 18 features, 25 actions, seeded weights) stands behind four servers, each a uvicorn
process of its own with the same event loop and parser. A client in another process keeps 16 connections busy, one
request at a time on each, against one server after the other, round by round. Logs lie on disk under --folder with
synchronous FULL. Tenure's server answers every request with the learned policy (stage full) and asks the incumbent in
its shadow; before the next server is measured, its shadow has been written.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import multiprocessing
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import onnxruntime
import uvicorn
from fastapi import FastAPI
from onnx import TensorProto, helper, numpy_helper
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tenure.core.clock import SystemClock
from tenure.core.project import load_project
from tenure.rollout.settings import read_settings
from tenure.serving import DecisionService, create_app
from tenure.store import BundlePolicy, Event, SqliteStore, load_bundle, make_bundle, save_bundle

CONNECTIONS = 16
BODIES = 512
"""Different requests sent in turn."""
PROJECT = load_project("bikes")
PROBLEM = PROJECT.problem
NAMES = PROBLEM.feature_names
PATH = f"/v1/{PROBLEM.name}/decisions"
SERVERS = {
    "starlette": "Starlette route, no log",
    "fastapi": "FastAPI handler, no log",
    "fastapi-sqlite": "FastAPI handler, one SQLite commit per answer",
    "tenure": "Tenure's server, log, fence, hash chain, shadow",
}


def policy_graph() -> bytes:
    """Features in, two layers of 64, logits out; weights from a fixed seed."""
    rng, sizes = np.random.default_rng(0), (len(NAMES), 64, 64, 25)
    nodes, weights, last = [], [], "observation"
    for layer, (above, below) in enumerate(pairwise(sizes)):
        weight = rng.normal(0, 1 / math.sqrt(above), (above, below)).astype(np.float32)
        weights += [numpy_helper.from_array(weight, f"w{layer}")]
        weights += [numpy_helper.from_array(np.zeros(below, dtype=np.float32), f"b{layer}")]
        out = "logits" if below == sizes[-1] else f"z{layer}"
        nodes.append(helper.make_node("Gemm", [last, f"w{layer}", f"b{layer}"], [out]))
        last = out if out == "logits" else f"h{layer}"
        nodes += [] if out == "logits" else [helper.make_node("Tanh", [out], [last])]
    seen = helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["n", sizes[0]])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", sizes[-1]])
    model = helper.make_model(
        helper.make_graph(nodes, "policy", [seen], [logits], weights), opset_imports=[helper.make_opsetid("", 17)]
    )
    model.ir_version = 8
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def make_policy(folder: Path) -> str:
    """The policy as a bundle in a folder; its version."""
    graph = policy_graph()
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    golden = situations(8)
    logits = session.run(["logits"], {"observation": golden})[0]
    bundle = make_bundle(PROBLEM, graph, golden, logits, {}, {})
    save_bundle(bundle, folder / "bundles")
    return bundle.version


def situations(n: int) -> Any:
    """Real observations of the case; float32 [n, features]."""
    return PROJECT.simulator.observe(PROJECT.simulator.reset(n, np.random.default_rng(1)))


# --- the servers -----------------------------------------------------------------------------------------------------


def starlette_app(policy: BundlePolicy) -> Starlette:
    """The least a decision can cost over HTTP."""

    async def decide(request: Request) -> Response:
        context = msgspec.json.decode(await request.body())["context"]
        observation = np.array([[context[name] for name in NAMES]], dtype=np.float32)
        action = int(policy.logits(observation).argmax())
        return Response(msgspec.json.encode({"action": action}), media_type="application/json")

    return Starlette(routes=[Route(PATH, decide, methods=["POST"])])


class Decide(BaseModel):
    """A request as a FastAPI handler declares it."""

    unit_id: str
    context: dict[str, float]


def fastapi_app(policy: BundlePolicy, log: Path | None) -> FastAPI:
    """What a team writes in an afternoon; with a path, the same row as Tenure's is committed before the answer."""
    app = FastAPI()
    rows = None if log is None else _table(log)

    @app.post(PATH)
    async def decide(request: Decide) -> dict[str, Any]:
        observation = np.array([[request.context[name] for name in NAMES]], dtype=np.float32)
        proposal = policy.propose(observation, None, np.zeros(1))
        action, confidence = int(proposal.action[0]), float(proposal.confidence[0])
        answer = {"decision_id": uuid.uuid4().hex, "action": action, "confidence": confidence}
        if rows is not None:
            rows.execute(
                f"INSERT INTO decision VALUES ({', '.join('?' * 16)})",
                (
                    *(answer["decision_id"], PROBLEM.name, PROBLEM.version, request.unit_id),
                    *(datetime.now(UTC).isoformat(), json.dumps(request.context), observation.tobytes()),
                    *("full", "candidate", policy.version, action, 1.0, 0, confidence, 0, "candidate"),
                ),
            )
            rows.commit()
        return answer

    return app


def _table(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        """CREATE TABLE decision (decision_id TEXT PRIMARY KEY, problem TEXT, problem_version TEXT, unit_id TEXT,
        decided_at TEXT, context TEXT, observation BLOB, stage TEXT, arm TEXT, version TEXT, action INTEGER,
        propensity REAL, explored INTEGER, confidence REAL, kill_epoch INTEGER, reason TEXT)"""
    )
    return connection


def tenure_app(folder: Path, version: str) -> Starlette:
    """Tenure's own application, at stage full."""
    settings, store = read_settings(PROJECT.settings_path, PROBLEM), SqliteStore(folder / "log.sqlite")
    store.open_problem(PROBLEM.name, "benchmark")
    start = Event(PROBLEM.name, "promote", "benchmark", "to measure the learned path", datetime.now(UTC), {})
    store.append_event(start, control={"stage": "full", "share": 1.0, "version": version})
    service = DecisionService(
        PROBLEM,
        PROJECT.incumbent,
        store,
        settings,
        SystemClock(),
        lambda name: load_bundle(folder / "bundles" / name, PROBLEM),
    )
    return create_app(service)


def serve(name: str, folder: Path, version: str) -> None:
    """Run one server until it is stopped; prints its port first."""
    policy = load_bundle(folder / "bundles" / version, PROBLEM)
    app: Any
    if name == "tenure":
        app = tenure_app(folder, version)
    elif name == "starlette":
        app = starlette_app(policy)
    else:
        app = fastapi_app(policy, folder / "rows.sqlite" if name == "fastapi-sqlite" else None)
    # Named TCP outright: asyncio turns off Nagle's delay only where the protocol is stated.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # before the port is told, so that nobody is refused
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


# --- the client ------------------------------------------------------------------------------------------------------


class Caller(asyncio.Protocol):
    """One connection: sends the next request as soon as the answer to the last has come."""

    def __init__(self, requests: list[bytes], offset: int, ended: asyncio.Future[None]) -> None:
        self.latencies: list[float] = []
        self.until = math.inf
        self._requests, self._next, self._ended = requests, offset, ended
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head = self._seen.find(b"\r\n\r\n")
        if head < 0 or len(self._seen) < head + 4 + _content_length(self._seen[:head]):
            return
        if not self._seen.startswith(b"HTTP/1.1 200"):
            self._fail(self._seen[:300].decode(errors="replace"))
            return
        self.latencies.append(time.perf_counter() - self._sent)
        self._seen = b""
        if time.perf_counter() < self.until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self._ended.done():
            self._ended.set_result(None)

    def _send(self) -> None:
        self._next = (self._next + 1) % len(self._requests)
        self._sent = time.perf_counter()
        self._transport.write(self._requests[self._next])

    def _fail(self, answer: str) -> None:
        self._ended.set_exception(RuntimeError(f"expected 200, found: {answer}"))
        self._transport.close()


def _content_length(head: bytes) -> int:
    return int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])


async def _call(port: int, seconds: float) -> dict[str, float]:
    loop, requests = asyncio.get_running_loop(), _requests()
    ends = [loop.create_future() for _ in range(CONNECTIONS)]
    callers = [Caller(requests, index * BODIES // CONNECTIONS, end) for index, end in enumerate(ends)]
    started = time.perf_counter()
    for caller in callers:
        caller.until = started + seconds
        await loop.create_connection(lambda caller=caller: caller, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*ends)
    elapsed = time.perf_counter() - started
    latencies = np.concatenate([caller.latencies for caller in callers])
    p50, p99 = np.quantile(latencies, [0.5, 0.99]) * 1000
    return {"requests_per_s": len(latencies) / elapsed, "p50_ms": float(p50), "p99_ms": float(p99)}


def _requests() -> list[bytes]:
    requests = []
    for index, row in enumerate(situations(BODIES).tolist()):
        body = json.dumps({"unit_id": f"unit-{index}", "context": dict(zip(NAMES, row, strict=True))}).encode()
        head = f"POST {PATH} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        requests.append(f"{head}\r\n\r\n".encode() + body)
    return requests


# --- the comparison --------------------------------------------------------------------------------------------------


@contextmanager
def servers(folder: Path, version: str) -> Iterator[dict[str, int]]:
    """All servers running; the port of each."""
    own = [sys.executable, __file__, "--folder", str(folder), "--version", version, "--serve"]
    processes = {name: subprocess.Popen([*own, name], stdout=subprocess.PIPE, text=True) for name in SERVERS}
    try:
        ports = {}
        for name, process in processes.items():
            assert process.stdout is not None
            ports[name] = int(process.stdout.readline())
        yield ports
    finally:
        for process in processes.values():
            process.terminate()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def call(port: int, seconds: float) -> dict[str, float]:
    """One run of the client."""
    return asyncio.run(_call(port, seconds))


def settle(folder: Path) -> float:
    """Wait until the shadow has written all its proposals; seconds waited."""
    started = time.perf_counter()
    with SqliteStore(folder / "log.sqlite") as store:
        while time.perf_counter() - started < 20:
            counts = store.counts(PROBLEM.name)
            assert counts["learned"] == counts["decisions"], "every answer must be the learned policy's"
            if counts["proposals"] >= counts["decisions"]:
                break
            time.sleep(0.05)
    return time.perf_counter() - started


def compare(folder: Path, rounds: int, seconds: float) -> dict[str, list[dict[str, float]]]:
    """Every server, round by round, after one short round that is thrown away."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in SERVERS}
    client = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    with client, servers(folder, make_policy(folder)) as ports:
        for number in range(rounds + 1):
            for name, port in ports.items():
                result = client.submit(call, port, seconds if number else 0.3).result()
                if name == "tenure":
                    result["shadow_behind_s"] = settle(folder)
                if number:
                    found[name].append(result)
    return found


def main() -> None:
    """Measure and print; or be one of the processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each server, in turns")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one run")
    parser.add_argument("--folder", type=Path, help="where the logs lie; a temporary folder otherwise")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--serve", choices=tuple(SERVERS), help=argparse.SUPPRESS)
    parser.add_argument("--version", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.folder, arguments.version)
    else:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            report(compare(Path(folder), arguments.rounds, arguments.seconds), arguments)


def report(found: dict[str, list[dict[str, float]]], arguments: argparse.Namespace) -> None:
    """The table, or the JSON."""
    rows: list[dict[str, Any]] = []
    for name, runs in found.items():
        medians = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        rows.append({"name": name, "title": SERVERS[name], **medians, "runs": runs})
    ratios = {row["name"]: rows[-1]["requests_per_s"] / row["requests_per_s"] for row in rows}
    if arguments.json:
        print(json.dumps({"servers": rows, "ratios": ratios, "connections": CONNECTIONS}))
        return
    print(f"{'server':<52}{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'Tenure is':>12}")
    for row in rows:
        figures = f"{row['requests_per_s']:>11,.0f}{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}"
        print(f"{row['title']:<52}{figures}{ratios[row['name']]:>10.2f} x")
    print(
        f"median of {arguments.rounds} rounds of {arguments.seconds:g} s, {CONNECTIONS} connections, one by one on each"
    )
    print(f"the shadow was written {rows[-1]['shadow_behind_s']:.1f} s after the last answer of a round")


if __name__ == "__main__":
    main()
