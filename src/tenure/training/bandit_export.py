"""From a bandit to a bundle: its encoding, its posterior and its rule as one ONNX graph, checked against it.

The graph is told what is allowed and gives the log of the exact probabilities, so a served bandit draws from the same
distribution as the one that learned, and its logged propensities are as true.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import SettingsError
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.residual import Residual
from tenure.store.bundles import ALLOWED, Bundle, make_bundle
from tenure.training.bandit_models import Posterior
from tenure.training.bandit_rules import (
    NEVER,
    SHARPNESS,
    UCB,
    EpsilonGreedy,
    InverseGap,
    LinUCB,
    Softmax,
    Thompson,
    drawn,
)
from tenure.training.bandits import Bandit

GOLDEN = 64
"""Observations whose answers travel with the bundle."""
LEAST = 1e-30
"""What stands for probability 0, whose logarithm is no number."""
OPSET, IR = 17, 10
"""ONNX versions that ONNX Runtime 1.22 and every later one read."""


class Graph:
    """A graph in the making: constants, and operators named by what they give."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, dtype: type = np.float32) -> str:
        """The name of a constant."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def op(self, kind: str, *given: str, gives: str = "", **attributes: Any) -> str:
        """The name of an operator's result."""
        name = gives or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(given), [name], **attributes))
        return name

    def over_actions(self, kind: str, value: str) -> str:
        """A reduction over the last axis, which stays."""
        if kind == "ReduceSum":
            return self.op(kind, value, self.constant([-1], np.int64), keepdims=1)
        return self.op(kind, value, axes=[-1], keepdims=1)

    def scaled(self, value: str, factor: float) -> str:
        """A value times a number."""
        return self.op("Mul", value, self.constant(factor))


