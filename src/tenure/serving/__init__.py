"""The decision server: the path of one decision and of one outcome, behind HTTP.

Promises: every request is answered, by the incumbent when in doubt; a learned decision is durable before it is
answered, under the kill epoch it was decided in; the same id gets the same answer; what is logged is what was done,
with its probability. Leaves to others: what the stages mean and when they change (`rollout`), the log itself (`store`).
Starts without the training stack.
"""

from tenure.serving.app import create_app
from tenure.serving.service import DecisionService
from tenure.serving.wire import Answer, DecisionRequest, OutcomeRequest

__all__ = ["Answer", "DecisionRequest", "DecisionService", "OutcomeRequest", "create_app"]
