"""PPO of Stable-Baselines3 with its narrow points widened: the same algorithm, less of everything around it.

Three methods are overridden. Rollouts: Python looks only at the worlds that ended, not at every world in every step,
and all values they are cut off with come from one pass. The buffer: rows of all worlds lie in one table, shuffled once
per epoch, so that a minibatch is a slice and no copy. The update: distributions are written out, one optimiser call
moves all parameters, and a minibatch goes through the networks in parts that stay in the processor's cache.

What is computed is Stable-Baselines3's: from the same rollout in one batch, the same parameters come out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.utils import explained_variance
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor, nn

from tenure.core.arrays import Bools, Floats

FORBIDDEN = -1e8
"""Logit of an action that is not allowed. Source: sb3-contrib's MaskablePPO."""
PART = 2048
"""Rows of a minibatch that go through the networks at once; what 64 units say of them stays in a core's cache. In
parts of 2,048, 8,192 rows took 15 ms, at once 21 to 26 ms (two 64x64 tanh networks, one thread, AMD EPYC)."""
LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)
ONE_CALL = {"fused": True, "eps": 1e-5}
"""Adam over all parameters in one call; the small number is Stable-Baselines3's own for PPO."""


class Trunk(BaseFeaturesExtractor):
    """Hidden layers with ReLU that actor and critic share; each adds one layer of its own.

    Args:
        observation_space: what is seen, [width].
        net: units of each layer, at least one.
    """

    def __init__(self, observation_space: spaces.Box, net: tuple[int, ...]) -> None:
        super().__init__(observation_space, net[-1])
        widths = (observation_space.shape[0], *net)
        self.layers = nn.Sequential(*(layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.ReLU())))

    def forward(self, observations: Tensor) -> Tensor:
        """Features [n, net[-1]]."""
        features: Tensor = self.layers(observations)
        return features


def shared_trunk(net: tuple[int, ...]) -> dict[str, Any]:
    """`policy_kwargs` of Stable-Baselines3 for one trunk."""
    return {"features_extractor_class": Trunk, "features_extractor_kwargs": {"net": net}, "net_arch": []}


@dataclass(frozen=True)
class Judged:
    """What a policy says of n situations and what was done there.

    Args:
        log_prob: of what was done; [n].
        entropy: of the policy there; [n].
        value: of the situation; [n].
    """

    log_prob: Tensor
    entropy: Tensor
    value: Tensor


