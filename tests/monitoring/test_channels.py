"""Secrets come from the environment, and are never shown."""

from __future__ import annotations

import pytest

from tenure.core.errors import SettingsError
from tenure.monitoring import Channels, masked


def test_names_of_the_environment_are_put_in_when_it_is_sent() -> None:
    channels = Channels({"ops": "slack://$TOKEN/${REST}x", "mail": "mailto://a"}, {"TOKEN": "t1", "REST": "t2"})
    assert channels.names == ("ops", "mail")
    assert channels.address("ops") == "slack://t1/t2x"
    assert channels.shown("ops") == "slack://***"


@pytest.mark.parametrize("address", ["slack://a/b", "json://user:pass@host/secret?token=1", "$WHOLE", "no scheme"])
def test_nothing_but_the_scheme_is_shown(address: str) -> None:
    shown = masked(address)
    assert shown.endswith("***")
    assert not any(secret in shown for secret in ("a/b", "pass", "secret", "token", "WHOLE", "host"))


def test_a_secret_that_is_not_there_is_named_and_none_that_is_there_is_said() -> None:
    channels = Channels({"ops": "slack://$THERE/$GONE"}, {"THERE": "hush"})
    with pytest.raises(SettingsError, match="GONE") as caught:
        channels.address("ops")
    assert "hush" not in str(caught.value)


def test_an_unknown_channel_is_refused() -> None:
    with pytest.raises(SettingsError, match="ops"):
        Channels({"ops": "x://"}, {}).address("sop")
