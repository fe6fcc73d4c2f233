"""The operator's page: what it shows, who may press what, and that no other page can press it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.serving.api.conftest import Office
from tests.serving.toy import NOON, Fixed

from tenure.core.clock import ManualClock
from tenure.rollout.kill import kill
from tenure.rollout.stop import StopFile
from tenure.serving.access import COOKIE, Role
from tenure.store.outbox import Outbox
from tenure.store.pending import Pending, PendingDecision
from tenure.store.replicas import Replica, Replicas


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    with made.http:
        yield made
    made.store.close()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path, tokens=True)
    with made.http:
        yield made
    made.store.close()


class Browser:
    """Somebody logged in, with what their page's forms carry."""

    def __init__(self, office: Office, role: Role) -> None:
        self.office = office
        answer = office.post("/login", data={"token": office.of[role]})
        assert answer.status_code == 303, answer.text
        self.cookie = answer.headers["set-cookie"]
        self.headers = {"cookie": self.cookie.partition(";")[0]}

    def page(self) -> str:
        answer = self.office.get("/", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="(\w+)"', self.page())
        assert found
        return found[1]

    def press(self, path: str, csrf: str | None = None, **fields: str) -> Any:
        carried = self.csrf() if csrf is None else csrf
        return self.office.post(path, headers=self.headers, data={"csrf": carried, **fields})


def csrf_of(office: Office) -> str:
    found = re.search(r'name="csrf" value="([\w-]+)"', office.get("/").text)
    assert found
    return found[1]


def press(office: Office, path: str, **fields: str) -> Any:
    return office.post(path, data={"csrf": csrf_of(office), **fields})


def test_it_is_html_without_script_or_anything_from_elsewhere(office: Office) -> None:
    answer = office.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    for word in ("<script", "javascript:", "http://", "https://", "style=", "onclick", "<img"):
        assert word not in answer.text
    assert office.get("/style.css").headers["content-type"].startswith("text/css")
    assert "url(" not in office.get("/style.css").text


def test_it_says_where_the_problem_stands_and_what_holds_it(office: Office) -> None:
    page = office.get("/").text
    for word in ("toy", "NONE", "no rollout is under way", "None is set", "No server", "Nothing has been done yet"):
        assert word in page


def test_whatever_the_log_holds_is_text(office: Office) -> None:
    office.store.kill("toy", actor="<b>eve</b>", reason="<script>alert(1)</script>", at=NOON)
    page = office.get("/").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<b>eve" not in page


def test_one_press_stops_and_the_page_says_how_long_each_server_took(office: Office) -> None:
    office.world.at("full", 1.0)
    answer = press(office, "/stop", reason="odd prices", actor="ann")
    assert answer.status_code == 200
    assert "KILLED" in answer.text
    assert re.search(r"log</th><td[^>]*>[\d.]+ ms", answer.text)
    control = office.store.control("toy")
    (kill,) = [event for event in office.store.events("toy") if event.kind == "kill"]
    assert control.killed
    assert (kill.actor, kill.reason) == ("ann", "odd prices")


def test_a_server_that_does_not_answer_is_named(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    Replicas(office.store).seen(Replica("toy", "frozen", NOON, NOON, 0, None, "1", None))
    clock = office.world.clock
    assert isinstance(clock, ManualClock)
    usual = kill.__kwdefaults__ or {}
    pausing = {**usual, "wait_s": 2.0, "sleep": lambda _: clock.advance(timedelta(seconds=1))}
    monkeypatch.setattr("tenure.rollout.kill.kill.__kwdefaults__", pausing)
    assert "no answer" in press(office, "/stop", reason="odd").text


def test_a_stop_without_a_reason_stops_nothing(office: Office) -> None:
    for reason in ("", "   "):
        answer = press(office, "/stop", reason=reason)
        assert answer.status_code == 422
        assert "Not done" in answer.text
    assert not office.store.control("toy").killed


def test_stop_is_offered_while_it_runs_and_restore_while_it_is_stopped(office: Office) -> None:
    running = office.get("/").text
    assert 'action="/stop"' in running
    assert 'action="/restore"' not in running
    office.world.store.stop()
    stopped = office.get("/").text
    assert 'action="/stop"' not in stopped
    assert 'action="/restore"' in stopped


def test_restoring_lifts_the_kill_and_comes_back_to_the_page(office: Office) -> None:
    office.world.store.stop()
    answer = press(office, "/restore", reason="mended", actor="bob")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert not office.store.control("toy").killed


def test_the_stop_file_shows_and_restoring_takes_it_away(office: Office, tmp_path: Path) -> None:
    stop = StopFile(tmp_path / "STOP")
    office.verbs.stop = stop
    stop.engage("odd", "ann", NOON)
    office.service.standing.control = lambda: (office.store.control("toy"), "stop_file")  # type: ignore[method-assign]
    page = office.get("/").text
    assert "STOP file is engaged" in page
    assert 'action="/stop"' in page
    assert 'action="/restore"' in page
    assert press(office, "/restore", reason="mended").status_code == 303
    assert not stop.engaged()


def test_with_the_log_away_the_page_says_so_and_stop_is_still_there(office: Office) -> None:
    office.world.store.away = frozenset({"control"})
    answer = office.get("/")
    assert answer.status_code == 503
    assert "STOP still works" in answer.text
    assert 'action="/stop"' in answer.text


def test_servers_alerts_and_history_are_shown(office: Office) -> None:
    Replicas(office.store).seen(Replica("toy", "east-1", NOON, NOON, 7, None, "1.2", "http://east:1"))
    office.store.kill("toy", actor="ann", reason="drill", at=NOON)

    class Told:
        problem, sequence, kind, at, title, body = "toy", 1, "kill", NOON, "it was stopped", "by ann"

    Outbox(office.store).fill([Told()], ["pager"])
    page = office.get("/").text
    for word in ("east-1", "epoch 7, the log is at 1", "it was stopped", "pager", "waiting, 0 attempts", "ann: drill"):
        assert word in page


def pending(office: Office) -> None:
    """One decision of the incumbent, with another proposal waiting."""
    office.world.at("full", 1.0)
    office.world.candidate = Fixed(0)
    office.world.one("d1")
    row = PendingDecision("toy", "d1", "v1", 1, 0.5, 0, "big", NOON, NOON + timedelta(minutes=10))
    with office.store.database.writing() as connection:
        Pending(office.store).queue(connection, [row])


def test_a_waiting_decision_is_approved_with_one_press(office: Office) -> None:
    pending(office)
    page = office.get("/").text
    assert "b instead of a" in page
    assert press(office, "/approve", decision_id="d1", reason="looks right", actor="bob").status_code == 303
    approved = office.store.decision("toy", "d1:approved")
    assert approved is not None
    assert approved.action == 1
    assert press(office, "/approve", decision_id="d1", reason="again", actor="bob").status_code == 409


def test_a_waiting_decision_is_rejected_with_one_press(office: Office) -> None:
    pending(office)
    assert press(office, "/reject", decision_id="d1", reason="no", actor="bob").status_code == 303
    assert office.store.decision("toy", "d1:approved") is None
    assert "d1" not in office.get("/").text.partition("History")[0]


def test_a_proposal_that_a_kill_voided_has_no_button(office: Office) -> None:
    pending(office)
    assert "Decision d1" in office.get("/").text
    office.store.kill("toy", actor="ann", reason="odd", at=NOON)
    page = office.get("/").text
    assert "Decision d1" not in page
    assert 'action="/approve"' not in page


@pytest.mark.parametrize("path", ["/approve", "/reject"])
def test_answering_a_share_nobody_asked_for_is_refused_with_words(office: Office, path: str) -> None:
    answer = press(office, path, reason="why not", actor="bob")
    assert answer.status_code == 409
    assert "Not done" in answer.text


def test_a_stranger_is_led_to_the_login(guarded: Office) -> None:
    for ask in (guarded.get, guarded.post):
        answer = ask("/stop" if ask == guarded.post else "/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert 'name="token"' in guarded.get("/login").text


def test_where_nobody_logs_in_there_is_nothing_to_log_in_to(office: Office) -> None:
    assert office.get("/login").headers["location"] == "/"
    answer = office.post("/login", data={"token": "x"})
    assert answer.headers["location"] == "/"
    assert "set-cookie" not in answer.headers


def test_a_token_opens_a_session_whose_cookie_no_script_and_no_other_site_sees(guarded: Office) -> None:
    browser = Browser(guarded, Role.VIEWER)
    assert browser.cookie.startswith(f"{COOKIE}=")
    for word in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age="):
        assert word in browser.cookie
    assert "viewer" in browser.page()


def test_beyond_loopback_the_cookie_travels_over_tls_only(guarded: Office) -> None:
    object.__setattr__(guarded.desk, "secure", True)
    assert "Secure" in Browser(guarded, Role.VIEWER).cookie


def test_a_wrong_token_opens_nothing(guarded: Office) -> None:
    answer = guarded.post("/login", data={"token": "tnr_wrong"})
    assert answer.headers["location"] == "/login"
    assert "set-cookie" not in answer.headers


def test_a_page_shows_only_what_its_reader_may_press(guarded: Office) -> None:
    guarded.world.store.stop()
    viewer, operator, approver = (Browser(guarded, role).page() for role in (Role.VIEWER, Role.OPERATOR, Role.APPROVER))
    assert 'action="/restore"' not in viewer + operator
    assert 'action="/restore"' in approver
    assert 'name="actor"' not in approver  # the log names who is logged in


def test_a_form_without_the_sessions_word_presses_nothing(guarded: Office) -> None:
    browser, other = Browser(guarded, Role.ADMIN), Browser(guarded, Role.ADMIN)
    for csrf in ("", "wrong", other.csrf()):
        assert browser.press("/stop", csrf=csrf, reason="forged").status_code == 403
    assert not guarded.store.control("toy").killed
    assert browser.press("/stop", reason="meant").status_code == 200
    assert guarded.store.control("toy").killed


def test_an_open_port_is_pressed_only_by_its_own_page(office: Office) -> None:
    good = {"csrf": csrf_of(office), "reason": "odd"}
    assert office.post("/stop", data={"reason": "odd"}).status_code == 403
    for headers in ({"host": "evil.example"}, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert office.post("/stop", data=good, headers=headers).status_code == 403
    assert not office.store.control("toy").killed
    assert office.post("/stop", data=good, headers={"origin": "http://test"}).status_code == 200


def test_the_log_names_who_is_logged_in_whatever_the_form_says(guarded: Office) -> None:
    browser = Browser(guarded, Role.OPERATOR)
    assert browser.press("/stop", reason="odd", actor="somebody else").status_code == 403
    assert browser.press("/stop", reason="odd").status_code == 200
    assert guarded.store.events("toy")[-1].actor == "operator"


def test_logging_out_ends_the_session(guarded: Office) -> None:
    browser = Browser(guarded, Role.VIEWER)
    assert browser.press("/logout").headers["location"] == "/login"
    assert guarded.get("/", headers=browser.headers).headers["location"] == "/login"
