"""The control API beside the hot path: one table of operations, from which routes, OpenAPI and roles are made.

Promises: nothing is open unless its row says so; what a person can do here is the same verb the command line and the
operator's page call; who did it is who is logged in; a bad request is a 4xx with words, never a 5xx.
Leaves to others: decisions and outcomes (`serving/hot.py`), what a move means (`rollout`), pages (`console`).
"""

from tenure.serving.api.app import rest_app
from tenure.serving.api.desk import Desk
from tenure.serving.api.metrics import METRICS, Metrics
from tenure.serving.api.operation import Call, Operation, Refusals
from tenure.serving.api.table import OPERATIONS

__all__ = ["METRICS", "OPERATIONS", "Call", "Desk", "Metrics", "Operation", "Refusals", "rest_app"]
