"""One server put together: the rooms it needs, each handed what it needs of the others."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tenure import __version__
from tenure.cli.alerting import courier_of
from tenure.cli.judging import ServersOperations
from tenure.cli.workspace import Workspace, checkpoints_of, keys_of
from tenure.console.operator import PAGES
from tenure.core.clock import Clock, ManualClock
from tenure.core.decision import Decision
from tenure.core.errors import StoreError
from tenure.core.policy import Policy
from tenure.core.residual import Adjusting
from tenure.monitoring import Courier, CourierThread
from tenure.rollout import Breakers, Exploration, Humans
from tenure.rollout.human import proposed
from tenure.serving import DecisionService, create_app
from tenure.serving.access import Access, TokenAccess
from tenure.serving.apart import loader
from tenure.serving.api import Desk, Metrics, rest_app
from tenure.serving.app import App
from tenure.serving.choice import Held
from tenure.serving.choose import Loader
from tenure.serving.keeping import Duty, Keeper
from tenure.serving.lease import Standing, Watched
from tenure.serving.loading import Loading
from tenure.serving.spool import Spool
from tenure.store import Control, Store
from tenure.store.checkpoints import Signer
from tenure.store.database import Connection
from tenure.store.manifest import read_manifest, residual_of
from tenure.store.pending import Pending
from tenure.store.replicas import Replica, Replicas

PRELOAD_S = 10.0
"""How long a server that starts waits for its bundle; after that the incumbent answers until it is there."""

log = logging.getLogger("tenure.serving")


@dataclass(frozen=True)
class Server:
    """A server that answers as long as it is open.

    Args:
        app: the application.
        service: what decides.
    """

    app: App
    service: DecisionService


@contextmanager
def server(
    project: str, workspace: Workspace, store: Store, clock: Clock, access: Access, url: str, *, secure: bool
) -> Iterator[Server]:
    """A server over a log; when it closes it signs off, after everything that came was answered.

    Args:
        project: as `tenure` names it.
        workspace: what it holds.
        store: its log.
        clock: a ManualClock follows the requests' `at`; such a server reads the log each time, waits for its bundle,
            so that answers depend on the requests alone, and is not registered.
        access: who may ask.
        url: where it listens.
        secure: cookies travel over TLS only.
    """
    problem, settings = workspace.project.problem, workspace.settings
    with ExitStack() as open_:
        load, standing = _loader(workspace), None
        if not isinstance(clock, ManualClock):
            load = loading = Loading(load)
            _preload(loading, store.control(problem.name).version)
            standing = open_.enter_context(_watched(workspace, store, clock, url, loading))
        exploring = Exploration(settings, problem)
        spool = open_.enter_context(_own_spool(workspace.home))
        service = _service(workspace, store, clock, load, standing, exploring, spool)

        def reading() -> None:
            exploring.read(store, clock.now())

        reading()
        _drain_others(workspace.home, service)
        courier = courier_of(problem.name, settings, store, clock)
        verbs = ServersOperations(project, workspace, store, clock)
        desk = Desk(
            service, verbs, access, workspace.bundles, Metrics(), lambda actor: _tried(courier, actor), secure=secure
        )
        if courier.channels.names:
            open_.callback(CourierThread(courier).close)
        signing = open_.enter_context(_signing(workspace, service))
        open_.enter_context(Keeper(service, [*_duties(service, access, signing), reading]))
        yield Server(create_app(service, access=access, rest=rest_app(desk, PAGES)), service)


def _service(
    workspace: Workspace,
    store: Store,
    clock: Clock,
    load: Loader,
    standing: Standing | None,
    exploring: Exploration,
    spool: Spool,
) -> DecisionService:
    """What decides, with everybody it asks."""
    problem, settings = workspace.project.problem, workspace.settings
    return DecisionService(
        *(problem, workspace.project.incumbent, store, settings, clock, load),
        standing=standing,
        breakers=Breakers(problem, settings),
        exploring=exploring,
        humans=Humans(settings.human, problem) if settings.human else None,
        queue=_queue(Pending(store)),
        spool=spool,
    )


def _loader(workspace: Workspace) -> Loader:
    """Bundles in this process, or each in one of its own where `serving.apart` asks for it; incumbents stay here."""
    serving = workspace.settings.serving
    if not serving.apart:
        return workspace.bundle
    load, project = loader(workspace.bundles, serving.deadline_ms / 1000), workspace.project

    def apart(version: str) -> Policy:
        residual = residual_of(read_manifest(workspace.here(version)), project.incumbent)
        policy = load(version)
        return policy if residual is None else Adjusting(policy, project.incumbent, residual, project.problem.action)

    return apart


def _preload(loading: Loading, version: str | None) -> None:
    """Wait for the candidate's bundle for a while, so that a restart serves it at once."""
    if version is not None and not loading.wait(version, PRELOAD_S):
        log.warning("the bundle %s is not loaded yet; the incumbent answers until it is", version)


