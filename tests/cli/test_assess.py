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
from tests.design.assess.families import classified, constant_best
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
    assert len(said["ranking"]) == 1


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
