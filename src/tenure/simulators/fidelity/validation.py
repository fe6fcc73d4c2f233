"""A simulator against a log: every check in order, one verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tenure.core.errors import DataError
from tenure.core.evidence import Finding, Verdict, worst
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.simulator import Panel, Simulator
from tenure.core.spaces import Discrete
from tenure.core.trajectories import Trajectories
from tenure.simulators.fidelity import limits
from tenure.simulators.fidelity.behaviour import Behaviour, Mixed, behaviour
from tenure.simulators.fidelity.differences import Difference, differences, growth
from tenure.simulators.fidelity.gaps import Gap, gap, gap_findings
from tenure.simulators.fidelity.kind import kindness, never_logged
from tenure.simulators.fidelity.late import Leak, leaks
from tenure.simulators.fidelity.lead import Lead, leads
from tenure.simulators.fidelity.ranking import Ranking, ranking
from tenure.simulators.fidelity.recorded import compared
from tenure.simulators.fidelity.rollouts import rolled
from tenure.simulators.fidelity.sample import Sample, Unit, sample_of, thinned
from tenure.simulators.fidelity.summary import Place, in_short, places
from tenure.simulators.fidelity.values import Unknown, Worth, on_real_data, simulated, worth

INCUMBENT = "incumbent"
RANDOM_SHARES = (0.25, 0.5, 1.0)
"""Shares of random decisions of the policies that are ranked beside those of the project."""

MOST_ROWS = 40_000
"""Simulated decisions that fields are compared on; values are taken from all."""


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of a simulator.

    Args:
        problem, simulator: of the project; training worlds are drawn from `panel("train")`.
        log: real decisions with their signals.
        policies: by name; `incumbent` among them.
        judged: names of those whose gap decides, the first the trained policy.
        delayed: whether every feature's delay is priced, or only that of features found early.
        doubted, fails: drops of value, as shares, from which on it is inconclusive and fails.
        seed: of all chance.
    """

    problem: Problem
    simulator: Simulator
    log: Trajectories
    policies: Mapping[str, Policy]
    judged: Sequence[str] = (INCUMBENT,)
    delayed: bool = True
    doubted: float = limits.DROP_DOUBTED
    fails: float = limits.DROP_FAILS
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Validation:
    """What came of it; JSON by `as_dict`."""

    simulator: str
    logged_by: str
    rows: int
    units: int
    unit: str
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    differences: tuple[Difference, ...]
    growth: tuple[Mapping[str, Any], ...]
    ranking: Ranking
    leaks: tuple[Leak, ...]
    in_short: str

    @property
    def verdict(self) -> Verdict:
        """The worst of all findings."""
        return worst(finding.verdict for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "verdict": self.verdict.word,
            "simulator_version": self.simulator,
            "logged_by": self.logged_by,
            "rows": self.rows,
            "units": self.units,
            "unit": self.unit,
            "in_short": self.in_short,
            "findings": [finding.as_dict() for finding in self.findings],
            "gaps": [gap.as_dict() for gap in self.gaps],
            "differences": [each.as_dict() for each in self.differences],
            "growth": list(self.growth),
            "rank_agreement": self.ranking.as_dict(),
            "leaks": [leak.as_dict() for leak in self.leaks],
        }


@dataclass(frozen=True, eq=False)
class _Bench:
    """What every check needs: who logged, the training worlds, what is counted, and the log's fields."""

    who: Behaviour
    panel: Panel
    unit: Unit
    log: Sample

    @property
    def counted(self) -> tuple[int, str]:
        return self.log.clusters, self.log.unit


