"""The servers that benchmarks compare: each one uvicorn process with uvloop and httptools, and the same policy."""

from __future__ import annotations

import argparse
import json
import socket
import sqlite3
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from tenure.core.clock import SystemClock
from tenure.core.project import load_project
from tenure.rollout.settings import Settings, read_settings
from tenure.serving import DecisionService, create_app
from tenure.serving.lease import Watched
from tenure.serving.service import Answered
from tenure.store import BundlePolicy, Event, SqliteStore, load_bundle

PROJECT = load_project("bikes")
PROBLEM = PROJECT.problem
NAMES = PROBLEM.feature_names
PATH = f"/v1/{PROBLEM.name}/decisions"


def noop(folder: Path, policy: BundlePolicy) -> Any:
    """Answers the same bytes, whatever is asked: what HTTP itself costs."""
    del folder, policy
    return _bare(lambda _: b'{"action": 1}')


def bare(folder: Path, policy: BundlePolicy) -> Any:
    """The least a decision can cost over HTTP: no routing, no checks, no log."""
    del folder
    decoder = msgspec.json.Decoder()

    def decide(body: bytes) -> bytes:
        context = decoder.decode(body)["context"]
        observation = np.array([[context[name] for name in NAMES]], dtype=np.float32)
        return msgspec.json.encode({"action": int(policy.answers(observation).argmax())})

    return _bare(decide)


def _bare(answer: Callable[[bytes], bytes]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = answer((await receive())["body"])
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


class Decide(BaseModel):
    """A request as a FastAPI handler declares it."""

    unit_id: str
    context: dict[str, float]


def fastapi(folder: Path, policy: BundlePolicy) -> Any:
    """What a team writes in an afternoon, without a log."""
    del folder
    return _fastapi(policy, lambda _: None)


def fastapi_sqlite(folder: Path, policy: BundlePolicy) -> Any:
    """The same; the row is committed before the answer, one by one."""
    rows = sqlite3.connect(folder / "rows.sqlite", check_same_thread=False)
    rows.execute("PRAGMA journal_mode = WAL")
    rows.execute("PRAGMA synchronous = FULL")
    columns = ", ".join(f"c{index}" for index in range(16))
    rows.execute(f"CREATE TABLE decision ({columns.replace('c0', 'c0 PRIMARY KEY', 1)})")

    def write(row: tuple[Any, ...]) -> None:
        rows.execute(f"INSERT INTO decision VALUES ({', '.join('?' * 16)})", row)
        rows.commit()

    return _fastapi(policy, write)


def _fastapi(policy: BundlePolicy, write: Callable[[tuple[Any, ...]], None]) -> FastAPI:
    app = FastAPI()

    @app.post(PATH)
    async def decide(request: Decide) -> dict[str, Any]:
        observation = np.array([[request.context[name] for name in NAMES]], dtype=np.float32)
        proposal = policy.propose(observation, None, np.zeros(1))
        action, confidence = int(proposal.action[0]), float(proposal.confidence[0])
        answer = {"decision_id": uuid.uuid4().hex, "action": action, "confidence": confidence}
        write(
            (
                *(answer["decision_id"], PROBLEM.name, PROBLEM.version, request.unit_id),
                *(datetime.now(UTC).isoformat(), json.dumps(request.context), observation.tobytes()),
                *("full", "candidate", policy.version, action, 1.0, 0, confidence, 0, "candidate"),
            )
        )
        return answer

    return app


def tenure(folder: Path, policy: BundlePolicy) -> Any:
    """Tenure as it serves: log, fence, hash chain, lease; the candidate decides all, the shadow asks the incumbent."""
    return create_app(service_of(folder / "log.sqlite", policy)[0])


def tenure_plain(folder: Path, policy: BundlePolicy) -> Any:
    """The same without what runs behind the answers."""
    app = create_app(service_of(folder / "plain.sqlite", policy)[0])

    def nothing(_: Answered) -> None: ...

    async def without(scope: Any, receive: Any, send: Any) -> None:
        app.service.behind = nothing
        await app(scope, receive, send)

    return without


def service_of(path: Path, policy: BundlePolicy, **options: Any) -> tuple[DecisionService, Watched]:
    """A service at stage FULL over a new log, and the watch that feeds it."""
    store = SqliteStore(path, **options)
    settings = read_settings(PROJECT.folder / "tenure.toml", PROBLEM) if PROJECT.folder else Settings()
    store.open_problem(PROBLEM.name, "benchmark")
    stage = {"stage": "full", "share": 1.0, "version": policy.version}
    store.append_event(Event(PROBLEM.name, "stage", "benchmark", "benchmark", datetime.now(UTC), {}), control=stage)
    serving, clock = settings.serving, SystemClock()
    standing = Watched(
        store, PROBLEM.name, clock, poll_s=serving.poll_ms / 1000, lease_s=serving.lease_ms / 1000
    ).__enter__()
    service = DecisionService(PROBLEM, PROJECT.incumbent, store, settings, clock, lambda _: policy, standing=standing)
    return service, standing


SERVERS: dict[str, Callable[[Path, BundlePolicy], Any]] = {
    "noop": noop,
    "bare": bare,
    "fastapi": fastapi,
    "fastapi-sqlite": fastapi_sqlite,
    "tenure-plain": tenure_plain,
    "tenure": tenure,
}


def main() -> None:
    """Run one server until it is stopped; prints its port first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=(*SERVERS, "ray"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("version")
    arguments = parser.parse_args()
    policy = load_bundle(arguments.folder / "bundles" / arguments.version, PROBLEM)
    # Named TCP outright: asyncio turns off Nagle's delay only where the protocol is stated.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    if arguments.name == "ray":
        run_ray(policy, listener)
        return
    app = SERVERS[arguments.name](arguments.folder, policy)
    listener.listen(2048)  # before the port is told, so that nobody is refused
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def run_ray(policy: BundlePolicy, listener: socket.socket) -> None:
    """Ray Serve with the same FastAPI handler and no log, on the port of a listener, until it is stopped."""
    import ray
    from ray import serve

    port = listener.getsockname()[1]
    listener.close()
    bundle, path = policy.bundle, PATH

    class Handler:
        def __init__(self) -> None:
            self.policy = BundlePolicy(bundle)

        async def __call__(self, request: Any) -> dict[str, Any]:
            context = (await request.json())["context"]
            observation = np.array([[context[name] for name in NAMES]], dtype=np.float32)
            proposal = self.policy.propose(observation, None, np.zeros(1))
            return {"action": int(proposal.action[0]), "confidence": float(proposal.confidence[0])}

    deployment: Any = serve.deployment
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(deployment(Handler, ray_actor_options={"num_cpus": 0}).bind(), route_prefix=path)
    print(port, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
