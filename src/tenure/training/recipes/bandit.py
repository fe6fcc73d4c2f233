"""A contextual bandit over a batch of worlds: for decisions that do not change what comes next."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from tenure.training.exploration import Decay, Shape
from tenure.training.recipes.recipe import Recipe
from tenure.training.settings import Settings

if TYPE_CHECKING:
    from tenure.training.bandit_rules import Rule
    from tenure.training.bandits import Bandit
    from tenure.training.ground import Ground, Trained


@dataclass(frozen=True)
class BanditSettings(Settings):
    """A linear reward model per action and a rule that explores; what is served explores as what learned.

    `net`, `learning_rate` and `baseline` are not read: the model is solved exactly, from the problem's own reward. A
    gradient step, in `checkpoint_every`, is one update by all worlds.

    Args:
        rule: `thompson` (Agrawal and Goyal 2013), `epsilon-greedy` or `boltzmann` (Sutton and Barto 2018, sections 2.2
            and 2.8), or `ucb` (Lattimore and Szepesvari 2020), which draws nothing, so that its log can value no other
            policy.
        floor: share of uniform draws, in (0, 1], so that the log can value every other policy; not of `boltzmann` and
            `ucb`.
        temperature: for `boltzmann`, in reward units, what it is served with; see `Softmax`.
        explore_first: where exploration begins, the share of `epsilon-greedy` or the temperature of `boltzmann`; it
            falls to `floor` or `temperature` over the steps. None keeps it constant.
        decay: how it falls.
        memory: share of what was learned that each decision leaves, in (0, 1]; see `Bandit`.
        draws: coefficient vectors that Thompson sampling chooses among. 50 put a standard error of at most 0.07 on the
            share of an action, against sampling afresh, and are drawn again after each update.
        categories: how many categories, numbered from 0, each categorical feature has; others are numbers, which should
            be of about unit size.
        with_state: learn the next reward alone though the problem has a horizon.

    Raises:
        SettingsError: a value is out of its range.
    """

    recipe: ClassVar[str] = "bandit"

    steps: int = 500_000
    rule: Literal["thompson", "epsilon-greedy", "boltzmann", "ucb"] = "thompson"
    floor: float = 0.01
    temperature: float | None = None
    explore_first: float | None = None
    decay: Shape = "linear"
    memory: float = 1.0
    draws: int = 50
    categories: dict[str, int] = field(default_factory=dict)
    with_state: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.above_zero(floor=self.floor)
        self.in_range(0, 1, floor=self.floor)
        self.in_range(1, draws=self.draws)
        self.above_zero(memory=self.memory)
        self.in_range(0, 1, memory=self.memory)
        self._check_exploring()
        if self.history is not None:
            raise self.wrong("no `history`: one step has none", "one", "leave it out of [train]")
        if self.confidence is not None:
            fix = "leave it out: a bandit's confidence is the probability it draws its action with"
            raise self.wrong("no `confidence`, which is learned beside a network", "one", fix)

    def _check_exploring(self) -> None:
        if (self.rule == "boltzmann") != (self.temperature is not None):
            found = f"rule={self.rule!r}, temperature={self.temperature}"
            fix = "give how much worse an action may be to be taken e times as seldom"
            raise self.wrong('a temperature with rule = "boltzmann", and only there', found, fix)
        if self.explore_first is not None and self.rule not in ("epsilon-greedy", "boltzmann"):
            fix = "leave it out: this rule explores less by itself as it learns"
            raise self.wrong("explore_first with `epsilon-greedy` or `boltzmann`", f"rule={self.rule!r}", fix)
        given = {"temperature": self.temperature, "explore_first": self.explore_first}
        self.above_zero(**{name: value for name, value in given.items() if value is not None})
        if self.rule == "epsilon-greedy" and self.explore_first is not None:
            self.in_range(self.floor, 1, explore_first=self.explore_first)


def train_bandit(ground: Ground) -> Trained:
    """One seed."""
    from tenure.simulators.actions import allowed_actions
    from tenure.training.bandit_graph import BanditGraph, BanditPart
    from tenure.training.metrics.worlds import Stepped
    from tenure.training.parts import Attributes, Chance
    from tenure.training.stable import write
    from tenure.training.tabular import Schedule, begun, restarted
    from tenure.training.worlds import reward_of

    bandit, settings, problem, simulator = new_bandit(ground), ground.settings, ground.problem, ground.simulator
    assert isinstance(settings, BanditSettings)
    reward = ground.duals.priced(reward_of(ground.project, settings))
    rng, n = np.random.default_rng([ground.seed, 2]), settings.worlds
    course = begun(problem, simulator, Schedule(settings.steps, n, level=settings.level), rng)
    ground.parts |= {"bandit": BanditPart(bandit), "draws": Chance(rng)}
    ground.parts["course"] = Attributes(course, "state", "age", "done")
    counted = ground.metrics.of_worlds(lambda seen, allowed: bandit.distribution(seen, allowed).argmax(axis=1))
    ground.go_on()
    with closing(ground.log()) as logger:
        while course.done < settings.steps:
            seen = simulator.observe(course.state)
            allowed = allowed_actions(problem, simulator, course.state, seen)
            bandit.rule = rule_at(settings, ground.seed, course.done / settings.steps)
            action = bandit.propose(seen, allowed, rng.random(n)).action
            step = simulator.step(course.state, action, rng)
            over = step.terminated | (course.age + 1 >= problem.horizon)
            counted.update(Stepped(seen, allowed, action, step.signals, over))
            bandit.update(seen, action, reward(step.signals))
            ground.duals.update(
                {limit.signal: float(step.signals[limit.signal].mean()) for limit in ground.duals.limits}
            )
            course.state = restarted(simulator, step.state, over, rng, settings.level)
            course.age, course.done = np.where(over, 0, course.age + 1), course.done + n
            updates = course.done // n
            if updates % settings.checkpoint_every == 0 or course.done >= settings.steps:
                bandit.rule = rule_at(settings, ground.seed, 1.0)  # what is scored and served is what it ends with
                write(logger, ground.score(BanditGraph(bandit), course.done, updates))
    return ground.trained()


def new_bandit(ground: Ground) -> Bandit:
    """A bandit that knows nothing yet.

    Raises:
        SettingsError: the problem has a horizon, and nobody asked for it, or no labelled actions.
    """
    from tenure.training.bandits import make_bandit

    settings, problem = ground.settings, ground.problem
    assert isinstance(settings, BanditSettings)
    if problem.horizon > 1 and not settings.with_state:
        raise settings.wrong(
            "a problem of one step, `horizon = 1`, for a bandit sees no further than the next reward",
            f"horizon={problem.horizon} in problem {problem.name!r}",
            "take ppo or dqn; or, where a decision does not change the next, set `with_state = true` in [train.bandit]",
        )
    rule = rule_at(settings, ground.seed, 0.0)
    return make_bandit(problem, rule, categories=settings.categories, memory=settings.memory)


def rule_at(settings: BanditSettings, seed: int, done: float) -> Rule:
    """The rule once this share of the training, in [0, 1], is done."""
    from tenure.training.bandit_rules import UCB, EpsilonGreedy, Softmax, Thompson

    if settings.rule == "thompson":
        return Thompson(draws=settings.draws, floor=settings.floor, seed=seed)
    if settings.rule == "ucb":
        return UCB()
    last = settings.floor if settings.temperature is None else settings.temperature
    first = last if settings.explore_first is None else settings.explore_first
    now = Decay(first, last, shape=settings.decay)(done)
    return EpsilonGreedy(now) if settings.temperature is None else Softmax(now)


RECIPE = Recipe(
    "bandit",
    "contextual bandit",
    "discrete",
    BanditSettings,
    train_bandit,
    source="Agrawal and Goyal (2013); Sutton and Barto (2018), section 2.2",
    masks=True,
    climbs=False,
)
