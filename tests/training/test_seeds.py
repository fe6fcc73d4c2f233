"""A whole run end to end: seeds in processes, bundles that need no trainer, one record."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError, SettingsError, StoreError
from tenure.core.project import Project, load_project
from tenure.core.reward import KPI
from tenure.evaluation import crossed_bootstrap
from tenure.simulators.rollout import run as simulate
from tenure.store import BundlePolicy, load_bundle
from tenure.training import CurvePoint, PPOSettings, Progress, RunRecord, SeedRecord, latest_run, read_record, train
from tenure.training.network import TorchPolicy
from tenure.training.seeds import best_point
from tenure.training.watcher import load_graph

from .hot import hot_project
from .tiny import TINY, Tiny


def bundle(tiny: Tiny, index: int) -> BundlePolicy:
    return load_bundle(tiny.home / "bundles" / tiny.record.seeds[index].version, tiny.project.problem)


def situations(tiny: Tiny, n: int) -> Floats:
    return tiny.project.simulator.observe(tiny.project.simulator.reset(n, np.random.default_rng(9)))


def test_a_run_that_would_be_found_out_if_it_read_held_out_data_ends_well(tiny: Tiny) -> None:
    with pytest.raises(AssertionError, match="held-out"):
        tiny.project.simulator.panel("held_out")
    assert [seed.seed for seed in tiny.record.seeds] == [1, 2]


def test_the_record_comes_back_from_its_file(tiny: Tiny) -> None:
    assert read_record(tiny.folder) == tiny.record
    assert latest_run(tiny.home / "runs") == tiny.record


def test_the_record_names_what_it_was_trained_on(tiny: Tiny) -> None:
    record, problem = tiny.record, tiny.project.problem
    assert (record.run, record.problem, record.problem_version) == ("tiny", "bikes", problem.version)
    assert record.simulator_version == tiny.project.simulator.version
    empty: dict[str, list[str]] = {name: [] for name in ("without", "disturbances", "hide", "tracking")}
    assert record.settings == {**asdict(TINY), "net": [16], **empty}
    assert record.trained_on == record.simulator_version
    assert record.libraries["torch"]


def test_the_chosen_version_is_the_best_seeds(tiny: Tiny) -> None:
    best = min(tiny.record.seeds, key=lambda seed: seed.score)
    assert tiny.record.chosen == best.version
    for seed in tiny.record.seeds:
        assert seed.score == min(point.score for point in seed.curve)


def test_scores_and_gain_are_those_of_the_bundles_on_the_selection_data(tiny: Tiny) -> None:
    problem, simulator = tiny.project.problem, tiny.project.simulator
    panel, kpi = simulator.panel("selection"), problem.kpis[0]
    traces = [simulate(problem, simulator, bundle(tiny, index), panel).trace for index in (0, 1)]
    assert [kpi.value(trace.signals) for trace in traces] == pytest.approx([s.score for s in tiny.record.seeds])
    incumbent = simulate(problem, simulator, tiny.project.incumbent, panel).trace
    assert tiny.record.incumbent == kpi.value(incumbent.signals)

    def daily(trace: object) -> Floats:
        return np.asarray(kpi.numerator(trace.signals).sum(axis=1).reshape(30, 24).sum(axis=1))  # type: ignore[attr-defined]

    gain = crossed_bootstrap(
        daily(incumbent), np.stack([daily(trace) for trace in traces]), np.random.default_rng(0), cluster="day"
    )
    assert tiny.record.gain == pytest.approx(gain.as_dict())


def test_the_bound_stands_beside_the_score(tiny: Tiny) -> None:
    # The shared project's bound loses, moves and keeps one bike per district over the whole month.
    assert tiny.record.bound == pytest.approx((2.00 + 0.25 + 0.10) / 720)


def test_progress_arrives_here_while_it_happens(tiny: Tiny) -> None:
    for seed in tiny.record.seeds:
        mine = [progress for progress in tiny.reported if progress.seed == seed.seed]
        assert tuple(progress.point for progress in mine) == seed.curve
        assert [progress.share for progress in mine] == [0.25, 0.5, 0.75, 1.0]


def test_every_seed_leaves_checkpoints_and_logs(tiny: Tiny) -> None:
    for seed in (1, 2):
        names = {path.name.split(".out")[0] for path in (tiny.folder / f"seed-{seed}").iterdir()}
        assert names == {"best.pt", "last.pt", "progress.csv", "events", "checkpoints", "seed.json"}


def test_a_bundle_decides_without_the_training_stack(tiny: Tiny) -> None:
    code = f"""
