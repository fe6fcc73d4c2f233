"""A log as something to learn from: what is kept back, what each decision brought, where episodes end.

Promises: the last part of the log is never learned from; a reward that was not measured is not 0; a decision whose
consequence the log does not hold teaches what was done, and nothing about what follows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import DataError
from tenure.core.problem import Problem
from tenure.core.reward import Reward
from tenure.core.spaces import Discrete
from tenure.core.trajectories import Trajectories
from tenure.store.tables.trajectories import open_trajectories
from tenure.training.normaliser import Normaliser, per_columns, per_feature
from tenure.training.offline_settings import OfflineSettings

FEW_EPISODES = 10
"""With fewer, the end of each episode is kept back and not the last episodes."""


@dataclass(frozen=True, eq=False)
class Log:
    """A log in its two parts.

    Args:
        name: of its file.
        digest: SHA-256 of it, 12 digits.
        learn: the part that is learned from.
        kept: the last part, for judging.
    """

    name: str
    digest: str
    learn: Trajectories
    kept: Trajectories


@dataclass(frozen=True, eq=False)
class LoggedSteps:
    """Decisions with what came of them; n rows.

    Args:
        observation: raw; float32 [n, features].
        action: index, int64 [n]; for a `Box` the vector, float32 [n, numbers].
        reward: in the problem's unit; float64 [n], NaN where it was not measured.
        following: what was seen next, its own where nothing was; float32 [n, features].
        ended: nothing came after; bool [n].
        known: reward and what came after are known; bool [n].
        left_out: rows of the log that are not here, since a feature was missing or the action forbidden.
    """

    observation: Floats
    action: Any
    reward: Floats
    following: Floats
    ended: Bools
    known: Bools
    left_out: int

    def __len__(self) -> int:
        return len(self.reward)

    def take(self, rows: Bools) -> LoggedSteps:
        """Some of the rows."""
        names = ("observation", "action", "reward", "following", "ended", "known")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


def open_halves(settings: OfflineSettings, problem: Problem) -> Log:
    """The log of the settings, in its two parts.

    Raises:
        DataError: there is none, it lacks a feature or a signal, or it is too short to keep some back.
    """
    if not settings.log:
        raise _wrong("a log to learn from", "none", settings.where, "give --log FILE")
    found = open_trajectories(settings.log, problem, mapping=settings.mapping or None).trajectories
    _check_actions(found, problem, settings.log)
    kept = kept_back(found, settings.held_back)
    if not kept.any() or kept.all():
        raise _wrong("at least two decisions", str(len(found)), settings.log, "log more before learning from it")
    return Log(Path(settings.log).name, digest_of(settings.log), some_rows(found, ~kept), some_rows(found, kept))


def digest_of(log: str) -> str:
    """SHA-256 of a log's file, 12 digits.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return hashlib.sha256(Path(log).read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise _wrong("the log that is learned from", str(error), log, "bring it back, or name another") from error


def kept_back(log: Trajectories, share: float) -> Bools:
    """Rows of the last episodes, by the moment they began, else by their order; bool [n].

    Of fewer than `FEW_EPISODES` the last rows of each are kept back.
    """
    first = np.searchsorted(log.episode, np.arange(log.episodes))
    if log.episodes < FEW_EPISODES:
        length = np.bincount(log.episode)
        position = np.arange(len(log)) - first[log.episode]
        return np.asarray(position >= np.ceil(length * (1 - share))[log.episode])
    began = np.arange(log.episodes) if log.at is None else log.at[first].astype(np.int64)
    last = np.argsort(began, kind="stable")[round(log.episodes * (1 - share)) :]
    return np.asarray(np.isin(log.episode, last))


def some_rows(log: Trajectories, rows: Bools) -> Trajectories:
    """Some decisions as trajectories; episodes without any are left out."""
    there, episode = np.unique(log.episode[rows], return_inverse=True)
    return replace(
        log,
        observation=log.observation[rows],
        action=log.action[rows],
        signals={name: values[rows] for name, values in log.signals.items()},
        episode=episode,
        step=log.step[rows],
        propensity=log.propensity[rows],
        world=tuple(log.world[number] for number in there),
        at=None if log.at is None else log.at[rows],
    )