def to_onnx(bandit: Bandit, features: int) -> bytes:
    """The bandit's graph: `observation` float32 [n, features] and `allowed` bool [n, actions] to `logits`.

    Raises:
        SettingsError: the bandit's rule has no graph.
    """
    graph, actions = Graph(), bandit.model.actions
    probability = _rule(bandit)(graph, bandit.posterior, _columns(graph, bandit), ALLOWED)
    graph.op("Log", graph.op("Max", probability, graph.constant(LEAST)), gives="logits")
    made = helper.make_graph(
        graph.nodes,
        "bandit",
        [
            helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["n", features]),
            helper.make_tensor_value_info(ALLOWED, TensorProto.BOOL, ["n", actions]),
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", actions])],
        graph.constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    return bytes(model.SerializeToString())


def export_bandit(
    problem: Problem,
    bandit: Bandit,
    observation: Floats,
    lineage: dict[str, Any],
    evaluation: dict[str, Any],
    residual: tuple[Residual, Policy] | None = None,
) -> Bundle:
    """A bundle that samples as the bandit does.

    Args:
        problem: what it decides.
        bandit: as learned so far.
        observation: situations to take golden answers from; float32 [n, features], n >= 1.
        lineage: where it comes from.
        evaluation: its score on the selection data.
        residual: it adjusts this incumbent's actions within this bound.

    Raises:
        BundleError: the graph answers otherwise than the bandit.
        SettingsError: the bandit's rule has no graph.
    """
    rows = np.linspace(0, len(observation) - 1, min(GOLDEN, len(observation))).astype(int)
    golden = np.asarray(observation[rows], dtype=np.float32)
    logits = np.log(np.maximum(bandit.distribution(golden), LEAST))
    onnx = to_onnx(bandit, golden.shape[1])
    return make_bundle(problem, onnx, golden, logits, lineage, evaluation, choice="sample", residual=residual)


def _columns(graph: Graph, bandit: Bandit) -> str:
    """`Encoding`: numbers as they are, categories as indicators, a constant."""
    encoding = bandit.encoding
    number = np.isnan(encoding.level)
    # The constant reads column 0 and is put in its place afterwards.
    raw = graph.op("Gather", "observation", _indices(graph, np.maximum(encoding.source, 0)), axis=1)
    hit = graph.op("Equal", raw, graph.constant(np.where(number, 0.0, encoding.level)))
    x = graph.op("Where", graph.constant(number, np.bool_), raw, graph.op("Cast", hit, to=TensorProto.FLOAT))
    return graph.op("Where", graph.constant(encoding.source < 0, np.bool_), graph.constant(1.0), x)


def _indices(graph: Graph, source: Ints) -> str:
    return graph.constant(source, np.int64)


Builder = Callable[[Graph, Posterior, str, str], str]
"""From situations and what is allowed to probabilities, both by name."""


def _rule(bandit: Bandit) -> Builder:
    """The part of the graph that belongs to the bandit's rule."""
    builders: dict[type, Callable[..., str]] = {
        EpsilonGreedy: _epsilon_greedy,
        Softmax: _softmax_rule,
        InverseGap: _inverse_gap,
        LinUCB: _linucb,
        Thompson: _thompson,
        UCB: _ucb,
    }
    if type(bandit.rule) not in builders:
        raise SettingsError(
            expected=f"a rule of {sorted(kind.__name__ for kind in builders)}",
            found=type(bandit.rule).__name__,
            where="export_bandit",
            fix="serve it in process, or write its graph",
        )
    return partial(builders[type(bandit.rule)], bandit.rule)


def _expected(graph: Graph, posterior: Posterior, x: str) -> str:
    return graph.op("MatMul", x, graph.constant(posterior.coefficients.T))


def _deviation(graph: Graph, posterior: Posterior, x: str) -> str:
    actions, columns, _ = posterior.root.shape
    side = graph.op("MatMul", x, graph.constant(posterior.root.transpose(1, 0, 2).reshape(columns, -1)))
    shaped = graph.op("Reshape", side, graph.constant([-1, actions, columns], np.int64))
    return graph.op("ReduceL2", shaped, axes=[2], keepdims=0)


def _masked(graph: Graph, score: str, allowed: str) -> str:
    return graph.op("Where", allowed, score, graph.constant(NEVER))


def _best(graph: Graph, score: str, allowed: str) -> str:
    """`bandit_rules.best`."""
    masked = _masked(graph, score, allowed)
    top = graph.op("Equal", masked, graph.over_actions("ReduceMax", masked))
    share = graph.op("Cast", top, to=TensorProto.FLOAT)
    return graph.op("Div", share, graph.over_actions("ReduceSum", share))


def _softmax(graph: Graph, score: str, allowed: str) -> str:
    """`bandit_rules.softmax`; actions that are not allowed underflow to 0."""
    return graph.op("Softmax", _masked(graph, score, allowed), axis=-1)


def _floored(graph: Graph, distribution: str, allowed: str, floor: float) -> str:
    """`bandit_rules.floored`."""
    uniform = graph.op("Cast", allowed, to=TensorProto.FLOAT)
    uniform = graph.op("Div", uniform, graph.over_actions("ReduceSum", uniform))
    return graph.op("Add", graph.scaled(distribution, 1 - floor), graph.scaled(uniform, floor))


def _epsilon_greedy(rule: EpsilonGreedy, graph: Graph, posterior: Posterior, x: str, allowed: str) -> str:
    return _floored(graph, _best(graph, _expected(graph, posterior, x), allowed), allowed, rule.epsilon)


def _softmax_rule(rule: Softmax, graph: Graph, posterior: Posterior, x: str, allowed: str) -> str:
    return _softmax(graph, graph.scaled(_expected(graph, posterior, x), 1 / rule.temperature), allowed)


def _inverse_gap(rule: InverseGap, graph: Graph, posterior: Posterior, x: str, allowed: str) -> str:
    mean = _expected(graph, posterior, x)
    first = _best(graph, mean, allowed)
    gap = graph.op("Sub", graph.over_actions("ReduceMax", _masked(graph, mean, allowed)), mean)
    choices = graph.over_actions("ReduceSum", graph.op("Cast", allowed, to=TensorProto.FLOAT))
    weight = graph.op("Reciprocal", graph.op("Add", choices, graph.scaled(gap, rule.gamma)))
    zero = graph.constant(0.0)
    other = graph.op("And", allowed, graph.op("Equal", first, zero))
    others = graph.op("Where", other, weight, zero)
    rest = graph.op("Sub", graph.constant(1.0), graph.over_actions("ReduceSum", others))
    return graph.op("Add", others, graph.op("Mul", first, rest))


def _linucb(rule: LinUCB, graph: Graph, posterior: Posterior, x: str, allowed: str) -> str:
    bonus = graph.scaled(_deviation(graph, posterior, x), rule.alpha)
    return _best(graph, graph.op("Add", _expected(graph, posterior, x), bonus), allowed)


def _ucb(_: UCB, graph: Graph, posterior: Posterior, x: str, allowed: str) -> str:
    deviation, zero = _deviation(graph, posterior, x), graph.constant(0.0)
    worth = graph.op("Div", graph.constant(posterior.noise), deviation)
    counted = graph.op("Where", allowed, graph.op("Mul", worth, worth), zero)
    t = graph.over_actions("ReduceSum", counted)
    log = graph.op("Log", graph.op("Max", t, graph.constant(1.0)))
    f = graph.op("Add", graph.constant(1.0), graph.op("Mul", t, graph.op("Mul", log, log)))
    width = graph.op("Sqrt", graph.scaled(graph.op("Log", f), 2.0))
    return _best(graph, graph.op("Add", _expected(graph, posterior, x), graph.op("Mul", width, deviation)), allowed)


def _thompson(rule: Thompson, graph: Graph, posterior: Posterior, x: str, allowed: str) -> str:
    actions, temperature = len(posterior.coefficients), SHARPNESS * posterior.noise
    scores = graph.op("MatMul", x, graph.constant(drawn(posterior, rule.draws, rule.seed) / temperature))
    shaped = graph.op("Reshape", scores, graph.constant([-1, rule.draws, actions], np.int64))
    every = graph.op("Unsqueeze", allowed, graph.constant([1], np.int64))
    share = graph.op("ReduceMean", _softmax(graph, shaped, every), axes=[1], keepdims=0)
    return _floored(graph, share, allowed, rule.floor)