def _duties(service: DecisionService, access: Access, signing: Duty) -> list[Duty]:
    refresh: list[Duty] = [access.refresh] if isinstance(access, TokenAccess) else []
    return [*refresh, service.away.drain, signing]


@contextmanager
def _signing(workspace: Workspace, service: DecisionService) -> Iterator[Duty]:
    """Signs the log at the start, at the end, after each kill and restore, and now and then between."""
    problem, base = service.problem.name, workspace.home.parent
    signer = Signer(service.store, problem, keys_of(base), checkpoints_of(problem, base))
    seen = service.standing.control()[0].kill_epoch
    _sign(signer, service)

    def sign() -> None:
        nonlocal seen
        control, _ = service.standing.control()
        if control.kill_epoch != seen:
            signer.sign(service.clock.now())
        else:
            signer.maybe(service.clock.now(), control.sequence)
        seen = control.kill_epoch

    yield sign
    _sign(signer, service)


def _sign(signer: Signer, service: DecisionService) -> None:
    """Sign now; a server starts and ends without it, too."""
    try:
        signer.sign(service.clock.now())
    except StoreError as error:
        log.warning("the log could not be signed: %s", error)


@contextmanager
def _watched(workspace: Workspace, store: Store, clock: Clock, url: str, loading: Loading) -> Iterator[Standing]:
    """Where the rollout stands, from memory under a lease; register and bundles hear of every look that is news."""
    problem, serving, replicas = workspace.project.problem.name, workspace.settings.serving, Replicas(store)
    now = clock.now()
    mine = Replica(problem, _name(), now, now, 0, None, __version__, url)

    def seen(control: Control, stopped: bool = False) -> None:
        if control.version is not None and not stopped:
            loading.begin(control.version)
        told = replace(mine, seen_at=clock.now(), epoch=control.kill_epoch, version=control.version, stopped=stopped)
        replicas.seen(told)

    watched = Watched(
        store,
        problem,
        clock,
        poll_s=serving.poll_ms / 1000,
        lease_s=serving.lease_ms / 1000,
        stop=workspace.stop.engaged,
        seen=seen,
    )
    with watched:
        yield watched
    try:
        seen(watched.control()[0], stopped=True)
    except Exception as error:  # it is heard of no more, which says the same a few seconds later
        log.warning("the server could not sign off: %s", error)


def _name() -> str:
    """This server's name in the register: where and which process, and no other's after a restart."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def _queue(pending: Pending) -> Any:
    """Queues a proposal for a person, in the transaction that writes the decision."""

    def queue(connection: Connection, decision: Decision, held: Held) -> None:
        row = proposed(held.rule, decision, held.version, held.action, held.confidence)
        pending.queue(connection, [row])

    return queue


def _tried(courier: Courier, actor: str) -> list[dict[str, Any]]:
    """A test alert through every channel: what the log says of each."""
    return [dict(courier.test(channel, actor).payload) for channel in courier.channels.names]


@contextmanager
def _own_spool(home: Path) -> Iterator[Spool]:
    """A spool that is this server's as long as it lives: a dead server's lock is free."""
    with _locked(home / f"spool-{uuid.uuid4().hex[:12]}.jsonl") as path:
        assert path is not None
        spool = Spool(path)
        yield spool
        if not spool:
            path.unlink(missing_ok=True)


def _drain_others(home: Path, service: DecisionService) -> None:
    """Move what servers that died have spooled into the log."""
    for found in sorted(home.glob("spool-*.jsonl")):
        with _locked(found) as path:
            if path is None:
                continue
            left = Spool(path)
            rows = len(left)
            while left and left.drain(service.store, service.settler, service.clock.now(), 256):
                pass
            if not left:
                path.unlink(missing_ok=True)
                log.info("the spool of a dead server was drained", extra={"fields": {"file": path.name, "rows": rows}})


@contextmanager
def _locked(path: Path) -> Iterator[Path | None]:
    """The file, held by this process alone; None when another holds it."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
            return
        yield path
