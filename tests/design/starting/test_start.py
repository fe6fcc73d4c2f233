"""A new folder works as it stands, says where it came from, and never touches what is there."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from pandas import read_csv
from tests.design.starting.tables import episodes, german, offers, written

from tenure.core.errors import DataError, ProjectError, TenureError
from tenure.core.evidence import Verdict
from tenure.core.project import CASES, Project, load_project
from tenure.design.reward.check import check_reward
from tenure.design.starting import start
from tenure.design.starting.folder import files_of_project
from tenure.design.starting.roles import Told
from tenure.design.starting.start import start_from_case, start_from_log
from tenure.rollout.settings import read_settings
from tenure.simulators import check_simulator


def works(folder: Path) -> Project:
    """The project, once everything its own tests ask for holds."""
    project = load_project(folder)
    found = check_reward(project)
    assert found.verdict is Verdict.PASS, found.findings
    broken = [each for each in check_simulator(project.problem, project.simulator) if each.verdict is Verdict.FAIL]
    assert not broken
    read_settings(project.settings_path, project.problem)
    return project


def test_a_log_becomes_a_folder_that_works(tmp_path: Path) -> None:
    started = start_from_log("shop", tmp_path, offers(tmp_path / "log.csv"))
    problem = works(started.folder).problem
    assert problem.name == "shop"
    assert problem.action.labels == ("call", "mail", "none")  # type: ignore[union-attr]
    assert set(problem.feature_names) == {"age", "segment_is_a", "segment_is_b", "time_hour", "time_weekday"}
    assert [signal.name for signal in problem.signals] == ["revenue", "untried"]
    assert (started.folder / "data" / "log.csv").read_bytes() == (tmp_path / "log.csv").read_bytes()


@pytest.mark.parametrize("form", ["semicolons.csv", "bom.csv", "log.csv.gz", "log.jsonl", "log.parquet"])
def test_every_form_of_the_same_log_gives_the_same_project(tmp_path: Path, form: str) -> None:
    plain, path = offers(tmp_path / "plain.csv"), tmp_path / form
    table = read_csv(plain)
    if form == "semicolons.csv":
        table.to_csv(path, index=False, sep=";")
    elif form == "bom.csv":
        table.to_csv(path, index=False, encoding="utf-8-sig")
    elif form == "log.jsonl":
        table.to_json(path, orient="records", lines=True)
    elif form == "log.parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    expected = load_project(start_from_log("shop", tmp_path / "a", plain).folder)
    found = works(start_from_log("shop", tmp_path / "b", path).folder)
    assert found.problem.as_dict() == expected.problem.as_dict()
    ours, theirs = (project.optional("data", "decisions")() for project in (found, expected))
    assert np.array_equal(ours.observation, theirs.observation)
    assert np.array_equal(ours.action, theirs.action)
    assert np.array_equal(ours.signals["revenue"], theirs.signals["revenue"])


def test_a_written_folder_passes_its_own_tests_and_is_clean(tmp_path: Path) -> None:
    folder = start_from_log("shop", tmp_path, offers(tmp_path / "log.csv")).folder
    ruff = str(Path(sys.executable).with_name("ruff"))
    for words in ([ruff, "check", "."], [ruff, "format", "--check", "."], [sys.executable, "-m", "pytest", "-q"]):
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


def test_in_a_log_of_episodes_the_action_moves_the_world(tmp_path: Path) -> None:
    log = episodes(tmp_path / "log.csv", count=120)
    folder = start_from_log("walk", tmp_path, log, Told(features=("x",))).folder
    project = works(folder)
    world, rng = project.simulator, np.random.default_rng(0)
    state = world.reset(400, rng)
    before = world.observe(state)[:, 0]
    for action, move in ((0, -1), (1, 1)):  # down, up
        step = world.step(state, np.full(400, action), rng)
        moved = (world.observe(step.state)[:, 0] - before)[~step.terminated]
        inner = np.abs(before[~step.terminated]) <= 1
        assert (moved[inner] == move).mean() > 0.8
        assert step.terminated.mean() < 0.5


def test_of_a_negative_outcome_the_first_kpi_is_positive_and_still_says_what_is_better(tmp_path: Path) -> None:
    folder = start_from_log("walk", tmp_path, episodes(tmp_path / "log.csv"), Told(features=("x",))).folder
    project = works(folder)
    kpi, term = project.problem.kpis[0], project.problem.reward.terms[0]
    assert (kpi.name, kpi.better, term.weight) == ("minus_reward", "lower", 1.0)
    assert kpi.value({"reward": np.array([-2.0, -1.0])}) == 1.5


def test_outcomes_of_the_world_are_those_of_like_decisions(tmp_path: Path) -> None:
    """A log in which one action brings 1 to the one half and the other to the other half."""
    rows = [(side, action, int(side == action), i % 7) for i in range(300) for side in (0, 1) for action in (0, 1)]
    log = written(tmp_path / "log.csv", ("side", "action", "reward", "other"), rows)
    world = works(start_from_log("sides", tmp_path, log).folder).simulator
    rng = np.random.default_rng(0)
    state = world.reset(200, rng)
    side = world.observe(state)[:, 0].astype(int)
    assert (world.step(state, side, rng).signals["reward"] == 1).all()
    assert (world.step(state, 1 - side, rng).signals["reward"] == 0).all()


def test_a_rule_gains_in_the_world_what_it_gains_in_truth_among_features_of_no_use(tmp_path: Path) -> None:
    """By how the log was made `call` from 50 on, else `mail`, brings 3.5; `call` for all brings 2.5."""
    rng = np.random.default_rng(0)
    age, action, n = rng.integers(20, 80, 900), rng.choice(["call", "mail"], 900), 900
    reward = 10 + 5 * (action == "call") * (age >= 50) + 2 * (action == "mail") * (age < 50) + rng.normal(0, 1, n)
    columns = (age, *rng.normal(size=(4, n)).round(3), action, reward.round(2))
    header = ("age", "a", "b", "c", "d", "action", "reward")
    log = written(tmp_path / "log.csv", header, list(zip(*(each.tolist() for each in columns), strict=True)))
    world: Any = works(start_from_log("ages", tmp_path, log).folder).simulator
    for split in ("selection", "held_out"):
        row = world.panel(split).state.row.repeat(20)
        old = world.log.observation[row, 0] >= 50
        call, mail = (world.log.signals["reward"][world.alike[0][row, action]].mean(axis=1) for action in (0, 1))
        truth = 10 + np.where(old, 5.0, 2.0).mean()
        assert np.where(old, call, mail).mean() == pytest.approx(truth, abs=0.35), split


def test_held_out_situations_are_later_than_those_that_are_learned_from(tmp_path: Path) -> None:
    rows = [(i, i, ("a", "b")[i % 2], i % 3) for i in range(100)]
    log = written(tmp_path / "log.csv", ("time", "load", "action", "reward"), rows)
    world = load_project(start_from_log("late", tmp_path, log, Told(features=("load",))).folder).simulator
    learned = world.observe(world.reset(500, np.random.default_rng(0)))[:, 0].max()
    assert learned < world.observe(world.panel("held_out").state)[:, 0].min()


def test_a_leak_becomes_a_signal_and_no_feature(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts = rng.integers(1, 50, (100, 2))
    rows = [(int(rng.integers(0, 2)), int(rng.integers(0, 9)), a, b, a + b) for a, b in parts.tolist()]
    log = written(tmp_path / "log.csv", ("action", "load", "card", "cash", "reward"), rows)
    started = start_from_log("till", tmp_path, log)
    problem = works(started.folder).problem
    assert problem.feature_names == ("load",)
    assert [signal.name for signal in problem.signals] == ["reward", "card", "cash"]
    assert {kpi.name for kpi in problem.kpis} == {"mean_reward", "mean_card", "mean_cash"}
    assert started.as_dict()["leaks"][0]["column"] == "card"


def test_decimal_commas_and_days_first_are_read_as_they_are_meant_and_it_is_said(tmp_path: Path) -> None:
    draft = start_from_log("shop", tmp_path, german(tmp_path / "log.csv")).draft
    assert draft is not None
    assert (draft.roles.outcome, draft.roles.time) == ("revenue", "datum")
    assert "preis" in [feature.source.column for feature in draft.features]
    assert draft.notes[0].startswith("the file has numbers with decimal commas: preis, revenue (such as '1.100,5'")
    assert "read as 2026-01-01T00:30:00" in draft.notes[1]
    world: Any = load_project(tmp_path / "shop").simulator
    assert world.log.observation[0, 0] == pytest.approx(1100.5)
    assert world.log.signals["revenue"][:2].tolist() == [0.25, 7.26]


def test_numbers_that_may_be_thousands_or_fractions_are_refused_with_their_line_unless_ignored(tmp_path: Path) -> None:
    rows = [(("a", "b")[i % 2], i % 5, f"1,{200 + i}") for i in range(40)]
    path = written(tmp_path / "log.csv", ("action", "reward", "size"), rows, delimiter=";")
    with pytest.raises(DataError, match="a fraction or thousands") as caught:
        start_from_log("shop", tmp_path, path)
    assert caught.value.where == f"{path}:2"
    assert not (tmp_path / "shop").exists()
    assert start_from_log("shop", tmp_path, path, Told(ignore=("size",))).draft is not None


def test_a_column_named_like_the_outcome_that_holds_words_is_asked_about(tmp_path: Path) -> None:
    rows = [(("a", "b")[i % 2], f"{i % 7} EUR", i % 5) for i in range(40)]
    path = written(tmp_path / "log.csv", ("action", "revenue", "size"), rows)
    with pytest.raises(DataError, match="named like the outcome") as caught:
        start_from_log("shop", tmp_path, path)
    assert (caught.value.found, caught.value.where) == ("'0 EUR'", f"{path}:2")


def test_a_missing_propensity_is_noted(tmp_path: Path) -> None:
    notes = start_from_log("shop", tmp_path, offers(tmp_path / "log.csv")).as_dict()["notes"]
    assert any("no propensity" in note for note in notes)


HOSTILE = (
    'x"""; import os; os.system("touch pwned")',
    "a\nimport os",
    "{{ 7 * 7 }}",
    "\\",
    "class",
    "{% raw %}",
    "größe 価格",
    "'; raise SystemExit #",
    "| a | b |",
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
)


