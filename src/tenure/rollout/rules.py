"""Rules of tenure.toml for single decisions, and what the server is held to; `settings.py` puts them together."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from tenure.core.errors import SettingsError

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]
Span = Annotated[str, Meta(pattern=r"^\d+\s*(ms|s|m|h|d)$", description="a number with ms, s, m, h or d, such as 10m")]

Measure = Literal["reward", "disagreement", "latency_ms", "failure_rate", "missing_outcomes", "action_share"]
"""What a breaker may watch beside a signal; `action_share` is that of the commonest action."""

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def span_of(text: str, where: str) -> timedelta:
    """A span of time from a number and its unit.

    Raises:
        SettingsError: it is no such thing, or longer than a calendar holds.

    >>> span_of("90s", "tenure.toml, reward_window.wait")
    datetime.timedelta(seconds=90)
    """
    match = re.fullmatch(r"(\d+)\s*(ms|s|m|h|d)", text)
    try:
        if match is not None:
            return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError:
        pass
    expected = "a number with ms, s, m, h or d, such as 2d"
    raise SettingsError(expected=expected, found=repr(text), where=where, fix="correct tenure.toml")


class HalfOpen(Struct, frozen=True, forbid_unknown_fields=True):
    """How a breaker may close by itself; without it only a person restores."""

    after: Annotated[Span, Meta(description="how long it stays open before it lets some traffic through")]
    share: Annotated[float, Meta(gt=0, lt=1, description="of the units, while half-open")] = 0.01
    decisions: Annotated[Count, Meta(description="learned decisions that must go well before it closes")] = 100

    @property
    def span(self) -> timedelta:
        """How long it stays open, as a span."""
        return span_of(self.after, "tenure.toml, breaker, half_open.after")


class BreakerRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Stops the learned policy on single decisions, in the transaction that records what it saw.

    Exactly one of signal and measure, one of above and below, and one of consecutive and window. Inequalities are
    strict as written; rows are counted in decision order over those whose outcome has arrived. An outcome outside its
    declared bounds is no evidence, yet breaks: what is worse than anybody expected must not pass unseen.
    """

    signal: Annotated[str | None, Meta(description="a signal of the problem")] = None
    measure: Annotated[Measure | None, Meta(description="or a figure of the decisions themselves")] = None
    above: Annotated[float, Meta(description="breaks strictly above this")] | None = None
    below: Annotated[float, Meta(description="or strictly below this")] | None = None
    consecutive: Annotated[Count | None, Meta(description="trips on the n-th breaking decision in a row")] = None
    window: Annotated[Count | None, Meta(description="or over the last so many decisions, once there are as many")] = (
        None
    )
    rate: Annotated[float, Meta(ge=0, lt=1, description="with window: trips above this share breaking")] | None = None
    quantile: (
        Annotated[float, Meta(gt=0, lt=1, description="with window: this quantile is compared, instead of the mean")]
        | None
    ) = None
    name: Annotated[str, Meta(description="what the log calls it; default made from the rule")] = ""
    half_open: Annotated[HalfOpen | None, Meta(description="close by itself after a while; default a person must")] = (
        None
    )

    @property
    def watched(self) -> str:
        """The signal or measure."""
        return str(self.signal or self.measure)

    @property
    def size(self) -> int:
        """How many decisions it judges together."""
        return self.consecutive or self.window or 1

    @property
    def limit(self) -> float:
        """What is compared with."""
        return float(self.above if self.above is not None else self.below or 0.0)

    @property
    def condition(self) -> str:
        """What breaks, in words."""
        return f"{self.watched} {'above' if self.above is not None else 'below'} {self.limit:g}"

    @property
    def label(self) -> str:
        """What the log calls it."""
        return self.name or self.words

    @property
    def words(self) -> str:
        """The whole rule as one phrase."""
        if self.consecutive is not None:
            return f"{self.condition}, {self.consecutive} in a row"
        if self.rate is not None:
            return f"{self.condition} in more than {100 * self.rate:g} % of {self.window}"
        figure = "" if self.measure == "action_share" else f"{_figure(self.quantile)} "
        return f"{figure}{self.condition} over {self.window}"


def _figure(quantile: float | None) -> str:
    return "mean" if quantile is None else f"{quantile:g} quantile of"


class SignalRule(Struct, frozen=True, forbid_unknown_fields=True):
    """A KPI whose proven regression beyond `margin` holds the promotion, without rolling back."""

    kpi: str
    margin: Annotated[float, Meta(ge=0)]
    relative: bool = False
    alpha: Annotated[float, Meta(gt=0, lt=1)] = 0.05
    bounds: tuple[float, float] = (-1.0, 1.0)


