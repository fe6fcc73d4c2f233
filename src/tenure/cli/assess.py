"""`tenure assess`: is this a problem for reinforcement learning, what is it worth, what would it take?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.cli.output import Output
from tenure.core.errors import ProjectError, RequestError, TenureError
from tenure.core.evidence import worst

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
    """Assess one use case, or rank several; the exit code is the verdict's.

    Of several it is the worst verdict's, and that of the first error where one of them cannot be assessed; the others
    are ranked all the same.

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
        TenureError: the only use case cannot be assessed.
    """
    from tenure.design.assess.assessment import ranked

    told = (tuple(after), mapping, a_day, safe_place)
    asked = _use_cases(output, projects, log, answers, ask, told, home)
    if not asked:
        raise RequestError(
            expected="a project, --log FILE, --answers FILE or --ask",
            found="nothing to assess",
            where="the command line",
            fix="name one; see --help",
        )
    if len(asked) == 1:
        found = asked[0][1]()
        show(output, found)
        output.result(found.as_dict())
        return found.advice.verdict.exit_code
    done, failed = _all(asked)
    order = ranked(done)
    for each in order:
        show(output, each)
    show_ranking(output, order)
    show_failed(output, failed)
    output.result(
        {
            **(order[0].as_dict() if order else {}),
            "ranking": [each.as_dict() for each in order],
            "not_assessed": [{"name": name, **error.as_dict()} for name, error in failed],
        }
    )
    return failed[0][1].exit_code if failed else worst(each.advice.verdict for each in order).exit_code


def _all(asked: Sequence[UseCase]) -> tuple[list[Assessment], list[tuple[str, TenureError]]]:
    """Assess what can be; one that cannot does not keep the others from being ranked."""
    done: list[Assessment] = []
    failed: list[tuple[str, TenureError]] = []
    for name, assess in asked:
        try:
            done.append(assess())
        except TenureError as error:
            failed.append((name, error))
    return done, failed


Told = tuple[tuple[str, ...], Path | None, float | None, bool]
"""after, mapping, a_day, safe_place."""


UseCase = tuple[str, "Callable[[], Assessment]"]
"""What it is called, and what assesses it."""


def _use_cases(
    output: Output,
    projects: Sequence[str],
    log: Path | None,
    answers: Path | None,
    ask: bool,
    told: Told,
    home: Path | None,
) -> list[UseCase]:
    found: list[UseCase] = []
    for name in projects:
        log_of = partial(_log, output, Path(name), told)
        found.append((name, log_of if Path(name).is_file() else partial(_folder, name, told[2], home)))
    if log is not None:
        found.append((str(log), partial(_log, output, log, told)))
    if answers is not None:
        found.append((str(answers), partial(_answers, answers)))
    if ask:
        found.append(("answers", partial(_ask, output)))
    return found


def _folder(name: str, a_day: float | None, home: Path | None) -> Assessment:
    from tenure.core.project import load_project
    from tenure.design.assess.assessment import assess_folder

    _check_there(Path(name))

    found = assess_folder(load_project(name), name, a_day=a_day)
    _keep(name, home, found)
    return found


def _check_there(path: Path) -> None:
    """What reads like a path must be there; a plain word may be a shipped case."""
    if (path.suffix or len(path.parts) > 1) and not path.exists() and ":" not in path.name:
        raise ProjectError(
            expected="a log, a project folder or a shipped case",
            found="no such file or folder",
            where=str(path),
            fix="check the path",
        )


def _answers(path: Path) -> Assessment:
    from tenure.design.assess.answers import read_answers
    from tenure.design.assess.assessment import assess_answers

    return assess_answers(read_answers(path), str(path))


def _ask(output: Output) -> Assessment:
    from tenure.design.assess.answers import ask
    from tenure.design.assess.assessment import assess_answers

    return assess_answers(ask(lambda words: output.console.input(words)), "answers")


def _keep(project: str, home: Path | None, found: Assessment) -> None:
    from tenure.cli.workspace import open_workspace
    from tenure.core.clock import SystemClock
    from tenure.design.facts import keep_assessment

    workspace = open_workspace(project, home)
    keep_assessment(workspace.home, found.as_dict(), workspace.project.problem.version, SystemClock().now())


def _log(output: Output, path: Path, told: Told) -> Assessment:
    from tenure.design.assess.assessment import assess_log
    from tenure.store.tables.logfile import open_log

    after, mapping, a_day, safe_place = told
    log = open_log(path, mapping)
    for line in log.summary:
        output.say(line)
    return assess_log(log, str(path), after=after, a_day=a_day, world=safe_place)


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
    if each.rows is not None and each.rows[1] > each.rows[0]:
        lines.append(f"Measured on {each.rows[0]:,} of the log's {each.rows[1]:,} decisions, in whole units.")
    lines += [f"Left out, {leak.column}: {leak.why}." for leak in each.left_out]
    lines += _worth(each)
    if each.volume is not None and each.volume.decisions_to_prove is not None:
        days = each.volume.days_to_prove
        told = "" if days is None else f", {_days(days)} of this traffic"
        lines.append(f"Proven live by about {each.volume.decisions_to_prove:,} decisions in two halves{told}.")
    if each.compute is not None:
        hours = each.compute.core_hours
        lines.append(f"Training takes about {each.compute.steps:,} steps, {hours:.2g} core hours a seed, assuming:")
        lines += [f"  {assumption}" for assumption in each.compute.assumptions]
    return lines


def _worth(each: Assessment) -> list[str]:
    """The yearly value, who says how many decisions there are, and what the interval rests on."""
    if each.gain is None or each.pace is None:
        return []
    if each.yearly is None:
        lines = [f"No yearly value: {each.pace.said}; name the decisions a day with --a-day."]
    else:
        low, high = each.yearly.low, each.yearly.high
        said = f"Worth {each.yearly.value:,.0f} a year ({low:,.0f} to {high:,.0f}), in the reward's unit"
        doubt = {True: "", False: "; too little to matter", None: "; NOT TOLD FROM NOTHING"}[each.gains]
        lines = [f"{said}{doubt}.", f"  {each.pace.said}"]
    return [*lines, *(f"  {caveat}" for caveat in each.caveats)]


def _days(days: float) -> str:
    return "less than a day" if days < 1 else f"{days:,.0f} day{'' if round(days) == 1 else 's'}"


def show_ranking(output: Output, order: Sequence[Assessment]) -> None:
    """Several use cases, the best first."""
    output.heading("Ranking, by the lower end of the yearly value less the cost of compute")
    rows = [[str(place), *_row(each), each.advice.recommendation] for place, each in enumerate(order, 1)]
    output.table(["", "score", "verdict", "case", "recommendation"], rows)


def _row(each: Assessment) -> list[Any]:
    score = f"{each.score:,.0f}" if each.score > float("-inf") else "-"
    return [score, each.advice.verdict.word, each.name]


def show_failed(output: Output, failed: Sequence[tuple[str, TenureError]]) -> None:
    """What could not be assessed, and why."""
    for name, error in failed:
        output.heading(f"{name}: NOT ASSESSED")
        output.say(f"expected {error.expected}; found {error.found} ({error.where}). To do: {error.fix}")
