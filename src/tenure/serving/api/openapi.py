"""The OpenAPI 3.1 document, made from the operations; it cannot lag behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tenure.serving.access import Role
from tenure.serving.api.operation import MEDIA_TYPES, Operation

REF = "#/components/schemas/{name}"
ERRORS = {
    "400": "No HTTP request that can be read.",
    "401": "Nobody said who they are.",
    "403": "Their role is too low, or another site's page asked.",
    "404": "What the path names does not exist.",
    "405": "The path has no such method.",
    "408": "The body did not come in time.",
    "409": "The same id came with another body, or the rollout does not have this move.",
    "413": "The body is too large.",
    "422": "The request says something that cannot be; nothing was done.",
    "503": "The log, the database or a bundle cannot be read.",
}


def document(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The document of all operations."""
    types = _types(operations)
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    found = dict(zip(map(_key, types), schemas, strict=True))
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.address, {})[operation.method.lower()] = _described(operation, found)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tenure",
            "version": version,
            "description": "Decisions, outcomes, and the rollout of a learned policy.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "subscription": {"type": "apiKey", "in": "header", "name": "Ocp-Apim-Subscription-Key"},
                "session": {"type": "apiKey", "in": "cookie", "name": "tenure_session"},
            },
        },
    }


def _types(operations: Iterable[Operation]) -> list[Any]:
    """Every type once, in order."""
    kinds = [kind for each in operations for kind in (each.request, each.response, each.refusals.body)]
    named = {_key(kind): kind for kind in kinds if kind is not None}
    return [kind for key, kind in named.items() if kind is not bytes]


def _key(kind: Any) -> str:
    return repr(kind)


def _described(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _name(operation),
        "summary": operation.summary,
        "x-role": operation.role.word,
        "parameters": _parameters(operation),
        "responses": {str(operation.status): _answer(operation, schemas), **_errors(operation, schemas)},
    }
    if operation.role is not Role.ANYONE:
        described["security"] = [{"token": []}, {"subscription": []}, {"session": []}]
    if operation.request is not None:
        described["requestBody"] = {"required": True, "content": _content(operation, schemas)}
    return described


def _name(operation: Operation) -> str:
    """A name for generated clients: GET /v1/{problem}/status is get_v1_problem_status."""
    return "_".join([operation.method.lower(), *re.findall(r"\w+", operation.address)])


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    inside = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in operation.varying
    ]
    if operation.query is None:
        return inside
    (schema,), components = msgspec.json.schema_components([operation.query], ref_template=REF)
    properties = components[schema["$ref"].rpartition("/")[2]]
    required = properties.get("required", [])
    asked = [
        {"name": name, "in": "query", "required": name in required, "schema": each}
        for name, each in properties["properties"].items()
    ]
    return inside + asked


def _content(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    if operation.request is bytes:
        return {MEDIA_TYPES[operation.media]: {"schema": {"type": "string", "contentEncoding": "binary"}}}
    return {MEDIA_TYPES[operation.media]: {"schema": schemas[_key(operation.request)]}}


def _answer(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": operation.summary}
    if operation.response is not None:
        described["content"] = {operation.answers: {"schema": schemas[_key(operation.response)]}}
    elif operation.status == 200:
        described["content"] = {operation.answers: {"schema": {"type": "string"}}}
    return described


def _errors(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    """The refusals every operation can give."""
    body = operation.refusals.body
    content = {} if body is None else {"content": {"application/json": {"schema": schemas[_key(body)]}}}
    return {status: {"description": text, **content} for status, text in ERRORS.items()}
