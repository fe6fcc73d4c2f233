"""Who may do what: roles, whoever stands behind a request, and which pages may send one.

A request that carries a token cannot be forged by another page. One that carries a cookie, or nothing because loopback
needs no login, can: it must be addressed to a name of this server (else another site's name may point here, DNS
rebinding), and it must not come from another site's page.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from hmac import compare_digest
from typing import Any, Protocol

from tenure.core.clock import Clock
from tenure.core.errors import AccessError, ForbiddenError
from tenure.store.tokens import Key, Token, Tokens, digest_of

COOKIE = "tenure_session"
SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{0,5})?")
"""A Host header, lower case: a name or an address, perhaps a port, nothing else (RFC 9110, 7.2)."""


class Role(IntEnum):
    """What a token may do; each role may also do what those below it may."""

    ANYONE = 0
    CLIENT = 1
    VIEWER = 2
    OPERATOR = 3
    APPROVER = 4
    ADMIN = 5

    @property
    def word(self) -> str:
        """The role as people and the log write it."""
        return self.name.lower()


ROLES = {role.word: role for role in Role if role is not Role.ANYONE}
"""Roles a token can have, by word."""


@dataclass(frozen=True)
class Principal:
    """Who asks.

    Args:
        name: as the log will call them.
        role: what they may do.
        csrf: what a form of theirs must carry; empty where a token, not a browser, speaks.
        open: nobody has logged in, so that the name is no evidence.
    """

    name: str
    role: Role
    csrf: str = ""
    open: bool = False


NOBODY = Principal("nobody", Role.ANYONE)


class Access(Protocol):
    """Decides who stands behind a request and whether they may."""

    def permit(self, scope: Mapping[str, Any], least: Role) -> Principal:
        """Whoever asks, if their role is at least that.

        Raises:
            AccessError: nobody has said who they are.
            ForbiddenError: they may not, or another site's page asks.
        """
        ...


class OpenAccess:
    """Loopback without login: whoever reaches the port may do all, unless a page of another site sends them.

    Args:
        hosts: names and addresses by which this server is called, without port; None takes any, for use in process.
    """

    def __init__(self, hosts: frozenset[str] | None = None) -> None:
        self._hosts = hosts
        self._principal = Principal("local", Role.ADMIN, csrf=secrets.token_urlsafe(16), open=True)

    def permit(self, scope: Mapping[str, Any], least: Role) -> Principal:
        del least
        if self._hosts is not None:
            check_site(scope, headers_of(scope), self._hosts)
        return self._principal


class TokenAccess:
    """Tokens and sessions, from memory: no request waits for the database, and none is refused because it is away.

    `refresh` reads them again; the server calls it each second, so that a revoked token opens nothing a second later.

    Args:
        tokens: where they are stored.
        clock: for those that expire.
        hosts: names by which this server is called, for requests with a cookie.
    """

    def __init__(self, tokens: Tokens, clock: Clock, hosts: frozenset[str]) -> None:
        self._tokens, self._clock, self._hosts = tokens, clock, hosts
        self._keys: Mapping[bytes, Key] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read tokens and sessions again.

        Raises:
            StoreError: the database cannot be read; what was known stays.
        """
        self._keys = self._tokens.keys()

    def permit(self, scope: Mapping[str, Any], least: Role) -> Principal:
        headers = headers_of(scope)
        secret = bearer_of(headers)
        principal = self._by_cookie(scope, headers) if secret is None else self._by_token(secret)
        if principal.role >= least:
            return principal
        raise _unknown() if principal is NOBODY else _too_low(principal, least)

    def log_in(self, scope: Mapping[str, Any], secret: bytes) -> str:
        """A session for whoever holds this token; returns what goes into the cookie.

        Raises:
            AccessError: it is no token that opens anything.
            ForbiddenError: a page of another site asks.
        """
        check_site(scope, headers_of(scope), self._hosts)
        session = self._tokens.open_session(self._token(secret), self._clock.now())
        self.refresh()
        return session

    def log_out(self, scope: Mapping[str, Any]) -> None:
        """End the session behind the request, if there is one."""
        secret = cookie_of(headers_of(scope))
        if secret is not None:
            self._tokens.close_session(secret.decode("latin-1"))
            self.refresh()

    def _by_token(self, secret: bytes) -> Principal:
        token = self._token(secret)
        return Principal(token.name, ROLES[token.role])

    def _by_cookie(self, scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> Principal:
        secret = cookie_of(headers)
        key = None if secret is None else self._keys.get(digest_of(secret))
        if secret is None or key is None or key.until is None or not key.opens(self._clock.now()):
            return NOBODY
        check_site(scope, headers, self._hosts)
        return Principal(key.token.name, ROLES[key.token.role], csrf_of(secret))

    def _token(self, secret: bytes) -> Token:
        key = self._keys.get(digest_of(secret))
        if key is None or key.until is not None or not key.opens(self._clock.now()):
            raise _unknown()
        return key.token


def check_csrf(principal: Principal, sent: str) -> None:
    """Whether a form came from a page of ours: what it carries belongs to the session behind the request.

    Raises:
        ForbiddenError: it does not.
    """
    if not principal.csrf or not compare_digest(principal.csrf.encode(), sent.encode()):
        raise _forbidden("the hidden field of a form made for this session", "another", "open the page again")


def check_site(scope: Mapping[str, Any], headers: Mapping[bytes, bytes], hosts: frozenset[str]) -> None:
    """Whether a request is addressed to this server and, if it changes something, not sent by another site's page.

    Raises:
        ForbiddenError: it is not, or it is.
    """
    told = [value for name, value in scope.get("headers", ()) if name == b"host"]
    host = b", ".join(told).decode("latin-1").lower()  # two of them are the name of nobody
    if _name(host) not in hosts:
        raise _forbidden(f"a Host of {sorted(hosts)}", repr(host), "call the server by one of them, see --allow-host")
    if scope.get("method") in SAFE:
        return
    origin = headers.get(b"origin")
    if origin is not None and origin.decode("latin-1").lower().partition("://")[2] != host:
        raise _forbidden(f"a request from a page of {host}", f"one from {origin.decode('latin-1')}", "use our page")
    if headers.get(b"sec-fetch-site", b"none") not in (b"same-origin", b"none"):
        raise _forbidden(f"a request from a page of {host}", "one from another site", "use our page")


def headers_of(scope: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Headers by name, lower case as ASGI gives them."""
    return dict(scope.get("headers", ()))


def bearer_of(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The token a request carries: `Authorization: Bearer ...`, or the header Personalizer clients send."""
    authorization = headers.get(b"authorization")
    if authorization is None:
        return headers.get(b"ocp-apim-subscription-key")
    scheme, _, token = authorization.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def cookie_of(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The session's secret, from the cookie."""
    for part in headers.get(b"cookie", b"").split(b";"):
        name, _, value = part.strip().partition(b"=")
        if name == COOKIE.encode():
            return value
    return None


def csrf_of(secret: bytes) -> str:
    """What forms of a session carry; nobody gets from it to the session."""
    return hashlib.blake2b(b"csrf", key=digest_of(secret), digest_size=16).hexdigest()


def _name(host: str) -> str:
    """A Host header without its port; empty when it is none."""
    found = _HOST.fullmatch(host)
    return found[1] if found else ""


def _unknown() -> AccessError:
    return AccessError(
        expected="the header `Authorization: Bearer tnr_...` with a token that is neither expired nor revoked",
        found="none",
        where="the request's headers",
        fix="ask an admin for a token: `tenure token create --role ROLE --name NAME`",
    )


def _too_low(principal: Principal, least: Role) -> ForbiddenError:
    return _forbidden(f"the role {least.word} or above", principal.role.word, "let somebody with that role do it")


def _forbidden(expected: str, found: str, fix: str) -> ForbiddenError:
    return ForbiddenError(expected=expected, found=found, where="who asks", fix=fix)
