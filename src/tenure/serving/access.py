"""Who may do what: roles, and whoever stands behind a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol


class Role(IntEnum):
    """What a token may do; each role may also do what those below it may."""

    CLIENT = 1
    VIEWER = 2
    OPERATOR = 3
    APPROVER = 4
    ADMIN = 5


@dataclass(frozen=True)
class Principal:
    """Who asks.

    Args:
        name: as the log will call them.
        role: what they may do.
    """

    name: str
    role: Role


class Access(Protocol):
    """Decides who stands behind a request and whether they may."""

    def permit(self, scope: Mapping[str, Any], least: Role) -> Principal:
        """Whoever asks, if their role is at least that.

        Raises:
            AccessError: nobody has said who they are.
            ForbiddenError: they may not.
        """
        ...


class OpenAccess:
    """Loopback without login: whoever reaches the port may do all."""

    def permit(self, scope: Mapping[str, Any], least: Role) -> Principal:
        del scope, least
        return Principal("local", Role.ADMIN)