@dataclass(frozen=True, eq=False)
class _Fields:
    """What came of comparing fields one by one."""

    differences: Sequence[Difference] = ()
    growth: Sequence[Mapping[str, Any]] = ()
    leads: Sequence[Lead] = ()
    others: Sequence[Finding] = ()
    where: Mapping[str, Place] = field(default_factory=dict)

    def beside(self, more: _Fields) -> _Fields:
        """Both together."""
        return _Fields(
            (*self.differences, *more.differences),
            (*self.growth, *more.growth),
            (*self.leads, *more.leads),
            (*self.others, *more.others),
            {**self.where, **more.where},
        )

    def findings(self, bench: _Bench) -> list[Finding]:
        apart = [each.finding(*bench.counted) for each in self.differences]
        return [*(lead.finding for lead in self.leads), *self.others, *apart]


@dataclass(frozen=True, eq=False)
class _Values:
    """Worth of every policy, simulated and on real data, and the gaps of those that are judged."""

    made: Mapping[str, Worth]
    found: Mapping[str, Worth | Unknown]
    gaps: Mapping[str, list[Gap] | Unknown]


def validate(question: Question) -> Validation:
    """Compare a simulator with a log.

    Raises:
        DataError: the log lacks a signal that the first KPI reads.
    """
    _check(question)
    bench = _bench(question)
    if bench.log.clusters < limits.FEWEST_CLUSTERS:
        return _told(question, bench, _Fields(others=[_too_small(bench)]), _Values({}, {}, {}), ())
    fields = _fields(question, bench).beside(_replayed(question, bench)).beside(_rolled(question, bench))
    return _told(question, bench, fields, _values(question, bench), _costs(question, bench, fields.leads))


def _told(question: Question, bench: _Bench, fields: _Fields, values: _Values, costs: Sequence[Leak]) -> Validation:
    known = {name: each for name, each in values.found.items() if isinstance(each, Worth)}
    order = ranking(values.made, known, question.seed)
    gaps = gap_findings(values.gaps, question.doubted, question.fails)
    return Validation(
        simulator=question.simulator.version,
        logged_by=bench.who.told,
        rows=len(question.log),
        units=bench.log.clusters,
        unit=bench.log.unit,
        findings=(*gaps, order.finding, *fields.findings(bench)),
        gaps=tuple(each for told in values.gaps.values() if not isinstance(told, Unknown) for each in told),
        differences=tuple(fields.differences),
        growth=tuple(fields.growth),
        ranking=order,
        leaks=tuple(costs),
        in_short=in_short(
            question.problem, fields.differences, fields.where, getattr(question.simulator, "unaffected", None)
        ),
    )


def _check(question: Question) -> None:
    lacking = sorted(question.problem.kpis[0].reads - question.log.signals.keys())
    if lacking:
        raise DataError(
            expected=f"the signals that {question.problem.kpis[0].name!r} reads",
            found=f"none of {lacking}",
            where="the log",
            fix="add a column for each, in the problem's units",
        )


def _bench(question: Question) -> _Bench:
    problem, log = question.problem, question.log
    panel = question.simulator.panel("train")
    unit: Unit = "episode" if panel.independent else "day"
    return _Bench(behaviour(problem, log, question.policies), panel, unit, sample_of(log, *_names(question), unit))


def _names(question: Question) -> tuple[list[str], list[str]]:
    features = [name for name in question.problem.feature_names if name in question.log.names]
    return features, sorted(question.problem.signal_names & question.log.signals.keys())


def _too_small(bench: _Bench) -> Finding:
    found, unit = bench.counted
    told = (
        f"the log holds {found} {unit}s, {limits.FEWEST_CLUSTERS} are needed: log {limits.FEWEST_CLUSTERS - found} more"
    )
    return Finding("log", Verdict.INCONCLUSIVE, told)


def _fields(question: Question, bench: _Bench) -> _Fields:
    """Every field under the policy that logged; without it a difference could be the policy's."""
    if bench.who.policy is None:
        told = f"{bench.who.told} decided in the log; name its policy under `rules` in problem.py to compare fields"
        return _Fields(others=[Finding("behaviour", Verdict.INCONCLUSIVE, told), *never_logged(bench.log)])
    made = simulated(question.problem, question.simulator, bench.who.policy, bench.panel, question.seed)
    ours = thinned(sample_of(made, *_names(question), bench.unit), MOST_ROWS)
    return _Fields(
        differences(bench.log, ours, question.seed),
        _named(growth(bench.log, ours), "distribution of changes"),
        leads(bench.log, ours, question.seed),
        kindness(question.log, bench.log, ours, question.seed),
        places(bench.log, ours),
    )


