"""Small ONNX graphs, made without a training library."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tenure.core.arrays import Floats

WEIGHTS: Floats = np.array([[1.0, -1.0, 0.5], [0.0, 2.0, 1.0]], dtype=np.float32)
"""Two features in, three logits out."""


def linear(
    weights: Floats = WEIGHTS, *, given: str = "observation", gives: str = "logits", outside: bool = False
) -> bytes:
    """logits = observation @ weights; `outside` names a file that holds the weights."""
    tensor: Any = numpy_helper.from_array(weights.astype(np.float32), "w")
    if outside:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="weights.bin")
    graph = helper.make_graph(
        [helper.make_node("MatMul", [given, "w"], [gives])],
        "policy",
        [helper.make_tensor_value_info(given, TensorProto.FLOAT, ["n", weights.shape[0]])],
        [helper.make_tensor_value_info(gives, TensorProto.FLOAT, ["n", weights.shape[1]])],
        [tensor],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return bytes(model.SerializeToString())


def masked(weights: Floats = WEIGHTS) -> bytes:
    """logits = observation @ weights, -7 where an action is not allowed, so that a test can see the graph was told."""
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["observation", "w"], ["all"]),
            helper.make_node("Where", ["allowed", "all", "low"], ["logits"]),
        ],
        "policy",
        [
            helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["n", weights.shape[0]]),
            helper.make_tensor_value_info("allowed", TensorProto.BOOL, ["n", weights.shape[1]]),
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", weights.shape[1]])],
        [
            numpy_helper.from_array(weights.astype(np.float32), "w"),
            numpy_helper.from_array(np.array(-7, dtype=np.float32), "low"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return bytes(model.SerializeToString())


def sure(weights: Floats = WEIGHTS) -> bytes:
    """logits = observation @ weights, and beside them confidence = sigmoid(first feature), [n]."""
    constants = {"w": weights.astype(np.float32), "first": np.array(0)}
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["observation", "w"], ["logits"]),
            helper.make_node("Gather", ["observation", "first"], ["x"], axis=1),
            helper.make_node("Sigmoid", ["x"], ["confidence"]),
        ],
        "policy",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["n", weights.shape[0]])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", weights.shape[1]]),
            helper.make_tensor_value_info("confidence", TensorProto.FLOAT, ["n"]),
        ],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return bytes(model.SerializeToString())
