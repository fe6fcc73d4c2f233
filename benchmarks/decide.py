"""How long one decision takes in process, against a bare call of its own graph in the same run.

The log is a real file with `synchronous=OFF`, so that the disk's fsync is left out; everything else is as it is live.
Run by hand: `python benchmarks/decide.py`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tenure.core.arrays import Floats
from tenure.core.clock import SystemClock
from tenure.core.errors import TenureError
from tenure.core.problem import Problem
from tenure.core.project import load_project
from tenure.core.spaces import Discrete
from tenure.rollout.settings import Settings
from tenure.serving import Answer, DecisionRequest, DecisionService
from tenure.store import Event, SqliteStore, make_bundle
from tenure.store.bundles import BundlePolicy

WARM_UP, CALLS, UNITS = 500, 6000, 64
STAGES = {"shadow": 0.0, "canary": 0.1, "full": 1.0}
LIMIT = 15.0
"""Most decide may cost, in bare calls."""


def network(features: int, actions: int) -> bytes:
    """Two hidden layers of 64 units, as the PPO recipe exports them, with seeded weights."""
    rng, sizes = np.random.default_rng(7), (features, UNITS, UNITS, actions)
    names = ["observation", "hidden_0", "hidden_1", "logits"]
    nodes, weights = [], []
    for layer, (wide, narrow) in enumerate(pairwise(sizes)):
        matrix = (rng.normal(size=(wide, narrow)) / wide).astype(np.float32)
        weights += [
            numpy_helper.from_array(matrix, f"w{layer}"),
            numpy_helper.from_array(np.zeros(narrow, np.float32), f"b{layer}"),
        ]
        out = names[layer + 1] if layer == 2 else f"sum_{layer}"
        nodes.append(helper.make_node("Gemm", [names[layer], f"w{layer}", f"b{layer}"], [out]))
        if layer < 2:
            nodes.append(helper.make_node("Tanh", [out], [names[layer + 1]]))
    graph = helper.make_graph(
        nodes,
        "policy",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["n", features])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", actions])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return bytes(model.SerializeToString())


def policy_of(problem: Problem, observation: Floats) -> BundlePolicy:
    """A bundle of the network, its golden answers taken from itself."""
    assert isinstance(problem.action, Discrete)
    onnx = network(len(problem.observation), problem.action.size)
    logits = _session_logits(onnx, observation)
    return BundlePolicy(make_bundle(problem, onnx, observation, logits, {}, {}))


def requests_of(contexts: Sequence[dict[str, float]], prefix: str) -> list[DecisionRequest]:
    """One request per call, every id and unit its own."""
    return [
        DecisionRequest(f"{prefix}-unit-{index}", contexts[index % len(contexts)], decision_id=f"{prefix}-{index}")
        for index in range(WARM_UP + CALLS)
    ]


def p50_us(act: Callable[[Any], object], inputs: Sequence[Any]) -> float:
    """Median microseconds of a call, after a warm-up."""
    spent = []
    for given in inputs:
        started = time.perf_counter_ns()
        act(given)
        spent.append(time.perf_counter_ns() - started)
    return statistics.median(spent[WARM_UP:]) / 1000


def main() -> int:
    """Print the medians; exit code 1 when decide costs more than the limit."""
    project = load_project("bikes")
    problem, simulator = project.problem, project.simulator
    observation = simulator.observe(simulator.reset(64, np.random.default_rng(7)))
    policy = policy_of(problem, observation)
    contexts = [dict(zip(problem.feature_names, row, strict=True)) for row in observation.tolist()]
    bare = p50_us(policy.logits, [observation[index % 64 : index % 64 + 1] for index in range(WARM_UP + CALLS)])
    _line("bare ONNX Runtime call", bare, bare)
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for stage, share in STAGES.items():
            with SqliteStore(Path(folder) / f"{stage}.sqlite", synchronous="OFF") as store:
                service = DecisionService(
                    problem, project.incumbent, store, Settings(), SystemClock(), load=lambda _: policy
                )
                control = {"stage": stage, "share": share, "version": policy.version}
                now = datetime(2011, 10, 1, tzinfo=UTC)
                store.append_event(Event(problem.name, "stage", "benchmark", "benchmark", now, {}), control=control)
                decide = p50_us(_decider(service), requests_of(contexts, stage))
                _line(f"decide at {stage}", decide, bare)
                if stage == "full":
                    _line("bare, between decisions", _between(service, policy, observation, contexts), bare)
            worst = max(worst, decide / bare)
    return int(worst > LIMIT)


def _decider(service: DecisionService) -> Callable[[DecisionRequest], Answer | TenureError]:
    return lambda request: service.decide([request])[0]


def _between(
    service: DecisionService, policy: BundlePolicy, observation: Floats, contexts: Sequence[dict[str, float]]
) -> float:
    """Median microseconds of the bare call when the processor's caches hold a decision, not the graph."""
    spent = []
    for request in requests_of(contexts, "between"):
        service.decide([request])
        started = time.perf_counter_ns()
        policy.logits(observation[:1])
        spent.append(time.perf_counter_ns() - started)
    return statistics.median(spent[WARM_UP:]) / 1000


def _session_logits(onnx: bytes, observation: Floats) -> Floats:
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    logits: Floats = session.run(["logits"], {"observation": observation})[0]
    return logits


def _line(what: str, us: float, bare: float) -> None:
    print(f"{what:24} p50 {us:7.1f} us   {us / bare:5.1f} x bare")


if __name__ == "__main__":
    sys.exit(main())