def test_no_header_and_no_cell_becomes_code(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        {
            **dict(zip(HOSTILE, rng.integers(0, 9, len(HOSTILE)).tolist(), strict=True)),
            "kind": str(rng.choice(HOSTILE)),
            "action": HOSTILE[i % 3],
            "reward": int(rng.integers(0, 4)),
        }
        for i in range(60)
    ]
    log = tmp_path / "lo\"g'.jsonl"
    log.write_text("\n".join(map(json.dumps, rows)))
    folder = start_from_log("hostile", tmp_path, log).folder
    problem = works(folder).problem
    assert set(problem.action.labels) == set(HOSTILE[:3])  # type: ignore[union-attr]
    data = ast.parse((folder / "data.py").read_text())
    literals = {node.value for node in ast.walk(data) if isinstance(node, ast.Constant)}
    assert set(HOSTILE) <= literals
    assert not (tmp_path / "pwned").exists()
    imported = {
        node.names[0].name
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import)
    }
    assert imported <= {"hashlib", "numpy"}
    readme = (folder / "README.md").read_text()
    assert "<script" not in readme
    assert re.search(r"(?<!\\)\[x", readme) is None
    tables = [line for line in readme.splitlines() if line.startswith("| ")]
    widths = {len(re.findall(r"(?<!\\)\|", line)) - 1 for line in tables}
    assert widths <= {2, 3}, "a header ends no cell"
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in readme


