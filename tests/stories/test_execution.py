"""The desk's stories, by public commands: six dear trades in a row are the last, and so is a signal that turned.

The short form serves a policy made by hand, which buys faster while volume is high and while the order book leans
against it; `TENURE_STORIES=long` trains one. Either begins with the whole traffic: how it gets there other tests tell.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from tests.stories.commands import long, tenure

from tenure.cases.execution.problem import MULTIPLES, problem
from tenure.cli.judge import simulate
from tenure.cli.live import server
from tenure.cli.workspace import Workspace, open_workspace
from tenure.client import DecisionClient, drive
from tenure.core.arrays import Floats
from tenure.core.clock import to_text
from tenure.core.project import CASES
from tenure.rollout import fold, transition_to
from tenure.rollout.stages import head_columns
from tenure.store import Event, make_bundle, save_bundle

DEAR_ENOUGH, DEAR = 0.0015, 0.0016
BEFORE = 19
"""Day on which the second story begins; the imbalance changes its sign on day 21."""
TURN = 21


def project(folder: Path, shown: str) -> Path:
    """The case on a level, with 32 desks of its own in place of the held-out ones."""
    copied = shutil.copytree(CASES / "execution", folder / "execution", ignore=shutil.ignore_patterns("__pycache__"))
    file = copied / "simulator.py"
    text = file.read_text()
    changes = {
        "simulator = ExecutionSimulator()": f'simulator = ExecutionSimulator(shown="{shown}")',
        '"held_out": 2 * 10**9': '"held_out": 3 * 10**9',
        "DESKS, DAYS = 64, 28": "DESKS, DAYS = 32, 28",
    }
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    file.write_text(text)
    return copied


def made_by_hand(workspace: Workspace) -> str:
    """A bundle whose best pace is the multiple nearest to a line in volume and flow; its version."""
    line = np.zeros(len(problem.observation), dtype=np.float32)
    line[problem.feature_names.index("volume")], line[problem.feature_names.index("flow")] = 1.0, 1.2
    weights = (100 * 2 * np.outer(line, MULTIPLES)).astype(np.float32)
    offset = (100 * (2 * 0.7 * MULTIPLES - MULTIPLES**2)).astype(np.float32)
    golden = np.array([[12, 48, 0, 0.2, 1, 0, 0], [3, 9, 4, 0.3, 0.5, 0.4, 0.2]], dtype=np.float32)
    logits = golden @ weights + offset
    run = {"run": "by-hand", "seed": 1}
    bundle = make_bundle(workspace.project.problem, _graph(weights, offset), golden, logits, run, {"score": 1.0})
    return save_bundle(bundle, workspace.home / "bundles").name


def _graph(weights: Floats, offset: Floats) -> bytes:
    nodes = [helper.make_node("MatMul", ["observation", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["logits"])]
    features, paces = weights.shape
    graph = helper.make_graph(
        nodes,
        "policy",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["n", features])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", paces])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(offset, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return bytes(model.SerializeToString())


def given_everything(workspace: Workspace, version: str) -> None:
    """All traffic, by the events a controller would write."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with workspace.store() as store:
        store.open_problem("execution", workspace.settings.rollout.salt)
        for kind, payload in (("start", {"version": version}), ("promote", {"to": 1.0})):
            event = Event("execution", kind, "story", "begins with the whole traffic", at, payload)
            store.append_event(event, control=head_columns(transition_to(fold(store.events("execution")), event)))


def a_trade(client: DecisionClient, number: int, slippage: float) -> tuple[str, str]:
    """One child order in the morning and what came of it: who decided, and why."""
    at = datetime(2026, 1, 5, 9, tzinfo=UTC) + timedelta(minutes=10 * number)
    context = {"left": 12, "remaining": 48, "moved": 0, "spread": 0.2, "volume": 1.0, "imbalance": 0.0, "flow": 0.0}
    asked = {"decision_id": f"d{number}", "unit_id": "desk-01/2026-01-05", "at": to_text(at), "context": context}
    answer = client.decide([asked])[0]
    assert "error" not in answer, answer
    signals = {**dict.fromkeys(problem.signal_names, 0.0), "slippage": slippage, "children": 1.0}
    told = {"outcome_id": "fill", "decision_id": f"d{number}", "observed_at": to_text(at), "signals": signals}
    assert "error" not in client.report([told])[0]
    return answer["arm"], answer["reason"]


def tripped_by(home: Path, folder: Path) -> list[str]:
    """What people were told about breakers, by `tenure alerts list`."""
    _, found = tenure(home, "alerts", "list", str(folder))
    return [each["body"] for each in found["alerts"] if "a breaker stopped" in each["title"]]


def assert_the_sixth_dear_trade_is_the_last(folder: Path, home: Path, version: str) -> None:
    workspace = open_workspace(str(folder), home)
    given_everything(workspace, version)
    slippages = [DEAR] * 5 + [DEAR_ENOUGH] + [DEAR] * 6 + [0.0] * 2  # five, one at the limit, and six in a row
    with server(workspace) as url, DecisionClient(url, "execution") as client:
        arms = [a_trade(client, number, slippage)[0] for number, slippage in enumerate(slippages)]
    assert arms == ["candidate"] * 12 + ["incumbent"] * 2
    assert ["slippage above 0.0015, 6 in a row" in told for told in tripped_by(home, folder)] == [True]


