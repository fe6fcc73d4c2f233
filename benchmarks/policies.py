"""The policy that benchmarks decide with: two layers of 64, seeded weights, as the PPO recipe exports them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from tenure.core.arrays import Floats
from tenure.core.problem import Problem
from tenure.core.project import Project
from tenure.core.spaces import Discrete
from tenure.store import Bundle, make_bundle, save_bundle

UNITS = 64


def network(features: int, actions: int) -> bytes:
    """Features in, two layers of 64, logits out; weights from a fixed seed."""
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


def bundle_of(problem: Problem, observation: Floats) -> Bundle:
    """A bundle of the network, its golden answers taken from itself."""
    assert isinstance(problem.action, Discrete)
    onnx = network(len(problem.observation), problem.action.size)
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    logits: Floats = session.run(["logits"], {"observation": observation})[0]
    return make_bundle(problem, onnx, observation, logits, {}, {})


def save_policy(project: Project, bundles: Path) -> str:
    """The policy as a bundle in a folder; its version."""
    bundle = bundle_of(project.problem, situations(project, 8))
    save_bundle(bundle, bundles)
    return bundle.version


def situations(project: Project, n: int) -> Floats:
    """Real observations of the case; float32 [n, features]."""
    simulator = project.simulator
    observed: Floats = simulator.observe(simulator.reset(n, np.random.default_rng(1)))
    return observed