import sys
from pathlib import Path
import numpy as np
from tenure.core.project import load_project
from tenure.store import load_bundle
policy = load_bundle(Path({str(tiny.home / "bundles")!r}) / {tiny.record.chosen!r}, load_project("bikes").problem)
policy.propose(np.ones((3, 18), dtype=np.float32), None, np.zeros(3))
heavy = [name for name in ("torch", "stable_baselines3", "gymnasium", "ray", "tensorboard") if name in sys.modules]
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_golden_answers_travel_with_the_bundle_and_match(tiny: Tiny) -> None:
    policy = bundle(tiny, 0)
    golden = policy.bundle.manifest["golden"]
    assert len(golden["observation"]) == 64
    found = policy.propose(np.array(golden["observation"], dtype=np.float32), None, np.zeros(64))
    assert found.action.tolist() == golden["action"]


def test_the_lineage_says_how_to_make_the_bundle_again(tiny: Tiny) -> None:
    manifest = bundle(tiny, 1).bundle.manifest
    lineage = manifest["lineage"]
    assert (lineage["run"], lineage["seed"], lineage["recipe"]) == ("tiny", 2, "ppo")
    assert lineage["settings"]["steps"] == TINY.steps
    assert lineage["commit"] == tiny.record.commit
    assert manifest["evaluation"] == {"split": "selection", "kpi": "cost", "score": tiny.record.seeds[1].score}


def test_the_bundle_agrees_with_the_trainer_on_1000_observations(tiny: Tiny) -> None:
    raw, nothing = situations(tiny, 1000), np.zeros(1000)
    trainer = TorchPolicy(load_graph(tiny.folder / "seed-1" / "best.pt")).propose(raw, None, nothing)
    answer = bundle(tiny, 0).propose(raw, None, nothing)
    assert np.array_equal(answer.action, trainer.action)
    assert np.allclose(answer.confidence, trainer.confidence, atol=1e-5)


def test_an_equal_seed_gives_equal_weights_and_another_seed_others(tiny: Tiny, tmp_path: Path) -> None:
    again = train(tiny.project, TINY, (2,), tmp_path, "again")
    raw = situations(tiny, 200)
    repeated = load_bundle(tmp_path / "bundles" / again.chosen, tiny.project.problem)
    assert np.array_equal(repeated.answers(raw), bundle(tiny, 1).answers(raw))
    assert not np.array_equal(repeated.answers(raw), bundle(tiny, 0).answers(raw))
    assert [point.score for point in again.seeds[0].curve] == [point.score for point in tiny.record.seeds[1].curve]


@pytest.mark.parametrize("seeds", [(), (1, 1), (-1,)])
def test_impossible_seeds_are_refused_before_anything_is_written(
    seeds: tuple[int, ...], tiny: Tiny, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="distinct seeds"):
        train(tiny.project, TINY, seeds, tmp_path, "no")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "without", [("profit",), ("lost_rentals", "profit"), ("lost_rentals", "bikes_moved", "idle_bikes")]
)
def test_leaving_out_what_is_no_term_or_every_term_is_refused(
    without: tuple[str, ...], tiny: Tiny, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"bikes_moved.*idle_bikes.*lost_rentals"):
        train(tiny.project, replace(TINY, without=without), (1,), tmp_path, "no")


def test_a_home_that_cannot_be_written_is_refused_at_once(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="free space or set the right"):
        train(tiny.project, TINY, (1,), tmp_path / "file", "no")


