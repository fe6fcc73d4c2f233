"""A project folder with candidates good and bad, and a rollout set where a test wants it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tenure.core.arrays import Floats
from tenure.core.project import load_project
from tenure.rollout import fold, transition_to
from tenure.rollout.stages import head_columns
from tenure.store import Event, Store, make_bundle, save_bundle

PROBLEM = """
import numpy as np
from tenure import KPI, Discrete, Feature, Problem, Proposal, Reward, Signal, Term

problem = Problem(
    name="toy", about="for tests", observation=(Feature("x", "m", 0, 10), Feature("y", "m", 0, 10, default=1.0)),
    action=Discrete(("a", "b", "c")), signals=(Signal("cost", "$", 0, 100),),
    reward=Reward((Term("cost", -1.0, "$", "it is paid"),)), kpis=(KPI("cost", "$", "lower", {"cost": 1}),),
)


class Rule:
    version = "rule"

    def propose(self, observation, allowed, draw):
        return Proposal(np.zeros(len(observation), dtype=int), np.ones(len(observation)))


incumbent = Rule()
"""
RULE, LEARNED = 0, 1
"""The action each arm takes."""
LOGITS: Floats = np.array([[0.0, 1.0, 0.5], [0.0, 1.0, 0.5]], dtype=np.float32)
GOLDEN: Floats = np.array([[1, 1], [2, 1]], dtype=np.float32)
SALT = "salt"


def make_project(folder: Path, toml: str = "") -> Path:
    """The folder, with a tenure.toml of one's own after the salt."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "problem.py").write_text(PROBLEM)
    (folder / "tenure.toml").write_text(f'[rollout]\nsalt = "{SALT}"\nexploration = 0.0\napproval = []\n{toml}')
    return folder


def candidate(project: Path, home: Path, kind: str = "good") -> str:
    """A bundle in the server's folder; its version. It may be good, slow (seconds a call) or nan (for x above 5)."""
    onnx = {"good": _good, "slow": _slow, "nan": _nan}[kind]()
    problem, golden = load_project(project).problem, GOLDEN
    logits = golden @ LOGITS
    bundle = make_bundle(problem, onnx, golden, logits, {"run": kind, "seed": 1}, {"score": 1.0})
    return save_bundle(bundle, home / "toy" / "bundles").name


def at(store: Store, version: str, share: float) -> None:
    """Start a rollout and promote it to a share, by the events a controller would write."""
    store.open_problem("toy", SALT)
    move(store, "start", version=version)
    if share > 0:
        move(store, "promote", to=share)


def move(store: Store, kind: str, **payload: Any) -> None:
    """One event and the head it leads to."""
    event = Event("toy", kind, "ann", "test", datetime.now(UTC), payload)
    after = transition_to(fold(store.events("toy")), event)
    store.append_event(event, control=head_columns(after))


def _good() -> bytes:
    return _graph([helper.make_node("MatMul", ["observation", "w"], ["logits"])], [])


def _slow(size: int = 1200, times: int = 40) -> bytes:
    """The same answers, after so many products of large matrices that depend on the observation."""
    nodes = [
        helper.make_node("ReduceMax", ["observation"], ["top"], keepdims=0),
        helper.make_node("Mul", ["large", "top"], ["m0"]),
        *[helper.make_node("MatMul", [f"m{n}", "large"], [f"m{n + 1}"]) for n in range(times)],
        helper.make_node("ReduceMax", [f"m{times}"], ["high"], keepdims=0),
        helper.make_node("Mul", ["high", "zero"], ["nothing"]),
        helper.make_node("MatMul", ["observation", "w"], ["plain"]),
        helper.make_node("Add", ["plain", "nothing"], ["logits"]),
    ]
    large = np.full((size, size), 1 / size, dtype=np.float32)
    return _graph(nodes, [("large", large), ("zero", np.array(0, dtype=np.float32))])


def _nan() -> bytes:
    """The same answers, not a number where x lies above 5."""
    nodes = [
        helper.make_node("MatMul", ["observation", "first"], ["x"]),
        helper.make_node("Sub", ["five", "x"], ["left"]),
        helper.make_node("Sqrt", ["left"], ["root"]),
        helper.make_node("Mul", ["root", "zero"], ["nothing"]),
        helper.make_node("MatMul", ["observation", "w"], ["plain"]),
        helper.make_node("Add", ["plain", "nothing"], ["logits"]),
    ]
    constants = [
        ("first", np.array([[1], [0]], dtype=np.float32)),
        ("five", np.array(5, dtype=np.float32)),
        ("zero", np.array(0, dtype=np.float32)),
    ]
    return _graph(nodes, constants)


def _graph(nodes: list[Any], constants: list[tuple[str, Floats]]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "policy",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(value, name) for name, value in [("w", LOGITS), *constants]],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return bytes(model.SerializeToString())
