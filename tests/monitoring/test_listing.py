"""Every alert of the log is listed, with who was told and who has seen it."""

from __future__ import annotations

from tenure.monitoring import listed

from .world import World


def test_an_alert_nobody_was_told_of_is_listed_too(world: World) -> None:
    world.happens("kill")
    world.happens("note")
    (one,) = listed(world.store.events("toy"), world.courier.outbox.all("toy"))
    assert (one.alert.sequence, one.acknowledged_by, one.deliveries) == (1, None, ())


def test_the_first_who_saw_it_counts_and_deliveries_stand_beside_it(world: World) -> None:
    world.happens("kill")
    world.courier.step()
    world.happens("alert_ack", actor="bob", sequence=1)
    world.happens("alert_ack", actor="eve", sequence=1)
    (one,) = listed(world.store.events("toy"), world.courier.outbox.all("toy"))
    told = one.as_dict()
    assert told["acknowledged_by"] == "bob"
    assert told["deliveries"] == [{"channel": "ops", "status": "delivered", "attempts": 1, "error": None}]
    assert (told["kind"], told["urgency"]) == ("kill", "failure")