def _replayed(question: Question, bench: _Bench) -> _Fields:
    """The log's own actions on the log's own course, where the simulator can."""
    if not hasattr(question.simulator, "replayed"):
        return _Fields()
    try:
        found, growing = compared(question.problem, question.simulator, question.log, bench.unit, question.seed)
        return _Fields(found, _named(growing, "replay of the log's course"))
    except DataError as error:
        told = f"the log cannot be replayed: {error.found}. To do: {error.fix}"
        return _Fields(others=[Finding("replay", Verdict.INCONCLUSIVE, told)])


def _rolled(question: Question, bench: _Bench) -> _Fields:
    """The log's own actions from logged states on, where the simulator can begin there."""
    if not hasattr(question.simulator, "from_observation"):
        return _Fields()
    try:
        found, growing = rolled(question.problem, question.simulator, question.log, bench.unit, question.seed)
        return _Fields(found, _named(growing, "roll-outs from logged states"))
    except DataError as error:
        told = f"no roll-out from logged states: expected {error.expected}; found {error.found}. To do: {error.fix}"
        return _Fields(others=[Finding("rollout", Verdict.ERROR, told)])


def _named(growth: Iterable[Mapping[str, Any]], of: str) -> list[Mapping[str, Any]]:
    return [{"of": of, **each} for each in growth]


def _values(question: Question, bench: _Bench) -> _Values:
    problem, policies = question.problem, _ranked(question)
    made = {name: _simulated_worth(question, bench, policy) for name, policy in policies.items()}
    found = {
        name: on_real_data(problem, question.simulator, question.log, policy, bench.unit, question.seed)
        for name, policy in policies.items()
    }
    gaps = {name: _gaps(problem, name, made[name], found[name]) for name in question.judged}
    if bench.who.policy is not None:
        direct = worth(problem.kpis, question.log, bench.unit, "what the log says")
        gaps[bench.who.told] = _gaps(
            problem, bench.who.told, _simulated_worth(question, bench, bench.who.policy), direct
        )
    return _Values(made, found, gaps)


def _simulated_worth(question: Question, bench: _Bench, policy: Policy) -> Worth:
    made = simulated(question.problem, question.simulator, policy, bench.panel, question.seed)
    return worth(question.problem.kpis, made, bench.unit, "simulated")


def _ranked(question: Question) -> Mapping[str, Policy]:
    """The policies at hand, and the incumbent with more and more chance."""
    actions = question.problem.action
    if not isinstance(actions, Discrete):
        return question.policies
    incumbent = question.policies[INCUMBENT]
    mixes = {f"{share:.0%} random": Mixed(incumbent, share, actions.size) for share in RANDOM_SHARES}
    return {**question.policies, **mixes}


def _gaps(problem: Problem, name: str, made: Worth, found: Worth | Unknown) -> list[Gap] | Unknown:
    if isinstance(found, Unknown):
        return found
    return [gap(name, kpi, place, made, found) for place, kpi in enumerate(problem.kpis)]


def _costs(question: Question, bench: _Bench, found: Sequence[Lead]) -> list[Leak]:
    """Delays of what is early, by as much; of every other feature by one step, where asked for."""
    early = {lead.field: lead.steps for lead in found if lead.finding.verdict is Verdict.FAIL}
    names = question.problem.feature_names if question.delayed else tuple(early)
    delays = {name: (early.get(name, 1), early.get(name, 0)) for name in names}
    if not delays:
        return []
    policy = question.policies[question.judged[0]]
    return leaks(question.problem, question.simulator, policy, bench.unit, delays, question.seed)
