"""Bandits as bundles: the same distribution, the same action for the same draw, and no training stack to serve."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tenure.core.errors import BundleError, SettingsError
from tenure.core.policy import check_policy
from tenure.core.problem import Problem
from tenure.store import load_bundle, save_bundle
from tenure.store.bundles import BundlePolicy
from tenure.training.bandit_export import export_bandit
from tenure.training.bandit_rules import LinUCB, Rule, Softmax, Thompson

from .bandit_rows import ITEMS, PROBLEM, RULES, learned, masks, rows


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("shared", [False, True])
def test_a_bundle_decides_as_the_bandit_it_came_from(rule: Rule, shared: bool, tmp_path: Path) -> None:
    bandit, observation = learned(rule, ITEMS if shared else None), rows(300, seed=11)[0]
    observation[:5, 2] = 7  # a category nobody has seen
    policy = load_bundle(save_bundle(export_bandit(PROBLEM, bandit, observation, {}, {}), tmp_path), PROBLEM)
    draw = np.random.default_rng(12).random(300)
    for allowed in (None, masks(300)):
        mine, served = bandit.propose(observation, allowed, draw), policy.propose(observation, allowed, draw)
        assert mine.distribution is not None
        assert served.distribution == pytest.approx(mine.distribution, abs=1e-5)
        assert served.action.tolist() == mine.action.tolist()
    check_policy(policy, observation[:40], 4, masks(40))


def test_a_bandit_that_learned_nothing_can_be_served() -> None:
    bandit, observation = learned(LinUCB(), n=0), rows(5)[0]
    policy = BundlePolicy(export_bandit(PROBLEM, bandit, observation, {}, {}))
    assert policy.propose(observation, None, np.full(5, 0.6)).action.tolist() == [2] * 5


def test_a_bundle_of_a_bandit_is_served_without_the_training_stack(tmp_path: Path) -> None:
    folder = save_bundle(export_bandit(PROBLEM, learned(Thompson(draws=20)), rows(5)[0], {}, {}), tmp_path)
    script = f"""
import sys, json, pathlib
from tenure.store.bundles import Bundle, BundlePolicy
import numpy as np
folder = pathlib.Path({str(folder)!r})
policy = BundlePolicy(Bundle((folder / "policy.onnx").read_bytes(), json.loads((folder / "manifest.json").read_text())))
policy.propose(np.zeros((1, 3), dtype=np.float32), None, np.zeros(1))
print(sorted({{"torch", "onnx", "sklearn", "tenure.training"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_rule_without_a_graph_is_not_exported() -> None:
    class Own(Softmax):
        pass

    with pytest.raises(SettingsError, match="Own"):
        export_bandit(PROBLEM, learned(Own(1.0)), rows(5)[0], {}, {})


def test_a_graph_for_another_problem_is_refused() -> None:
    smaller = Problem(
        "toy", "x", PROBLEM.observation[:2], PROBLEM.action, PROBLEM.signals, PROBLEM.reward, PROBLEM.kpis
    )
    with pytest.raises(BundleError, match="golden rows"):
        export_bandit(smaller, learned(Softmax(1)), rows(5)[0], {}, {})
