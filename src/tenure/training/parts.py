"""Parts of a training that a checkpoint keeps, each with torch's two words, which modules and optimisers have too."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch


class Part(Protocol):
    """Something with a state that a stopped training goes on from."""

    def state_dict(self) -> Mapping[str, Any]:
        """Its state; what it holds can be pickled, and may be the live arrays."""
        ...

    def load_state_dict(self, state: Any, /) -> Any:
        """Be as it was then."""
        ...


class Attributes:
    """Some attributes of an object, taken and set again as they are.

    >>> from types import SimpleNamespace
    >>> counters = SimpleNamespace(done=3)
    >>> part = Attributes(counters, "done")
    >>> kept = part.state_dict()
    >>> counters.done = 7
    >>> part.load_state_dict(kept)
    >>> counters.done
    3
    """

    def __init__(self, thing: object, *names: str) -> None:
        self.thing, self.names = thing, names

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self.thing, name) for name in self.names}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        for name in self.names:
            setattr(self.thing, name, state[name])


class Chance:
    """A generator of NumPy, which goes on where it was; whoever holds it keeps holding it."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def state_dict(self) -> dict[str, Any]:
        return dict(self.rng.bit_generator.state)

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        self.rng.bit_generator.state = state


class GlobalChance:
    """The generators that libraries share: torch's, NumPy's old one and Python's."""

    def state_dict(self) -> dict[str, Any]:
        return {"torch": torch.get_rng_state(), "numpy": np.random.get_state(), "python": random.getstate()}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        torch.set_rng_state(state["torch"])
        np.random.set_state(state["numpy"])
        random.setstate(state["python"])
