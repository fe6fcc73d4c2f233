"""The checklist is a function of facts alone: done, open with one command, or blocked by what comes before."""

from __future__ import annotations

import re
import shlex

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from tenure.cli.main import app
from tenure.core.evidence import Finding, Verdict
from tenure.design.stages import TABLE, Row, StageStanding, Step, next_standing, stages
from tenure.monitoring.alerts import TOLD

FACTS = [step.fact for row in TABLE for step in row.steps]


def facts(shown: set[str], refused: frozenset[str] = frozenset()) -> dict[str, Finding]:
    def verdict(fact: str) -> Verdict:
        return Verdict.FAIL if fact in refused else Verdict.PASS if fact in shown else Verdict.INCONCLUSIVE

    return {fact: Finding(fact, verdict(fact), f"why {fact}") for fact in FACTS}


def next_command(found: list[StageStanding]) -> str:
    first = next_standing(found)
    return first.command if first else ""


def test_there_are_the_ten_stages_of_the_road() -> None:
    assert len(TABLE) == 10
    assert len({row.name for row in TABLE}) == 10
    assert len(set(FACTS)) == len(FACTS)


def test_no_stage_waits_for_itself_however_far_round() -> None:
    waits = {row.name: set(row.after) for row in TABLE}
    done: set[str] = set()
    while len(done) < len(waits):
        free = {name for name, after in waits.items() if after <= done} - done
        assert free, "a ring of stages that wait for each other"
        done |= free


def test_at_the_beginning_four_stages_are_open_and_the_first_is_next() -> None:
    found = stages(facts(set()), "mine")
    assert [each.number for each in found if each.verdict == "open"] == [1, 2, 4, 7]
    assert {each.verdict for each in found} == {"open", "blocked"}
    assert next_command(found) == "tenure assess mine"


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_stage_is_done_by_all_its_facts_and_by_no_fewer(row: Row) -> None:
    own = {step.fact for step in row.steps}
    number = TABLE.index(row)
    done = stages(facts(own), "p")[number]
    assert (done.verdict, done.command, done.blocked_by) == ("done", "", ())
    assert all(f"why {fact}" in done.shown for fact in own)
    for step in row.steps:
        left = stages(facts(own - {step.fact}), "p")[number]
        assert left.verdict != "done"
        assert left.command == step.command.replace("{P}", "p").replace("{V}", "VERSION")
        assert left.blocked_by[-1] == f"why {step.fact}"


def test_a_stage_names_the_one_it_waits_for() -> None:
    found = stages(facts({"reward_check", "reward_audit"}), "p")[2]
    assert found.verdict == "blocked"
    assert found.blocked_by[0] == "stage 4, simulation, is not done"


def test_what_speaks_against_going_on_blocks() -> None:
    found = stages(facts(set(), frozenset({"assessed"})), "p")[0]
    assert (found.verdict, found.blocked_by) == ("blocked", ("why assessed",))


def test_what_was_refused_is_not_asked_again_but_mended() -> None:
    refused = stages(facts(set(), frozenset({"assessed"})), "p")
    assert (refused[0].command, refused[0].mend) == ("", False)
    assert next_command(refused) == "tenure reward check p"
    held = stages(facts({"assessed", "reward_check"}, frozenset({"reward_audit"})), "p")
    assert (held[1].verdict, held[1].mend) == ("blocked", True)
    assert next_command(held) == "tenure reward check p"


def test_at_the_end_of_the_road_nothing_is_next() -> None:
    found = stages(facts(set(FACTS)), "p")
    assert {each.verdict for each in found} == {"done"}
    assert next_command(found) == ""


def test_the_json_of_a_stage_holds_what_programs_read() -> None:
    fields = stages(facts(set()), "p")[0].as_dict()
    assert {"name", "verdict", "blocked_by", "command"} <= set(fields)


def taken_as_it_stands(command: str) -> None:
    """The command line has this command, and nothing that it needs is missing."""
    program, *words = shlex.split(command)
    assert program == "tenure"
    verb, context = get_command(app), None
    while isinstance(verb, TyperGroup):
        context = verb.make_context("tenure", words, parent=context, resilient_parsing=True)
        _, found, words = verb.resolve_command(context, words)
        assert found is not None
        verb = found
    given = verb.make_context("tenure", list(words), parent=context).params
    assert "mine" in (given.get("project"), *given.get("projects", ()))


@pytest.mark.parametrize("step", [step for row in TABLE for step in row.steps], ids=lambda step: step.fact)
def test_every_command_of_the_table_is_one_the_command_line_takes_as_it_stands(step: Step) -> None:
    for command in filter(None, (step.command, step.mended)):
        taken_as_it_stands(command.replace("{P}", "mine").replace("{V}", "v1"))


COMMANDS = sorted(
    {found for words in TOLD.values() for found in re.findall(r"`(tenure [^`]*{problem}[^`]*)`", words.todo)}
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_an_alert_names_is_one_the_command_line_takes_as_it_stands(command: str) -> None:
    taken_as_it_stands(command.format(problem="mine"))


def test_the_version_to_start_is_typed_out_where_it_is_known() -> None:
    shadow = stages(facts(set()), "p", "v1")[7]
    assert shadow.command == 'tenure rollout start p --version v1 --reason "WHY"'
