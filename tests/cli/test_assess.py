"""`tenure assess` from the outside: sources, exit codes, JSON, the ranking, and logs that cannot be assessed."""

from __future__ import annotations

import csv
import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.design.assess.families import classified, constant_best, linear_bandit, near_offline_threshold
from tests.design.assess.folders import near_online_grid
from tests.design.assess.truth import write_csv

from tenure.cli.assess import run_assess
from tenure.cli.output import Output
from tenure.core.errors import DataError, ProjectError, RequestError


def assessed(projects: list[str], **more: Any) -> tuple[int, dict[str, Any]]:
    with redirect_stdout(io.StringIO()) as out:
        code = run_assess(Output(json=True), projects, **more)
    return code, json.loads(out.getvalue())


def test_a_log_where_one_action_is_best_fails_with_exit_4(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    write_csv(constant_best(np.random.default_rng(0)), path)
    code, said = assessed([], log=path)
    assert (code, said["verdict"], said["recommendation"]) == (4, "fail", "rule_or_solver")
    assert {"gate", "verdict", "reason", "estimate"} <= set(said["findings"][0])
    assert said["value"]["a_year"]["low"] > 0
    assert said["volume"]["decisions_to_prove"] > 0
    assert "ranking" not in said
    assert said["rows"]["used"] <= said["rows"]["of"]
    assert said["value"]["decisions_a_year"].endswith("of the log, taken for every day of a year")


def test_several_use_cases_are_ranked_with_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log.csv"
    write_csv(classified(np.random.default_rng(0)), path)
    folder = near_online_grid(np.random.default_rng(0)).write(tmp_path / "grid")
    code = run_assess(Output(json=False), [str(folder), str(path)])
    out = capsys.readouterr().out
    assert code == 4
    assert "Ranking" in out
    assert str(path) in out
    assert "supervised" in out


def test_one_that_cannot_be_read_is_named_and_the_others_are_ranked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, bad = tmp_path / "log.csv", tmp_path / "bad.csv"
    write_csv(classified(np.random.default_rng(0)), path)
    bad.write_text("action,reward,x\na,1,2\n")
    code = run_assess(Output(json=False), [str(bad), str(path), str(tmp_path / "nowhere")])
    out = capsys.readouterr().out
    assert code == 2
    assert f"1      -     fail  {path}" in out
    assert f"{bad}: NOT ASSESSED" in out
    assert f"{tmp_path / 'nowhere'}: NOT ASSESSED" in out
    code, said = assessed([str(bad), str(path)])
    assert (code, [each["name"] for each in said["ranking"]]) == (2, [str(path)])
    assert [each["name"] for each in said["not_assessed"]] == [str(bad)]
    assert "two actions or more" in said["not_assessed"][0]["expected"]


def test_a_ranking_exits_as_the_worst_of_its_verdicts(tmp_path: Path) -> None:
    # The best passes, the other fails: a program that asks whether all are for RL must not read 0.
    good, simple = tmp_path / "good.csv", tmp_path / "simple.csv"
    write_csv(linear_bandit(np.random.default_rng(0)), good)
    write_csv(classified(np.random.default_rng(0)), simple)
    code, said = assessed([str(simple), str(good)])
    assert [each["verdict"] for each in said["ranking"]] == ["pass", "fail"]
    assert (code, said["verdict"]) == (4, "pass")


def test_a_gain_not_told_from_nothing_is_never_proven_by_some_decisions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = dict(linear_bandit(np.random.default_rng(0)))
    log["reward"] = np.random.default_rng(1).normal(size=len(log["reward"]))
    write_csv({name: column[:900] for name, column in log.items()}, tmp_path / "log.csv")
    run_assess(Output(json=False), [], log=tmp_path / "log.csv")
    out = capsys.readouterr().out
    assert "NOT TOLD FROM NOTHING" in out
    assert "Proven live" not in out


def test_modelled_propensities_are_said_where_the_worth_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = dict(linear_bandit(np.random.default_rng(0)))
    del log["propensity"]
    write_csv(log, tmp_path / "log.csv")
    run_assess(Output(json=False), [], log=tmp_path / "log.csv")
    worth = capsys.readouterr().out.partition("Worth ")[2]
    assert "ASSUMED: propensities" in worth


def test_where_decisions_have_later_effects_a_rules_share_is_of_one_steps_gain_and_so_is_the_worth(
    tmp_path: Path,
) -> None:
    write_csv(near_offline_threshold(np.random.default_rng(5)), tmp_path / "log.csv")
    code, said = assessed([], log=tmp_path / "log.csv")
    rule = next(each for each in said["findings"] if each["gate"] == "small_rule")
    assert (code, rule["verdict"]) == (4, "fail")
    assert "% of one step's gain; once `" in rule["reason"]
    assert any("one step of improvement" in each for each in said["value"]["caveats"])


def test_a_long_log_says_how_much_of_it_was_measured_and_asks_for_no_more_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenure.design.assess.records.MOST_ROWS", 1000)
    log = dict(linear_bandit(np.random.default_rng(0)))
    log["reward"] = np.random.default_rng(1).normal(size=len(log["reward"]))
    write_csv(log, tmp_path / "log.csv")
    assert run_assess(Output(json=False), [], log=tmp_path / "log.csv") == 3
    out = capsys.readouterr().out
    assert f"of the log's {len(log['reward']):,} decisions" in out
    assert "more decisions" not in out


def test_answers_alone_are_inconclusive(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    yes = ["repeated", "measurable", "reward_clear", "sequential", "simulatable"]
    no = ["answer_known", "rule_good"]
    numbers = ["outcome_days = 1", "bad_action_cost = 10", "decisions_a_day = 1000"]
    path.write_text("\n".join([*(f"{key} = true" for key in yes), *(f"{key} = false" for key in no), *numbers]))
    code, said = assessed([], answers=path)
    assert (code, said["verdict"], said["compute"]) == (3, "inconclusive", None)


def test_nothing_to_assess_is_refused() -> None:
    with pytest.raises(RequestError, match="--log FILE"):
        assessed([])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "at least one usable row"),
        ([{"action": "a", "reward": 1}] * 500, "two actions or more; found only 'a'"),
        ([{"action": "ab"[k % 2], "x": k} for k in range(500)], "a column with the reward"),
        ([{"action": "ab"[k % 2], "reward": "nan" if k == 7 else 1} for k in range(500)], "finite reward in every row"),
    ],
)
def test_a_log_that_cannot_be_assessed_is_named_with_what_to_do(
    tmp_path: Path, rows: list[dict[str, Any]], said: str
) -> None:
    path = tmp_path / "log.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["action", "reward", "x"] if not rows else list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises((DataError, ProjectError), match=f"{said}(.|\n)*log.csv(.|\n)*to do") as caught:
        assessed([], log=path)
    assert caught.value.exit_code == 2


