"""Writes docs/reference.md from the code itself; `make docs`. A test fails when the page is stale."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from typer import Typer
from typer.testing import CliRunner

from tenure.cli.main import app
from tenure.console.operator import PAGES
from tenure.core import errors
from tenure.core.decision import Arm, Kind, Place
from tenure.core.evidence import Verdict
from tenure.evaluation.episodes import trajectories
from tenure.evaluation.episodes.fqe import FittedQ
from tenure.evaluation.off_policy import one_step
from tenure.evaluation.off_policy.support import Why
from tenure.rollout import MOVES, rules, settings
from tenure.rollout.circuit import CIRCUIT
from tenure.serving import hot
from tenure.serving.api import METRICS, OPERATIONS
from tenure.training import RECIPES, Settings

PAGE = Path(__file__).parent / "reference.md"
TABLES = (
    settings.RolloutSettings,
    settings.Shadow,
    settings.Bake,
    settings.Promote,
    settings.GuardrailSettings,
    settings.RewardWindow,
    rules.SignalRule,
    rules.BreakerRule,
    rules.HalfOpen,
    rules.HumanRule,
    rules.ExplorationRule,
    rules.Ready,
    rules.AlertRule,
    rules.MonitorRule,
    rules.Serving,
    settings.ArtifactsSettings,
)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    parts = [
        "# Reference\n\nMade from the code by `make docs`; do not edit.",
        "## Commands\n",
        *commands(),
        "## Exit codes and verdicts\n\n" + verdicts(),
        "## Off-policy estimators\n\n" + estimators(),
        "## Settings: tenure.toml\n",
        *(settings_table(kind) for kind in TABLES),
        training_tables(),
        "## Moves of a rollout\n\n" + moves(),
        "## Moves of a breaker\n\nOf one with `half_open`; any other is a kill.\n\n" + circuit(),
        "## Routes\n\nThe least role that may ask; `GET /openapi.json` has bodies and answers.\n\n" + routes(),
        "## Figures at /metrics\n\n" + figures(),
        "## Words in the log\n\n" + words(),
        "## Errors\n\nEvery message says what was expected, what was found, where, and what to do.\n\n" + error_table(),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def commands() -> Iterator[str]:
    """Help of every command, as `--help` prints it."""
    runner = CliRunner(env={"COLUMNS": "100", "TERMINAL_WIDTH": "100"})
    for names in verbs(app):
        text = runner.invoke(app, [*names, "--help"]).stdout.replace("Usage: root ", "Usage: tenure ")
        yield f"### tenure {' '.join(names)}\n\n```text\n{text.strip()}\n```"


def verbs(group: Typer) -> Iterator[list[str]]:
    """The words of every command, those of groups after the others."""
    for command in group.registered_commands:
        assert command.callback is not None
        yield [command.name or command.callback.__name__]
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from ([str(inner.name), *rest] for rest in verbs(inner.typer_instance))


def estimators() -> str:
    """What `evaluate --log` estimates, and why it may refuse to."""
    single = {name: formula.columns for name, formula in one_step.FORMULAS.items()}
    episodes = {name: formula.terms for name, formula in trajectories.FORMULAS.items()} | {"fqe": FittedQ}
    tables = []
    for title, found in (("One-step decisions", single), ("Episodes", episodes)):
        rows = [f"| `{name}` | {' '.join(first_sentences(function))} |" for name, function in found.items()]
        tables.append(
            "\n".join([f"{title}; w is target over logged probability.\n", "| name | |", "| --- | --- |", *rows])
        )
    refusals = ", ".join(f"`{why.value}`" for why in Why)
    return "\n\n".join([*tables, f"A refusal is one of {refusals}."])


def first_sentences(thing: object) -> list[str]:
    """The first paragraph of a docstring, as lines."""
    return (inspect.getdoc(thing) or "").split("\n\n")[0].splitlines()


def verdicts() -> str:
    """The four verdicts with their exit codes."""
    rows = [f"| `{verdict.word}` | {verdict.exit_code} |" for verdict in Verdict]
    return "\n".join(["| verdict | exit code |", "| --- | --- |", *rows, "| bad usage or input | 2 |"])


def settings_table(kind: type[msgspec.Struct]) -> str:
    """Fields of one table with default and meaning."""
    hints = get_type_hints(kind, include_extras=True)
    rows = [f"| `{field.name}` | `{_default(field)}` | {_meaning(hints[field.name])} |" for field in _fields(kind)]
    return "\n".join(
        [f"### {kind.__name__}\n\n{inspect.getdoc(kind)}\n", "| field | default | |", "| --- | --- | --- |", *rows]
    )


def training_tables() -> str:
    """Fields of `[train]` with default and meaning: what every recipe takes, then each recipe's own."""
    common = {field.name for field in fields(Settings)}
    own = [
        _recipe_table(f"Recipe {name}", recipe.settings, [f for f in fields(recipe.settings) if _differs(f, common)])
        for name, recipe in RECIPES.items()
    ]
    return "\n\n".join([_recipe_table("Train", Settings, list(fields(Settings))), *own])


