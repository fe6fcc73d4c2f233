"""What exploration costs and what it finds, on problems whose best is known.

    python -m benchmarks.exploration [arms] [gauss] [drift] [linear] [sea] [--csv docs/exploration.csv]

`arms`: ten Bernoulli arms. `gauss`: ten Gaussian arms. `drift`: four Gaussian arms, the best another every 500
decisions. `linear`: a contextual bandit with linear rewards. `sea`: bsuite's deep sea (Osband et al. 2020), tables.

Regret is what the best action would have earned more, in expectation. Its exponent is the slope of log regret over log
decisions in the last nine tenths; the interval is the 2.5 and 97.5 % quantile over resampled replications. Replications
share one model: each is a category of its own, so they learn apart, but for the estimate of the noise. Coverage is the
share of actions ever tried, per replication; the effective sample size (Kish 1965) is that of the log for valuing an
even choice among all actions, and 0 where an action's probability was 0. Seeds are fixed.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.deep_sea import sea
from tenure.core.arrays import Floats
from tenure.training.bandit_models import Encoding, RidgeModel
from tenure.training.bandit_rules import UCB, EpsilonGreedy, InverseGap, Softmax, Thompson
from tenure.training.bandits import Bandit
from tenure.training.exploration.ensemble import BootstrapBandit

SEED = 20261123
REPLICATIONS, DECISIONS = 20, 5_000
SWITCH = 500
MEMORY = 0.99 ** (1 / REPLICATIONS)
"""Per row; each decision adds a row of every replication, so that a replication remembers about 100 decisions."""


@dataclass(frozen=True)
class World:
    """A bandit with a known best.

    Args:
        context: of decision t; [replications, features].
        mean: of every action there, at t; [replications, actions].
        noise: from means to rewards.
        encoding: from contexts to the model's columns.
        actions: how many there are.
    """

    context: Callable[[int, np.random.Generator], Floats]
    mean: Callable[[int, Floats], Floats]
    noise: Callable[[Floats, np.random.Generator], Floats]
    encoding: Encoding
    actions: int


@dataclass(frozen=True)
class Row:
    """One way to explore in one world.

    Args:
        world, rule: their names.
        regret: summed, mean over replications, with the 95 % interval.
        exponent: of its growth, with the interval.
        coverage: share of actions ever tried.
        effective: sample size for an even choice, as a share of the decisions.
    """

    world: str
    rule: str
    regret: str
    exponent: str
    coverage: str
    effective: str


def apart(replications: int) -> Encoding:
    """One column per replication, named by the context's only number."""
    return Encoding(np.zeros(replications, dtype=np.int64), np.arange(replications, dtype=float))


def named(_: int, __: np.random.Generator) -> Floats:
    """The context of a bandit without features: the replication's number."""
    return np.arange(REPLICATIONS, dtype=float)[:, None]


def bernoulli(mean: Floats, rng: np.random.Generator) -> Floats:
    """1 with that probability, else 0."""
    return (rng.random(len(mean)) < mean).astype(float)


def gaussian(mean: Floats, rng: np.random.Generator) -> Floats:
    """Around the mean, with deviation 1."""
    return mean + rng.standard_normal(len(mean))


def arms() -> World:
    """Ten Bernoulli arms, the best 0.2 above the others; which is best differs by replication."""
    mean = np.full((REPLICATIONS, 10), 0.4)
    mean[np.arange(REPLICATIONS), np.arange(REPLICATIONS) % 10] = 0.6
    return World(named, lambda _, __: mean, bernoulli, apart(REPLICATIONS), 10)


def gauss() -> World:
    """Ten Gaussian arms with means 0.1 to 1 apart from the best."""
    mean = np.stack([np.roll(-np.arange(10) / 9, shift) for shift in range(REPLICATIONS)])
    return World(named, lambda _, __: mean, gaussian, apart(REPLICATIONS), 10)