CELLS = st.one_of(
    st.just(""),
    st.integers(-5, 5).map(str),
    st.floats(allow_nan=True, allow_infinity=True).map(str),
    st.sampled_from(["a", "b", "true", "2026-01-01", "2026-01-01T05:00:00Z", "NA", "größe", "1e400", '"', "x" * 99]),
)
HEADERS = st.one_of(
    st.sampled_from(["time", "user_id", "episode", "step", "p", "class", "a b", "A-B", "context", "cost", "x_after"]),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12),
)
ACTIONS, REWARDS = st.sampled_from(["a", "b", "3", "4.0", '"', "ö"]), st.floats(-1e6, 1e6).map(str)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Actions and rewards, and beside them columns of anything that draw their cells from few values."""
    n = draw(st.integers(10, 40))
    columns = [draw(st.lists(kind, min_size=n, max_size=n)) for kind in (ACTIONS, REWARDS)]
    others = draw(st.lists(HEADERS, max_size=5, unique_by=str.strip))
    for _ in others:
        pool = draw(st.lists(CELLS, min_size=1, max_size=4))
        columns.append(draw(st.lists(st.sampled_from(pool), min_size=n, max_size=n)))
    return ["action", "reward", *others], [list(row) for row in zip(*columns, strict=True)]


@settings(max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(table=tables())
def test_any_table_gives_a_folder_that_loads_or_an_error_of_ours(
    table: tuple[list[str], list[list[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("any")
    log = written(place / "log.csv", *table)
    event(f"columns {len(table[0])}")
    try:
        folder = start_from_log("any", place, log).folder
    except TenureError as error:
        event(f"refused: {error.expected[:40]}")
        assert not (place / "any").exists(), "nothing is written when a log cannot be understood"
        return
    event("a folder")
    project = load_project(folder)
    state = project.simulator.reset(3, np.random.default_rng(0))
    project.simulator.step(state, np.zeros(3, dtype=np.int64), np.random.default_rng(0))
    assert check_reward(project).verdict is Verdict.PASS


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    log, target = offers(tmp_path / "log.csv"), tmp_path / "shop"
    target.mkdir()
    (target / "mine.txt").write_text("precious")
    with pytest.raises(ProjectError, match="nothing is ever overwritten"):
        start_from_log("shop", tmp_path, log)
    with pytest.raises(ProjectError, match="nothing is ever overwritten"):
        start_from_case("shop", tmp_path, None)
    assert [path.name for path in target.iterdir()] == ["mine.txt"]
    (target / "mine.txt").unlink()
    works(start_from_log("shop", tmp_path, log).folder)


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "a b", "ä", ".hidden", "9lives"])
def test_a_name_that_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProjectError, match="begins with a letter"):
        start_from_case(name, tmp_path, None)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "an empty file"), ("action,reward\n", "none"), ("action,reward\na,1\nb,2\n", "2 with 2 different actions")],
)
def test_an_empty_or_tiny_log_is_refused_and_leaves_nothing(tmp_path: Path, text: str, said: str) -> None:
    log = tmp_path / "log.csv"
    log.write_text(text)
    with pytest.raises(DataError, match=said):
        start_from_log("shop", tmp_path, log)
    assert not (tmp_path / "shop").exists()


def test_a_log_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such file.*nowhere\.csv"):
        start_from_log("shop", tmp_path, tmp_path / "nowhere.csv")


def test_a_large_log_is_not_copied_and_found_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "COPIED_BYTES", 10)
    started = start_from_log("shop", tmp_path, offers(tmp_path / "log.csv"))
    assert not (started.folder / "data").exists()
    assert "../log.csv" in (started.folder / "data.py").read_text()
    works(started.folder)


def test_the_small_world_works_and_its_rule_can_be_beaten(tmp_path: Path) -> None:
    project = works(start_from_case("queue", tmp_path, None).folder)
    assert project.problem.name == "queue"
    assert (project.folder / "tests" / "test_reward.py").exists()


def test_a_shipped_case_becomes_a_folder_of_ones_own(tmp_path: Path) -> None:
    project = works(start_from_case("mybikes", tmp_path, "bikes").folder)
    shipped = load_project("bikes")
    assert project.problem.name == "mybikes"
    assert project.problem.reward_version == shipped.problem.reward_version
    assert project.bound is not None
    assert project.simulator.panel("held_out").steps == shipped.simulator.panel("held_out").steps
    assert not (project.folder / "tune.py").exists(), "it imports the shipped case by name"


@pytest.mark.parametrize("case", sorted(path.parent.name for path in CASES.glob("*/problem.py")))
def test_every_shipped_case_can_be_renamed_and_leaves_nothing_behind_that_names_its_old_place(case: str) -> None:
    texts, copies = files_of_project(CASES / case, "mine")
    assert 'name="mine"' in texts["problem.py"]
    assert f'name="{case}"' not in texts["problem.py"]
    assert not [name for name, text in texts.items() if f"from tenure.cases.{case}" in text]
    assert not [name for name in (*texts, *copies) if "__pycache__" in name]


def test_a_case_that_is_not_shipped_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"'bikes'.*'nothing'"):
        start_from_case("x", tmp_path, "nothing")


def test_what_a_server_loads_of_a_project_needs_neither_the_log_nor_its_readers(tmp_path: Path) -> None:
    folder = start_from_log("shop", tmp_path, offers(tmp_path / "log.csv")).folder
    (folder / "data" / "log.csv").unlink()
    asks = (
        "import sys; from tenure.core.project import load_project; "
        f"project = load_project({str(folder)!r}); project.problem.version, project.incumbent.version; "
        "sys.exit(bool({'pandas', 'pyarrow', 'sklearn', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", asks], check=False, timeout=60).returncode == 0