def _differs(field: Field[Any], common: set[str]) -> bool:
    """A recipe's own field, or one whose default it changes."""
    return field.name not in common or field.default != getattr(Settings, field.name)


def _recipe_table(title: str, kind: type[Settings], shown: list[Field[Any]]) -> str:
    about, meaning = _told(kind)[0], dict[str, str]()
    for parent in reversed(kind.__mro__):
        meaning |= _told(parent)[1]
    rows = [
        f"| `{field.name}` | `{_first(field)}` | {' '.join(meaning[field.name].split())} |"
        for field in shown
        if field.name != "without"  # `tenure train --without` sets it
    ]
    return "\n".join([f"### {title}\n\n{about}\n", "| field | default | |", "| --- | --- | --- |", *rows])


def _first(field: Field[Any]) -> Any:
    """A field's default, made where it is made anew each time."""
    return field.default if field.default_factory is MISSING else field.default_factory()


def _told(kind: type) -> tuple[str, dict[str, str]]:
    """First paragraph and fields of a docstring."""
    about, _, rest = (inspect.getdoc(kind) or "").partition("\n\nArgs:\n")
    return about, dict(re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", rest.partition("\n\nRaises:")[0], re.MULTILINE))


def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default_factory is not msgspec.NODEFAULT:
        return str(field.default_factory())
    return "required" if field.required else str(field.default)


def _meaning(hint: Any) -> str:
    if get_origin(hint) is Annotated:
        descriptions = [meta.description for meta in get_args(hint)[1:] if isinstance(meta, msgspec.Meta)]
        return next((text for text in reversed(descriptions) if text), "")
    return next((text for text in map(_meaning, get_args(hint)) if text), "")  # of `Annotated[...] | None`


def moves() -> str:
    """The table of moves."""
    rows = [f"| {stage} | {move} | {', '.join(ends)} |" for (stage, move), ends in MOVES.items()]
    return "\n".join(["| in stage | move | leads to |", "| --- | --- | --- |", *rows])


def circuit() -> str:
    """The table of moves of a breaker that may close by itself."""
    rows = [f"| {state} | {move} | {end} |" for (state, move), end in CIRCUIT.items()]
    return "\n".join(["| while | comes | leads to |", "| --- | --- | --- |", *rows])


def routes() -> str:
    """Every operation of the server and of its page."""
    rows = [f"| `{o.method} {o.path}` | {o.role.name.lower()} | {o.summary} |" for o in (*OPERATIONS, *PAGES)]
    return "\n".join(["| route | role | |", "| --- | --- | --- |", *rows])


def figures() -> str:
    """What Prometheus reads."""
    rows = [f"| `{f.name}` | {f.kind} | {', '.join(f'`{label}`' for label in f.labels)} | {f.says} |" for f in METRICS]
    return "\n".join(["| figure | kind | labels | |", "| --- | --- | --- | --- |", *rows])


def words() -> str:
    """Arms, kinds and places."""
    kinds: tuple[type[Arm] | type[Kind] | type[Place], ...] = (Arm, Kind, Place)
    return "\n".join(f"- {inspect.getdoc(kind)} {', '.join(f'`{member.value}`' for member in kind)}." for kind in kinds)


def error_table() -> str:
    """The error tree."""
    defined = [kind for room in (errors, hot) for _, kind in inspect.getmembers(room, inspect.isclass)]
    found = sorted({kind for kind in defined if issubclass(kind, errors.TenureError)}, key=lambda kind: kind.__name__)
    rows = [
        f"| `{kind.__name__}` | {kind.exit_code} | {kind.http_status} | {str(inspect.getdoc(kind)).splitlines()[0]} |"
        for kind in found
    ]
    return "\n".join(["| error | exit code | HTTP status | |", "| --- | --- | --- | --- |", *rows])


if __name__ == "__main__":
    main()