def test_a_log_without_order_is_inconclusive_and_says_what_to_add(tmp_path: Path) -> None:
    columns = dict(classified(np.random.default_rng(0)))
    for name in ("decided_at", "label_desk"):
        del columns[name]
    path = tmp_path / "log.csv"
    write_csv(columns, path)
    code, said = assessed([], log=path)
    reasons = {finding["gate"]: finding["reason"] for finding in said["findings"]}
    assert (code, said["verdict"]) == (3, "inconclusive")
    assert "decided_at" in reasons["next_state"]


@pytest.mark.parametrize("name", ["nope.csv", "logs/nope"])
def test_what_reads_like_a_path_and_is_not_there_is_told_as_missing(name: str) -> None:
    with pytest.raises(ProjectError, match=f"found no such file or folder; in {name}"):
        assessed([name])


def test_a_word_that_is_no_case_is_told_with_the_cases() -> None:
    with pytest.raises(ProjectError, match="shipped cases"):
        assessed(["nope"])


@pytest.mark.parametrize(("header", "cell"), [("reward", "nan"), ("propensity", "0")])
def test_a_cell_that_stops_the_assessment_is_named_by_its_line_in_the_file(
    tmp_path: Path, header: str, cell: str
) -> None:
    path = tmp_path / "log.csv"
    usual = {"reward": "1", "propensity": "0.5"}
    rows = [[str(i % 9), "ab"[i % 2], *{**usual, **({header: cell} if i == 7 else {})}.values()] for i in range(600)]
    path.write_text("\n".join(",".join(row) for row in [["x", "action", *usual], *rows]) + "\n")
    with pytest.raises(DataError) as error:
        assessed([], log=path)
    assert error.value.where == f"{path}:9"