@contextmanager
def live(folder: Path, home: Path, version: str) -> Iterator[tuple[Workspace, DecisionClient]]:
    workspace = open_workspace(str(folder), home)
    given_everything(workspace, version)
    with server(workspace) as url, DecisionClient(url, "execution") as client:
        yield workspace, client


def learned_share(workspace: Workspace) -> dict[int, float]:
    """Share of each day's decisions that the learned policy took, by day of the panel."""
    with workspace.store() as store:
        frame = store.read_log("execution")
    started = np.datetime64("2026-01-05")
    day = (frame.decided_at.astype("datetime64[D]") - started).astype(int)
    learned = np.array([arm == "candidate" for arm in frame.arm])
    return {int(each): float(learned[day == each].mean()) for each in np.unique(day)}


def assert_a_turned_signal_is_noticed(folder: Path, home: Path, version: str, days: int) -> None:
    """Nothing breaks before the sign changes; within so many days after, the schedule has the desks back."""
    with live(folder, home, version) as (workspace, client):
        found = workspace.project
        panel = found.simulator.panel("held_out", BEFORE, TURN + days - BEFORE)
        for _ in drive(client, found.problem, found.simulator, panel):
            pass
    share = learned_share(workspace)
    assert [share[day] for day in range(BEFORE, TURN)] == [1.0] * (TURN - BEFORE)
    assert share[TURN] > 0
    assert share[TURN + days - 1] < 1
    assert ["mean reward below -0.25 over 8000" in told for told in tripped_by(home, folder)] == [True]


def assert_it_gains_before_the_turn_and_loses_after(workspace: Workspace, version: str) -> None:
    """Cost and slippage of the orders (shortfall) against the schedule's, over three weeks and the one after."""
    found = workspace.project
    panel = found.simulator.panel("held_out")
    learned, rule = (simulate(found, policy, panel) for policy in (workspace.bundle(version), found.incumbent))
    for kpi in found.problem.kpis[:2]:
        assert learned.slice_days(0, TURN).kpi(kpi) < rule.slice_days(0, TURN).kpi(kpi)
        assert learned.slice_days(TURN, 7).kpi(kpi) > rule.slice_days(TURN, 7).kpi(kpi)


def lowest_mean_reward(folder: Path, home: Path, version: str) -> float:
    """Of 8,000 decisions in a row, over four weeks of the story's desks under the learned policy; in bp a slot."""
    workspace = open_workspace(str(folder), home)
    found = workspace.project
    trace = simulate(found, workspace.bundle(version), found.simulator.panel("held_out"))
    summed = np.concatenate([[0.0], np.cumsum(found.problem.reward(trace.signals))])
    return float((summed[8000:] - summed[:-8000]).min() / 8000)


def test_the_sixth_trade_in_a_row_above_15_basis_points_is_the_last_learned_one(tmp_path: Path) -> None:
    folder = project(tmp_path, "normal")
    version = made_by_hand(open_workspace(str(folder), tmp_path / "home"))
    assert_the_sixth_dear_trade_is_the_last(folder, tmp_path / "home", version)


def test_a_signal_that_turns_after_three_weeks_loses_the_learned_policy_its_seat(tmp_path: Path) -> None:
    folder = project(tmp_path, "new-regime")
    version = made_by_hand(open_workspace(str(folder), tmp_path / "home"))
    assert_a_turned_signal_is_noticed(folder, tmp_path / "home", version, days=2)


def test_what_the_signal_saved_before_its_turn_it_costs_after_it(tmp_path: Path) -> None:
    folder = project(tmp_path, "new-regime")
    workspace = open_workspace(str(folder), tmp_path / "home")
    assert_it_gains_before_the_turn_and_loses_after(workspace, made_by_hand(workspace))


def test_without_a_turn_nothing_breaks_in_four_weeks(tmp_path: Path) -> None:
    """The desks and their chance are the same, so it is the turned signal that the breaker saw."""
    folder = project(tmp_path, "normal")
    version = made_by_hand(open_workspace(str(folder), tmp_path / "home"))
    assert lowest_mean_reward(folder, tmp_path / "home", version) > -0.25


@long
def test_the_whole_story(tmp_path: Path) -> None:
    home = tmp_path / "home"
    folder = project(tmp_path, "new-regime")
    assert tenure(home, "reward", "check", str(folder))[0] == 0
    code, trained = tenure(home, "train", str(folder), "--seeds", "1", "--steps", "400000", "--name", "story")
    assert code == 0
    version = trained["version"]
    shutil.copytree(home / "execution" / "bundles", tmp_path / "other" / "execution" / "bundles")
    assert_it_gains_before_the_turn_and_loses_after(open_workspace(str(folder), home), version)
    assert_the_sixth_dear_trade_is_the_last(folder, tmp_path / "other", version)
    assert_a_turned_signal_is_noticed(folder, home, version, days=3)
