"""What has changed, and whom to tell: monitors over the log, and the way of what people must know at once.

Promises: monitors are folds of the log, so replaying it raises the same alarms; all of a problem's together keep one
budget of false alarms; nothing here runs on the path of an answer. An alert is a function of an event of the log, so
none can be lost or made twice; one that cannot be delivered is tried again until it expires, and every failure can be
seen; no secret of a channel is logged or shown.
Leaves to others: what happened (`store`), what is done about it (`rollout`), and whose thread it is (`cli`).
"""

from tenure.monitoring.alarms import ALARM, Alarm
from tenure.monitoring.alerts import TOLD, Alert, alert_of
from tenure.monitoring.channels import Channels, masked
from tenure.monitoring.courier import Courier, CourierThread, Round
from tenure.monitoring.listing import Listed, listed
from tenure.monitoring.monitor import Limits, Monitor
from tenure.monitoring.sending import Send, SendError, send_to
from tenure.monitoring.watching import Told, step

__all__ = [
    "ALARM",
    "TOLD",
    "Alarm",
    "Alert",
    "Channels",
    "Courier",
    "CourierThread",
    "Limits",
    "Listed",
    "Monitor",
    "Round",
    "Send",
    "SendError",
    "Told",
    "alert_of",
    "listed",
    "masked",
    "send_to",
    "step",
]
