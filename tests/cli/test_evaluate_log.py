"""`tenure evaluate --log`: verdicts, exit codes and JSON of whole runs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import tenure
from tenure.cli.main import app
from tenure.core.errors import TenureError

DATA = Path(__file__).resolve().parents[2] / "src/tenure/cases/recommender/data"


def evaluated(*arguments: object) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON."""
    found = CliRunner().invoke(app, ["evaluate", *map(str, arguments), "--json"])
    return found.exit_code, json.loads(found.stdout)


def estimates(found: dict[str, Any]) -> dict[str, Any]:
    return {each["estimator"]: each for each in found["estimates"]}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """3,000 decisions of a coin; action 1 brings 1 where x > 0 and 0 elsewhere, action 0 always .5, plus noise."""
    rng = np.random.default_rng(0)
    n = 3000
    x, action = rng.normal(size=n), rng.integers(0, 2, n)
    reward = np.where(action == 1, x > 0, 0.5) + rng.normal(scale=0.1, size=n)
    ids = [f"d{i}" for i in range(n)]
    columns = {"decision_id": ids, "x": x, "action": action, "propensity": 0.5, "reward": reward}
    return pd.DataFrame(columns)


@pytest.fixture
def log(frame: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    frame.to_csv(path, index=False)
    return path


def policy(frame: pd.DataFrame, folder: Path, one: Any, more: dict[str, Any] | None = None) -> Path:
    """A table giving action 1 these probabilities."""
    path = folder / "policy.csv"
    table = pd.DataFrame({"decision_id": frame.decision_id, "p_0": 1 - one, "p_1": one, **(more or {})})
    table.sample(frac=1, random_state=0).to_csv(path, index=False)
    return path


def test_a_better_policy_passes(frame: pd.DataFrame, log: Path, tmp_path: Path) -> None:
    code, found = evaluated("--log", log, "--policy", policy(frame, tmp_path, (frame.x > 0) * 1.0))
    assert (code, found["verdict"]) == (0, "pass")
    # Truth .75: 1 where x > 0, .5 elsewhere.
    assert estimates(found)["snips"]["value"] == pytest.approx(0.75, abs=0.02)
    assert found["judged"] == "snips"
    assert found["rows"] == 3000


def test_a_worse_policy_fails(frame: pd.DataFrame, log: Path, tmp_path: Path) -> None:
    code, found = evaluated("--log", log, "--policy", policy(frame, tmp_path, (frame.x < 0) * 1.0))
    assert (code, found["verdict"]) == (4, "fail")


def test_an_equal_policy_is_inconclusive_and_passes_with_a_margin(
    frame: pd.DataFrame, log: Path, tmp_path: Path
) -> None:
    same = policy(frame, tmp_path, 0.5 + 0 * frame.x)
    code, found = evaluated("--log", log, "--policy", same)
    assert (code, found["verdict"]) == (3, "inconclusive")
    assert "more decisions" in found["reason"] or "No number" in found["reason"]
    assert evaluated("--log", log, "--policy", same, "--margin", 0.1)[0] == 0


def test_a_reward_model_makes_dr_the_judge(frame: pd.DataFrame, log: Path, tmp_path: Path) -> None:
    model = tmp_path / "rewards.parquet"
    pd.DataFrame({"q_0": 0.5 + 0 * frame.x, "q_1": (frame.x > 0) * 1.0}).to_parquet(model)
    best = policy(frame, tmp_path, (frame.x > 0) * 1.0)
    code, found = evaluated("--log", log, "--policy", best, "--reward-model", model)
    assert (code, found["judged"]) == (0, "dr")
    by_name = estimates(found)
    assert by_name["dr"]["high"] - by_name["dr"]["low"] < by_name["ips"]["high"] - by_name["ips"]["low"]


def test_a_known_smallest_reward_adds_a_lower_bound(frame: pd.DataFrame, tmp_path: Path) -> None:
    clipped = frame.assign(reward=frame.reward.clip(lower=0))
    clipped.to_csv(tmp_path / "clipped.csv", index=False)
    best = policy(frame, tmp_path, (frame.x > 0) * 1.0)
    _, found = evaluated("--log", tmp_path / "clipped.csv", "--policy", best, "--least", 0)
    bound = found["lower_bound"]
    assert 0.6 < bound["low"] < estimates(found)["ips"]["low"] < 0.75
    assert bound["high"] is None
    _, found = evaluated("--log", tmp_path / "clipped.csv", "--policy", best, "--least", 0.5)
    assert found["lower_bound"] is None
    assert "0.5" in found["lower_bound_reason"]
    _, found = evaluated("--log", tmp_path / "clipped.csv", "--policy", best)
    assert (found["lower_bound"], found["lower_bound_reason"]) == (None, "")


def test_an_action_the_log_never_shows_is_no_support(frame: pd.DataFrame, log: Path, tmp_path: Path) -> None:
    new = policy(frame, tmp_path, 0.0 * frame.x, {"p_0": 0.0, "p_2": 1.0})
    code, found = evaluated("--log", log, "--policy", new)
    assert (code, found["verdict"]) == (3, "inconclusive")
    assert {each["value"] for each in found["estimates"]} == {None}
    assert found["refusal"]["why"] == "no_support"


def test_few_effective_rows_are_inconclusive_without_a_number(frame: pd.DataFrame, tmp_path: Path) -> None:
    small = frame.head(120)
    small.to_csv(tmp_path / "small.csv", index=False)
    code, found = evaluated("--log", tmp_path / "small.csv", "--policy", policy(small, tmp_path, (small.x > 0) * 1.0))
    assert code == 3
    assert estimates(found)["snips"]["value"] is None
    assert found["refusal"]["why"] == "few_effective"


@pytest.mark.parametrize(
    ("column", "bad"), [("propensity", "0"), ("propensity", "1.5"), ("propensity", "nan"), ("reward", "nan")]
)
def test_illegal_evidence_is_bad_input(frame: pd.DataFrame, tmp_path: Path, column: str, bad: str) -> None:
    broken = frame.astype({column: object})
    broken.loc[77, column] = bad
    broken.to_csv(tmp_path / "bad.csv", index=False)
    code, found = evaluated("--log", tmp_path / "bad.csv", "--policy", "uniform")
    assert code == 2
    assert found["error"] == "DataError"
    assert "77" in found["found"]


def test_a_broken_line_is_listed_and_the_rest_is_valued(log: Path, tmp_path: Path) -> None:
    lines = log.read_text().splitlines()
    lines.insert(1500, "only,three,cells")
    log.write_text("\n".join(lines) + "\n")
    code, found = evaluated("--log", log, "--policy", "uniform", "--rejects", tmp_path / "rejects.csv")
    assert code in (0, 3)
    assert [row["line"] for row in found["rejected"]] == [1501]
    assert found["rows"] == 3000
    assert "1501" in (tmp_path / "rejects.csv").read_text()


@pytest.mark.parametrize(
    ("column", "huge", "code"), [("reward", 1e200, 2), ("propensity", 1e-300, 2), ("x", float("inf"), 0)]
)
def test_huge_numbers_end_in_an_answer_not_in_a_traceback(
    frame: pd.DataFrame, tmp_path: Path, column: str, huge: float, code: int
) -> None:
    odd = frame.copy()
    odd.loc[9, column] = huge
    odd.to_csv(tmp_path / "odd.csv", index=False)
    best = policy(frame, tmp_path, (frame.x >= 0) * 1.0)
    got, found = evaluated("--log", tmp_path / "odd.csv", "--policy", best)
    assert got == code
    assert code == 0 or "row 9" in found["found"]


def test_half_a_log_gives_no_verdict(frame: pd.DataFrame, tmp_path: Path) -> None:
    half = frame.astype({"reward": object})
    half.loc[half.index % 2 == 0, "reward"] = "unknown"
    half.to_csv(tmp_path / "half.csv", index=False)
    best = policy(frame, tmp_path, (frame.x > 0) * 1.0)
    code, found = evaluated("--log", tmp_path / "half.csv", "--policy", best)
    assert (code, found["verdict"]) == (3, "inconclusive")
    assert "could not be read" in found["reason"]
    report = tenure.evaluate(half, best)
    assert report.rejected == len(found["rejected"]) > 1000


@pytest.mark.parametrize("rows", [2999, 3001])
def test_a_table_without_ids_needs_a_row_for_every_row_of_the_log(log: Path, tmp_path: Path, rows: int) -> None:
    pd.DataFrame({"p_0": [0.5] * rows, "p_1": 0.5}).to_csv(tmp_path / "p.csv", index=False)
    code, found = evaluated("--log", log, "--policy", tmp_path / "p.csv")
    assert code == 2
    assert "3000" in found["expected"]


@pytest.mark.parametrize("arguments", [{"alpha": 2.0}, {"discount": -1.0}])
def test_arguments_out_of_range_are_refused_at_the_door(frame: pd.DataFrame, arguments: Any) -> None:
    with pytest.raises(TenureError):
        tenure.evaluate(frame, "uniform", **arguments)


def test_a_column_name_that_comes_twice_is_refused(frame: pd.DataFrame) -> None:
    twice = pd.concat([frame, frame[["x"]]], axis=1)
    with pytest.raises(TenureError, match="more than once"):
        tenure.evaluate(twice, "uniform")


def test_without_propensities_the_answer_is_assumed(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.drop(columns="propensity").to_csv(tmp_path / "bare.csv", index=False)
    _, found = evaluated("--log", tmp_path / "bare.csv", "--policy", "uniform", "--least", -9)
    assert "logged propensities" in found["lower_bound_reason"]
    assert all(each["assumed"] for each in found["estimates"])
    assert all(each["value"]["assumed"] for each in found["models"])
    assert "ASSUMED" in found["reason"]
    assert len(found["models"]) == 3


def test_episodes_are_valued_by_episode(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = [
        {"episode_id": f"e{e}", "step": t, "action": a, "propensity": 0.5, "reward": a + rng.normal() * 0.1}
        for e in range(300)
        for t in range(1 + e % 3)
        for a in [int(rng.integers(0, 2))]
    ]
    pd.DataFrame(rows).to_json(tmp_path / "log.jsonl", orient="records", lines=True)
    code, found = evaluated("--log", tmp_path / "log.jsonl", "--policy", "uniform", "--least", -2)
    assert code == 3
    assert -2 < found["lower_bound"]["low"] < estimates(found)["tis"]["low"]
    assert list(estimates(found)) == ["tis", "pdis", "wis", "pdwis", "dr", "fqe"]
    # Mean length 2, half a point each step.
    assert estimates(found)["pdwis"]["value"] == pytest.approx(1.0, abs=0.15)
    assert estimates(found)["pdwis"]["n"] == 300
    assert found["judged"] == "pdwis"


def test_uniform_from_the_thompson_log_meets_the_published_figures() -> None:
    _, found = evaluated("--log", DATA / "open_bandit_men_bts.csv.gz", "--policy", "uniform")
    by_name = estimates(found)
    assert round(by_name["ips"]["value"], 5) == 0.00301
    assert round(by_name["snips"]["value"], 5) == 0.00319
    assert round(by_name["ips"]["ess"]) == 656


def test_for_people_it_prints_the_verdict_and_the_table(log: Path) -> None:
    found = CliRunner().invoke(app, ["evaluate", "--log", str(log), "--policy", "uniform"])
    assert "snips" in found.stdout
    assert "effective" in found.stdout


@pytest.mark.parametrize("arguments", [["--log", "nowhere.csv", "--policy", "uniform"], ["--log", "x.csv"], []])
def test_what_is_missing_is_bad_usage(arguments: list[str]) -> None:
    assert evaluated(*arguments)[0] == 2


def test_an_empty_log_is_bad_input(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "empty.csv.gz", "wt") as file:
        file.write("action,propensity,reward\n")
    assert evaluated("--log", tmp_path / "empty.csv.gz", "--policy", "uniform")[0] == 2
