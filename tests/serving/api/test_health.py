"""Probes and figures: alive is not ready, a stop is no fault, and every figure is in the table."""

from __future__ import annotations

from typing import Any

import pytest

from tenure.serving.api.metrics import METRICS

from .conftest import Office, Open


def ready(office: Office) -> tuple[int, dict[str, tuple[bool, str]]]:
    answer = office.get("/readyz")
    found = answer.json()
    assert found["ready"] is (answer.status_code == 200)
    return answer.status_code, {check["name"]: (check["ok"], check["words"]) for check in found["checks"]}


def standing(office: Office, word: str) -> None:
    control = office.store.control("toy")
    office.service.standing.control = lambda: (control, word)  # type: ignore[method-assign]


def test_a_server_in_order_is_ready(open_office: Open) -> None:
    status, checks = ready(open_office())
    assert status == 200
    assert list(checks) == ["log", "lease", "head", "bundle"]


def test_with_the_log_away_it_lives_and_is_not_ready(office: Office) -> None:
    office.world.store.away = frozenset({"kill_epoch"})
    status, checks = ready(office)
    assert status == 503
    assert checks["log"][0] is False
    assert "a disk" in checks["log"][1]
    assert office.get("/healthz").json() == {"status": "ok"}


def test_with_an_old_view_of_the_log_it_is_not_ready(open_office: Open) -> None:
    office = open_office()
    standing(office, "lease")
    status, checks = ready(office)
    assert (status, checks["lease"][0]) == (503, False)


def test_a_stop_a_person_made_is_no_fault(open_office: Open) -> None:
    office = open_office()
    standing(office, "stop_file")
    status, checks = ready(office)
    assert (status, checks["lease"]) == (200, (True, "stop_file"))


def test_a_head_somebody_changed_by_hand_makes_it_unready(open_office: Open) -> None:
    office = open_office()
    with office.store.database.writing() as connection:
        connection.execute("UPDATE head SET share = 0.5")
    assert ready(office)[1]["head"][0] is False


@pytest.mark.parametrize("broken", [False, True])
def test_a_bundle_that_does_not_load_makes_it_unready(open_office: Open, broken: bool) -> None:
    office = open_office(broken=broken)
    office.world.at("full", 1.0)
    assert ready(office)[1]["bundle"][0] is not broken


def figures(office: Office) -> dict[str, float]:
    answer = office.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_every_figure_is_in_the_table_and_every_row_of_it_is_told(office: Office) -> None:
    office.world.one()
    office.service.chooser.failures["deadline"] += 1
    answer = office.get("/metrics").text
    told = {line.split()[2] for line in answer.splitlines() if line.startswith("# TYPE")}
    assert told == {figure.name for figure in METRICS}
    for figure in METRICS:
        assert f"# HELP {figure.name} {figure.says}" in answer
        assert f"# TYPE {figure.name} {figure.kind}" in answer


def eventually(office: Office, name: str, value: float) -> None:
    import time

    end = time.monotonic() + 10
    while figures(office).get(name) != value:
        assert time.monotonic() < end, figures(office)
        time.sleep(0.01)


def test_decisions_are_counted_by_arm_and_reason_behind_the_answers(office: Office) -> None:
    asked: dict[str, Any] = {"unit_id": "u", "context": {"x": 1.0}}
    for _ in range(3):
        office.post("/v1/toy/decisions", json=asked)
    eventually(office, 'tenure_decisions_total{arm="candidate",reason="candidate"}', 3.0)
    found = figures(office)
    assert found["tenure_decision_latency_seconds_count"] == 3.0
    assert found["tenure_group_size_sum"] == 3.0


def test_where_it_stands_is_told(office: Office) -> None:
    found = figures(office)
    assert (found['tenure_stage{stage="full"}'], found['tenure_stage{stage="canary"}']) == (1.0, 0.0)
    assert (found["tenure_share"], found["tenure_killed"], found["tenure_trusted"]) == (1.0, 0.0, 1.0)
    office.world.store.stop()
    found = figures(office)
    assert (found["tenure_share"], found["tenure_killed"], found["tenure_kill_epoch"]) == (0.0, 1.0, 1.0)


def test_a_server_that_may_not_be_trusted_has_no_share(office: Office) -> None:
    standing(office, "lease")
    found = figures(office)
    assert (found["tenure_share"], found["tenure_trusted"]) == (0.0, 0.0)


def test_with_the_database_away_what_is_in_memory_is_still_told(office: Office) -> None:
    standing(office, "log_unavailable")
    office.store.close()
    found = figures(office)
    assert "tenure_spool_rows" in found
    assert "tenure_outbox_age_seconds" not in found
