"""What a project folder shows: the findings of its own log, and what policies reach in its worlds."""

from __future__ import annotations

from tenure.core.evidence import Finding, Verdict
from tenure.core.policy import Policy
from tenure.core.project import Project
from tenure.design.assess.folder import Trial, contestants, trial, written_log
from tenure.design.assess.labels import label_unknown
from tenure.design.assess.measure import Measured, noise_of
from tenure.design.assess.recommend import Facts
from tenure.design.assess.solving import plan, search
from tenure.design.assess.thresholds import RULE_KEEPS, RULE_MAY_LOSE, SMALLEST_GAIN
from tenure.design.assess.twins import sequential_twins, twins
from tenure.design.assess.worth import DISCOUNT, later_worth

MATTERS_NOT = Finding("label_unknown", Verdict.PASS, "what comes later is never known for actions not taken")
SEARCHED = ("by the moment", "looking ahead", "small rule", "plan")


def measure_folder(project: Project) -> Measured:
    """Measure a project on simulated worlds.

    Raises:
        DataError: its actions are no labels.
        ProjectError: problem, simulator or incumbent break their contract.
    """
    records, behaviour = written_log(project)
    discount = min(project.problem.discount, DISCOUNT)
    later = later_worth(records, discount)
    order, ahead = sequential_twins(twins(project, discount))
    label = MATTERS_NOT if ahead else label_unknown(records, behaviour)
    now, looking, rule = search(records, later, discount)
    exact = plan(records, discount)
    searched: dict[str, Policy] = {"by the moment": now, "looking ahead": looking, "small rule": rule}
    searched |= {} if exact is None else {"plan": exact}
    tried = trial(project, contestants(project, searched))
    more, gain = _headroom(tried)
    solved, is_solved = _solver(tried)
    small, is_small = _small(tried, rule.rule.words(records.names, records.labels), is_solved)
    facts = Facts(
        gain=gain,
        solved=is_solved,
        rule=is_small,
        sequential=ahead,
        label=label.verdict is Verdict.FAIL,
        world=True,
        overlap=True,
        episodes=True,
    )
    room = more.estimate
    assert room is not None
    return Measured(facts, (*order, more, solved, small, label), room, noise_of(records), max(room.value, 0.0), None)


def _headroom(tried: Trial) -> tuple[Finding, bool | None]:
    """What the bound, or else the best policy found, gains over the incumbent."""
    top = "bound" if "bound" in tried.returns else tried.best(list(tried.returns))
    gain, least = tried.gain(top), SMALLEST_GAIN * tried.luck
    words = f"`{top}` gains {gain.value:.3g} a decision over the incumbent ({gain.low:.3g} to {gain.high:.3g})"
    if gain.low > 0 and gain.value >= least:
        return Finding("headroom", Verdict.PASS, words, gain), True
    if top == "bound" and gain.high < least:
        return Finding("headroom", Verdict.FAIL, f"{words}: nothing to learn", gain), False
    return Finding("headroom", Verdict.INCONCLUSIVE, f"{words}: a short search shows no headroom", gain), None


def _solver(tried: Trial) -> tuple[Finding, bool]:
    """Fail: a plan is exact, or a rule at hand reaches the bound."""
    if "plan" in tried.returns and tried.gain("plan", tried.best(list(tried.returns))).high >= 0:
        words = "the world is tiny and what follows is fixed: value iteration solves it exactly"
        return Finding("solver", Verdict.FAIL, words, tried.gain("plan")), True
    if "bound" not in tried.returns:
        return Finding("solver", Verdict.PASS, "no exact solver is at hand, and no bound"), False
    rule = tried.best([name for name in tried.returns if name not in (*SEARCHED, "bound", "random")])
    return _reaches(tried, "solver", rule, f"`{rule}`")


def _reaches(tried: Trial, gate: str, rule: str, words: str) -> tuple[Finding, bool]:
    """Whether a rule closes nearly the whole way from the incumbent to the bound, wherever the reward has its zero."""
    way, short = tried.gain("bound").value, tried.gain("bound", rule)
    closed = 1 - short.value / way if way > 0 else 1.0
    said = f"{words} closes {100 * closed:.0f} % of the way from the incumbent to the bound"
    if closed >= RULE_KEEPS and short.high <= RULE_MAY_LOSE * max(way, 0.0):
        return Finding(gate, Verdict.FAIL, said, short), True
    first = "; let it drive first, and ask again with it as the incumbent" if tried.gain(rule).low > 0 else ""
    return Finding(gate, Verdict.PASS, f"{said} only{first}", short), False


def _small(tried: Trial, rule: str, solved: bool) -> tuple[Finding, bool | None]:
    """Whether a rule at hand, one action or a rule of two questions is as good as anything; with a bound, as it."""
    simple = tried.best(
        [name for name in tried.returns if name not in ("by the moment", "looking ahead", "bound", "plan")]
    )
    words = f"`{rule if simple == 'small rule' else simple}`"
    if "bound" in tried.returns:
        finding, reached = _reaches(tried, "small_rule", simple, words)
        return finding, reached or solved
    best = tried.best(["by the moment", "looking ahead", simple])
    gain, short = tried.gain(best).value, tried.gain(best, simple)
    kept = tried.gain(simple).value / gain if gain > 0 else 0.0
    said = f"{words} keeps {100 * kept:.0f} % of what the best policy found gains"
    if kept >= RULE_KEEPS and short.high <= RULE_MAY_LOSE * gain:
        return Finding("small_rule", Verdict.FAIL, said, short), True
    if kept < RULE_KEEPS and short.low > 0:
        return Finding("small_rule", Verdict.PASS, f"{said} only", short), False
    return Finding("small_rule", Verdict.INCONCLUSIVE, f"{said}, within what cannot be told apart", short), None