class HumanRule(Struct, frozen=True, forbid_unknown_fields=True):
    """A single decision that a person must approve: the incumbent answers at once, the learned proposal is queued.

    Of what is stated, all must hold: a feature above or below a limit, one of some actions, a confidence below a limit.
    """

    name: Annotated[str, Meta(min_length=1)]
    feature: str | None = None
    above: float | None = None
    below: float | None = None
    actions: Annotated[list[str], Meta(description="labels of the proposed action")] = msgspec.field(
        default_factory=list
    )
    confidence_below: Annotated[float, Meta(gt=0, le=1)] | None = None
    deadline: Annotated[Span, Meta(description="how long it may be approved")] = "10m"

    @property
    def span(self) -> timedelta:
        """The deadline as a span."""
        return span_of(self.deadline, f"tenure.toml, human {self.name!r}, deadline")


class ExplorationRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of live exploration; `rollout.exploration` is its rate.

    One server keeps `per_day` and `per_segment` to the row. Several may go beyond them together by what the others
    explore within a second, since each counts its own rows at once and those of the others once a second.
    """

    floor: Annotated[Share, Meta(description="least rate while it is on")] = 0.0
    per_day: Annotated[int, Meta(ge=0, description="most explored decisions a UTC day; none is no limit")] | None = None
    segment: Annotated[str | None, Meta(description="feature whose value names the segment")] = None
    per_segment: Annotated[int, Meta(ge=0, description="most explored decisions a day in one segment")] | None = None
    scale: Annotated[
        float,
        Meta(gt=0, le=1, description="standard deviation of an explored vector's numbers, as a share of their range"),
    ] = 0.1
    risk: Annotated[Share, Meta(description="how risky a wrong action is, from 0 to 1, as the risk officer judges")] = (
        0.0
    )
    risk_limit: Annotated[Share, Meta(description="above this risk exploration is off until a person turns it on")] = (
        0.5
    )


class Ready(Struct, frozen=True, forbid_unknown_fields=True):
    """What must be in order before anything leaves SHADOW."""

    alert: Annotated[bool, Meta(description="a test alert was delivered")] = True
    drill_days: Annotated[int, Meta(ge=0, description="the last kill drill is at most so old; 0 asks for none")] = 30
    outcomes: Annotated[Share, Meta(description="least share of closed shadowed decisions with an outcome")] = 0.5


class AlertRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told."""

    channels: Annotated[
        dict[str, str], Meta(description="Apprise addresses by name; $NAME is read from the environment")
    ] = msgspec.field(default_factory=dict)
    expire: Annotated[Span, Meta(description="an alert not delivered by then is given up")] = "1d"
    private_addresses: Annotated[bool, Meta(description="webhooks may reach loopback and private networks")] = False


class MonitorRule(Struct, frozen=True, forbid_unknown_fields=True):
    """What the monitors of `tenure monitor` are held to."""

    false_alarms: Annotated[
        float, Meta(gt=0, le=100, description="false alarms within 30 days that are acceptable, all monitors together")
    ] = 1.0
    reference_days: Annotated[int, Meta(ge=7, le=90, description="first days of a log, which only teach the usual")] = (
        14
    )
    cool_down: Annotated[Span, Meta(description="alarms of one monitor and segment within it are one")] = "1d"


class RetrainRule(Struct, frozen=True, forbid_unknown_fields=True):
    """When `tenure tick` retrains; without the table it never does."""

    every: Annotated[Span, Meta(description="the longest a version may age; 1d, 7d, 30d")] = "7d"
    on_drift: Annotated[bool, Meta(description="alarms of the monitors call for a retraining, too")] = True
    min_new_decisions: Annotated[int, Meta(ge=1, description="fewer new ones are nothing to learn from")] = 5_000
    volume: Annotated[int, Meta(ge=0, description="so many new decisions call for a retraining; 0 for none")] = 0
    cool_down: Annotated[
        Span, Meta(description="least time between two: short keeps a version fresh, long keeps it the same")
    ] = "1d"
    keep_days: Annotated[int, Meta(ge=90, description="days every version's bundle stays, at least")] = 90
    stay: Annotated[float, Meta(ge=0, description="weight of the pull towards the live policy, docs/retraining.md")] = (
        0.0
    )


class Serving(Struct, frozen=True, forbid_unknown_fields=True):
    """What the decision server is held to."""

    deadline_ms: Annotated[int, Meta(ge=1, description="the policy's time to propose; then the incumbent answers")] = 50
    valid_s: Annotated[int, Meta(ge=1, description="how long a client may act on an answer")] = 30
    lease_ms: Annotated[
        int, Meta(ge=50, le=2000, description="oldest view of the log a learned answer may rest on")
    ] = 2000
    poll_ms: Annotated[int, Meta(ge=5, le=1000, description="how often the log's head is looked at")] = 50
    apart: Annotated[bool, Meta(description="run the policy in a process of its own, for bundles not trusted")] = False
    personalizer_signal: Annotated[
        str | None, Meta(description="signal that Personalizer clients' reward is; default the only one there is")
    ] = None
