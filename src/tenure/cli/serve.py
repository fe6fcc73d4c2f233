"""`tenure serve`: the decision server as one process."""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.cli.logs import LogFormat, log_to_stderr
from tenure.cli.output import Output
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.clock import Clock, ManualClock, SystemClock
from tenure.core.errors import ProjectError
from tenure.store import Store

if TYPE_CHECKING:
    import uvicorn

    from tenure.serving.access import Access
    from tenure.serving.app import App

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""Names by which a server on loopback is called."""
DRAIN_S = 10
"""How long requests under way may take when the server is told to stop; in seconds."""

LOCK_WAIT_S = 1.0
"""How long a decision waits for another process that writes the log, before the incumbent answers; in seconds."""

log = logging.getLogger("tenure.serving")


def run_server(
    output: Output,
    project: str,
    host: str,
    port: int,
    simulated_clock: bool,
    home: Path | None,
    also: Mapping[str, Any] | None = None,
    *,
    auth: bool = False,
    allow_host: Sequence[str] = (),
    log_format: LogFormat = "text",
) -> None:
    """Serve until told to stop; prints where it listens first, with `also` in the same JSON object."""
    from tenure.cli.wiring import server
    from tenure.rollout import check_head

    _check_address(host, auth)
    log_to_stderr(log_format)
    workspace = open_workspace(project, home)
    problem = workspace.project.problem.name
    clock: Clock = ManualClock(datetime(1970, 1, 1, tzinfo=UTC)) if simulated_clock else SystemClock()
    with workspace.store(LOCK_WAIT_S) as store, _listen(host, port) as listener:
        access = _access(store, clock, auth, frozenset([*LOOPBACK, _called(host), *map(str.lower, allow_host)]))
        check_head(store.control(problem), store.events(problem))
        url = f"http://{_called(host)}:{listener.getsockname()[1]}"
        with server(project, workspace, store, clock, access, url, secure=not _is_loopback(host)) as serving:
            running = _ready(serving.app)
            _say(output, workspace, store, url, also or {})
            log.info("serving", extra={"fields": {"url": url, "problem": problem, "login": auth}})
            running.run(sockets=[listener])
        log.info("stopped; everything that came was answered", extra={"fields": {"problem": problem}})


def _ready(app: App) -> uvicorn.Server:
    """What answers until SIGTERM or SIGINT, and then finishes what came; told to stop is no failure: the code is 0."""
    import uvicorn

    from tenure.serving.door import KEEP_ALIVE_S, door, limits

    config = uvicorn.Config(
        app,
        http=door(limits()),
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_S,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
    running = uvicorn.Server(config)
    # uvicorn raises the signal again when it is done; and one that comes before it listens must not be lost.
    signal.signal(signal.SIGTERM, lambda *_: setattr(running, "should_exit", True))
    return running


def _say(output: Output, workspace: Workspace, store: Store, url: str, also: Mapping[str, Any]) -> None:
    settings, control = workspace.settings, store.control(workspace.project.problem.name)
    stands = "KILLED, the incumbent answers" if control.killed else f"share {control.live_share:g}"
    if workspace.stop.engaged():
        stands = "STOPPED by the stop file, the incumbent answers"
    counts = (len(settings.breaker), len(settings.guardrail), len(settings.human))
    rules = "{} breaker(s), {} guardrail(s), {} human rule(s)".format(*counts)
    output.say(f"{url}/v1/{control.problem}  stage {control.stage}, {stands}, salt {control.salt!r}")
    output.say(f"Page: {url}/  Stages {settings.rollout.stages}, {rules}, deadline {settings.serving.deadline_ms} ms")
    output.say(f"To stop it without page, command or database: touch {workspace.stop.path.resolve()}")
    output.result(
        {
            **also,
            "url": url,
            "stage": control.stage,
            "killed": control.killed,
            "stop_file": str(workspace.stop.path.resolve()),
        }
    )


def _access(store: Store, clock: Clock, auth: bool, hosts: frozenset[str]) -> Access:
    from tenure.serving.access import OpenAccess, TokenAccess
    from tenure.store.tokens import Tokens

    if not auth:
        return OpenAccess(hosts)
    tokens = Tokens(store)
    if not any(token.opens(clock.now()) for token in tokens.list()):
        raise ProjectError(
            expected="at least one token, or nobody could log in",
            found="none that opens",
            where="--auth",
            fix="tenure token create P --role admin --name NAME",
        )
    return TokenAccess(tokens, clock, hosts)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _called(host: str) -> str:
    """An address as it stands in a URL."""
    return f"[{host}]" if ":" in host else host.lower()


def _check_address(host: str, auth: bool) -> None:
    if not auth and not _is_loopback(host):
        raise ProjectError(
            expected="a loopback address, or --auth",
            found=host,
            where="--host",
            fix="make a token with `tenure token create` and start with --auth, or listen on 127.0.0.1",
        )


def _listen(host: str, port: int) -> socket.socket:
    # Named TCP outright: asyncio turns off Nagle's delay, 40 ms a request, only where the protocol is stated.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
