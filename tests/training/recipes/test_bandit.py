"""The bandit's recipe: what it learns in one step, that chance goes along into the bundle, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.training.hot import FILES

from tenure.core.errors import SettingsError
from tenure.core.project import Project, load_project
from tenure.store.bundles import BundlePolicy
from tenure.training.bandit_graph import BanditGraph
from tenure.training.export import export
from tenure.training.recipes.bandit import BanditSettings, train_bandit

from .grounds import ROWS, ground

# A fast run pays x and costs one half, so it is right above x = 1/2, and a linear model can say so. Of x, whose mean is
# 1/2, the integral from 0 to 1/2 is lost: 1/8. The share `floor` of uniform draws halves its part: 1/8 + floor / 8.
SETTINGS = BanditSettings(steps=64 * 400, worlds=64, checkpoint_every=200)
LOST = 0.125 + SETTINGS.floor * 0.125
COSTS = 'Term("made", 1.0, "$/unit", "it sells"), Term("heat", -0.5, "$/run", "it wears"),'
MASKED = """
    def mask(self, state):
        allowed = np.ones((len(state.x), 2), dtype=bool)
        allowed[state.x > 0.9, 1] = False
        return allowed

    def step(self, state, action, rng):
        assert not ((state.x > 0.9) & (action == 1)).any(), "a forbidden action was taken"
"""


def offers(folder: Path, horizon: int = 1, *, masked: bool = False) -> Project:
    """The problem of fast and slow with a price on heat in place of its limit."""
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    problem = FILES["problem.py"].replace('Term("made", 1.0, "$/unit", "it sells"),', COSTS)
    problem = problem.replace("    horizon=20,", f"    horizon={horizon},")
    kept = [line for line in problem.splitlines() if "limits=" not in line]
    (folder / "problem.py").write_text("\n".join(kept))
    if masked:
        text = FILES["simulator.py"].replace("    def step(self, state, action, rng):\n", MASKED[1:])
        (folder / "simulator.py").write_text(text)
        (folder / "problem.py").write_text("\n".join(kept).replace("Above(0.9)", "Above(1.0)"))
    return load_project(folder)


@pytest.mark.parametrize("rule", ["thompson", "epsilon-greedy"])
def test_a_bandit_learns_where_an_action_pays(tmp_path: Path, rule: str) -> None:
    project = offers(tmp_path / "offers")
    settings = replace(SETTINGS, rule=rule)  # type: ignore[arg-type]
    trained = train_bandit(ground(project, settings, tmp_path / "seed"))
    assert [point.steps for point in trained.curve] == [12_800, 25_600]
    assert min(point.score for point in trained.curve) == pytest.approx(LOST, abs=0.006)


def test_the_bundle_draws_as_the_bandit_does(tmp_path: Path) -> None:
    project = offers(tmp_path / "offers")
    trained = train_bandit(ground(project, SETTINGS, tmp_path / "seed"))
    assert isinstance(trained.graph, BanditGraph)
    seen = np.random.default_rng(5).random((ROWS, 1)).astype(np.float32)
    draws = np.random.default_rng(6).random(ROWS)
    bundle = export(project.problem, trained.graph, seen, {}, {})
    assert bundle.manifest["choice"] == "sample"
    served = BundlePolicy(bundle).propose(seen, None, draws)
    own = trained.graph.bandit.propose(seen, None, draws)
    assert (served.action != own.action).mean() <= 0.002, "only draws at a boundary, by rounding"
    assert served.distribution is not None
    assert own.distribution is not None
    assert np.allclose(served.distribution, own.distribution, atol=2e-3)
    assert served.distribution.min() >= SETTINGS.floor / 2 * 0.999


def test_a_forbidden_action_is_never_taken(tmp_path: Path) -> None:
    project = offers(tmp_path / "offers", masked=True)
    train_bandit(ground(project, replace(SETTINGS, steps=6_400), tmp_path / "seed"))


def test_a_problem_with_state_is_refused_unless_asked_for(tmp_path: Path) -> None:
    project = offers(tmp_path / "offers", horizon=20)
    with pytest.raises(SettingsError, match="horizon=20") as refused:
        train_bandit(ground(project, SETTINGS, tmp_path / "seed"))
    assert "with_state = true" in refused.value.fix
    short = replace(SETTINGS, with_state=True)
    found = train_bandit(ground(project, short, tmp_path / "again"))
    assert found.curve[-1].score == pytest.approx(LOST, abs=0.01)


@pytest.mark.parametrize("wrong", [{"floor": 0.0}, {"floor": 1.5}, {"draws": 0}])
def test_settings_out_of_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="settings of recipe 'bandit'"):
        BanditSettings(**wrong)  # type: ignore[arg-type]
