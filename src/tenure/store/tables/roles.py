"""Which column is what: told by a mapping, or guessed from the names the field uses."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tenure.core.errors import DataError
from tenure.store.tables.chunks import bad_data

Look = Literal["number", "boolean", "text", "time", "list", "texts", "empty"]
"""What the first rows of a column hold."""
NOTHING, NOTHING_AT_ALL = "nothing in the first rows", "nothing in it"

# The name design.md gives first, then the field's, best first: OBP, SCOPE-RL, d3rlpy, ReAgent, Personalizer, VW.
WORDS: Mapping[str, tuple[str, ...]] = {
    "decision_id": ("decision_id", "event_id", "request_id", "impression_id"),
    "unit_id": ("unit_id", "unit", "user_id", "customer_id"),
    "episode_id": ("episode_id", "episode", "mdp_id", "trajectory_id"),
    "step": ("step", "sequence_number", "timestep"),
    "decided_at": ("decided_at", "timestamp", "at", "ts", "datetime", "time"),
    "position": ("position", "slot"),
    "action": ("action", "actions", "action_taken", "chosen_action", "item_id"),
    "propensity": (
        "propensity", "pscore", "propensity_score", "action_probability", "action_prob", "density", "p",
    ),
    "reward": ("reward", "rewards", "click"),
    "allowed": ("allowed", "mask", "action_mask"),
    "terminal": ("terminal", "terminals", "terminated", "done"),
    "timeout": ("timeout", "timeouts", "truncated"),
    "flag": ("flag",),
    "candidates": ("candidates",),
    "signals": ("signals",),
    "tenure": ("tenure",),
}  # fmt: skip
IF_ANY = frozenset({"episode_id", "step", "position", "terminal", "timeout"})
"""Roles that make a log one of episodes or slates, so a column with nothing in it does not play them."""
ENDS = frozenset({"terminal", "timeout"})
"""Roles that tell episodes by their last row; Tenure's own exports name them."""
NUMBERS = frozenset({"propensity", "reward", "step", "position"})
_FITS: Mapping[str, frozenset[Look]] = {
    **{role: frozenset({"number", "boolean", "empty"}) for role in (*NUMBERS, "terminal", "timeout")},
    "decided_at": frozenset({"time", "number", "empty"}),
    "allowed": frozenset({"list", "texts", "text", "number", "boolean", "empty"}),
}
FOREIGN: Mapping[str, frozenset[Look]] = {"tenure": frozenset({"number", "boolean"})}
"""Looks of a role's own word that belong to somebody else: `tenure` as a number is how long a customer has been one."""
_BOX = re.compile(r"^actions?_(\d+)$")


@dataclass(frozen=True)
class Taken:
    """The columns that play one role; numbers are multiplied by `sign`, 1 or -1."""

    columns: tuple[str, ...]
    sign: float = 1.0


@dataclass(frozen=True)
class ColumnMapping:
    """Which column is what.

    Args:
        roles: columns by role, the keys of `WORDS`.
        features: every other column, in the order of the source.
        left_out: columns that are neither, each with the reason.
        told: roles that a mapping states; the others are guessed.
        whys: of roles that were guessed from more than a whole name: why.
        notes: lines that say what else was made of a column.
    """

    roles: Mapping[str, Taken] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    whys: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def without(self, roles: Collection[str]) -> ColumnMapping:
        """The same without some roles, whose columns have nothing in them."""
        gone = {name: NOTHING_AT_ALL for role in roles for name in self.roles[role].columns}
        kept = {role: taken for role, taken in self.roles.items() if role not in roles}
        return replace(self, roles=kept, left_out={**self.left_out, **gone})

    def as_feature(self, role: str, names: Collection[str], why: str) -> ColumnMapping:
        """The same with a role's column as an ordinary one; `names` are all columns, in the order of the source."""
        column = self.roles[role].columns[0]
        roles = {each: taken for each, taken in self.roles.items() if each != role}
        features = tuple(name for name in names if name == column or name in self.features)
        note = f"{column}: an ordinary column, no {role}; {why}"
        return replace(self, roles=roles, features=features, notes=(*self.notes, note))

    def column(self, role: str) -> str | None:
        """The one column of a role; None where the log has none."""
        taken = self.roles.get(role)
        return taken.columns[0] if taken else None

    @property
    def lines(self) -> list[str]:
        """One line per role, and one per kind of column that was left out."""
        lines = []
        for role, taken in self.roles.items():
            how = "as the mapping says" if role in self.told else self.whys.get(role, "by its name")
            lines.append(f"{role}: {'-' if taken.sign < 0 else ''}{', '.join(taken.columns)} ({how})")
        return [*lines, *self.notes, *(f"left out: {name} ({reason})" for name, reason in self.left_out.items())]


