"""What KubeRay's RayCluster and RayJob may say, as a JSON schema; pods in them are Kubernetes' own and checked as such.

Written from the project's API reference (kuberay, docs/reference/api.md, ray.io/v1); only the fields that somebody may
want here, so that a field that is new to these files asks for a look at that page.
"""

from __future__ import annotations

from typing import Any

WORD, WHOLE, YES = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
WORDS = {"type": "object", "additionalProperties": WORD}
POD = {"type": "object"}


def _object(required: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


def _resource(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    every = ("apiVersion", "kind", "metadata", "spec")
    metadata = _object(("name",), name=WORD, labels=WORDS, annotations=WORDS)
    return _object(every, apiVersion={"const": "ray.io/v1"}, kind={"const": kind}, metadata=metadata, spec=spec)


_HEAD = _object(("template", "rayStartParams"), template=POD, rayStartParams=WORDS, serviceType=WORD)
_WORKERS = _object(
    ("groupName", "template", "rayStartParams", "maxReplicas"),
    groupName=WORD,
    replicas=WHOLE,
    minReplicas=WHOLE,
    maxReplicas=WHOLE,
    idleTimeoutSeconds=WHOLE,
    numOfHosts=WHOLE,
    rayStartParams=WORDS,
    template=POD,
)
_AUTOSCALER = _object(
    idleTimeoutSeconds=WHOLE,
    upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
    version={"enum": ["v1", "v2"]},
)
_CLUSTER = _object(
    ("headGroupSpec", "workerGroupSpecs", "rayVersion"),
    rayVersion=WORD,
    enableInTreeAutoscaling=YES,
    autoscalerOptions=_AUTOSCALER,
    headGroupSpec=_HEAD,
    workerGroupSpecs={"type": "array", "items": _WORKERS, "minItems": 1},
    suspend=YES,
)
_JOB = _object(
    ("entrypoint",),
    entrypoint=WORD,
    clusterSelector=WORDS,
    rayClusterSpec=_CLUSTER,
    submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode"]},
    shutdownAfterJobFinishes=YES,
    ttlSecondsAfterFinished=WHOLE,
    activeDeadlineSeconds=WHOLE,
    backoffLimit=WHOLE,
)

SCHEMAS = {"RayCluster": _resource("RayCluster", _CLUSTER), "RayJob": _resource("RayJob", _JOB)}