def drift() -> World:
    """Four Gaussian arms, one of them 1 above the others, another one every `SWITCH` decisions."""
    return World(named, lambda t, _: np.eye(4)[(np.arange(REPLICATIONS) + t // SWITCH) % 4], gaussian, apart(20), 4)


def linear() -> World:
    """Three features and five actions with drawn coefficients; all replications learn in one model, side by side."""
    coefficients = np.random.default_rng(SEED).normal(size=(5, 3))
    encoding = Encoding(np.array([0, 1, 2]), np.full(3, np.nan))
    return World(lambda _, rng: rng.standard_normal((1, 3)), lambda _, x: x @ coefficients.T, gaussian, encoding, 5)


Learner = Bandit | BootstrapBandit
Make = Callable[[World], Learner]


def by(rule: EpsilonGreedy | UCB | InverseGap | Softmax | Thompson, memory: float = 1.0) -> Make:
    """A bandit with this rule."""
    return lambda world: Bandit(RidgeModel(world.encoding.columns, world.actions), rule, world.encoding, memory)


def bootstrap(world: World) -> Learner:
    """Ten members."""
    models = [RidgeModel(world.encoding.columns, world.actions) for _ in range(10)]
    return BootstrapBandit(models, world.encoding, np.random.default_rng(SEED), floor=1e-6)


RULES: dict[str, Make] = {
    "greed": by(EpsilonGreedy(0.0)),
    "epsilon-greedy 0.1": by(EpsilonGreedy(0.1)),
    "boltzmann 0.1": by(Softmax(0.1)),
    "inverse gap 200": by(InverseGap(200.0)),
    "ucb": by(UCB()),
    "thompson": by(Thompson(draws=100, floor=1e-6)),
    "thompson, floor 1 %": by(Thompson(draws=100)),
    "bootstrap": bootstrap,
}
FORGETTING: dict[str, Make] = {
    "epsilon-greedy 0.1, forgets": by(EpsilonGreedy(0.1), MEMORY),
    "ucb, forgets": by(UCB(), MEMORY),
    "thompson, forgets": by(Thompson(draws=100), MEMORY),
}
WORLDS: dict[str, Callable[[], World]] = {"arms": arms, "gauss": gauss, "drift": drift, "linear": linear}


def played(world: World, learner: Learner, decisions: int, seed: int) -> tuple[Floats, Floats, Floats]:
    """Regret of each decision [decisions, replications], actions' counts [replications, actions], and weights of the
    log for an even choice [decisions, replications], infinite where an action had no chance."""
    rng = np.random.default_rng(seed)
    replications = len(world.context(0, rng))
    regret, weight = np.zeros((decisions, replications)), np.zeros((decisions, replications))
    tried, every = np.zeros((replications, world.actions)), np.arange(replications)
    for t in range(decisions):
        x = world.context(t, rng)
        mean, said = world.mean(t, x), learner.propose(x, None, rng.random(replications))
        chance = learner.distribution(x)
        regret[t] = mean.max(axis=1) - mean[every, said.action]
        weight[t] = np.where(chance.min(axis=1) > 0, 1 / (world.actions * chance[every, said.action]), np.inf)
        tried[every, said.action] += 1
        learner.update(x, said.action, world.noise(mean[every, said.action], rng))
    return regret, tried, weight


def slope(regret: Floats) -> float:
    """Of log mean summed regret over log decisions, in the last nine tenths; regret of each decision [t, replications].

    >>> round(slope(np.ones((1000, 2))), 3)
    1.0
    """
    total = regret.mean(axis=1).cumsum()
    at = np.unique(np.geomspace(len(total) / 10, len(total), 50).astype(int)) - 1
    if total[at[0]] <= 0:
        return 0.0
    return float(np.polyfit(np.log(at + 1), np.log(total[at]), 1)[0])


def interval(values: list[float]) -> str:
    """The 2.5 and 97.5 % quantiles, in brackets."""
    low, high = np.quantile(values, [0.025, 0.975])
    return f"({low:.3g} to {high:.3g})"


def effective(weight: Floats) -> float:
    """Kish's sample size as a share of the rows; 0 where an action had no chance."""
    return float(weight.sum() ** 2 / (weight**2).sum() / weight.size) if np.isfinite(weight).all() else 0.0


def measured(name: str, rule: str, make: Make, decisions: int = DECISIONS) -> Row:
    """One row of the table; a world of one context at a time is played `REPLICATIONS` times over."""
    plays = 1 if name != "linear" else 10
    found = [played(WORLDS[name](), make(WORLDS[name]()), decisions, SEED + play) for play in range(plays)]
    regret = np.concatenate([one[0] for one in found], axis=1)
    tried = np.concatenate([one[1] for one in found])
    rng = np.random.default_rng(SEED)
    resampled = [regret[:, rng.integers(0, regret.shape[1], regret.shape[1])] for _ in range(200)]
    return Row(
        name,
        rule,
        f"{regret.sum(axis=0).mean():.0f} {interval([float(one.sum(axis=0).mean()) for one in resampled])}",
        f"{slope(regret):.2f} {interval([slope(one) for one in resampled])}",
        f"{(tried > 0).mean():.0%}",
        f"{effective(np.concatenate([one[2] for one in found], axis=1)):.1%}",
    )


def shown(rows: Iterable[list[str]]) -> list[list[str]]:
    """Print rows as they come."""
    kept = []
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)
        kept.append(row)
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worlds", nargs="*", default=["sea", *WORLDS])
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    rows: list[list[str]] = []
    for name in asked.worlds:
        if name == "sea":
            rows += shown(sea())
            continue
        for rule, make in (RULES | (FORGETTING if name == "drift" else {})).items():
            rows += shown([list(vars(measured(name, rule, make)).values())])
    if asked.csv:
        with asked.csv.open("w", newline="") as file:
            csv.writer(file).writerows([list(Row.__annotations__), *rows])


if __name__ == "__main__":
    main()
