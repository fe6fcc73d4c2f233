"""A world driven through a decision server: its observations become requests, its signals become outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import numpy as np

from tenure.client.http import DecisionClient
from tenure.core.arrays import Floats
from tenure.core.clock import to_text
from tenure.core.errors import RequestError
from tenure.core.problem import Problem
from tenure.core.simulator import Panel, Simulator, State


def drive(
    client: DecisionClient,
    problem: Problem,
    simulator: Simulator,
    panel: Panel,
    *,
    seed: int = 0,
    after_step: Callable[[State], None] = lambda _: None,
) -> Iterator[datetime]:
    """Let the server decide in every world of a panel; yields the first moment of every new day.

    A unit is a world on one day, an episode is the world. Every request and outcome carries the time it has in the
    replayed data, so the server must run on a simulated clock.

    Args:
        client: of the server.
        problem: states features and signals.
        simulator: steps the worlds by the server's answers.
        panel: the worlds and how many decisions each takes.
        seed: of the simulator's own chance.
        after_step: called with the worlds' state after each step.

    Raises:
        RequestError: the server refused a request or an outcome.
    """
    rng, state = np.random.default_rng(seed), panel.state
    for step, moment in enumerate(panel.moments()):
        if step and moment.date() != (moment - panel.interval).date():
            yield moment
        requests = _requests(problem, panel.worlds, simulator.observe(state), moment, step)
        _add_masks(requests, simulator, state)
        answers = _accepted(client.decide(requests))
        action = np.array([answer["action"] for answer in answers])
        stepped = simulator.step(state, action, rng)
        state = stepped.state
        _accepted(client.report(_outcomes(requests, stepped.signals, moment + panel.interval)))
        after_step(state)
    yield panel.started_at + panel.steps * panel.interval


def _requests(
    problem: Problem, worlds: tuple[str, ...], observation: Floats, moment: datetime, step: int
) -> list[dict[str, Any]]:
    at = to_text(moment)
    return [
        {
            "decision_id": f"{world}/{_short(moment)}",
            "unit_id": f"{world}/{moment:%Y-%m-%d}",
            "episode_id": world,
            "step": step,
            "at": at,
            "context": dict(zip(problem.feature_names, row, strict=True)),
        }
        for world, row in zip(worlds, observation.tolist(), strict=True)
    ]


def _short(moment: datetime) -> str:
    """The hour alone where nothing smaller is needed; worlds may decide many times a second."""
    if moment.second or moment.microsecond:
        return f"{moment:%Y-%m-%dT%H:%M:%S.%f}"
    return f"{moment:%Y-%m-%dT%H:%M}" if moment.minute else f"{moment:%Y-%m-%dT%H}"


def _add_masks(requests: list[dict[str, Any]], simulator: Simulator, state: State) -> None:
    mask = getattr(simulator, "mask", None)
    if mask is not None:
        for request, allowed in zip(requests, mask(state).tolist(), strict=True):
            request["mask"] = allowed


def _outcomes(requests: list[dict[str, Any]], signals: Any, moment: datetime) -> list[dict[str, Any]]:
    observed_at = to_text(moment)
    columns = {name: values.tolist() for name, values in signals.items()}
    return [
        {
            "outcome_id": "hour",
            "decision_id": request["decision_id"],
            "observed_at": observed_at,
            "signals": {name: values[row] for name, values in columns.items()},
        }
        for row, request in enumerate(requests)
    ]


def _accepted(verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    refused = [verdict for verdict in verdicts if "error" in verdict]
    if refused:
        raise RequestError(
            expected="every request of a replay accepted",
            found=f"{len(refused)} of {len(verdicts)} refused, the first: {refused[0]}",
            where="the decision server",
            fix="see the server's message",
        )
    return verdicts
