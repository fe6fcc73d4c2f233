"""Names of a package that load their module when first used: a kill must not wait for statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module


def exports(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """A package's `__getattr__` (PEP 562).

    >>> exports("collections", {"Mapping": "abc"})("Mapping").__name__
    'Mapping'

    Args:
        package: its full name.
        homes: from each exported name to the module below the package that has it.
    """

    def find(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return find