def answers(policy: ActorCriticPolicy, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Logits [n, actions] or means [n, numbers], and values [n]."""
    acting, valuing = policy.mlp_extractor(policy.extract_features(seen))
    return policy.action_net(acting), policy.value_net(valuing)[:, 0]


def log_shares(logits: Tensor, allowed: Tensor | None) -> Tensor:
    """Logarithm of each action's probability; [n, actions]."""
    return torch.log_softmax(logits if allowed is None else logits.masked_fill(~allowed, FORBIDDEN), dim=1)


def log_density(means: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    """Logarithm of a Gaussian's density with no correlations; [n] from [n, numbers] and [numbers]."""
    apart = (action - means) * torch.exp(-log_std)
    return (-0.5 * apart.square() - log_std - LOG_SQRT_2PI).sum(dim=1)


@dataclass(frozen=True)
class Batch:
    """Rows of a rollout, views of one table; actions are as the learner gave them."""

    seen: Tensor
    action: Tensor
    log_prob: Tensor
    advantage: Tensor
    returns: Tensor
    allowed: Tensor | None

    def parts(self, rows: int) -> Iterator[Batch]:
        """The same rows in their order, at most so many at a time."""
        for start in range(0, len(self.returns), rows):
            cut = slice(start, start + rows)
            allowed = None if self.allowed is None else self.allowed[cut]
            seen, action, log_prob = self.seen[cut], self.action[cut], self.log_prob[cut]
            yield Batch(seen, action, log_prob, self.advantage[cut], self.returns[cut], allowed)


class Table(RolloutBuffer):
    """A rollout buffer whose memory is taken once, and whose minibatches are slices of one shuffled table."""

    allowed: Bools | None = None

    def reset(self) -> None:
        """Empty; the memory stays."""
        if not hasattr(self, "values"):
            super().reset()
        self.pos, self.full = 0, False

    def mask(self, allowed: Bools) -> None:
        """Allowed actions of the step that is added next; [worlds, actions]."""
        if self.allowed is None:
            self.allowed = np.empty((self.buffer_size, *allowed.shape), dtype=bool)
        self.allowed[self.pos] = allowed

    def batches(self, size: int) -> Iterator[Batch]:
        """One pass over all rows in a new order; the last batch may be smaller."""
        whole = self._table()
        order = torch.from_numpy(np.random.permutation(len(whole)))
        shuffled = whole.index_select(0, order)
        for start in range(0, len(whole), size):
            yield self._batch(shuffled[start : start + size])

    def _table(self) -> Tensor:
        """Every row: what was seen, done, its log-probability, advantage and return, and what was allowed."""
        columns = [self.observations, self.actions, self.log_probs, self.advantages, self.returns]
        columns += [] if self.allowed is None else [self.allowed]
        rows = self.buffer_size * self.n_envs
        return torch.from_numpy(np.concatenate([c.reshape(rows, -1) for c in columns], axis=1, dtype=np.float32))

    def _batch(self, rows: Tensor) -> Batch:
        seen, acted = int(np.prod(self.obs_shape)), self.action_dim
        action = rows[:, seen : seen + acted]
        log_prob, advantage, returns = rows[:, seen + acted : seen + acted + 3].T.contiguous()
        allowed = None if self.allowed is None else rows[:, seen + acted + 3 :].bool()
        return Batch(rows[:, :seen], action, log_prob, advantage, returns, allowed)


class FastPPO(PPO):
    """`PPO` in fewer and larger operations, on the CPU; it never tries a forbidden action where `masked`.

    Its settings are Stable-Baselines3's, without `use_sde`, `target_kl`, `clip_range_vf` and a buffer of one's own.
    """

    rollout_buffer: Table
    policy: ActorCriticPolicy

    def __init__(self, policy: str, env: VecEnv, masked: bool = False, **settings: Any) -> None:
        self.masked = masked
        super().__init__(policy, env, rollout_buffer_class=Table, device="cpu", **settings)
        assert not self.use_sde
        assert self.target_kl is None
        assert self.clip_range_vf is None

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        """Step the worlds and fill the buffer; False where the callback stopped it."""
        assert isinstance(rollout_buffer, Table)
        now: Any = self._last_obs
        begun: Any = self._last_episode_starts
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        callback.on_rollout_start()
        for _ in range(n_rollout_steps):
            if self.masked:
                rollout_buffer.mask(np.stack(env.env_method("action_masks")))
            action, value, log_prob = self._act(now, rollout_buffer)
            after, reward, ended, infos = env.step(self._within(action))
            self.num_timesteps += env.num_envs
            callback.update_locals(locals())
            if not callback.on_step():
                return False
            self._close(np.flatnonzero(ended), infos, reward)
            rollout_buffer.add(now, action, reward, begun, value, log_prob)
            now, begun = after, ended
            self._last_obs, self._last_episode_starts = now, begun
        with torch.no_grad():
            last = answers(self.policy, torch.from_numpy(now))[1]
        rollout_buffer.compute_returns_and_advantage(last, begun)
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    def train(self) -> None:
        """Update the networks from the rollout in the buffer."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        clip = self.clip_range(self._current_progress_remaining)  # type: ignore[operator]
        told: list[Tensor] = []
        for _ in range(self.n_epochs):
            told += [self._move(batch, clip) for batch in self.rollout_buffer.batches(self.batch_size)]
            self._n_updates += 1
        self._log(told, clip)

    def _act(self, seen: Floats, table: Table) -> tuple[Floats, Tensor, Tensor]:
        """What is tried, the situation's value, and the log-probability of what is tried."""
        with torch.no_grad():
            said, value = answers(self.policy, torch.from_numpy(seen))
            if isinstance(self.action_space, spaces.Box):
                action = torch.normal(said, torch.exp(self.policy.log_std).expand_as(said))
                return action.numpy(), value, log_density(said, self.policy.log_std, action)
            allowed = None if table.allowed is None else torch.from_numpy(table.allowed[table.pos])
            shares = log_shares(said, allowed)
            action = torch.multinomial(shares.exp(), 1)
            return action[:, 0].numpy(), value, shares.gather(1, action)[:, 0]

    def _within(self, action: Floats) -> Floats:
        """Vectors cut off at their bounds, since a Gaussian has none; labels as they are."""
        space = self.action_space
        return np.clip(action, space.low, space.high) if isinstance(space, spaces.Box) else action

    def _close(self, ended: Any, infos: list[dict[str, Any]], reward: Floats) -> None:
        """Note the episodes that ended; where time cut them off, add the value of where they were."""
        self._update_info_buffer([infos[world] for world in ended])
        cut = [world for world in ended if infos[world].get("TimeLimit.truncated", False)]
        if cut:
            last = np.stack([infos[world]["terminal_observation"] for world in cut])
            with torch.no_grad():
                value = answers(self.policy, torch.from_numpy(last))[1]
            reward[cut] += self.gamma * value.numpy()

    def _move(self, batch: Batch, clip: float) -> Tensor:
        """One gradient step of the whole batch, in parts; what the log says of it, see `_learn`."""
        if self.normalize_advantage and len(batch.advantage) > 1:
            advantage = batch.advantage
            batch = replace(batch, advantage=(advantage - advantage.mean()) / (advantage.std() + 1e-8))
        self.policy.optimizer.zero_grad()
        told = [self._learn(part, clip, len(batch.returns)) for part in batch.parts(PART)]
        nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
        self.policy.optimizer.step()
        return torch.stack(told).sum(dim=0)

    def _learn(self, part: Batch, clip: float, rows: int) -> Tensor:
        """Add a part's gradient to that of its batch of so many rows.

        Returns:
            Its part of the losses of actor, critic and entropy, of the drift, the share clipped and the loss; [6].
        """
        judged, pull = self._judge(part), getattr(self.policy, "pull", None)
        drift = judged.log_prob - part.log_prob
        ratio = drift.exp()
        gain = torch.min(part.advantage * ratio, part.advantage * ratio.clamp(1 - clip, 1 + clip)).sum() / rows
        error = (judged.value - part.returns).square().sum() / rows
        entropy = judged.entropy.sum() / rows
        loss = self.vf_coef * error - gain - self.ent_coef * entropy
        if pull is not None:
            loss = loss + pull(part.seen) * (len(part.returns) / rows)
        loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            clipped = ((ratio - 1).abs() > clip).sum() / rows
            return torch.stack([-gain, error, -entropy, (ratio - 1 - drift).sum() / rows, clipped, loss])

    def _judge(self, batch: Batch) -> Judged:
        said, value = answers(self.policy, batch.seen)
        if isinstance(self.action_space, spaces.Box):
            log_std = self.policy.log_std
            entropy = (log_std + LOG_SQRT_2PI + 0.5).sum().expand(len(value))
            return Judged(log_density(said, log_std, batch.action), entropy, value)
        shares = log_shares(said, batch.allowed)
        entropy = -(shares.exp() * shares).sum(dim=1)
        return Judged(shares.gather(1, batch.action.long())[:, 0], entropy, value)

    def _log(self, told: list[Tensor], clip: float) -> None:
        """Means over the gradient steps under Stable-Baselines3's names."""
        names = ("policy_gradient_loss", "value_loss", "entropy_loss", "approx_kl", "clip_fraction", "loss")
        for name, value in zip(names, torch.stack(told).mean(dim=0).tolist(), strict=True):
            self.logger.record(f"train/{name}", value)
        table = self.rollout_buffer
        found = explained_variance(table.values.ravel(), table.returns.ravel())
        self.logger.record("train/explained_variance", found)
        if isinstance(self.action_space, spaces.Box):
            self.logger.record("train/std", float(torch.exp(self.policy.log_std.detach()).mean()))
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/clip_range", clip)
