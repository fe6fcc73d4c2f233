"""Chance that is the same for every world, so that worlds can be compared although they draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

SIZE_AT: Final[Mapping[str, int]] = {
    **dict.fromkeys(("random", "standard_normal", "standard_exponential", "standard_cauchy"), 0),
    **dict.fromkeys(
        (
            *("exponential", "poisson", "chisquare", "geometric", "logseries", "pareto", "power", "rayleigh"),
            *("standard_gamma", "standard_t", "weibull", "zipf", "choice"),
        ),
        1,
    ),
    **dict.fromkeys(
        (
            *("integers", "normal", "uniform", "binomial", "gamma", "beta", "f", "gumbel", "laplace", "logistic"),
            *("lognormal", "negative_binomial", "noncentral_chisquare", "vonmises", "wald"),
        ),
        2,
    ),
    **dict.fromkeys(("hypergeometric", "noncentral_f", "triangular"), 3),
}
"""Place of `size` among the arguments of each distribution of single numbers, as NumPy documents them."""

JOINT: Final = (
    *("bytes", "dirichlet", "multinomial", "multivariate_hypergeometric", "multivariate_normal"),
    *("permutation", "permuted", "shuffle"),
)
"""What draws several numbers together and cannot be drawn one by one."""

MOST = 2_000
"""Draws of one step before it is taken for a loop that waits for another number."""


class Endless(Exception):
    """A step drew again and again."""


class Alike(np.random.Generator):
    """A generator whose every draw is the same for every entry of an array, each with its own parameters.

    Whatever the order and number of the worlds, each meets the same chance: a world must then go in a batch as it
    goes alone. `joint` counts the draws for which that cannot be had.

    Args:
        seed: of the numbers.
        constant: every draw is the same, too; else each call brings the next one.
    """

    def __init__(self, seed: int, *, constant: bool) -> None:
        super().__init__(np.random.PCG64(seed))
        self._seed, self._constant = seed, constant
        self.calls = self.joint = 0

    def alone(self) -> np.random.Generator:
        """The generator of this call's numbers.

        Raises:
            Endless: the step has drawn too often.
        """
        self.calls += 1
        if self.calls > MOST:
            raise Endless
        return np.random.Generator(np.random.PCG64([self._seed, 0 if self._constant else self.calls]))

    def spawn(self, n_children: int) -> list[np.random.Generator]:
        """Generators that are all alike."""
        return [Alike(self._seed, constant=self._constant) for _ in range(n_children)]


def _single(name: str, at: int) -> Any:
    def draw(self: Alike, *args: Any, **named: Any) -> Any:
        once = self.alone()
        if name == "choice" and (not named.get("replace", True) or len(args) > 2):
            self.joint += 1
            return getattr(once, name)(*args, **named)
        parameters, size = list(args), named.pop("size", None)
        if len(parameters) > at:
            size = parameters.pop(at)
        return _filled(once, name, parameters, named, size)

    return draw


def _filled(once: np.random.Generator, name: str, parameters: list[Any], named: dict[str, Any], size: Any) -> Any:
    """One number for every entry, by the parameters of that entry."""
    out, start = named.pop("out", None), once.bit_generator.state
    if name == "choice" or not any(np.ndim(each) for each in [*parameters, *named.values()]):
        values = getattr(once, name)(*parameters, **named)
        shape = np.shape(out) if size is None and out is not None else size
        result = values if shape is None else np.broadcast_to(values, shape).copy()
    else:
        result = _by_entry(once, start, name, parameters, named, size)
    if out is not None:
        out[...] = result
        return out
    return result


def _by_entry(
    once: np.random.Generator, start: Any, name: str, parameters: list[Any], named: dict[str, Any], size: Any
) -> Any:
    keys = list(named)
    plain = [key for key in keys if key in ("dtype", "endpoint", "method")]
    given = [*parameters, *(named[key] for key in keys if key not in plain)]
    spread = np.broadcast_arrays(*given, *([] if size is None else [np.empty(size, dtype=bool)]))[: len(given)]
    rest = [key for key in keys if key not in plain]
    values = []
    for entry in zip(*(each.ravel() for each in spread), strict=True):
        once.bit_generator.state = start
        of_names = dict(zip(rest, entry[len(parameters) :], strict=True)) | {key: named[key] for key in plain}
        values.append(getattr(once, name)(*entry[: len(parameters)], **of_names))
    return np.array(values).reshape(spread[0].shape)


def _joint(name: str) -> Any:
    def draw(self: Alike, *args: Any, **named: Any) -> Any:
        self.joint += 1
        return getattr(self.alone(), name)(*args, **named)

    return draw


for _name, _at in SIZE_AT.items():
    setattr(Alike, _name, _single(_name, _at))
for _name in JOINT:
    setattr(Alike, _name, _joint(_name))
