"""What was decided, as rows of the log; and a row, as the answer that goes out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tenure.core.decision import Decision
from tenure.core.problem import Problem
from tenure.core.spaces import Action
from tenure.serving.asking import Situation
from tenure.serving.choice import Choice
from tenure.serving.wire import Answer


def rows_of(problem: Problem, situation: Situation, choices: Sequence[Choice], started: int) -> list[Decision]:
    """One row per request: what was done, by whom, and the probability of what was done.

    Args:
        problem: what is decided.
        situation: on what it was decided.
        choices: what is done for each request.
        started: when the group came in, of `time.perf_counter_ns`.
    """
    asked, control, now, _ = situation
    latency_us = (time.perf_counter_ns() - started) // 1000
    return [
        Decision.of(
            decision_id=request.decision_id,
            problem=problem.name,
            problem_version=problem.version,
            unit_id=request.unit_id,
            episode_id=request.episode_id,
            step=request.step,
            decided_at=now,
            context=request.context,
            observation=asked.observation[row].tobytes(),
            mask=None if asked.allowed is None else asked.allowed[row].tobytes(),
            stage=control.stage,
            arm=choice.arm,
            version=choice.version,
            action=choice.action,
            propensity=choice.propensity,
            explored=choice.explored,
            confidence=choice.confidence,
            kill_epoch=control.kill_epoch,
            reason=choice.reason,
            latency_us=latency_us,
            request_hash=request.body_hash(),
            density=choice.density,
            candidates=None,
            position=None,
            sequence=0,
        )
        for row, (request, choice) in enumerate(zip(asked.requests, choices, strict=True))
    ]


def answer_of(row: Decision, word: Callable[[Action], str], valid_until: str) -> Answer:
    """The answer a row stands for; `word` gives an action in words."""
    return Answer(
        row.decision_id,
        row.action,
        word(row.action),
        row.arm.value,
        row.stage,
        row.version,
        row.propensity,
        row.confidence,
        row.reason,
        row.explored,
        valid_until,
        row.density,
    )
