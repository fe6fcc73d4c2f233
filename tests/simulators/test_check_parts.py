"""What is no simulator is refused before it runs, and what breaks a command is named by the promise it breaks."""

from __future__ import annotations

from typing import Any

import pytest

from tenure.core.errors import EvidenceError, ProjectError
from tenure.simulators.check_parts import blamed, require_form, require_parts

from . import broken
from .worlds import EndlessWalk, line_problem

HERE = "ward/simulator.py"


class Lazy(EndlessWalk):
    """Its version is worked out when asked for."""

    @property
    def version(self) -> str:  # type: ignore[override]
        raise AssertionError("read too early")


def without(part: str) -> Any:
    """A simulator that lacks one part."""

    class Parts:
        version, levels = "parts-1", {"normal": None}
        reset = panel = observe = step = EndlessWalk.reset

    delattr(Parts, part)
    return Parts()


def test_a_whole_simulator_is_let_through_and_nothing_of_it_is_worked_out() -> None:
    require_parts(Lazy(), HERE)


@pytest.mark.parametrize(("part", "told"), [
    ("reset", r"`def reset\(self, n, rng, level=\"normal\"\)`"), ("panel", r"`def panel\(self, split"),
    ("observe", r"`def observe\(self, state\)`"), ("step", r"`def step\(self, state, action, rng\)`"),
    ("version", "`version`, a text"), ("levels", "`levels`, its parameter sets"),
])  # fmt: skip
def test_every_part_that_is_missing_is_named_with_how_to_write_it(part: str, told: str) -> None:
    with pytest.raises(ProjectError, match=rf"found none of: {told}.*in {HERE}"):
        require_parts(without(part), HERE)


def test_a_class_is_no_simulator() -> None:
    with pytest.raises(ProjectError, match=r"found the class EndlessWalk; .*simulator = EndlessWalk\(\)"):
        require_parts(EndlessWalk, HERE)


@pytest.mark.parametrize(("simulator", "told"), [
    (broken.NanSignal(), "signals: signal 'moved' is nan in world 3"),
    (broken.MissingSignal(), "signals: signal 'place' at step 0 is missing"),
])  # fmt: skip
def test_a_broken_form_is_refused_with_world_field_and_fix(simulator: Any, told: str) -> None:
    with pytest.raises(ProjectError, match=rf"{told}.*to do: .*; in {HERE}; to do: mend it"):
        require_form(broken_problem(), simulator, HERE)
    require_form(broken_problem(), broken.Sound(), HERE)


def test_an_error_that_a_broken_promise_explains_is_told_by_it_and_with_its_line() -> None:
    with (
        pytest.raises(
            ProjectError, match=r"'moved' is nan in world 3.*then ZeroDivisionError: .*\(test_check_parts.py:"
        ),
        blamed(broken_problem(), broken.NanSignal(), HERE),
    ):
        _ = 1 / 0


@pytest.mark.parametrize("error", [ZeroDivisionError("ours"), EvidenceError(expected="", found="", where="", fix="")])
def test_an_error_that_no_broken_promise_explains_or_that_explains_itself_stays_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, blamed(broken_problem(), broken.Sound(), HERE):
        raise error
    assert caught.value is error


def broken_problem() -> Any:
    """The problem of the broken worlds."""
    return line_problem()
