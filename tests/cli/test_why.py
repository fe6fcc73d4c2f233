"""`tenure why` tells one decision from what was known to what came of it, in words and in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenure.cli.drill import contexts
from tenure.cli.output import Output
from tenure.cli.weighing import baseline_of, probabilities
from tenure.cli.why import run_why
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.clock import SystemClock
from tenure.core.decision import Arm, Outcome, ShadowProposal
from tenure.core.errors import UnknownError
from tenure.rollout.drill import go_live
from tenure.serving import DecisionRequest, DecisionService
from tenure.store import Event, Store, save_bundle
from tenure.store.standin import stand_in


class World:
    """A live candidate on bikes, a few decisions, one outcome and one alternative."""

    def __init__(self, home: Path) -> None:
        self.workspace: Workspace = open_workspace("bikes", home)
        self.home, self.problem, now = home, self.workspace.project.problem, SystemClock().now()
        self.version = save_bundle(stand_in(self.problem, 3), self.workspace.bundles).name
        self.store: Store = self.workspace.store()
        self.store.register_version(self.version, "bikes", now, {"lineage": {"run": "r1", "seed": 4}})
        go_live(self.store, "bikes", self.version, now)
        (context,) = contexts(self.store, self.problem)
        service = DecisionService(
            self.problem, self.workspace.project.incumbent, self.store, self.workspace.settings, SystemClock(),
            self.workspace.bundle,
        )  # fmt: skip
        stocks = [float(number) for number in range(5)]
        service.decide(
            [
                DecisionRequest(f"u{n}", {**context, "stock": stock}, decision_id=f"d{n}")
                for n, stock in enumerate(stocks)
            ]
        )
        self.store.append_proposals("bikes", [ShadowProposal("d1", Arm.INCUMBENT, "rule", 12, 1.0, 1.0, now)])
        signals = dict.fromkeys(self.problem.signal_names, 0.0)
        self.store.append_outcomes(
            "bikes", [Outcome.observed("o", "d1", signals, now)], received_at=now, wait=timedelta(days=1),
            signals=self.problem.signal_names,
        )  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


def told(world: World, name: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    run_why(Output(json=True), name, "bikes", world.home)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_it_says_what_was_known_who_decided_why_and_what_came_of_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(world, "d1", capsys)
    assert (found["action"], found["arm"], found["stage"]) == (world.problem.action.labels[3], "candidate", "full")  # type: ignore[union-attr]
    assert "candidate's share" in found["because"]
    assert found["context"]["stock"] == 1.0
    assert found["version"]["lineage"] == {"run": "r1", "seed": 4}
    incumbent = world.problem.action.labels[12]  # type: ignore[union-attr]
    assert found["alternatives"] == [
        {"arm": "incumbent", "version": "rule", "action": incumbent, "apart": None, "confidence": 1.0}
    ]
    assert [(one["place"], one["counted"]) for one in found["outcomes"]] == [("joined", True)]
    assert found["replay"]["same"] is True
    assert found["propensity"]["share"] == 1.0
    assert found["propensity"]["exploration"] == world.workspace.settings.rollout.exploration


def test_a_policy_that_looks_at_nothing_is_swayed_by_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(world, "d1", capsys)
    assert set(found["influence"]) == set(world.problem.feature_names)
    assert set(found["influence"].values()) == {0.0}
    assert sum(found["distribution"].values()) == pytest.approx(1.0)
    assert max(found["distribution"], key=found["distribution"].__getitem__) == found["action"]


def test_a_correction_is_told_beside_what_was_written(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    now = SystemClock().now()
    world.store.append_correction("bikes", "d2", action=12, arm=Arm.FALLBACK, propensity=None, reason="expired", at=now)
    found = told(world, "d2", capsys)
    assert (found["arm"], found["written"]["arm"]) == ("fallback", "candidate")
    assert [one["reason"] for one in found["corrections"]] == ["expired"]
    assert found["propensity"]["value"] is None
    assert found["replay"]["same"] is True


def test_where_the_incumbent_answered_the_candidates_proposal_is_weighed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    now = SystemClock().now()
    back = {"stage": "rolled_back", "share": 0.0}
    world.store.append_event(Event("bikes", "rollback", "ann", "test", now, {}), control=back)
    context, *_ = contexts(world.store, world.problem)
    service = DecisionService(
        world.problem, world.workspace.project.incumbent, world.store, world.workspace.settings, SystemClock(),
        world.workspace.bundle,
    )  # fmt: skip
    service.decide([DecisionRequest("u9", dict(context), decision_id=name) for name in ("d8", "d9")])
    world.store.append_proposals("bikes", [ShadowProposal("d9", Arm.CANDIDATE, world.version, 3, 1.0, 1.0, now)])
    alone, found = told(world, "d8", capsys), told(world, "d9", capsys)
    assert (alone["arm"], alone["weighed"]["arm"]) == ("incumbent", "incumbent")
    label = world.problem.action.labels[3]  # type: ignore[union-attr]
    assert found["arm"] == "incumbent"
    assert found["weighed"] == {"arm": "candidate", "version": world.version, "action": label}
    assert max(found["distribution"], key=found["distribution"].__getitem__) == label
    run_why(Output(json=False), "d9", "bikes", world.home)
    assert f"Weighed is candidate {world.version}'s {label!r}" in capsys.readouterr().out


def test_without_the_bundle_it_tells_the_rest(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    (world.workspace.bundles / world.version).rename(world.home / "gone")
    found = told(world, "d1", capsys)
    assert found["influence"] is None
    assert found["unexplained"]
    assert found["replay"]["same"] is None
    assert found["outcomes"]


def test_for_people_it_is_a_page_of_plain_sentences(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    run_why(Output(json=False), "d1", "bikes", world.home)
    text = capsys.readouterr().out
    for words in ("Decision d1", "by candidate", "Propensity", "would have done", "stock", "Outcome o", "to the bit"):
        assert words in text
    run_why(Output(json=False), "d3", "bikes", world.home)
    assert "No outcome has come" in capsys.readouterr().out


def test_of_an_erased_unit_it_says_what_is_left(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    from tenure.store.erasure import forget

    forget(world.store, "bikes", "u1", actor="ann", at=SystemClock().now())
    found = told(world, "d1", capsys)
    assert (found["erased"], found["context"], found["influence"]) == (True, {}, None)
    assert found["unit_id"] != "u1"
    assert found["replay"]["same"] is None
    assert found["arm"] == "candidate"
    run_why(Output(json=False), "d1", "bikes", world.home)
    assert "erased on request" in capsys.readouterr().out


def test_an_unknown_decision_is_said_to_be_unknown(world: World) -> None:
    with pytest.raises(UnknownError, match="--project"):
        run_why(Output(json=True), "none", "bikes", world.home)


def test_what_stands_for_a_hidden_feature_is_its_median_in_the_log(world: World) -> None:
    stock = world.problem.feature_names.index("stock")
    shape = np.zeros(len(world.problem.feature_names), dtype=np.float32)
    assert baseline_of(world.store, "bikes", shape)[stock] == 2.0
    other = np.zeros(2, dtype=np.float32)
    assert baseline_of(world.store, "bikes", other) is other


def test_a_rule_without_logits_is_asked_for_its_own_probabilities(world: World) -> None:
    observation = np.tile(np.frombuffer(world.store.read_rows("bikes", limit=1)[0].decision.observation, "<f4"), (2, 1))
    size = len(world.problem.action.labels)  # type: ignore[union-attr]
    found = probabilities(world.workspace.project.incumbent, size, None)(observation)
    assert found.shape == (2, size)
    assert found.sum(axis=1).tolist() == [1.0, 1.0]


def test_what_is_not_allowed_has_no_chance(world: World) -> None:
    size = len(world.problem.action.labels)  # type: ignore[union-attr]
    mask = np.arange(size) != 3
    observation = np.zeros((1, len(world.problem.feature_names)), dtype=np.float32)
    found = probabilities(world.workspace.bundle(world.version), size, mask)(observation)[0]
    assert found[3] == 0.0
    assert found.sum() == pytest.approx(1.0)
