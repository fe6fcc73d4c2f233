"""`tenure serve`: the decision server as one process."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tenure.cli.output import Output
from tenure.cli.workspace import open_workspace
from tenure.core.clock import Clock, ManualClock, SystemClock
from tenure.core.errors import ProjectError


def run_server(
    output: Output,
    project: str,
    host: str,
    port: int,
    simulated_clock: bool,
    home: Path | None,
    also: Mapping[str, Any] | None = None,
) -> None:
    """Serve until stopped; prints where it listens first, with `also` in the same JSON object."""
    import uvicorn

    from tenure.rollout import check_head
    from tenure.serving import DecisionService, create_app

    _check_loopback(host)
    workspace = open_workspace(project, home)
    problem = workspace.project.problem
    clock: Clock = ManualClock(datetime.min.replace(tzinfo=UTC)) if simulated_clock else SystemClock()
    with workspace.store() as store, _listen(host, port) as listener:
        service = DecisionService(
            problem, workspace.project.incumbent, store, workspace.settings, clock, workspace.bundle
        )
        url = f"http://{host}:{listener.getsockname()[1]}"
        control = store.control(problem.name)
        check_head(control, store.events(problem.name))
        stands = "KILLED, the incumbent answers" if control.killed else f"share {control.share:g}"
        output.say(f"{url}/v1/{problem.name}  stage {control.stage}, {stands}, salt {control.salt!r}")
        output.result({**(also or {}), "url": url, "stage": control.stage, "killed": control.killed})
        config = uvicorn.Config(create_app(service), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


def _check_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ProjectError(
            expected="a loopback address: this version has no authentication",
            found=host,
            where="--host",
            fix="listen on 127.0.0.1 and put your own authenticating proxy before it",
        )


def _listen(host: str, port: int) -> socket.socket:
    # Named TCP outright: asyncio turns off Nagle's delay, 40 ms a request, only where the protocol is stated.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)  # before the address is printed, or a quick reader is refused
    except OSError as error:
        listener.close()
        raise ProjectError(
            expected="a free port", found=error.strerror or str(error), where=f"{host}:{port}", fix="choose another"
        ) from error
    return listener
