"""`tenure assess`: is this a problem for reinforcement learning, what is it worth, what would it take?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.cli.output import Output
from tenure.core.errors import RequestError

if TYPE_CHECKING:
    from tenure.design.assess.assessment import Assessment


def run_assess(
    output: Output,
    projects: Sequence[str],
    log: Path | None = None,
    answers: Path | None = None,
    *,
    ask: bool = False,
    after: Sequence[str] = (),
    mapping: Path | None = None,
    a_day: float | None = None,
    safe_place: bool = False,
    home: Path | None = None,
) -> int:
    """Assess one use case, or rank several; the exit code is the verdict's (of several: the best one's).

    Args:
        output: where to write.
        projects: folders, cases, or logs (files), in any number.
        log: a log instead of a folder.
        answers: a TOML file of answers instead.
        ask: ask for the answers here.
        after: columns of the log that are known only after the decision.
        mapping: TOML saying which column of the log is what.
        a_day: decisions a day, where the data does not say.
        safe_place: mistakes are cheap somewhere, so that a policy could learn live.
        home: folder of runtime files, in which a project's assessment is kept for `tenure next`.

    Raises:
        RequestError: nothing to assess.
    """
    from tenure.design.assess.assessment import ranked

    found = _assessed(output, projects, log, answers, ask, (tuple(after), mapping, a_day, safe_place), home)
    if not found:
        raise RequestError(
            expected="a project, --log FILE, --answers FILE or --ask",
            found="nothing to assess",
            where="the command line",
            fix="name one; see --help",
        )
    order = ranked(found)
    for each in order:
        show(output, each)
    if len(order) > 1:
        show_ranking(output, order)
    output.result({**order[0].as_dict(), "ranking": [each.as_dict() for each in order]})
    return order[0].advice.verdict.exit_code


Told = tuple[tuple[str, ...], Path | None, float | None, bool]
"""after, mapping, a_day, safe_place."""


def _assessed(
    output: Output,
    projects: Sequence[str],
    log: Path | None,
    answers: Path | None,
    ask: bool,
    told: Told,
    home: Path | None,
) -> list[Assessment]:
    from tenure.core.project import load_project
    from tenure.design.assess.answers import ask as asked
    from tenure.design.assess.answers import read_answers
    from tenure.design.assess.assessment import assess_answers, assess_folder

    found = []
    for name in projects:
        if Path(name).is_file():
            found.append(_log(Path(name), told))
        else:
            found.append(assess_folder(load_project(name), name, a_day=told[2]))
            _keep(name, home, found[-1])
    if log is not None:
        found.append(_log(log, told))
    if answers is not None:
        found.append(assess_answers(read_answers(answers), str(answers)))
    if ask:
        found.append(assess_answers(asked(lambda words: output.console.input(words)), "answers"))
    return found


def _keep(project: str, home: Path | None, found: Assessment) -> None:
    from tenure.cli.workspace import open_workspace
    from tenure.core.clock import SystemClock
    from tenure.design.facts import keep_assessment

    workspace = open_workspace(project, home)
    keep_assessment(workspace.home, found.as_dict(), workspace.project.problem.version, SystemClock().now())


def _log(path: Path, told: Told) -> Assessment:
    from tenure.design.assess.assessment import assess_log
    from tenure.store.tables.logfile import open_log

    after, mapping, a_day, safe_place = told
    return assess_log(open_log(path, mapping), str(path), after=after, a_day=a_day, world=safe_place)


def show(output: Output, each: Assessment) -> None:
    """One use case for people."""
    advice = each.advice
    output.heading(f"{each.name}: {advice.verdict.word.upper()}, {advice.recommendation}")
    output.say(f"{advice.reason}.")
    output.table(
        ["gate", "verdict", "why"], [[found.gate, found.verdict.word, found.reason] for found in each.findings]
    )
    for line in _figures(each):
        output.say(line)


def _figures(each: Assessment) -> list[str]:
    lines = []
    if each.yearly is not None:
        low, high = each.yearly.low, each.yearly.high
        lines.append(f"Worth {each.yearly.value:,.0f} a year ({low:,.0f} to {high:,.0f}), in the reward's unit.")
    if each.volume is not None and each.volume.decisions_to_prove is not None:
        days = f", {each.volume.days_to_prove:,.0f} days of this traffic" if each.volume.days_to_prove else ""
        lines.append(f"Proven live by about {each.volume.decisions_to_prove:,} decisions in two halves{days}.")
    if each.compute is not None:
        hours = each.compute.core_hours
        lines.append(f"Training takes about {each.compute.steps:,} steps, {hours:.2g} core hours a seed, assuming:")
        lines += [f"  {assumption}" for assumption in each.compute.assumptions]
    return lines


def show_ranking(output: Output, order: Sequence[Assessment]) -> None:
    """Several use cases, the best first."""
    output.heading("Ranking, by the lower end of the yearly value less the cost of compute")
    rows = [[str(place), *_row(each), each.advice.recommendation] for place, each in enumerate(order, 1)]
    output.table(["", "score", "verdict", "case", "recommendation"], rows)


def _row(each: Assessment) -> list[Any]:
    score = f"{each.score:,.0f}" if each.score > float("-inf") else "-"
    return [score, each.advice.verdict.word, each.name]
