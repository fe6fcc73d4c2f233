"""What a monitor has seen, as plain JSON and back; only what it names in `keeps`."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

ARRAY = "array"


def dumped(monitor: Any) -> dict[str, Any]:
    """The state of a monitor, plain values only."""
    return {name: _plain(getattr(monitor, name)) for name in monitor.keeps}


def restore(monitor: Any, state: dict[str, Any]) -> None:
    """Put a monitor back to where it was; it must have been made with the same settings.

    Raises:
        KeyError: the state is of another monitor.
    """
    for name in monitor.keeps:
        now = getattr(monitor, name)
        if hasattr(now, "keeps"):
            restore(now, state[name])
        elif isinstance(now, dict) and now and all(hasattr(each, "keeps") for each in now.values()):
            for key, each in state[name]["pairs"]:
                restore(now[key], each)
        else:
            setattr(monitor, name, _value(state[name]))


def _plain(value: Any) -> Any:
    if hasattr(value, "keeps"):
        return dumped(value)
    if isinstance(value, np.ndarray):
        text = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {ARRAY: text, "type": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, dict):
        return {"pairs": [[key, _plain(item)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _value(plain: Any) -> Any:
    if isinstance(plain, dict) and ARRAY in plain:
        flat = np.frombuffer(base64.b64decode(plain[ARRAY]), dtype=plain["type"])
        return flat.reshape(plain["shape"]).copy()
    if isinstance(plain, dict):
        return {key: _value(item) for key, item in plain["pairs"]}
    return [_value(item) for item in plain] if isinstance(plain, list) else plain
