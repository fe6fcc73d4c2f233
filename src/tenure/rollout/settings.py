"""tenure.toml: what operations may change. Every field says what it does; all are checked when the file is read."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from tenure.core.problem import Problem
from tenure.rollout.checks import (
    check_alerts,
    check_breakers,
    check_exploration,
    check_humans,
    check_personalizer,
    wrong,
)
from tenure.rollout.rules import (
    AlertRule,
    BreakerRule,
    ExplorationRule,
    HumanRule,
    MonitorRule,
    Ready,
    RetrainRule,
    Serving,
    SignalRule,
    span_of,
)

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]
PerStage = Count | Annotated[list[Count], Meta(min_length=1)]
Alpha = Annotated[float, Meta(gt=0, lt=1)]


class Shadow(Struct, frozen=True, forbid_unknown_fields=True):
    """How much shadowing comes before the first live decision."""

    min_decisions: Annotated[Count, Meta(description="decisions that also got the candidate's proposal")] = 10_000
    min_days: Annotated[Count, Meta(description="whole days in SHADOW")] = 14


class Bake(Struct, frozen=True, forbid_unknown_fields=True):
    """The candidate's own minimum in each live stage; a list gives one per stage, zero never passes."""

    min_decisions: Annotated[PerStage, Meta(description="decisions the candidate answered itself")] = 2_000
    min_units: Annotated[PerStage, Meta(description="closed units it answered")] = 20
    min_days: Annotated[PerStage, Meta(description="whole days in the stage")] = 1


class RolloutSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Stages, their sizes, and who must say yes."""

    unit: Annotated[str, Meta(description="request field whose value keeps its arm")] = "unit_id"
    salt: Annotated[str, Meta(description="fixes which units the candidate gets; set it before the first rollout")] = ""
    shadow: Shadow = Shadow()
    stages: Annotated[list[Share], Meta(min_length=1, description="traffic shares after SHADOW, rising, last is 1")] = (
        msgspec.field(default_factory=lambda: [0.01, 0.1, 1.0])
    )
    bake: Bake = Bake()
    approval: Annotated[list[Share], Meta(description="shares a person must approve")] = msgspec.field(
        default_factory=lambda: [0.01, 1.0]
    )
    approval_days: Annotated[int, Meta(ge=1, description="days after which a request nobody answered expires")] = 7
    exploration: Annotated[Share, Meta(description="share of the candidate's decisions drawn at random")] = 0.001


class Promote(Struct, frozen=True, forbid_unknown_fields=True):
    """What must be proven before the share grows to `to`; 0 is entry to SHADOW."""

    to: Share
    kpi: str
    margin: Annotated[float, Meta(ge=0, description="not worse than the incumbent by more than this")]
    evidence: Literal["selection", "replay", "live"] = "live"
    relative: Annotated[bool, Meta(description="the margin is a share of the incumbent's figure")] = False
    alpha: Alpha = 0.05
    cluster: Annotated[
        Literal["unit", "day"], Meta(description="independent unit of the interval; units of one day share its luck")
    ] = "unit"
    bounds: Annotated[tuple[float, float], Meta(description="one cluster's gain lies within; beyond is an error")] = (
        -1.0,
        1.0,
    )


class GuardrailSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A KPI whose proven regression beyond `margin` rolls back; sequential, so looking often is safe."""

    kpi: str
    margin: Annotated[float, Meta(ge=0)]
    relative: bool = False
    alpha: Annotated[
        float, Meta(gt=0, lt=1, description="shared: each of a rollout's guardrails is judged at alpha / their number")
    ] = 0.05
    bounds: tuple[float, float] = (-1.0, 1.0)


_OnKpi = Promote | GuardrailSettings | SignalRule
"""Rules that compare a KPI with the incumbent's."""


class RewardWindow(Struct, frozen=True, forbid_unknown_fields=True):
    """How long an outcome may take, and what stands for one that never comes."""

    wait: Annotated[str, Meta(description="reward wait time: a number with ms, s, m, h or d")] = "2d"
    default: float = 0.0

    @property
    def span(self) -> timedelta:
        """The wait as a span."""
        return span_of(self.wait, "tenure.toml, reward_window.wait")


NO_RULE = "no promote rule: sizes and health only"
"""What is said wherever a share is reached without any proof about a KPI."""


class ArtifactsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where runs and bundles are kept for other machines; docs/deploy.md."""

    url: Annotated[
        str, Meta(description="such as s3://bucket/prefix; empty keeps them here; $TENURE_ARTIFACTS wins")
    ] = ""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    rollout: RolloutSettings = RolloutSettings()
    promote: list[Promote] = []
    guardrail: list[GuardrailSettings] = []
    signal: list[SignalRule] = []
    breaker: list[BreakerRule] = []
    human: list[HumanRule] = []
    exploration: ExplorationRule = ExplorationRule()
    ready: Ready = Ready()
    alerts: AlertRule = AlertRule()
    monitor: MonitorRule = MonitorRule()
    retrain: RetrainRule | None = None
    serving: Serving = Serving()
    reward_window: RewardWindow = RewardWindow()
    artifacts: ArtifactsSettings = ArtifactsSettings()
    train: Annotated[dict[str, Any], Meta(description="settings of the training recipe, which checks them itself")] = {}

    def for_share(self, share: float, evidence: str) -> list[Promote]:
        """The criteria of one step that rest on one kind of evidence."""
        return [rule for rule in self.promote if rule.to == share and rule.evidence == evidence]

    def is_ruled(self, share: float) -> bool:
        """Whether anything about a KPI must be proven before the share grows to this one."""
        return any(rule.to == share for rule in self.promote)

    def bake_of(self, share: float) -> dict[str, float]:
        """The candidate's own minimum at a share: decisions, units, days."""
        index, bake = self.rollout.stages.index(share), self.rollout.bake
        needs = {"candidate decisions": bake.min_decisions, "candidate units": bake.min_units, "days": bake.min_days}
        return {name: float(need if isinstance(need, int) else need[index]) for name, need in needs.items()}


def read_settings(path: Path, problem: Problem) -> Settings:
    """The settings of a project; without a file the defaults hold.

    Raises:
        SettingsError: the file cannot be read or is no TOML, a field is unknown or out of range, a rule names an
            unknown KPI, or a rule or an approval stands where nobody would ask for it.
    """
    if not path.exists():
        return Settings()
    try:
        settings = msgspec.toml.decode(path.read_bytes(), type=Settings)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise wrong("fields and ranges of the reference", str(error), str(path)) from error
    _check(settings, problem, path)
    return settings


def _check(settings: Settings, problem: Problem, path: Path) -> None:
    _check_stages(settings.rollout, path)
    rules: list[_OnKpi] = [*settings.promote, *settings.guardrail, *settings.signal]
    for rule in rules:
        _check_rule(rule, problem, path)
    for promote in settings.promote:
        _check_place(promote, settings.rollout.stages, problem, path)
    _ = settings.reward_window.span
    check_breakers(settings.breaker, problem, str(path))
    check_humans(settings.human, problem, str(path))
    check_exploration(settings.exploration, problem, str(path))
    check_alerts(settings.alerts, str(path))
    _ = span_of(settings.monitor.cool_down, f"{path}, monitor.cool_down")
    if settings.retrain is not None:
        _ = span_of(settings.retrain.every, f"{path}, retrain.every")
        _ = span_of(settings.retrain.cool_down, f"{path}, retrain.cool_down")
    check_personalizer(settings.serving.personalizer_signal, problem, str(path))


def _check_stages(rollout: RolloutSettings, path: Path) -> None:
    stages = rollout.stages
    if stages != sorted(set(stages)) or stages[-1] != 1.0 or stages[0] <= 0:
        raise wrong("rollout.stages rising from above 0 to 1.0", str(stages), str(path))
    for value in (rollout.bake.min_decisions, rollout.bake.min_units, rollout.bake.min_days):
        if not isinstance(value, int) and len(value) != len(stages):
            raise wrong(f"one number for each of the {len(stages)} stages", str(value), f"{path}, rollout.bake")
    if not set(rollout.approval) <= set(stages):
        raise wrong(f"shares among the stages {stages}", str(rollout.approval), f"{path}, rollout.approval")


def _check_rule(rule: _OnKpi, problem: Problem, path: Path) -> None:
    where, kpis = f"{path}, {type(rule).__name__} of {rule.kpi!r}", {kpi.name: kpi for kpi in problem.kpis}
    if rule.kpi not in kpis:
        raise wrong(f"one of the KPIs {sorted(kpis)}", repr(rule.kpi), where)
    if not all(map(math.isfinite, rule.bounds)) or not rule.bounds[0] < -rule.margin < rule.bounds[1]:
        raise wrong("finite bounds around the margin", f"{rule.bounds}, margin {rule.margin}", where)
    sums = not (isinstance(rule, Promote) and rule.evidence == "selection")  # which compares the ratios themselves
    if rule.relative and sums and kpis[rule.kpi].per is not None:
        raise wrong("an absolute margin: a ratio has no sum to take a share of", "relative = true", where)


def _check_place(rule: Promote, stages: list[float], problem: Problem, path: Path) -> None:
    """A criterion where it would not be asked for is refused, or the share would grow without it."""
    where = f"{path}, promote to {rule.to:g} by {rule.evidence}"
    places = {"selection": [0.0], "replay": stages[:1], "live": stages[1:]}[rule.evidence]
    if rule.to not in places:
        expected = f"selection evidence at 0, replay at {stages[0]:g}, live at {stages[1:]}"
        raise wrong(expected, f"{rule.evidence} at {rule.to:g}", where)
    if rule.evidence == "selection" and (rule.kpi != problem.kpis[0].name or not rule.relative):
        expected = (
            f"the first KPI, {problem.kpis[0].name!r}, with relative = true: all the selection data are scored on"
        )
        raise wrong(expected, f"{rule.kpi!r} with relative = {str(rule.relative).lower()}", where)


def as_plain(settings: Settings) -> dict[str, Any]:
    """Plain fields, for printing at start and for JSON."""
    plain: dict[str, Any] = msgspec.to_builtins(settings)
    return plain
