"""Q-learning in a table over cells of the features: for small problems, and as a check on larger learners."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from tenure.core.arrays import Floats
from tenure.training.exploration import Decay, Shape, ValueDifference
from tenure.training.recipes.recipe import Recipe
from tenure.training.settings import Settings

if TYPE_CHECKING:
    from tenure.core.problem import Problem
    from tenure.training.ground import Ground, Trained
    from tenure.training.tabular import QTable

DUAL_EVERY = 64
"""Steps of all worlds between two moves of the learned penalties, as PPO's rollout has them."""


@dataclass(frozen=True)
class QLearningSettings(Settings):
    """Tabular Q-learning (Watkins and Dayan 1992) over a batch of worlds.

    `net`, `learning_rate` and `baseline` are not read: a table has no network, its rate follows the visits, and its
    rewards are the problem's own. A gradient step, in `checkpoint_every`, is one update of the table by all worlds.

    Args:
        cells: of each feature at most: one per value where a random walk meets no more values.
        cut: other features into cells with equally many of the walk's rows, `quantiles`, or equally wide ones between
            the feature's `bounds`.
        features: those the table tells apart; empty takes all.
        first_epsilon: share of random actions at the start, in [0, 1].
        last_epsilon: at the end.
        decay: how it falls: `linear`, `exponential`, or `adaptive`, in each cell by how much its values still move
            (Tokic 2010), never below last_epsilon.
        sensitivity: for `adaptive`: a move of a value that keeps 0.46 of the actions random, in reward units.
        rate_power: each visit moves a value by visits ** -rate_power, in (0.5, 1]; Even-Dar and Mansour (2003) find
            about 0.85 best.

    Raises:
        SettingsError: a value is out of its range.
    """

    recipe: ClassVar[str] = "q_learning"

    cells: int = 10
    cut: Literal["quantiles", "bounds"] = "quantiles"
    features: tuple[str, ...] = ()
    first_epsilon: float = 0.3
    last_epsilon: float = 0.01
    decay: Literal["linear", "exponential", "adaptive"] = "linear"
    sensitivity: float | None = None
    rate_power: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        self.in_range(1, cells=self.cells)
        self.in_range(0, 1, first_epsilon=self.first_epsilon, last_epsilon=self.last_epsilon)
        self.in_range(0.501, 1, rate_power=self.rate_power)
        if self.decay == "exponential":
            self.above_zero(first_epsilon=self.first_epsilon, last_epsilon=self.last_epsilon)
        if (self.decay == "adaptive") != (self.sensitivity is not None):
            fix = "give a tenth of a usual reward, and halve it where too little is tried"
            found = f"decay={self.decay!r}, sensitivity={self.sensitivity}"
            raise self.wrong('a sensitivity with decay = "adaptive", and only there', found, fix)
        if self.sensitivity is not None:
            self.above_zero(sensitivity=self.sensitivity)
        if self.history is not None:
            raise self.wrong("no `history`, whose windows no table holds", "one", "take ppo, or leave it out")


@dataclass
class Heat:
    """Means of the limited signals since their prices last moved, by step."""

    seen: dict[str, list[float]]


def train_q_learning(ground: Ground) -> Trained:
    """One seed."""
    from tenure.training.parts import Attributes, Chance
    from tenure.training.stable import write
    from tenure.training.table_graph import TableGraph
    from tenure.training.tabular import Schedule, begun, learn, new_table
    from tenure.training.worlds import reward_of

    settings, problem = ground.settings, ground.problem
    assert isinstance(settings, QLearningSettings)
    rng = np.random.default_rng([ground.seed, 2])
    columns = _columns(settings, problem.feature_names)
    table = new_table(problem, ground.simulator, columns, rng, _bounds(settings, problem, columns))
    heat = Heat({limit.signal: [] for limit in ground.duals.limits})
    counted = ground.metrics.of_worlds(lambda seen, allowed: table.greedy(table.cells(seen), allowed))

    def after_step(done: int, signals: Mapping[str, Floats]) -> None:
        updates = done // settings.worlds
        for name, means in heat.seen.items():
            means.append(float(signals[name].mean()))
        if updates % DUAL_EVERY == 0 and heat.seen:
            ground.duals.update({name: float(np.mean(means)) for name, means in heat.seen.items()})
            heat.seen = {name: [] for name in heat.seen}
        if updates % settings.checkpoint_every == 0 or done >= settings.steps:
            write(logger, ground.score(TableGraph(table), done, updates))

    adaptive = _adaptive(settings, table)
    schedule = Schedule(
        settings.steps,
        settings.worlds,
        Decay(settings.first_epsilon, settings.last_epsilon, shape=_shape(settings)),
        settings.rate_power,
        settings.level,
        adaptive,
    )
    reward = ground.duals.priced(reward_of(ground.project, settings))
    course = begun(problem, ground.simulator, schedule, rng)
    ground.parts |= {"table": Attributes(table, "values", "visits"), "draws": Chance(rng)}
    ground.parts |= {"course": Attributes(course, "state", "age", "done"), "heat": Attributes(heat, "seen")}
    if adaptive is not None:
        ground.parts["adaptive"] = Attributes(adaptive, "epsilon")
    ground.go_on()
    with closing(ground.log()) as logger:
        learn(problem, ground.simulator, table, schedule, rng, reward, after_step, course, counted.update)
    return ground.trained()


def _shape(settings: QLearningSettings) -> Shape:
    return "exponential" if settings.decay == "exponential" else "linear"


def _adaptive(settings: QLearningSettings, table: QTable) -> ValueDifference | None:
    """What sets each cell's share of random actions; None where the settings' schedule does."""
    if settings.sensitivity is None:
        return None
    first, last = settings.first_epsilon, settings.last_epsilon
    return ValueDifference(*table.values.shape, first, last, settings.sensitivity)


def _columns(settings: QLearningSettings, names: tuple[str, ...]) -> dict[int, int]:
    """Cells of each column the table tells apart."""
    unknown = sorted(set(settings.features) - set(names))
    if unknown:
        raise settings.wrong(f"features among {list(names)}", f"features={unknown}", "name features of problem.py")
    wanted = settings.features or names
    return {column: settings.cells for column, name in enumerate(names) if name in wanted}


def _bounds(
    settings: QLearningSettings, problem: Problem, columns: Mapping[int, int]
) -> dict[int, tuple[float, float]]:
    """Of the columns whose cells are equally wide."""
    if settings.cut == "quantiles":
        return {}
    found = {column: (problem.observation[column].low, problem.observation[column].high) for column in columns}
    endless = [problem.observation[column].name for column, ends in found.items() if not np.isfinite(ends).all()]
    if endless:
        raise settings.wrong(
            'finite bounds with cut = "bounds"', f"none of {endless}", 'bound them, or cut "quantiles"'
        )
    return found


RECIPE = Recipe(
    "q_learning",
    "Q-learning in a table",
    "discrete",
    QLearningSettings,
    train_q_learning,
    source="Watkins and Dayan (1992); learning rate, Even-Dar and Mansour (2003)",
    masks=True,
    climbs=False,
)
