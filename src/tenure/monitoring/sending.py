"""One alert to one address: a file, a webhook of ours, or any service Apprise knows."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tenure.core.errors import StoreError
from tenure.monitoring.alerts import Urgency
from tenure.monitoring.webhook import WEBHOOKS, post

GENERIC = ("form", "forms", "xml", "xmls")
"""Apprise's other webhooks: they would connect to whatever a name resolves to."""


class SendError(StoreError):
    """An alert did not reach its channel; the message holds no secret."""


Send = Callable[[str, Urgency, str, str, bool], None]
"""Sends urgency, title and body to an address, which may be private or not; raises SendError."""


def send_to(address: str, urgency: Urgency, title: str, body: str, private: bool) -> None:
    """Send one alert.

    Args:
        address: file:///folder/alerts.jsonl, json(s)://host/path, or an Apprise address.
        urgency: info, warning or failure.
        title: one line.
        body: several lines.
        private: webhooks may reach loopback and private networks.

    Raises:
        SendError: it did not get through.
    """
    scheme = address.partition("://")[0].lower()
    try:
        if scheme == "file":
            _append(Path(unquote(urlsplit(address).path)), urgency, title, body)
        elif scheme in WEBHOOKS:
            post(address, {"version": "1.0", "title": title, "message": body, "type": urgency}, private)
        elif scheme in GENERIC:
            raise _failed("a json:// or jsons:// webhook", f"{scheme}://", "use json://, whose address is checked")
        else:
            _by_apprise(address, urgency, title, body)
    except OSError as error:
        raise _failed(
            "a channel that takes the alert", error.strerror or type(error).__name__, "see its address"
        ) from None


def _append(path: Path, urgency: Urgency, title: str, body: str) -> None:
    """One line of JSON, durable."""
    line = json.dumps({"type": urgency, "title": title, "message": body}).encode() + b"\n"
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(number, line)
        os.fsync(number)
    finally:
        os.close(number)


def _by_apprise(address: str, urgency: Urgency, title: str, body: str) -> None:
    try:
        import apprise
    except ImportError:
        raise _failed(
            "Apprise, which speaks to this kind of channel", "it is not installed", "pip install 'tenure[alerts]'"
        ) from None
    _hush()
    sender = apprise.Apprise()
    if not sender.add(address):
        raise _failed(
            "an address Apprise understands", "another", "see the list of services in Apprise's documentation"
        )
    if not sender.notify(body=body, title=title, notify_type=urgency):
        raise _failed("a channel that takes the alert", "Apprise could not deliver it", "try `tenure alerts test`")


def _hush() -> None:
    """Keep Apprise's own words out of every log: they hold addresses, and with them secrets."""
    words = logging.getLogger("apprise")
    words.propagate, words.handlers = False, [logging.NullHandler()]


def _failed(expected: str, found: str, fix: str) -> SendError:
    return SendError(expected=expected, found=found, where="an alert's channel", fix=fix)
