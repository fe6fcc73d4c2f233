"""A pipeline that dies anywhere goes on with the same command, and nothing is done twice that counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.core.errors import StoreError
from tenure.core.evidence import Verdict
from tenure.retraining import Done, Result, Step, carry_out, is_ended, read
from tenure.retraining.steps import FILE

NAMES = ("one", "two", "three")
PLACES = [f"{where} {name}" for name in NAMES for where in ("before", "inside", "after")]


class Crash(BaseException):
    """A process that dies."""


def pipeline(effects: dict[str, str], runs: list[str]) -> list[Step]:
    """Steps whose effect is a named entry, as a bundle by its hash is."""

    def step(name: str) -> Step:
        def run(done: Done) -> Result:
            runs.append(name)
            effects[name] = "-".join([*done, name])
            return Result(Verdict.PASS, name, {"made": effects[name]})

        return Step(name, run)

    return [step(name) for name in NAMES]


@pytest.mark.parametrize("place", PLACES)
def test_after_a_crash_anywhere_the_same_command_ends_as_if_there_had_been_none(place: str, tmp_path: Path) -> None:
    def fault(at: str) -> None:
        if at == place:
            raise Crash

    effects: dict[str, str] = {}
    runs: list[str] = []
    steps = pipeline(effects, runs)
    with pytest.raises(Crash):
        carry_out(steps, tmp_path, fault)
    assert not is_ended(steps, read(tmp_path)) or place == "after three"
    done = carry_out(steps, tmp_path)
    assert done == read(tmp_path)
    assert effects == {"one": "one", "two": "one-two", "three": "one-two-three"}
    where, name = place.split()
    assert runs.count(name) == (2 if where == "inside" else 1)
    assert len(runs) == (4 if where == "inside" else 3)


def test_a_step_that_does_not_pass_ends_the_pipeline_for_good(tmp_path: Path) -> None:
    runs: list[str] = []
    first, *rest = pipeline({}, runs)
    steps = [first, Step("held", lambda _: Result(Verdict.INCONCLUSIVE, "too little")), *rest]
    assert list(carry_out(steps, tmp_path)) == ["one", "held"]
    assert is_ended(steps, carry_out(steps, tmp_path))
    assert runs == ["one"]


def test_a_doubt_goes_on_where_the_step_says_so(tmp_path: Path) -> None:
    steps = [Step("doubted", lambda _: Result(Verdict.INCONCLUSIVE, "short log"), Verdict.ERROR), *pipeline({}, [])]
    assert list(carry_out(steps, tmp_path)) == ["doubted", *NAMES]


def test_results_that_somebody_changed_are_refused(tmp_path: Path) -> None:
    carry_out(pipeline({}, []), tmp_path)
    path = tmp_path / FILE
    path.write_text(path.read_text().replace('"pass"', '"fail"', 1))
    with pytest.raises(StoreError, match="its digest is another"):
        read(tmp_path)
