"""Addresses people are told at, by name; their secrets come from the environment and are never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tenure.core.errors import SettingsError

_NAME = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class Channels:
    """The channels of tenure.toml.

    Args:
        addresses: by name, as written, with $NAME where the environment holds a secret.
        environment: what $NAME is read from.
        private: webhooks may reach loopback and private networks.
    """

    addresses: Mapping[str, str]
    environment: Mapping[str, str]
    private: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names, in the order of the file."""
        return tuple(self.addresses)

    def address(self, name: str) -> str:
        """The full address of a channel; hold it no longer than it takes to send.

        Raises:
            SettingsError: no such channel, or the environment lacks what the address names.
        """
        if name not in self.addresses:
            raise _wrong(f"one of the channels {sorted(self.addresses)}", repr(name), "name one, or add it")
        return _NAME.sub(lambda match: self._secret(name, match[1] or match[2]), self.addresses[name])

    def shown(self, name: str) -> str:
        """The address as people may see it."""
        return masked(self.addresses[name])

    def _secret(self, channel: str, variable: str) -> str:
        found = self.environment.get(variable)
        if not found:
            raise _wrong(f"${variable} in the environment, for channel {channel!r}", "nothing", f"set {variable}")
        return found


def masked(address: str) -> str:
    """What may be shown of an address: its scheme, since in many services even the host part is a secret.

    >>> masked("slack://T1/B2/secret")
    'slack://***'
    """
    scheme, mark, _ = address.partition("://")
    return f"{scheme}://***" if mark and scheme.isalnum() else "***"


def _wrong(expected: str, found: str, fix: str) -> SettingsError:
    return SettingsError(expected=expected, found=found, where="tenure.toml, alerts.channels", fix=fix)
