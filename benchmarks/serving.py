"""Decisions per second and latencies of Tenure's server, beside the same policy in other servers.

    python -m benchmarks.serving [--rounds 5] [--seconds 2] [--ray] [--json]

Needs wrk (Debian: `apt-get install wrk`). The policy (two 64-unit layers, 18 features, 25 actions, seeded weights)
stands behind servers of one uvicorn process each, with uvloop and httptools. wrk keeps 16 and 64 connections busy
against one server after the other, round by round; a ratio compares medians of one call. Logs lie on disk with
synchronous FULL. Tenure decides at stage FULL; "without what runs behind" leaves out shadow and breakers. The open loop
sends 300 requests a second by the clock, whatever the answers do, so that a stall is counted in full.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httptools
import msgspec
import numpy as np

from benchmarks import phases
from benchmarks.policies import save_policy, situations
from benchmarks.servers import NAMES, PATH, PROBLEM, PROJECT, SERVERS
from tenure.store import SqliteStore

ROOT = Path(__file__).parents[1]
BODIES, BATCH = 512, 256
CONNECTIONS = (16, 64)
PER_SECOND = 300
LUA = """
local bodies, at = {}, 0
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function() at = at % #bodies + 1; return wrk.format(nil, nil, nil, bodies[at]) end
done = function(summary, latency)
  local errors = summary.errors
  io.stderr:write(string.format('{"requests": %d, "us": %d, "p50_ms": %f, "p99_ms": %f, "errors": %d}',
    summary.requests, summary.duration, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""
TITLES = {
    "noop": "bare ASGI, the same bytes whatever is asked",
    "bare": "bare ASGI, the policy, nothing else",
    "fastapi": "FastAPI handler, no log",
    "fastapi-sqlite": "FastAPI handler, one SQLite commit per answer",
    "tenure-plain": "Tenure, nothing behind the answers",
    "tenure": "Tenure as it serves",
    "ray": "Ray Serve, no log",
}
PROMISES = (("fastapi", 1.1, 1.5), ("fastapi-sqlite", 2.5, 2.5), ("bare", 0.33, 0.5))
"""Server, what Tenure must reach of its decisions per second, and the aim beyond."""


def bodies() -> list[bytes]:
    """Requests without an id, each unit its own."""
    rows = situations(PROJECT, BODIES).tolist()
    return [
        msgspec.json.encode({"unit_id": f"unit-{index}", "context": dict(zip(NAMES, row, strict=True))})
        for index, row in enumerate(rows)
    ]


@contextmanager
def running(folder: Path, names: list[str]) -> Iterator[dict[str, int]]:
    """Servers as processes; the port of each."""
    version = save_policy(PROJECT, folder / "bundles")
    program = [sys.executable, "-m", "benchmarks.servers"]
    processes = {
        name: subprocess.Popen([*program, name, str(folder), version], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for name in names
    }
    try:
        yield {name: int(process.stdout.readline()) for name, process in processes.items() if process.stdout}
    finally:
        for process in processes.values():
            process.terminate()
            process.communicate()


def wrk(folder: Path, port: int, connections: int, seconds: float) -> dict[str, float]:
    """One closed-loop run; wrk takes whole seconds."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(folder / "ask.lua")]
    address = f"http://127.0.0.1:{port}{PATH}"
    done = subprocess.run(
        [*command, address], capture_output=True, text=True, check=True, env=os.environ | {"BODIES": f"{folder}/bodies"}
    )
    found: dict[str, float] = json.loads(done.stderr)
    assert not found["errors"], done.stdout
    return found | {"per_s": found["requests"] / found["us"] * 1e6}


def compare(folder: Path, ports: dict[str, int], rounds: int, seconds: float) -> dict[int, dict[str, Any]]:
    """Medians of alternating rounds, after one that is thrown away; by connections and server."""
    found: dict[int, dict[str, Any]] = {}
    for connections in CONNECTIONS:
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in ports}
        for number in range(rounds + 1):
            for name, port in ports.items():
                run = wrk(folder, port, connections, seconds if number else 1)
                runs[name] += [run] if number else []
        found[connections] = {
            name: {key: statistics.median(run[key] for run in some) for key in ("per_s", "p50_ms", "p99_ms")}
            for name, some in runs.items()
        }
    return found


class Answers(asyncio.Protocol):
    """One connection that tells when an answer has come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.parser = transport, httptools.HttpResponseParser(self)
        self.answered: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.answered is not None and not self.answered.done():
            self.answered.set_exception(exc or ConnectionError("the server hung up"))

    def on_message_complete(self) -> None:
        assert self.parser.get_status_code() == 200
        assert self.answered is not None
        self.answered.set_result(None)


async def open_loop(port: int, seconds: float) -> dict[str, float]:
    """Latencies from the moment each request was due, at so many a second; milliseconds."""
    loop, requests = asyncio.get_running_loop(), [_raw(body) for body in bodies()]
    # In turns, so that no connection is idle for as long as a server waits before it hangs up.
    idle = deque([(await loop.create_connection(Answers, "127.0.0.1", port))[1] for _ in range(64)])
    spent: list[float] = []
    started, number, tasks = loop.time() + 0.1, 0, set[asyncio.Task[None]]()

    async def ask(due: float, raw: bytes) -> None:
        while not idle:
            await asyncio.sleep(0.0005)
        connection = idle.popleft()
        connection.answered = loop.create_future()
        connection.transport.write(raw)
        await connection.answered
        spent.append((loop.time() - due) * 1000)
        idle.append(connection)

    while (due := started + number / PER_SECOND) < started + seconds:
        await asyncio.sleep(max(0.0, due - loop.time()))
        tasks.add(asyncio.create_task(ask(due, requests[number % BODIES])))
        number += 1
    await asyncio.gather(*tasks)
    for connection in idle:
        connection.transport.close()
    return {f"p{share:g}_ms": float(np.percentile(spent, share)) for share in (50, 99, 99.9)}


def _raw(body: bytes, path: str = PATH) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: b\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def batches(folder: Path, port: int, rounds: int) -> dict[str, float]:
    """Rows a second of the batch endpoint, beside a bare `executemany` of the same rows, one commit per batch."""
    one = [json.loads(body) for body in bodies()[:BATCH]]
    body = msgspec.json.encode({"decisions": one})
    asyncio.run(_post(port, body, 5))
    ours = [asyncio.run(_post(port, body, 20)) for _ in range(rounds)]
    with SqliteStore(folder / "log.sqlite") as store, store.database.reading() as connection:
        rows = connection.execute("SELECT * FROM decision ORDER BY sequence DESC LIMIT ?", (BATCH,)).fetchall()
    bare = [_executemany(folder / f"bare-{number}.sqlite", rows, 20) for number in range(rounds)]
    return {"rows_per_s": statistics.median(ours), "executemany_per_s": statistics.median(bare)}


async def _post(port: int, body: bytes, times: int) -> float:
    loop, raw = asyncio.get_running_loop(), _raw(body, f"{PATH}:batch")
    _, connection = await loop.create_connection(Answers, "127.0.0.1", port)
    started = time.perf_counter()
    for _ in range(times):
        connection.answered = loop.create_future()
        connection.transport.write(raw)
        await connection.answered
    connection.transport.close()
    return times * BATCH / (time.perf_counter() - started)


def _executemany(path: Path, rows: list[tuple[Any, ...]], times: int) -> float:
    """The same rows in the same table, without anything around it; ids made new as the server makes them."""
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = FULL")
    statement = f"INSERT INTO decision VALUES ({', '.join('?' * len(rows[0]))})"
    batches = [
        [(f"{row[0]}{number}", *row[1:24], number * BATCH + at, *row[25:]) for at, row in enumerate(rows)]
        for number in range(times)
    ]
    started = time.perf_counter()
    for batch in batches:
        connection.executemany(statement, batch)
        connection.commit()
    spent = time.perf_counter() - started
    connection.close()
    return times * BATCH / spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each server, in turns")
    parser.add_argument("--seconds", type=int, default=2, help="length of one run, whole seconds")
    parser.add_argument("--folder", type=Path, help="where the logs lie; a temporary folder otherwise")
    parser.add_argument("--ray", action="store_true", help="Ray Serve beside them, where it is installed")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk (Debian), brew install wrk (macOS)")
    names = [*SERVERS, *(["ray"] if arguments.ray and _has_ray() else [])]
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        folder = Path(temporary)
        (folder / "bodies").write_bytes(b"\n".join(bodies()))
        (folder / "ask.lua").write_text(LUA)
        with running(folder, names) as ports:
            found = {
                "connections": compare(folder, ports, arguments.rounds, arguments.seconds),
                "open_loop": {
                    name: asyncio.run(open_loop(ports[name], 5.0 * arguments.seconds))
                    for name in ("noop", "tenure-plain", "tenure")
                },
                "batch": batches(folder, ports["tenure"], arguments.rounds),
                "phases_us": phases.measure(folder / "phases.sqlite"),
            }
        with SqliteStore(folder / "log.sqlite") as store:
            counts = store.counts(PROBLEM.name)
            assert counts["learned"] == counts["decisions"], "every answer must be the learned policy's"
            found["intact"] = store.verify(PROBLEM.name).intact
    print(json.dumps(found)) if arguments.json else report(found, arguments)


def _has_ray() -> bool:
    """Whether Ray Serve is there; says so when it is not."""
    try:
        importlib.import_module("ray.serve")
    except ImportError as error:
        print(f"Ray Serve is left out, {error}: pip install 'ray[serve]'", file=sys.stderr)
        return False
    return True


def report(found: dict[str, Any], arguments: argparse.Namespace) -> None:
    """The tables."""
    for connections, servers in found["connections"].items():
        print(f"\n{connections} connections{'':<34}{'per s':>8}{'p50 ms':>8}{'p99 ms':>8}{'Tenure is':>11}")
        for name, row in servers.items():
            ratio = servers["tenure"]["per_s"] / row["per_s"]
            print(f"{TITLES[name]:<48}{row['per_s']:>8,.0f}{row['p50_ms']:>8.2f}{row['p99_ms']:>8.2f}{ratio:>9.2f} x")
        for name, must, aim in PROMISES:
            ratio = servers["tenure"]["per_s"] / servers[name]["per_s"]
            word = "aim reached" if ratio >= aim else "holds" if ratio >= must else "MISSED"
            print(f"  {ratio:.2f} x {name}: promised {must}, aim {aim}: {word}")
        behind = 1 - servers["tenure"]["per_s"] / servers["tenure-plain"]["per_s"]
        print(f"  what runs behind the answers takes {behind:.0%} of the decisions per second")
    print(f"\nopen loop, {PER_SECOND}/s, from the moment a request was due")
    for name, row in found["open_loop"].items():
        print(f"  {name:<14}" + "  ".join(f"{key[:-3]} {value:.2f} ms" for key, value in row.items()))
    behind = found["open_loop"]["tenure"]["p50_ms"] / found["open_loop"]["tenure-plain"]["p50_ms"] - 1
    print(f"  what runs behind an answer adds {behind:.0%} to its median (promised at most 10%)")
    batch = found["batch"]
    share = batch["rows_per_s"] / batch["executemany_per_s"]
    print(f"\nbatches of {BATCH}: {batch['rows_per_s']:,.0f} rows/s, {share:.0%} of a bare executemany (promised 40%)")
    print("\nmicroseconds of one decision in a group of 16, inside the server process")
    for name, spent in found["phases_us"].items():
        print(f"  {name:<44}{spent:8.1f}")
    print(
        f"\nmedian of {arguments.rounds} alternating rounds of {arguments.seconds} s; "
        f"the log is intact: {found['intact']}"
    )


if __name__ == "__main__":
    main()
