"""The fast loop computes what Stable-Baselines3 computes, on labels, on vectors and under masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

from tenure.core.project import load_project
from tenure.simulators.vec_env import SimulatorVecEnv
from tenure.training.fast_ppo import FORBIDDEN, FastPPO, Table, log_shares, shared_trunk
from tenure.training.vectors import UnitVectors

WORLDS, STEPS = 6, 40
ROWS = WORLDS * STEPS
SMALL: dict[str, Any] = {
    "n_steps": STEPS,
    "batch_size": ROWS,
    "n_epochs": 3,
    "learning_rate": 1e-2,
    "ent_coef": 0.01,
    "seed": 5,
}


def worlds(case: str) -> VecEnv:
    project = load_project(case)
    vectors = SimulatorVecEnv(project.problem, project.simulator, WORLDS, 3, scale=0.01)
    return UnitVectors(vectors, project.problem.action) if case == "arm" else vectors  # type: ignore[arg-type]


def collected(learner: Any) -> Any:
    """A learner with one rollout in its buffer, and no update yet."""
    _, callback = learner._setup_learn(ROWS, None)
    learner.collect_rollouts(learner.env, callback, learner.rollout_buffer, STEPS)
    return learner


def given(fast: FastPPO, peer: PPO) -> None:
    """The peer's networks and the fast learner's rollout for both."""
    fast.policy.load_state_dict(peer.policy.state_dict())
    for name in ("observations", "actions", "rewards", "returns", "values", "log_probs", "advantages"):
        setattr(peer.rollout_buffer, name, np.array(getattr(fast.rollout_buffer, name)))
    peer.rollout_buffer.full = True


@pytest.mark.parametrize("case", ["bikes", "arm"])
@pytest.mark.parametrize("kwargs", [{}, shared_trunk((16, 16))], ids=["two networks", "one trunk"])
def test_three_epochs_move_the_networks_as_stable_baselines_moves_them(
    case: str, kwargs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenure.training.fast_ppo.PART", 70)  # three whole parts of a batch, and a smaller one
    fast = FastPPO("MlpPolicy", worlds(case), policy_kwargs=dict(kwargs), **SMALL)
    peer = PPO("MlpPolicy", worlds(case), policy_kwargs=dict(kwargs), device="cpu", **SMALL)
    fast.policy.load_state_dict(peer.policy.state_dict())
    collected(fast)
    peer._setup_learn(ROWS, None)
    given(fast, peer)
    before = {name: value.clone() for name, value in peer.policy.state_dict().items()}
    fast.train()
    peer.train()
    for name, value in peer.policy.state_dict().items():
        assert not torch.equal(value, before[name]), f"{name} did not move"
        torch.testing.assert_close(fast.policy.state_dict()[name], value, atol=2e-4, rtol=1e-3)
    assert fast.logger.name_to_value.keys() == peer.logger.name_to_value.keys()
    for name in ("value_loss", "policy_gradient_loss", "entropy_loss", "clip_fraction", "explained_variance"):
        said = [learner.logger.name_to_value[f"train/{name}"] for learner in (fast, peer)]
        assert said[0] == pytest.approx(said[1], rel=1e-2, abs=1e-3), name


@pytest.mark.parametrize("case", ["bikes", "arm"])
def test_a_rollout_holds_what_stable_baselines_would_say_of_it(case: str) -> None:
    fast = collected(FastPPO("MlpPolicy", worlds(case), policy_kwargs=shared_trunk((16, 16)), **SMALL))
    table = fast.rollout_buffer
    seen = torch.from_numpy(table.observations.reshape(ROWS, -1))
    action = torch.from_numpy(table.actions.reshape(ROWS, -1))
    with torch.no_grad():
        value, log_prob, _ = fast.policy.evaluate_actions(seen, action if case == "arm" else action[:, 0])
    assert table.values.ravel() == pytest.approx(value.numpy().ravel(), abs=1e-4)
    assert table.log_probs.ravel() == pytest.approx(log_prob.numpy(), abs=1e-4)


def test_time_that_runs_out_adds_the_value_of_where_it_ran_out() -> None:
    fast = collected(FastPPO("MlpPolicy", worlds("bikes"), **SMALL))
    learner = FastPPO("MlpPolicy", worlds("bikes"), **SMALL)
    learner.policy.load_state_dict(fast.policy.state_dict())
    last = np.full((2, len(fast.rollout_buffer.observations[0, 0])), 0.5, dtype=np.float32)
    infos: list[dict[str, Any]] = [
        {"terminal_observation": last[0], "episode": {"r": 1.0}},
        {},
        {"terminal_observation": last[1], "episode": {"r": 2.0}, "TimeLimit.truncated": True},
    ]
    learner._setup_learn(ROWS, None)
    reward = np.ones(3, dtype=np.float32)
    learner._close(np.array([0, 2]), infos, reward)
    with torch.no_grad():
        value = float(learner.policy.predict_values(torch.from_numpy(last[1:])))
    assert value != 0.0
    assert reward.tolist() == pytest.approx([1.0, 1.0, 1.0 + learner.gamma * value])
    assert learner.ep_info_buffer is not None
    assert [episode["r"] for episode in learner.ep_info_buffer] == [1.0, 2.0]


def test_every_row_comes_once_per_pass_in_a_new_order_with_its_own_numbers() -> None:
    fast = collected(FastPPO("MlpPolicy", worlds("bikes"), **SMALL))
    table = fast.rollout_buffer
    passes = [list(table.batches(70)) for _ in range(2)]
    assert [len(batch.returns) for batch in passes[0]] == [70, 70, 70, 30]
    rows = {(float(r), float(a), float(p)) for r, a, p in zip(*_flat(table), strict=True)}
    assert len(rows) == ROWS
    for one in passes:
        found = [(b.returns, b.advantage, b.log_prob) for b in one]
        assert {(float(r), float(a), float(p)) for batch in found for r, a, p in zip(*batch, strict=True)} == rows
    assert not torch.equal(passes[0][0].returns, passes[1][0].returns)


def _flat(table: Table) -> tuple[np.ndarray[Any, Any], ...]:
    return table.returns.ravel(), table.advantages.ravel(), table.log_probs.ravel()


def test_a_forbidden_action_has_no_share_and_is_never_tried() -> None:
    allowed = torch.tensor([[True, False, True]])
    assert log_shares(torch.tensor([[0.0, 50.0, 0.0]]), allowed).exp().tolist() == [[0.5, 0.0, 0.5]]
    assert FORBIDDEN < -1e6
    fast = collected(FastPPO("MlpPolicy", worlds("warehouse"), masked=True, **SMALL))
    table = fast.rollout_buffer
    assert table.allowed is not None
    assert not table.allowed.all()
    assert np.take_along_axis(table.allowed, table.actions, axis=2).all()
    assert fast.env is not None
    assert fast.env.get_attr("replaced")[0] == 0
    batch = next(iter(table.batches(ROWS)))
    assert batch.allowed is not None
    assert bool(batch.allowed.gather(1, batch.action.long()).all())
    assert fast._judge(batch).log_prob.detach().numpy() == pytest.approx(batch.log_prob.numpy(), abs=1e-4)
