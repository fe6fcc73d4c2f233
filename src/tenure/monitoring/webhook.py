"""A webhook pinned to the address that was checked: resolved once, connected to that, redirected nowhere."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

WEBHOOKS = {"json": ("http", 80), "jsons": ("https", 443)}
"""Schemes of our own webhooks: what is spoken, and on which port by default."""
TIMEOUT_S = 10.0
_NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


def post(address: str, content: Mapping[str, str], private: bool) -> None:
    """Post JSON to a webhook.

    Raises:
        OSError: it could not be reached, lies in a private range, redirects, or refuses; never names the address.
    """
    parts = urlsplit(address)
    scheme, port = WEBHOOKS[parts.scheme.lower()]
    host, port = parts.hostname or "", parts.port or port
    pinned = resolved(host, port, private)
    target = httpx.URL(scheme=scheme, host=str(pinned), port=port, raw_path=_path(parts))
    try:
        # No proxy and no redirect: either would choose another address than the one that was checked.
        with (
            httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
            client.stream(
                "POST",
                target,
                headers={"host": parts.netloc.rpartition("@")[2]},
                json=dict(content),
                auth=_login(parts),
                extensions={"sni_hostname": host},
            ) as response,
        ):
            status = response.status_code
    except httpx.HTTPError as error:
        raise OSError(0, f"the webhook cannot be reached ({type(error).__name__})") from None
    if 300 <= status < 400:
        raise OSError(0, f"the webhook redirects (status {status}), which is not followed: put its final address")
    if not 200 <= status < 300:
        raise OSError(0, f"the webhook answers with status {status}")


def resolved(host: str, port: int, private: bool) -> Address:
    """The address a name stands for, checked.

    Raises:
        OSError: it does not resolve, or one of its addresses is not public while `private` is not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise OSError(0, "the webhook's name does not resolve") from None
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not private and not all(map(is_public, addresses)):
        raise OSError(
            0, "the webhook lies in a loopback, private or link-local range; alerts.private_addresses allows that"
        )
    return addresses[0]


def is_public(address: Address) -> bool:
    """Whether packets to it leave the organisation; what is embedded in an IPv6 address counts as well.

    >>> is_public(ip_address("93.184.215.14")), is_public(ip_address("169.254.169.254"))
    (True, False)
    >>> is_public(ip_address("::ffff:10.0.0.1"))
    False
    """
    inner = _embedded(address)
    return address.is_global and not address.is_multicast if inner is None else is_public(inner)


def _embedded(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _login(parts: SplitResult) -> tuple[str, str] | None:
    return None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))


def _path(parts: SplitResult) -> bytes:
    return ((parts.path or "/") + (f"?{parts.query}" if parts.query else "")).encode()
