"""Each kind of channel gets the alert, and says in words without secrets why it could not."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import apprise
import pytest

from tenure.monitoring import SendError, send_to

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def test_a_file_gets_one_line_per_alert(tmp_path: Path) -> None:
    path = tmp_path / "my alerts.jsonl"
    for title in ("one", "two"):
        send_to(f"file://{str(path).replace(' ', '%20')}", "failure", title, "a\nb", private=False)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"type": "failure", "title": "one", "message": "a\nb"}
    assert lines[1]["title"] == "two"
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_written_is_a_send_error(tmp_path: Path) -> None:
    with pytest.raises(SendError, match="No such file"):
        send_to(f"file://{tmp_path}/none/alerts", "info", "t", "b", private=False)


def test_a_webhook_into_a_private_range_is_refused() -> None:
    with pytest.raises(SendError, match="private_addresses"):
        send_to("json://127.0.0.1:9/", "info", "t", "b", private=False)


@pytest.mark.parametrize("scheme", ["form", "xmls"])
def test_webhooks_whose_address_nobody_checks_are_refused(scheme: str) -> None:
    with pytest.raises(SendError, match="json://"):
        send_to(f"{scheme}://host/", "info", "t", "b", private=True)


def test_everything_else_goes_through_apprise(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    def notify(self: Any, **content: Any) -> bool:
        sent.append({**content, "url": self[0].url(privacy=False)})
        return bool(content["title"] == "good")

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    send_to("ntfy://topic", "warning", "good", "b", private=False)
    assert sent[0]["body"] == "b"
    assert sent[0]["notify_type"] == "warning"
    assert "topic" in sent[0]["url"]
    with pytest.raises(SendError, match="could not deliver") as caught:
        send_to("ntfy://topic", "warning", "bad", "b", private=False)
    assert "topic" not in str(caught.value)


def test_an_address_apprise_does_not_know_is_refused_without_showing_it(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SendError, match="Apprise understands") as caught:
        send_to("nosuchservice://secret", "info", "t", "b", private=False)
    assert "secret" not in str(caught.value)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_without_apprise_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "apprise":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SendError, match=r"tenure\[alerts\]"):
        send_to("ntfy://topic", "info", "t", "b", private=False)
