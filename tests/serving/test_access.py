"""Who may ask: tokens and sessions, roles, and requests another site's page could have sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tenure.core.clock import ManualClock
from tenure.core.errors import AccessError, ForbiddenError, StoreError
from tenure.serving.access import COOKIE, NOBODY, OpenAccess, Principal, Role, TokenAccess, check_csrf
from tenure.store import SqliteStore
from tenure.store.tokens import SESSION_FOR, Tokens

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOSTS = frozenset({"tenure.example.com", "127.0.0.1", "[::1]"})


def scope(method: str = "GET", /, **headers: str) -> dict[str, Any]:
    named = {"host": "tenure.example.com", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {"method": method, "headers": [(name.encode(), value.encode()) for name, value in named.items()]}


class Door:
    """Tokens of every role, and the access over them."""

    def __init__(self, path: Path) -> None:
        self.store, self.clock = SqliteStore(path, synchronous="OFF"), ManualClock(NOW)
        self.tokens = Tokens(self.store)
        self.of: dict[Role, str] = {
            role: self.tokens.create(role.word, role.word, "root", NOW) for role in Role if role is not Role.ANYONE
        }
        self.access = TokenAccess(self.tokens, self.clock, HOSTS)

    def bearer(self, role: Role) -> dict[str, Any]:
        return scope("POST", authorization=f"Bearer {self.of[role]}")

    def logged_in(self, role: Role, method: str = "POST", **headers: str) -> dict[str, Any]:
        secret = self.access.log_in(scope("POST"), self.of[role].encode())
        return scope(method, cookie=f"other=1; {COOKIE}={secret}", **headers)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path / "log.db")
    yield made
    made.store.close()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ANYONE])
@pytest.mark.parametrize("least", list(Role))
def test_a_role_may_do_what_it_and_those_below_it_may(door: Door, role: Role, least: Role) -> None:
    if role >= least:
        assert door.access.permit(door.bearer(role), least) == Principal(role.word, role)
    else:
        with pytest.raises(ForbiddenError, match=least.word):
            door.access.permit(door.bearer(role), least)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer tnr_wrong"},
        {"authorization": "Bearer"},
        {"authorization": "Basic dXNlcjpwYXNz"},
        {"ocp_apim_subscription_key": "tnr_wrong"},
        {"cookie": f"{COOKIE}=wrong"},
        {"cookie": "nothing"},
    ],
)
def test_whoever_shows_nothing_that_opens_is_nobody(door: Door, headers: dict[str, str]) -> None:
    with pytest.raises(AccessError, match="Bearer"):
        door.access.permit(scope("POST", **headers), Role.CLIENT)


def test_nobody_may_do_what_anyone_may(door: Door) -> None:
    assert door.access.permit(scope(), Role.ANYONE) == NOBODY


def test_a_token_also_comes_in_the_header_of_personalizer_clients(door: Door) -> None:
    asked = scope("POST", ocp_apim_subscription_key=door.of[Role.CLIENT])
    assert door.access.permit(asked, Role.CLIENT).name == "client"


def test_a_sessions_secret_is_no_token(door: Door) -> None:
    secret = door.access.log_in(scope("POST"), door.of[Role.ADMIN].encode())
    with pytest.raises(AccessError):
        door.access.permit(scope("POST", authorization=f"Bearer {secret}"), Role.CLIENT)
    with pytest.raises(AccessError):
        door.access.log_in(scope("POST"), secret.encode())


def test_a_token_is_no_session(door: Door) -> None:
    with pytest.raises(AccessError):
        door.access.permit(scope("GET", cookie=f"{COOKIE}={door.of[Role.ADMIN]}"), Role.VIEWER)


def test_a_revoked_token_opens_nothing_after_the_next_refresh(door: Door) -> None:
    session = door.logged_in(Role.ADMIN)
    door.tokens.revoke("admin", NOW)
    door.access.refresh()
    for asked in (door.bearer(Role.ADMIN), session):
        with pytest.raises(AccessError):
            door.access.permit(asked, Role.CLIENT)


def test_a_token_expires_without_a_refresh(door: Door) -> None:
    token = door.tokens.create("temp", "admin", "root", NOW, NOW + timedelta(hours=1))
    door.access.refresh()
    asked = scope("POST", authorization=f"Bearer {token}")
    assert door.access.permit(asked, Role.ADMIN).name == "temp"
    door.clock.advance(timedelta(hours=1))
    with pytest.raises(AccessError):
        door.access.permit(asked, Role.CLIENT)


def test_tokens_still_open_while_the_database_is_away(door: Door) -> None:
    door.store.close()
    with pytest.raises(StoreError):
        door.access.refresh()
    assert door.access.permit(door.bearer(Role.CLIENT), Role.CLIENT).role is Role.CLIENT


def test_a_session_stands_for_its_token_until_it_is_over(door: Door) -> None:
    session = door.logged_in(Role.OPERATOR)
    assert door.access.permit(session, Role.OPERATOR).name == "operator"
    door.clock.advance(SESSION_FOR)
    with pytest.raises(AccessError):
        door.access.permit(session, Role.VIEWER)


def test_logging_out_ends_the_session(door: Door) -> None:
    session = door.logged_in(Role.OPERATOR)
    door.access.log_out(session)
    door.access.log_out(scope())  # nobody may log out too
    with pytest.raises(AccessError):
        door.access.permit(session, Role.VIEWER)


def test_each_session_has_its_own_csrf_word_and_tokens_have_none(door: Door) -> None:
    words = [door.access.permit(door.logged_in(Role.OPERATOR), Role.VIEWER).csrf for _ in range(2)]
    assert len({*words, ""}) == 3
    assert door.access.permit(door.bearer(Role.OPERATOR), Role.VIEWER).csrf == ""


@pytest.mark.parametrize("sent", ["", "other"])
def test_a_form_without_its_sessions_word_is_refused(sent: str) -> None:
    check_csrf(Principal("ann", Role.ADMIN, csrf="word"), "word")
    with pytest.raises(ForbiddenError, match="open the page again"):
        check_csrf(Principal("ann", Role.ADMIN, csrf="word"), sent)


def test_a_form_of_whom_no_browser_speaks_for_is_refused() -> None:
    with pytest.raises(ForbiddenError):
        check_csrf(Principal("ann", Role.ADMIN), "")


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},  # DNS rebinding: another site's name points here
        {"host": "evil.example:8080"},
        {"host": ""},
        {"host": "[::1"},
        {"host": "[::1]evil.example"},
        {"host": "127.0.0.1:80@evil.example"},
        {"host": "127.0.0.1:80:80"},
        {"host": "127.0.0.1, evil.example"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://tenure.example.com:8443"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_another_sites_page_cannot_use_a_session_or_an_open_port(door: Door, headers: dict[str, str]) -> None:
    with pytest.raises(ForbiddenError):
        door.access.permit(door.logged_in(Role.ADMIN, **headers), Role.VIEWER)
    with pytest.raises(ForbiddenError):
        OpenAccess(HOSTS).permit(scope("POST", **headers), Role.CLIENT)
    with pytest.raises(ForbiddenError):
        door.access.log_in(scope("POST", **headers), door.of[Role.ADMIN].encode())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "127.0.0.1:8080", "origin": "http://127.0.0.1:8080", "sec_fetch_site": "same-origin"},
        {"host": "[::1]:8080", "origin": "http://[::1]:8080"},
        {"host": "Tenure.Example.com", "origin": "https://tenure.example.com"},
        {"sec_fetch_site": "none"},
    ],
)
def test_our_own_page_and_no_page_at_all_may(door: Door, headers: dict[str, str]) -> None:
    assert door.access.permit(door.logged_in(Role.ADMIN, **headers), Role.ADMIN).name == "admin"
    assert OpenAccess(HOSTS).permit(scope("POST", **headers), Role.ADMIN).open


def test_reading_from_a_link_on_another_site_is_fine_but_only_under_our_own_name(door: Door) -> None:
    assert OpenAccess(HOSTS).permit(scope("GET", origin="https://evil.example"), Role.VIEWER).open
    with pytest.raises(ForbiddenError, match="evil"):
        OpenAccess(HOSTS).permit(scope("GET", host="evil.example"), Role.VIEWER)


@pytest.mark.parametrize("hosts", [("127.0.0.1", "evil.example"), ("evil.example", "127.0.0.1"), ("127.0.0.1",) * 2])
def test_a_request_with_two_hosts_is_addressed_to_nobody(hosts: tuple[str, str]) -> None:
    asked = {"method": "GET", "headers": [(b"host", host.encode()) for host in hosts]}
    with pytest.raises(ForbiddenError):
        OpenAccess(HOSTS).permit(asked, Role.VIEWER)


def test_a_token_is_not_asked_for_host_or_origin_since_no_page_can_send_it_unasked(door: Door) -> None:
    asked = scope("POST", host="replica-3", authorization=f"Bearer {door.of[Role.CLIENT]}")
    assert door.access.permit(asked, Role.CLIENT).name == "client"


def test_in_process_any_host_may_ask(door: Door) -> None:
    assert OpenAccess().permit({"headers": []}, Role.ADMIN).role is Role.ADMIN


def test_judging_a_request_takes_microseconds(door: Door) -> None:
    """The hot path pays this once per request; the bound is loose, for machines shared with others."""
    import time

    asked, seconds = door.bearer(Role.CLIENT), []
    for _ in range(200):
        began = time.perf_counter()
        door.access.permit(asked, Role.CLIENT)
        seconds.append(time.perf_counter() - began)
    assert sorted(seconds)[100] < 100e-6
