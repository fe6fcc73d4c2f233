"""Whom to tell, and when: what of the log people must know at once, and the way it reaches them.

Promises: an alert is a function of an event of the log, so none can be lost or made twice; one that cannot be delivered
is tried again until it expires, and every failure can be seen; no secret of a channel is logged or shown.
Leaves to others: what happened (`store`), what is done about it (`rollout`), and whose thread it is (`cli`).
"""

from tenure.monitoring.alerts import TOLD, Alert, alert_of
from tenure.monitoring.channels import Channels, masked
from tenure.monitoring.courier import Courier, CourierThread, Round
from tenure.monitoring.listing import Listed, listed
from tenure.monitoring.sending import Send, SendError, send_to

__all__ = [
    "TOLD",
    "Alert",
    "Channels",
    "Courier",
    "CourierThread",
    "Listed",
    "Round",
    "Send",
    "SendError",
    "alert_of",
    "listed",
    "masked",
    "send_to",
]
