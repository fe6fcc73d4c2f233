"""Mock behaviours and the order their rewards must come out in: what a project says about its reward, as examples."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from tenure.core.errors import ProblemError
from tenure.core.policy import Policy
from tenure.core.project import Project, line_of
from tenure.core.spaces import Discrete
from tenure.design.reward.rows import check_rows

Row = Mapping[str, float]
"""The signals of one decision that are not 0, by name, in the problem's units."""


@dataclass(frozen=True)
class Behaviour:
    """One way to behave: hand-written rows, one action for ever, or a rule run on the simulator.

    Args:
        name: what it does, in words, such as "picks half".
        rows: signals of each decision, in order; signals left out are 0.
        always: label of the one action it takes; where that is not allowed, the allowed action nearest to it.
        policy: what decides, on the simulator.
        good: this is what is meant by behaving well; terms are tested against each other under good behaviour.
    """

    name: str
    rows: tuple[Row, ...] | None = None
    always: str | None = None
    policy: Policy | None = None
    good: bool = False


@dataclass(frozen=True)
class Order:
    """Names of behaviours, the best first, separated by `>`; the reward must put each strictly above the next.

    >>> Order("picks all > picks half > collides", because="items pay, collisions do not").names
    ('picks all', 'picks half', 'collides')
    """

    order: str
    because: str

    @property
    def names(self) -> tuple[str, ...]:
        """The behaviours, best first."""
        return tuple(name.strip() for name in self.order.split(">"))


@dataclass(frozen=True)
class Scenarios:
    """What a project says about its reward by example.

    Args:
        behaviours: by name; the project's incumbent (`incumbent`) and its rules are among them.
        orders: as written.
        path: the file they stand in; where there is none, the file they are expected in.
    """

    behaviours: Mapping[str, Behaviour]
    orders: tuple[Order, ...]
    path: Path = field(default=Path("scenarios.py"))


def load_scenarios(project: Project) -> Scenarios:
    """`behaviours` and `orders` of a project's scenarios.py, or `[[behaviour]]` and `[[order]]` of its scenarios.toml.

    Raises:
        ProblemError: a behaviour is given twice or has not exactly one of rows, always and policy; it names an unknown
            signal or action; an order names an unknown behaviour or fewer than two; the orders contradict each other.
    """
    path = scenarios_path(project)
    given, orders = _from_toml(path) if path.suffix == ".toml" else _from_python(project)
    rules = {"incumbent": project.incumbent, **project.rules}
    known = [*(Behaviour(name, policy=rule) for name, rule in rules.items()), *given]
    _check_names(known, path)
    for behaviour in given:
        _check_behaviour(project, behaviour, path)
    scenarios = Scenarios({behaviour.name: behaviour for behaviour in known}, orders, path)
    _check_orders(scenarios)
    return scenarios


def scenarios_path(project: Project) -> Path:
    """The file a project's scenarios stand in: scenarios.toml where there is one, else scenarios.py."""
    toml = project.folder / "scenarios.toml"
    return toml if toml.exists() else project.folder / "scenarios.py"


def _from_python(project: Project) -> tuple[tuple[Behaviour, ...], tuple[Order, ...]]:
    return tuple(project.optional("scenarios", "behaviours") or ()), tuple(
        project.optional("scenarios", "orders") or ()
    )


def _from_toml(path: Path) -> tuple[tuple[Behaviour, ...], tuple[Order, ...]]:
    try:
        tables = tomllib.loads(path.read_text())
        behaviours = tuple(_behaviour(table) for table in tables.get("behaviour", []))
        orders = tuple(Order(**table) for table in tables.get("order", []))
    except (tomllib.TOMLDecodeError, TypeError, AttributeError) as error:
        raise ProblemError(
            expected="[[behaviour]] tables with name and rows or always, [[order]] tables with order and because",
            found=str(error),
            where=str(path),
            fix="correct the file; the guide docs/reward.md has an example",
        ) from error
    return behaviours, orders


def _behaviour(table: dict[str, Any]) -> Behaviour:
    rows = table.pop("rows", None)
    return Behaviour(rows=None if rows is None else tuple(rows), **table)


def _check_names(behaviours: Iterable[Behaviour], path: Path) -> None:
    seen: set[str] = set()
    for behaviour in behaviours:
        if behaviour.name in seen or ">" in behaviour.name or not behaviour.name.strip():
            raise _wrong("a name of its own without '>' for each behaviour", repr(behaviour.name), path, behaviour.name)
        seen.add(behaviour.name)


def _check_behaviour(project: Project, behaviour: Behaviour, path: Path) -> None:
    name, problem = behaviour.name, project.problem
    ways = [way for way in ("rows", "always", "policy") if getattr(behaviour, way) is not None]
    if len(ways) != 1 or (behaviour.rows is not None and not (isinstance(behaviour.rows, Sequence) and behaviour.rows)):
        raise _wrong("exactly one of rows (one or more), always and policy", f"{ways or 'none'}", path, name)
    check_rows(problem, name, behaviour.rows or (), path)
    if behaviour.always is not None and not (
        isinstance(problem.action, Discrete) and behaviour.always in problem.action.labels
    ):
        labels = problem.action.labels if isinstance(problem.action, Discrete) else ()
        raise _wrong(f"one of the actions {list(labels)[:12]}", repr(behaviour.always), path, behaviour.always)


def _check_orders(scenarios: Scenarios) -> None:
    above: dict[str, set[str]] = {}
    for order in scenarios.orders:
        missing = [name for name in order.names if name not in scenarios.behaviours]
        if missing or len(order.names) < 2:
            known = f"at least two of the behaviours {sorted(scenarios.behaviours)}"
            raise _wrong(known, repr(missing[0] if missing else order.order), scenarios.path, order.order)
        for better, worse in pairwise(order.names):
            above.setdefault(better, set()).add(worse)
            if better in _reachable(above, worse) or better == worse:
                found = f"{better!r} both above and below {worse!r}"
                raise _wrong("orders that agree with each other", found, scenarios.path, order.order)


def _reachable(above: Mapping[str, set[str]], start: str) -> set[str]:
    """Everything that stands below a behaviour, by any number of steps."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = above.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return found


def _wrong(expected: str, found: str, path: Path, needle: str) -> ProblemError:
    return ProblemError(
        expected=expected,
        found=found,
        where=line_of(path, needle),
        fix=f"correct {path.name}; every behaviour and order stands there once",
    )
