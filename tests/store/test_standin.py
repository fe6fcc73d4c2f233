"""The stand-in is a bundle like any other: loaded, checked and served; it always takes its action."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenure.core.errors import BundleError
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Box, Discrete, Feature
from tenure.store import load_bundle, save_bundle
from tenure.store.bundles import BundlePolicy, make_bundle
from tenure.store.standin import constant_graph, stand_in

PROBLEM = Problem(
    name="toy",
    about="for tests",
    observation=(Feature("x", "m", 0, 10), Feature("y", "m")),
    action=Discrete(tuple(f"a{number}" for number in range(200))),
    signals=(Signal("cost", "$", 0, 100),),
    reward=Reward((Term("cost", -1.0, "$", "it is paid"),)),
    kpis=(KPI("cost", "$", "lower", {"cost": 1}),),
)


@pytest.mark.parametrize("action", [0, 7, 199])
def test_it_is_saved_loaded_and_always_takes_its_action(tmp_path: Path, action: int) -> None:
    folder = save_bundle(stand_in(PROBLEM, action), tmp_path)
    policy = load_bundle(folder, PROBLEM)
    observation = np.array([[0, 1e30], [-5, 3], [10, -1e30]], dtype=np.float32)
    assert policy.propose(observation, None, np.zeros(3)).action.tolist() == [action] * 3


def test_for_vectors_it_always_takes_the_middle_of_the_bounds(tmp_path: Path) -> None:
    boxed = replace(PROBLEM, action=Box(("u", "v"), ("m", "m"), (-1.0, 0.0), (1.0, 5.0)))
    policy = load_bundle(save_bundle(stand_in(boxed), tmp_path), boxed)
    assert policy.propose(np.ones((2, 2), dtype=np.float32), None, np.zeros(2)).action.tolist() == [[0.0, 2.5]] * 2


@pytest.mark.parametrize(("answered", "proposed"), [(0.1, 0.1), (-0.1, -0.1), (0.25, 0.25), (-0.75, -0.75), (0.0, 0.0)])
def test_a_bound_that_float32_rounds_outwards_is_kept_and_nothing_else_is_cut_off(
    answered: float, proposed: float
) -> None:
    # float32 makes 0.10000000149 of 0.1; 0.25 and -0.75 lie beyond, and stay to be refused
    boxed = replace(PROBLEM, action=Box(("u",), ("m",), (-0.1,), (0.1,)))
    graph, answers = constant_graph(2, [answered], "action"), np.array([[answered]], dtype=np.float32)
    bundle = make_bundle(boxed, graph, np.zeros((1, 2), dtype=np.float32), answers, {}, {})
    found = BundlePolicy(bundle).propose(np.zeros((1, 2), dtype=np.float32), None, np.zeros(1)).action
    assert found.tolist() == [[proposed]]


def test_its_lineage_says_what_it_is() -> None:
    assert stand_in(PROBLEM).manifest["lineage"]["run"] == "stand-in"


def test_the_format_library_reads_the_graph_written_by_hand() -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(constant_graph(2, [0.5, -1.5, 300.0]))
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["MatMul", "Add"]
    assert [value.name for value in (*model.graph.input, *model.graph.output)] == ["observation", "logits"]
    assert onnx.numpy_helper.to_array(model.graph.initializer[1]).tolist() == [0.5, -1.5, 300.0]


def test_a_graph_that_is_damaged_is_refused() -> None:
    from tenure.store.bundles import Bundle

    with pytest.raises(BundleError):
        BundlePolicy(Bundle(constant_graph(2, [0.0, 1.0])[:-5], {}))
