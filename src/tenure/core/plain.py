"""Plain fields, as JSON can hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def finite(value: Any) -> Any:
    """The same fields with None for NaN and infinity, which JSON cannot write.

    >>> finite({"low": float("-inf"), "each": [1.0, float("nan")]})
    {'low': None, 'each': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
