"""Small problems whose right answer is known, drawn from families: a seed gives parameters, the family the answer.

Each family writes what a company would have: a log as columns, or a project folder (`folders.py`). The assessor sees
nothing else. Families named `near_*` are near misses: they look like the class after `near_`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tenure.core.arrays import Floats, Ints

Columns = Mapping[str, Any]
Rng = np.random.Generator

START = np.datetime64("2025-01-01T00:00:00", "us")


def softmax(score: Floats) -> Floats:
    """Rows of probabilities from rows of scores."""
    weight = np.exp(score - score.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def drawn(chance: Floats, rng: Rng) -> Ints:
    """An action of each row."""
    return np.asarray(
        np.minimum((chance.cumsum(axis=1) < rng.random(len(chance))[:, None]).sum(axis=1), chance.shape[1] - 1)
    )


def explored(greedy: Ints, actions: int, epsilon: float) -> Floats:
    """A rule that tries anything with probability epsilon."""
    return np.asarray((1 - epsilon) * np.eye(actions)[greedy] + epsilon / actions)


def one_shot(x: Floats, chance: Floats, pay: Callable[[Ints], Floats], rng: Rng, **more: Any) -> dict[str, Any]:
    """A log of decisions about strangers: nobody comes twice."""
    n, action = len(x), drawn(chance, rng)
    columns = {f"x{k}": x[:, k] for k in range(x.shape[1])}
    at = START + (np.arange(n) * 600_000_000).astype("timedelta64[us]")
    return {
        "decided_at": at, "unit_id": [f"u{row}" for row in range(n)], **columns, "action": [f"a{k}" for k in action],
        "propensity": chance[np.arange(n), action], "reward": pay(action), **more,
    }  # fmt: skip


class Journey:
    """Rows of many units that go on side by side, gathered step by step."""

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []

    def add(
        self, step: int, x: Floats, names: list[str], chance: Floats, action: Ints, reward: Floats, **more: Any
    ) -> None:
        n = len(x)
        self.parts.append(
            {
                "episode_id": [f"e{unit}" for unit in range(n)],
                "step": np.full(n, step),
                "decided_at": np.full(n, START + np.timedelta64(step, "h")),
                **{name: x[:, k] for k, name in enumerate(names)},
                "action": [f"a{k}" for k in action],
                "propensity": chance[np.arange(n), action],
                "reward": reward,
                **more,
            }
        )

    def columns(self) -> dict[str, Any]:
        return {name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]}


# ---------------------------------------------------------------- a rule or a solver does it


def constant_best(rng: Rng) -> Columns:
    """One offer is best for everybody; the situation moves the level of the reward and nothing else."""
    n, actions = int(rng.integers(5000, 8000)), int(rng.integers(2, 6))
    x = rng.normal(size=(n, 3))
    lift = rng.permutation(np.linspace(0, rng.uniform(0.5, 1.5), actions))
    slope = rng.normal(size=3)
    chance = softmax(x @ rng.normal(scale=0.5, size=(3, actions)))
    return one_shot(x, chance, lambda a: x @ slope + lift[a] + rng.normal(scale=1.0, size=n), rng)


def near_offline_threshold(rng: Rng) -> Columns:
    """A machine wears out as it runs and is made new by a repair: sequential, yet a threshold on the wear is best."""
    units, steps = int(rng.integers(150, 220)), 40
    cost, harm, pace = rng.uniform(1.0, 2.0), rng.uniform(3.0, 5.0), rng.uniform(0.10, 0.16)
    wear, journey = rng.random(units), Journey()
    for step in range(steps):
        noise = rng.normal(size=units)
        chance = explored((wear > 0.9).astype(int), 2, rng.uniform(0.2, 0.4))
        action = drawn(chance, rng)
        reward = 1.0 - harm * wear**3 * (action == 0) - cost * (action == 1) + rng.normal(scale=0.2, size=units)
        journey.add(step, np.stack([wear, noise], axis=1), ["wear", "load"], chance, action, reward)
        wear = np.where(action == 1, 0.0, np.minimum(wear + rng.exponential(pace, units), 1.2))
    return journey.columns()


def near_bandit_one_question(rng: Rng) -> Columns:
    """Two kinds of customers want two different things; one question tells them apart."""
    n, actions = int(rng.integers(5000, 8000)), 4
    x = rng.normal(size=(n, 4))
    cut, (low, high) = rng.uniform(-0.5, 0.5), rng.permutation(4)[:2]
    mean = rng.uniform(0, 0.3, actions)[None, :] + np.zeros((n, 1))
    mean[:, low] += 1.0 * (x[:, 0] <= cut)
    mean[:, high] += 1.0 * (x[:, 0] > cut)
    chance = softmax(rng.normal(scale=0.3, size=(1, actions)) + np.zeros((n, 1)))
    return one_shot(x, chance, lambda a: mean[np.arange(n), a] + rng.normal(scale=1.0, size=n), rng)


# ---------------------------------------------------------------- the answer is known afterwards


def newsvendor(rng: Rng) -> Columns:
    """How many to bake; the demand is known in the evening, whatever was baked."""
    n, actions = int(rng.integers(5000, 8000)), 8
    x = rng.normal(size=(n, 4))
    demand = np.clip(
        3.5 + x @ (rng.choice([-1, 1], 4) * rng.uniform(0.5, 1.0, 4)) + rng.normal(scale=0.7, size=n), 0, 8
    )
    over, under = rng.uniform(0.5, 1.0), rng.uniform(1.0, 2.0)
    chance = explored(np.full(n, 4), actions, rng.uniform(0.4, 0.8))

    def pay(action: Ints) -> Floats:
        return np.asarray(-over * np.maximum(action - demand, 0) - under * np.maximum(demand - action, 0))

    return one_shot(x, chance, pay, rng, outcome_demand=demand)


def classified(rng: Rng) -> Columns:
    """Which desk a letter belongs to; where it really belonged is always found out."""
    n, actions = int(rng.integers(5000, 8000)), int(rng.integers(3, 6))
    x = rng.normal(size=(n, 5))
    truth = drawn(softmax(2.0 * x @ rng.normal(size=(5, actions))), rng)
    chance = softmax(x @ rng.normal(scale=0.4, size=(5, actions)))
    value = rng.uniform(0.5, 1.5, actions)
    return one_shot(
        x, chance, lambda a: np.where(a == truth, value[truth], 0.0), rng, label_desk=[f"d{k}" for k in truth]
    )


def near_offline_forecast(rng: Rng) -> Columns:
    """Staff for tomorrow, shop by shop: demand swings from day to day by itself, and is known afterwards."""
    units, steps, actions = int(rng.integers(120, 180)), 40, 6
    keep, journey = rng.uniform(0.7, 0.9), Journey()
    level, weights = rng.normal(size=units), rng.uniform(0.8, 1.2)
    over, under = rng.uniform(0.5, 1.0), rng.uniform(1.0, 2.0)
    for step in range(steps):
        day = np.full(units, np.sin(step)) + rng.normal(scale=0.3, size=units)
        demand = np.clip(2.5 + weights * level + day + rng.normal(scale=0.4, size=units), 0, 6)
        chance = explored(np.clip(np.rint(2.5 + 0.5 * level), 0, actions - 1).astype(int), actions, 0.5)
        action = drawn(chance, rng)
        reward = -over * np.maximum(action - demand, 0) - under * np.maximum(demand - action, 0)
        x = np.stack([level, day, rng.normal(size=units)], axis=1)
        journey.add(step, x, ["level", "day", "noise"], chance, action, reward, actual_demand=demand)
        level = keep * level + np.sqrt(1 - keep**2) * rng.normal(size=units)
    return journey.columns()


# ---------------------------------------------------------------- a contextual bandit


def linear_bandit(rng: Rng) -> Columns:
    """Which offer to show: strangers with different tastes."""
    n, actions = int(rng.integers(6000, 10_000)), int(rng.integers(3, 6))
    x = rng.normal(size=(n, 5))
    taste = rng.uniform(0.8, 1.2) * np.linalg.qr(rng.normal(size=(5, 5)))[0][:, :actions]
    chance = softmax(x @ rng.normal(scale=0.3, size=(5, actions)))
    return one_shot(x, chance, lambda a: (x @ taste)[np.arange(n), a] + rng.normal(scale=1.0, size=n), rng)


def near_offline_regulars(rng: Rng) -> Columns:
    """Regular customers whose mood moves by itself; the last offer is on file, and changes nothing they pay."""
    units, steps, actions = int(rng.integers(200, 260)), 35, 4
    keep, taste = rng.uniform(0.6, 0.9), rng.uniform(0.8, 1.2) * np.linalg.qr(rng.normal(size=(4, actions)))[0]
    mood, last, journey = rng.normal(size=(units, 4)), np.zeros(units), Journey()
    for step in range(steps):
        chance = softmax(mood @ rng.normal(scale=0.2, size=(4, actions)))
        action = drawn(chance, rng)
        reward = mood[:, 0] + (mood @ taste)[np.arange(units), action] + rng.normal(scale=0.8, size=units)
        x = np.concatenate([mood, last[:, None]], axis=1)
        journey.add(step, x, ["m0", "m1", "m2", "m3", "last_offer"], chance, action, reward)
        mood = keep * mood + np.sqrt(1 - keep**2) * rng.normal(size=mood.shape)
        last = action.astype(float)
    return journey.columns()


def near_supervised_minutes(rng: Rng) -> Columns:
    """Which article to show: minutes read say what it was worth, but only of the article that was shown."""
    n, actions = int(rng.integers(6000, 10_000)), int(rng.integers(3, 6))
    x = rng.normal(size=(n, 5))
    taste = rng.uniform(0.8, 1.2) * np.linalg.qr(rng.normal(size=(5, 5)))[0][:, :actions]
    chance = softmax(x @ rng.normal(scale=0.3, size=(5, actions)))
    action = drawn(chance, rng)
    minutes = 3 + (x @ taste)[np.arange(n), action] + rng.normal(scale=0.8, size=n)
    price = rng.uniform(0.5, 2.0)
    columns = one_shot(x, np.eye(actions)[action], lambda a: price * minutes, rng, outcome_minutes=minutes)
    return {**columns, "propensity": chance[np.arange(n), action]}


# ---------------------------------------------------------------- sequential, with a log and no world


def near_bandit_goodwill(rng: Rng) -> Columns:
    """Which of three offers: each pays now, as the customer's taste has it, and the hard ones use up the goodwill that
    all later sales need."""
    units, steps = int(rng.integers(220, 280)), 40
    taste = rng.uniform(1.2, 1.5) * np.linalg.qr(rng.normal(size=(6, 5)))[0]
    burn = np.array([0.0, *rng.uniform(0.1, 0.2, 2), *rng.uniform(0.4, 0.6, 3)])
    goodwill, journey = rng.random(units), Journey()
    for step in range(steps):
        x = rng.normal(size=(units, 6))
        pay = np.column_stack([np.zeros(units), 1.0 + x @ taste])
        chance = softmax(0.7 * pay)
        action = drawn(chance, rng)
        reward = goodwill * pay[np.arange(units), action] + rng.normal(scale=0.2, size=units)
        seen, names = np.column_stack([x, goodwill]), [*(f"x{k}" for k in range(6)), "goodwill"]
        journey.add(step, seen, names, chance, action, reward)
        goodwill = np.clip(goodwill * (1 - burn[action]) + 0.08 + rng.normal(scale=0.02, size=units), 0, 1)
    return journey.columns()


def treatment(rng: Rng) -> Columns:
    """Which treatment: four values of health move with it, each in its own way; the harm is their distance from 0."""
    return _treated(rng, known=False)


def near_supervised_weather(rng: Rng) -> Columns:
    """The same where the weather adds to the harm, and is known afterwards: with it and the action the reward is known,
    but the treatment still decides how the patient is next time."""
    return _treated(rng, known=True)


def _treated(rng: Rng, known: bool) -> Columns:
    units, steps, actions = int(rng.integers(180, 240)), 40, 6
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    push = rng.uniform(0.5, 0.8) * np.vstack([np.zeros(4), turn, -turn.sum(axis=0)])
    cost = np.array([0.0, *rng.uniform(0.05, 0.2, actions - 1)])
    health, journey = rng.normal(size=(units, 4)), Journey()
    for step in range(steps):
        chance = softmax(health @ rng.normal(scale=0.2, size=(4, actions)))
        action = drawn(chance, rng)
        weather = rng.normal(scale=0.6 if known else 0.1, size=units)
        reward = -(health**2).sum(axis=1) / 4 - cost[action] + weather
        more = {"outcome_weather": weather} if known else {}
        journey.add(step, health, ["h0", "h1", "h2", "h3"], chance, action, reward, **more)
        health = 0.9 * health + push[action] + rng.normal(scale=0.3, size=health.shape)
    return journey.columns()


LOGS: Mapping[str, tuple[str, Callable[[Rng], Columns]]] = {
    "constant_best": ("rule_or_solver", constant_best),
    "near_offline_threshold": ("rule_or_solver", near_offline_threshold),
    "near_bandit_one_question": ("rule_or_solver", near_bandit_one_question),
    "newsvendor": ("supervised", newsvendor),
    "classified": ("supervised", classified),
    "near_offline_forecast": ("supervised", near_offline_forecast),
    "linear_bandit": ("bandit", linear_bandit),
    "near_offline_regulars": ("bandit", near_offline_regulars),
    "near_supervised_minutes": ("bandit", near_supervised_minutes),
    "near_bandit_goodwill": ("offline_rl", near_bandit_goodwill),
    "near_supervised_weather": ("offline_rl", near_supervised_weather),
    "treatment": ("offline_rl", treatment),
}
"""By name: the right answer, and what draws the columns of a log."""
