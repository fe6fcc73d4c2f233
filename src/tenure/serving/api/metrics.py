"""What Prometheus reads; every figure is named once in METRICS, from which the reference is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from tenure.core.decision import Decision
from tenure.core.errors import StoreError
from tenure.rollout.stages import Stage
from tenure.serving.api.operation import Call
from tenure.serving.hot import APP
from tenure.store.outbox import Outbox

if TYPE_CHECKING:
    from tenure.serving.api.desk import Desk

LATENCIES_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
GROUPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
disable_created_metrics()  # type: ignore[no-untyped-call]  # series of birthdays, which nobody asked for

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Figure:
    """One figure: its name, how it moves, what tells its series apart, and what it says, with its unit."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    says: str


METRICS = (
    Figure("tenure_decisions_total", "counter", ("arm", "reason"), "decisions written and answered"),
    Figure("tenure_decision_latency_seconds", "histogram", (), "from the request's arrival to its row, in seconds"),
    Figure("tenure_group_size", "histogram", (), "decisions of one group commit"),
    Figure("tenure_server_total", "counter", ("what",), "what the server counted: answered, refused, default_used..."),
    Figure("tenure_fallbacks_total", "counter", ("reason",), "groups the candidate could not answer, by reason"),
    Figure("tenure_stage", "gauge", ("stage",), "1 for the stage of the rollout, 0 for the others"),
    Figure("tenure_share", "gauge", (), "share of the units the candidate really decides for, in [0, 1]"),
    Figure("tenure_killed", "gauge", (), "1 while a kill is in force"),
    Figure("tenure_kill_epoch", "gauge", (), "kill epoch this server answers under"),
    Figure("tenure_trusted", "gauge", (), "1 while this server's view of the log may be trusted, else 0"),
    Figure("tenure_lease_age_seconds", "gauge", (), "age of this server's view of the log, in seconds"),
    Figure(
        "tenure_outbox_age_seconds", "gauge", (), "age of the oldest alert not delivered, in seconds; 0 without one"
    ),
    Figure("tenure_spool_rows", "gauge", (), "rows that wait on disk for the log to come back"),
    Figure("tenure_shadow_lag_groups", "gauge", (), "answered groups the shadow has not seen yet"),
)
_BY_NAME = {figure.name: figure for figure in METRICS}


class Metrics:
    """The figures of one server, in a registry of their own.

    Decisions are counted as they are answered, with `update`; everything else is read when Prometheus asks.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._decisions = _counter("tenure_decisions_total", self._registry)
        self._latency = _histogram("tenure_decision_latency_seconds", LATENCIES_S, self._registry)
        self._group = _histogram("tenure_group_size", GROUPS, self._registry)

    def update(self, written: Sequence[Decision]) -> None:
        """Count the decisions of one group commit."""
        self._group.observe(len(written))
        for row in written:
            self._decisions.labels(row.arm.value, row.reason).inc()
            self._latency.observe(row.latency_us / 1e6)

    def text(self, desk: Desk, shadow_lag: int) -> bytes:
        """All of them, in Prometheus's text format."""
        asked = CollectorRegistry()
        asked.register(_Now(desk, shadow_lag))
        return bytes(generate_latest(self._registry) + generate_latest(asked))


def metrics(call: Call) -> Response:
    """Everything Prometheus reads."""
    shadow = call.scope[APP].shadow
    return Response(call.desk.metrics.text(call.desk, shadow.lag), media_type=CONTENT_TYPE)


class _Now(Collector):
    """What is read when Prometheus asks."""

    def __init__(self, desk: Desk, shadow_lag: int) -> None:
        self._desk, self._shadow_lag = desk, shadow_lag

    def collect(self) -> Iterator[Metric]:
        """Counters of the service, and where it stands."""
        service = self._desk.service
        yield _counted("tenure_server_total", dict(service.counters))
        yield _counted("tenure_fallbacks_total", dict(service.chooser.failures))
        control, word = service.standing.control()
        yield _gauge("tenure_stage", {stage.value: float(stage == control.stage) for stage in Stage})
        yield _gauge("tenure_share", 0.0 if word else control.live_share)
        yield _gauge("tenure_killed", float(control.killed))
        yield _gauge("tenure_kill_epoch", control.kill_epoch)
        yield _gauge("tenure_trusted", float(not word))
        for name, value in self._ages():
            yield _gauge(name, value)

    def _ages(self) -> Iterator[tuple[str, float]]:
        """What lags, as far as this server has it and the database answers."""
        service = self._desk.service
        yield "tenure_lease_age_seconds", getattr(service.standing, "age_s", 0.0)
        yield "tenure_spool_rows", len(service.away.spool)
        yield "tenure_shadow_lag_groups", self._shadow_lag
        try:
            oldest = Outbox(service.store).oldest_waiting(self._desk.problem)
        except StoreError:
            return
        yield "tenure_outbox_age_seconds", 0.0 if oldest is None else (service.clock.now() - oldest).total_seconds()


def _counter(name: str, registry: CollectorRegistry) -> Counter:
    figure = _BY_NAME[name]
    return Counter(figure.name, figure.says, figure.labels, registry=registry)


def _histogram(name: str, buckets: Sequence[float], registry: CollectorRegistry) -> Histogram:
    figure = _BY_NAME[name]
    return Histogram(figure.name, figure.says, figure.labels, buckets=buckets, registry=registry)


def _counted(name: str, values: dict[str, int]) -> Metric:
    figure = _BY_NAME[name]
    family = CounterMetricFamily(figure.name, figure.says, labels=figure.labels)
    for label, value in sorted(values.items()):
        family.add_metric([label], value)
    return family


def _gauge(name: str, value: float | dict[str, float]) -> Metric:
    figure = _BY_NAME[name]
    family = GaugeMetricFamily(figure.name, figure.says, labels=figure.labels)
    for label, each in (value if isinstance(value, dict) else {"": value}).items():
        family.add_metric([label] if figure.labels else [], each)
    return family