def steps_of(
    log: Trajectories, problem: Problem, reward: Reward, *, ends: bool | None, worlds_end: bool
) -> LoggedSteps:
    """What a learner draws from.

    Args:
        log: to learn from.
        problem: features and their defaults, constraints, horizon.
        reward: of the signals.
        ends: as in the settings.
        worlds_end: worlds of the simulator end by themselves.

    Raises:
        DataError: no row has all features, or nothing gives values an anchor.
    """
    seen = filled(log, problem)
    ended = _ended(log, problem, ends=ends, worlds_end=worlds_end)
    after = np.where(log.following >= 0, log.following, np.arange(len(log)))
    paid = np.asarray(reward(log.signals), dtype=float)
    whole: Bools = np.asarray(np.isfinite(seen).all(axis=1))
    steps = LoggedSteps(
        observation=seen.astype(np.float32),
        action=log.action if isinstance(problem.action, Discrete) else log.action.astype(np.float32),
        reward=paid,
        following=seen[after].astype(np.float32),
        ended=ended,
        known=np.isfinite(paid) & (ended | ((log.following >= 0) & whole[after])),
        left_out=0,
    )
    right = whole & _legal(problem, steps)
    if not right.any():
        expected = "rows with every feature and an action that is allowed"
        raise _wrong(expected, f"none of {len(log)}", "the log", "give features a `default`, or look at constraints")
    return replace(steps.take(right), left_out=int((~right).sum()))


def anchored(steps: LoggedSteps, problem: Problem) -> LoggedSteps:
    """The rows that teach values.

    Raises:
        DataError: there is none, or without discount nothing ends.
    """
    known = steps.take(steps.known)
    if not len(known):
        fix = "log outcomes and whole episodes, or clone: `--recipe cloning` needs neither"
        raise _wrong("decisions with their reward and what came after", "none", "the log", fix)
    if problem.discount == 1.0 and not known.ended.any():
        found = "no decision that ended an episode, and a discount of 1"
        raise _wrong("something that gives values an anchor", found, "the log", "set `ends = true`, or a discount")
    return known


def normaliser_of(steps: LoggedSteps, problem: Problem) -> Normaliser:
    """Means and deviations of the log's own situations and rewards."""
    per = per_columns(problem)
    rows = per_feature(steps.observation, per)
    paid = steps.reward[np.isfinite(steps.reward)]
    return Normaliser(
        mean=rows.mean(axis=0).astype(np.float32),
        std=(rows.std(axis=0) + 1e-6).astype(np.float32),
        per=per,
        reward_std=(float(np.std(paid)) if len(paid) else 0.0) or 1.0,
    )


def told(log: Log, problem: Problem) -> dict[str, Any]:
    """What a run's record says of its log: the file, its size, and how well its own policy did in the part held back.

    `score` is the first KPI, `reward` the mean per decision, both of rows with all signals; None where there are none.
    """
    paid = np.asarray(problem.reward(log.kept.signals), dtype=float)
    kpi = problem.kpis[0]
    whole = np.isfinite(paid) & np.all([np.isfinite(log.kept.signals[name]) for name in kpi.reads], axis=0)
    signals = {name: values[whole] for name, values in log.kept.signals.items()}
    score = kpi.value(signals) if whole.any() else np.nan
    return {
        "file": log.name,
        "sha256": log.digest,
        "decisions": len(log.learn),
        "episodes": log.learn.episodes,
        "held_back": len(log.kept),
        "kpi": kpi.name,
        "score": float(score) if np.isfinite(score) else None,
        "reward": float(paid[whole].mean()) if whole.any() else None,
    }


def filled(log: Trajectories, problem: Problem) -> Floats:
    """The problem's features, missing ones by their defaults; NaN where there is none."""
    seen = log.observation[:, : len(problem.observation)]
    default = np.array([np.nan if each.default is None else each.default for each in problem.observation])
    return np.asarray(np.where(np.isnan(seen), default, seen))


def _ended(log: Trajectories, problem: Problem, *, ends: bool | None, worlds_end: bool) -> Bools:
    if problem.horizon == 1:
        return np.ones(len(log), dtype=bool)
    last = np.append(np.diff(log.episode) != 0, True)
    if ends is not None:
        return last & ends
    return np.asarray(last & worlds_end & (log.step + 1 < problem.horizon))


def _check_actions(log: Trajectories, problem: Problem, where: str) -> None:
    """Whoever reads a vector as a label learns nonsense."""
    if isinstance(problem.action, Discrete):
        return
    if log.action.shape[1:] != (problem.action.size,):
        expected = f"vectors of {problem.action.size} number(s), {list(problem.action.names)}"
        fix = "give a list of numbers in JSON lines or Parquet, or one column each, named with --mapping"
        raise _wrong(expected, f"actions of another form: {log.action[:2].tolist()}", where, fix)


def _legal(problem: Problem, steps: LoggedSteps) -> Bools:
    """Rows whose action the problem's constraints allow, and its bounds."""
    rows: Ints = np.arange(len(steps))
    if not isinstance(problem.action, Discrete):
        return problem.action.holds(steps.action)
    allowed = problem.allowed(steps.observation, None)
    return np.ones(len(steps), dtype=bool) if allowed is None else np.asarray(allowed[rows, steps.action])


def _wrong(expected: str, found: str, where: str, fix: str) -> DataError:
    return DataError(expected=expected, found=found, where=where, fix=fix)