def read_mapping(mapping: Path | str | Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A mapping as plain tables: `columns` (role to column, or to {column, sign}), `signals` (signal to column, for
    `tenure reward diff`) and `ignore` (names).

    Raises:
        DataError: it cannot be read, or holds another key or role.
    """
    if mapping is None:
        return {}
    if isinstance(mapping, Mapping):
        return _checked(mapping, "the mapping")
    try:
        return _checked(tomllib.loads(Path(mapping).read_text(encoding="utf-8")), str(mapping))
    except (OSError, ValueError) as error:
        raise bad_data("a mapping in TOML", str(error), str(mapping), "see `tenure log import --help`") from error


def _checked(mapping: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    columns, signals = dict(mapping.get("columns", {})), dict(mapping.get("signals", {}))
    ignore = list(mapping.get("ignore", [])) + list(columns.pop("ignore", []))
    strange = sorted(set(mapping) - {"columns", "ignore", "signals"}) + sorted(set(columns) - set(WORDS))
    strange += [f"{name} = {column!r}" for name, column in signals.items() if not isinstance(column, str)]
    if strange:
        raise _no_role(f"also {strange}", where)
    taken = {role: _taken(role, value, where) for role, value in columns.items()}
    return {"columns": taken, "ignore": ignore, "signals": signals}


def _taken(role: str, value: Any, where: str) -> Taken:
    if isinstance(value, Taken):
        return value
    if isinstance(value, str):
        return Taken((value,))
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return Taken(tuple(value))
    if isinstance(value, dict) and set(value) in ({"column"}, {"column", "sign"}) and value.get("sign", 1) in (1, -1):
        return Taken((str(value["column"]),), float(value.get("sign", 1)))
    raise _no_role(f"{role} = {value!r}", where)


def _no_role(found: str, where: str) -> DataError:
    expected = f"[columns] with a column name or {{ column, sign = 1 or -1 }} for roles of {sorted(WORDS)}, and ignore"
    return bad_data(expected, found, where, "correct the mapping")


Guesser = Callable[[Sequence[str], Collection[str]], Mapping[str, tuple[str, str, float]]]
"""Of columns nobody has taken, and roles that are filled: role to column, why and sign."""


def guess(
    looks: Mapping[str, Look],
    told: Mapping[str, Any],
    where: str,
    inner: Collection[str] = (),
    more: Guesser = lambda free, filled: {},  # noqa: ARG005
) -> ColumnMapping:
    """Give every column a role, or make it a feature.

    Args:
        looks: what each column holds, in the order of the source.
        told: what `read_mapping` gave.
        where: the source, for messages.
        inner: members of the rows' contexts, which were known before the decision and are features by that.
        more: what else tells a role, asked where no whole name does.

    Raises:
        DataError: the mapping names a column the source does not have, or nothing says which action was taken.
    """
    roles: dict[str, Taken] = dict(told.get("columns", {}))
    left_out = dict.fromkeys(told.get("ignore", []), "as the mapping says")
    _check_there([name for taken in roles.values() for name in taken.columns] + list(left_out), looks, where)
    used = {name for taken in roles.values() for name in taken.columns} | set(left_out)
    open_names = [name for name in looks if name not in used]
    free = [name for name in open_names if name not in inner]
    ours = "tenure" in roles or bool(_find("tenure", free, looks))  # our own export
    for role in WORDS:
        if role not in roles and not (role in ENDS and ours):
            found = _find(role, free, looks)
            roles |= {role: Taken((found[0],))} if found else _box(role, free, looks)
            left_out |= dict.fromkeys(found[1:], f"another word for {role}")
    taken = {name for each in roles.values() for name in each.columns} | set(left_out)
    by_more = {} if ours else more([name for name in free if name not in taken], roles)
    roles |= {role: Taken((name,), sign) for role, (name, _, sign) in by_more.items()}
    left_out |= {name: "a row number" for name in open_names if name in ("", "Unnamed: 0", "__index_level_0__")}
    used = {name for taken in roles.values() for name in taken.columns} | set(left_out)
    left_out |= {name: NOTHING for name in looks if looks[name] == "empty" and name not in used}
    left_out |= {name: "lists of texts" for name in looks if looks[name] == "texts" and name not in used}
    if ours:
        left_out |= {name: "it repeats the context" for name in free if name not in used}
    if "action" not in roles:
        expected = f"a column that says which action was taken, such as {list(WORDS['action'])}"
        raise bad_data(expected, f"columns {list(looks)}", where, how_to_map())
    features = tuple(name for name in looks if name not in used and name not in left_out)
    whys = {role: f"{why}; less is better" if sign < 0 else why for role, (_, why, sign) in by_more.items()}
    return ColumnMapping(roles, features, left_out, frozenset(told.get("columns", {})), whys)


def how_to_map(action: str = "COLUMN", reward: str = "COLUMN") -> str:
    """What to do where names do not tell: the three lines of a mapping.

    >>> print(how_to_map("offer", "euro"))
    say which column is which in a file, and give it with --mapping FILE; its three lines:
    [columns]
    action = "offer"
    reward = "euro"
    """
    first = "say which column is which in a file, and give it with --mapping FILE; its three lines:"
    quoted = (json.dumps(name, ensure_ascii=False) for name in (action, reward))
    return "\n".join((first, "[columns]", "action = {}\nreward = {}".format(*quoted)))


def _check_there(names: Sequence[str], looks: Mapping[str, Look], where: str) -> None:
    absent = [name for name in names if name not in looks]
    if absent:
        raise bad_data(f"columns of {list(looks)}", f"{absent} in the mapping", where, "correct the mapping")


def _find(role: str, names: Sequence[str], looks: Mapping[str, Look]) -> list[str]:
    """Columns that could play a role, best word first; a synonym must hold what the role needs."""
    found = []
    for rank, word in enumerate(WORDS[role]):
        for name in names:
            fits = rank == 0 or looks[name] in _FITS.get(role, {looks[name]})
            fits = fits and looks[name] not in FOREIGN.get(role, ())
            if key_of(name) == key_of(word) and fits:
                found.append(name)
    return found[:1] if role in ("action", "unit_id", "decided_at") else found


def key_of(name: str) -> str:
    """A name without case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _box(role: str, names: Sequence[str], looks: Mapping[str, Look]) -> dict[str, Taken]:
    """`action_0`, `action_1`...: the parts of a vector; a lone `action_0` is one too."""
    if role != "action":
        return {}
    parts = {int(match[1]): name for name in names if (match := _BOX.match(name)) and looks[name] == "number"}
    if not parts or sorted(parts) != list(range(len(parts))):
        return {}
    return {role: Taken(tuple(parts[k] for k in range(len(parts))))}
