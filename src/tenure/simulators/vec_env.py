"""n worlds behind one Stable-Baselines3 `VecEnv`, stepped as one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.clock import Clock, SystemClock
from tenure.core.errors import ProjectError
from tenure.core.policy import Policy
from tenure.core.problem import Problem, Shaping
from tenure.core.simulator import Simulator, State
from tenure.core.spaces import Discrete
from tenure.simulators.actions import Actions, allowed_actions, nearest_allowed
from tenure.simulators.batch import put
from tenure.simulators.episodes import Episodes
from tenure.simulators.faults import WorldFault, fault, not_finite
from tenure.simulators.jump_start import JumpStart
from tenure.simulators.spaces import action_space

KEPT = ("level", "steps", "replaced", "signals", "_rng", "_state", "_twin", "_age", "_episodes", "_raw", "_allowed")
"""What changes as worlds are stepped, and decides what comes next."""


class SimulatorVecEnv(VecEnv):
    """Worlds that start again by themselves, with no Python loop over worlds but over those that end.

    A time limit (`problem.horizon`) is a truncation: `TimeLimit.truncated` and `terminal_observation` stand in
    its info. A world that ends by itself has `terminal_observation` alone. Either way the info also holds
    `episode` (`r` the return in the problem's own reward, `l` the length, `t` seconds since construction) and
    `signals` (total of each signal over the episode).

    An action that is not allowed, as learners without masks choose, is replaced by the nearest allowed index and
    counted in `replaced`.

    With a `baseline`, every world has a twin which starts in the same state, is stepped by that policy and meets
    the same chance; the reward is the difference to the twin's. What the twin earns does not depend on the
    learner, so the ranking of policies stays and the noise both share goes. That holds only where ends do not
    depend on actions either: a world that ends by itself without its twin, or the other way round, is an error.
    The pairing is close where the simulator's draws have shapes which depend on n alone.

    A reward or observation that is not finite is an error, which names the world, the seed, the level and the step.

    The problem's `shaping` is added to the reward of every step. An ended world's potential is 0; one that was only
    cut off by the time limit keeps its last one, as its value is bootstrapped from there. `signals` holds those of the
    latest step, each [n], `taken` its actions as they were carried out.

    Args:
        problem: states features, actions, reward, constraints and horizon.
        simulator: steps the worlds.
        n: how many worlds.
        seed: of all chance; `seed()` sets another for the next `reset`.
        level: the simulator's parameter set.
        reward: trained on instead of `problem.reward`; from signals [n] to rewards [n].
        baseline: the twins' policy; None for no twins.
        scale: multiplies the (difference of) reward.
        stagger: worlds start at random ages, so that they do not all end at once; first episodes are short.
        transform: from raw observations [n, features] to what the learner sees; [n, width] where it has a `width`.
        jump_start: takes the first decisions of each episode; None leaves them all to the learner.
        clock: measures `t`.

    Source: Mao et al. (2019), "Variance reduction for reinforcement learning in input-driven environments"; shaping, Ng
    et al. (1999), its sum over an episode with the end at 0, Grzes (2017).
    """

    render_mode: str | None = None

    def __init__(
        self,
        problem: Problem,
        simulator: Simulator,
        n: int,
        seed: int,
        *,
        level: str = "normal",
        reward: Callable[[Mapping[str, Floats]], Floats] | None = None,
        baseline: Policy | None = None,
        scale: float = 1.0,
        stagger: bool = True,
        transform: Callable[[Floats], Floats] | None = None,
        jump_start: JumpStart | None = None,
        clock: Clock | None = None,
    ) -> None:
        shape = (getattr(transform, "width", len(problem.observation)),)
        super().__init__(n, spaces.Box(-np.inf, np.inf, shape, np.float32), action_space(problem))
        self.problem, self.simulator, self.level = problem, simulator, level
        self.replaced, self.steps, self._seed = 0, 0, seed
        self._reward = problem.reward if reward is None else reward
        self._baseline, self._scale, self._stagger, self._transform = baseline, scale, stagger, transform
        self._jump_start = jump_start
        self._clock = SystemClock() if clock is None else clock
        self._started = self._clock.monotonic()
        self._rng = np.random.default_rng(seed)
        self._allowed: Bools | None = None

    def reset(self) -> Floats:
        """Fresh worlds everywhere; float32 [n, features]."""
        if self._seeds[0] is not None:
            self._seed = int(self._seeds[0])
            self._rng = np.random.default_rng(self._seed)
        self._reset_seeds()
        self.steps = 0
        fresh, age = self._fresh(self.num_envs)
        self._state: State = fresh
        self._twin: State = fresh
        horizon = self.problem.horizon if self._stagger else 1
        self._age = self._rng.integers(0, horizon, self.num_envs) if age is None else age
        self._episodes = Episodes(tuple(sorted(self.problem.signal_names)), self.num_envs)
        self.signals: Mapping[str, Floats] = {}
        self._raw, self._allowed = self.simulator.observe(self._state), None
        return self._seen(self._raw)

    def step_async(self, actions: Actions) -> None:
        """Keep the actions for `step_wait`; [n], or [n, numbers] for a `Box`."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Step every world once: observations, rewards float32 [n], ends bool [n], infos."""
        chance, same_chance = self._chances()
        self.taken = self._legal(self._actions)
        step = self.simulator.step(self._state, self.taken, chance)
        reward, self.signals = self._reward(step.signals), step.signals
        if self._baseline is not None:
            reward = reward - self._twin_reward(self._baseline, step.terminated, same_chance)
        seen = self.simulator.observe(step.state)
        if self.problem.shaping is not None:
            reward = reward + self._shaped(self.problem.shaping, seen, step.terminated)
        if not (np.isfinite(reward).all() and np.isfinite(seen).all()):
            raise self._fault(step.signals, reward, seen)
        self._age += 1
        self.steps += 1
        self._episodes.update(step.signals)
        truncated = (self._age >= self.problem.horizon) & ~step.terminated
        done = step.terminated | truncated
        self._state, self._raw, self._allowed = step.state, seen, None
        # A dict of its own for each world: wrappers write into infos.
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        ended = np.flatnonzero(done)
        if len(ended):
            self._describe(ended, truncated, infos)
            self._restart(ended)
        return self._seen(self._raw), (reward * self._scale).astype(np.float32), done, infos

    def state_dict(self) -> dict[str, Any]:
        """All worlds as they are, chance and all, for checkpoints; the arrays are the live ones."""
        return {name: getattr(self, name) for name in KEPT}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Be as these worlds were; the next call is `step_async`, not `reset`."""
        for name in KEPT:
            setattr(self, name, state[name])

    def action_masks(self) -> Bools:
        """Allowed actions of every world now; bool [n, actions].

        Raises:
            ProjectError: the actions are a `Box`.
        """
        if not isinstance(self.problem.action, Discrete):
            where = f"problem {self.problem.name!r}"
            fix = "use a learner without masks"
            raise ProjectError(expected="a discrete action space", found="a Box", where=where, fix=fix)
        allowed = self._legal_now()
        return np.ones((self.num_envs, self.problem.action.size), dtype=bool) if allowed is None else allowed

    def close(self) -> None:
        """Nothing to release."""

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The attribute, once for each world asked for; they share it."""
        return [getattr(self, attr_name)] * len(self._positions(indices))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set the attribute all worlds share.

        Raises:
            ProjectError: asked for some worlds only.
        """
        if len(self._positions(indices)) != self.num_envs:
            fix = "set it for all worlds at once"
            raise ProjectError(expected="all worlds", found=str(indices), where=f"set_attr({attr_name!r})", fix=fix)
        setattr(self, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method that gives one row per world, such as `action_masks`, and pick the worlds asked for."""
        rows = getattr(self, method_name)(*method_args, **method_kwargs)
        return [rows[position] for position in self._positions(indices)]

    def env_is_wrapped(
        self,
        wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]],  # noqa: ARG002
        indices: VecEnvIndices = None,
    ) -> list[bool]:
        """No world is wrapped: there is no environment object per world."""
        return [False] * len(self._positions(indices))

    def _positions(self, indices: VecEnvIndices) -> list[int]:
        chosen: Iterable[int] = self._get_indices(indices)
        return list(chosen)

    def _seen(self, raw: Floats) -> Floats:
        return np.asarray(raw if self._transform is None else self._transform(raw), dtype=np.float32)

    def _fault(self, signals: Mapping[str, Floats], reward: Floats, seen: Floats) -> WorldFault:
        """What is not finite, and in which world: a signal of its own, a feature, or the reward."""
        features = dict(zip(self.problem.feature_names, seen.T, strict=False))
        named = {**signals, **features, "reward": reward, "observation": seen.sum(axis=1)}
        found = not_finite(named)
        assert found is not None
        what, world = found
        at = {"seed": self._seed, "level": self.level, "step": self.steps + 1}
        return fault(what, float(named[what][world]), world, at, self._raw[world], self._actions[world])

    def _chances(self) -> tuple[np.random.Generator, np.random.Generator]:
        if self._baseline is None:
            return self._rng, self._rng
        seed = int(self._rng.integers(2**63))
        return np.random.default_rng(seed), np.random.default_rng(seed)

    def _legal_now(self) -> Bools | None:
        """What is allowed now; asked for by a masked learner and again by the step, worked out once."""
        if self._allowed is None:
            self._allowed = allowed_actions(self.problem, self.simulator, self._state, self._raw)
        return self._allowed

    def _shaped(self, shaping: Shaping, after: Floats, terminated: Bools) -> Floats:
        ahead = np.where(terminated, 0.0, shaping.potential(after))
        return np.asarray(self.problem.discount * ahead - shaping.potential(self._raw))

    def _legal(self, actions: Actions) -> Actions:
        allowed = self._legal_now()
        if allowed is None:
            return actions
        legal = nearest_allowed(actions, allowed)
        self.replaced += int((legal != actions).sum())
        return legal

    def _twin_reward(self, baseline: Policy, terminated: Bools, chance: np.random.Generator) -> Floats:
        observation = self.simulator.observe(self._twin)
        allowed = allowed_actions(self.problem, self.simulator, self._twin, observation)
        draw = self._rng.random(self.num_envs)
        step = self.simulator.step(self._twin, baseline.propose(observation, allowed, draw).action, chance)
        self._check_ends(terminated, step.terminated)
        self._twin = step.state
        return self._reward(step.signals)

    def _check_ends(self, terminated: Bools, twin: Bools) -> None:
        apart = np.flatnonzero(terminated != twin)
        if len(apart):
            world = apart[0]
            first, second = ("world", "its twin") if terminated[world] else ("the twin of world", "the world")
            raise ProjectError(
                expected="ends that do not depend on the actions, since a baseline is set",
                found=f"{first} {world} ended by itself and {second} did not",
                where=f"SimulatorVecEnv of problem {self.problem.name!r}",
                fix="train this problem without a baseline",
            )

    def _describe(self, ended: Ints, truncated: Bools, infos: list[dict[str, Any]]) -> None:
        length, totals = self._episodes.close(ended)
        # The reward is linear in the signals, so the reward of the totals is the return.
        returns = self.problem.reward(totals)
        seconds = self._clock.monotonic() - self._started
        last = self._seen(self._raw[ended])
        for row, world in enumerate(ended):
            info = infos[world]
            info["terminal_observation"] = last[row]
            info["episode"] = {"r": float(returns[row]), "l": int(length[row]), "t": seconds}
            info["signals"] = {name: float(values[row]) for name, values in totals.items()}
            if truncated[world]:
                info["TimeLimit.truncated"] = True

    def _restart(self, ended: Ints) -> None:
        fresh, age = self._fresh(len(ended))
        self._state = put(self._state, ended, fresh)
        if self._baseline is not None:
            self._twin = put(self._twin, ended, fresh)
        self._raw = self._raw.copy()
        self._raw[ended] = begun = self.simulator.observe(fresh)
        if not np.isfinite(begun).all():
            raise self._fault({}, np.zeros(self.num_envs), self._raw)
        self._age[ended] = 0 if age is None else age
        self._allowed = None

    def _fresh(self, n: int) -> tuple[State, Ints | None]:
        """n fresh worlds, and how many decisions were taken in each; None where nobody takes any."""
        fresh = self.simulator.reset(n, self._rng, self.level)
        if self._jump_start is None:
            return fresh, None
        lengths = self._jump_start.lengths(self.problem.horizon, n, self.steps * self.num_envs, self._rng)
        return self._jump_start.led(self.problem, self.simulator, fresh, lengths, self._rng)