def test_the_best_point_is_the_earliest_of_equals_in_the_kpis_direction() -> None:
    curve = [CurvePoint(step, step, 1.0, score, 0.5, 1.0) for step, score in ((1, 3.0), (2, 2.0), (3, 2.0), (4, 5.0))]
    assert best_point(KPI("cost", "$", "lower", {"cost": 1}), curve).steps == 2
    assert best_point(KPI("sales", "$", "higher", {"sales": 1}), curve).steps == 4


def test_the_room_shows_its_public_names() -> None:
    assert isinstance(PPOSettings(), PPOSettings)
    assert json.dumps(asdict(Progress(1, 0.5, CurvePoint(1, 1, 1.0, 1.0, 1.0, 0.0))))


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, RunRecord, Path]:
    """A draft reward trained in a process of its own: it pays for heat."""
    base = tmp_path_factory.mktemp("draft")
    project = hot_project(base / "hot", "heat")
    settings = PPOSettings(steps=16_384, worlds=64, rollout=32, batch=512, net=(8,), checkpoint_every=1000)
    return project, train(project, settings, (1,), base / "home", "draft"), base / "home"


def test_a_worker_trains_the_draft_and_not_the_problems_own_reward(draft: tuple[Project, RunRecord, Path]) -> None:
    project, record, home = draft
    assert record.problem == "hot-heat"
    assert (
        record.reward_version == project.problem.reward_version != load_project(project.folder).problem.reward_version
    )
    policy = load_bundle(home / "bundles" / record.chosen, project.problem)
    assert policy.bundle.manifest["problem"] == "hot-heat"
    seen = project.simulator.observe(project.simulator.reset(500, np.random.default_rng(3)))
    fast = policy.propose(seen, None, np.zeros(500)).action.mean()
    assert fast > 0.9, "its own limit would hold it at 0.4, but this reward pays for every fast run"


def test_worlds_drawn_by_themselves_are_what_the_gain_counts(draft: tuple[Project, RunRecord, Path]) -> None:
    gain = draft[1].gain
    assert (gain["cluster"], gain["n"]) == ("world", 200)


def test_learned_weights_travel_with_curve_and_lineage(draft: tuple[Project, RunRecord, Path]) -> None:
    _, record, home = draft
    best = best_point(draft[0].problem.kpis[0], list(record.seeds[0].curve))
    assert set(best.weights) == {"heat"}
    assert read_record(home / "runs" / "draft").seeds[0].curve[-1].weights == record.seeds[0].curve[-1].weights
    lineage = json.loads((home / "bundles" / record.chosen / "manifest.json").read_text())["lineage"]
    assert lineage["weights"] == best.weights == record.seeds[0].weights
    assert record.seeds[0].excess == best.excess > 0, "a draft that pays for heat breaks the limit"


def test_a_seed_that_keeps_the_limits_goes_before_one_that_does_not() -> None:
    sales = KPI("sales", "$", "higher", {"sales": 1})
    kept, broken = (SeedRecord(1, "", score, 1.0, (), over) for score, over in ((1.0, 0.0), (9.0, 0.1)))
    assert max((broken, kept), key=lambda seed: seed.merit(sales)) is kept


def test_a_level_the_simulator_does_not_have_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"levels of \['easy', 'hard', 'normal'\]; found \['hell'\]"):
        train(tiny.project, replace(TINY, level="hell"), (1,), tmp_path, "no")


def test_an_incumbent_that_reaches_nothing_is_told_before_training(tmp_path: Path) -> None:
    project = load_project("bikes")
    nothing = KPI("nothing", "bikes", "lower", {"lost_rentals": 0.0})
    vars(project)["problem"] = replace(project.problem, kpis=(nothing, *project.problem.kpis))
    with pytest.raises(EvidenceError, match="a gain is a share of it"):
        train(project, TINY, (1,), tmp_path, "nothing")
    assert list(tmp_path.iterdir()) == []
