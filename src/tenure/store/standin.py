"""A bundle that always takes the same action, written without a training library: what a drill kills when nothing was
trained yet."""

from __future__ import annotations

import struct

import numpy as np

from tenure.core.problem import Problem
from tenure.core.spaces import Discrete
from tenure.store.bundles import Bundle, make_bundle

FLOAT, IR_VERSION, OPSET = 1, 10, 17
"""Numbers of the ONNX format: an element type, and the versions every supported runtime reads."""


def stand_in(problem: Problem, action: int = 0) -> Bundle:
    """A bundle for a problem that always proposes one action, with the lineage of a stand-in.

    Args:
        problem: what it is for.
        action: index of the action; a vector is always the middle of its bounds.

    Raises:
        BundleError: the runtime does not take it.
    """
    features, space = len(problem.observation), problem.action
    if isinstance(space, Discrete):
        answer, bias = "logits", [float(index == action) for index in range(space.size)]
    else:
        answer, bias = "action", [(low + high) / 2 for low, high in zip(space.low, space.high, strict=True)]
    golden = np.zeros((1, features), dtype=np.float32)
    lineage = {"run": "stand-in", "seed": 0, "why": "a drill without a trained candidate"}
    answers = np.array([bias], dtype=np.float32)
    return make_bundle(problem, constant_graph(features, bias, answer), golden, answers, lineage, {"score": 0.0})


def constant_graph(features: int, constants: list[float], answer: str = "logits") -> bytes:
    """answer = observation @ 0 + constants, as an ONNX model.

    Source: onnx/onnx.proto of ONNX 1.16; protocol buffers' wire format.
    """
    actions = len(constants)
    nodes = [
        _node("MatMul", ["observation", "zeros"], "none"),
        _node("Add", ["none", "constants"], answer),
    ]
    tensors = [
        _tensor("zeros", [features, actions], [0.0] * (features * actions)),
        _tensor("constants", [actions], constants),
    ]
    graph = b"".join(
        [
            *[_field(1, node) for node in nodes],
            _field(2, b"policy"),
            *[_field(5, tensor) for tensor in tensors],
            _field(11, _value("observation", features)),
            _field(12, _value(answer, actions)),
        ]
    )
    opset = _field(1, b"") + _number(2, OPSET)
    return _number(1, IR_VERSION) + _field(7, graph) + _field(8, opset)


def _node(kind: str, given: list[str], gives: str) -> bytes:
    return b"".join(
        [*[_field(1, name.encode()) for name in given], _field(2, gives.encode()), _field(4, kind.encode())]
    )


def _tensor(name: str, shape: list[int], values: list[float]) -> bytes:
    raw = struct.pack(f"<{len(values)}f", *values)
    return b"".join(
        [*[_number(1, size) for size in shape], _number(2, FLOAT), _field(8, name.encode()), _field(9, raw)]
    )


def _value(name: str, columns: int) -> bytes:
    shape = _field(1, _field(2, b"n")) + _field(1, _number(1, columns))
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, FLOAT) + _field(2, shape)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
