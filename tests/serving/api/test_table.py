"""The table: routes, document and roles are the same thing seen three times, and nothing is open by oversight."""

from __future__ import annotations

from typing import Any

import pytest

from tenure.console.operator import PAGES
from tenure.serving.access import Role
from tenure.serving.api import OPERATIONS, Operation
from tenure.serving.api.openapi import document

from .conftest import Office, Open

EVERY = (*OPERATIONS, *PAGES)
TOKENS = [role for role in Role if role is not Role.ANYONE]
FREE = {"/healthz", "/readyz", "/login", "/style.css"}
"""What anyone may ask: a probe, a balancer, and the page that asks who you are."""


def named(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def address(operation: Operation) -> str:
    return operation.address.format(**{name: "toy" if name == "problem" else "d1" for name in operation.varying})


def ask(office: Office, method: str, path: str, role: Role | None) -> Any:
    asked = office.get if method == "GET" else office.post
    return asked(path, role) if method in ("GET", "POST") else None


def test_an_operation_without_a_role_cannot_be_built() -> None:
    fields: Any = {"method": "GET", "path": "/", "summary": "", "handler": None}
    with pytest.raises(TypeError, match="role"):
        Operation(**fields)
    wrong: Any
    for wrong in (None, 0, "viewer"):
        with pytest.raises(TypeError, match="needs a Role"):
            Operation(role=wrong, **fields)


def test_only_probes_and_the_login_page_are_open_to_anyone() -> None:
    assert {operation.path for operation in EVERY if operation.role is Role.ANYONE} == FREE


@pytest.fixture(scope="module")
def matrix_office(tmp_path_factory: pytest.TempPathFactory) -> Any:
    office = Office(tmp_path_factory.mktemp("matrix"), tokens=True)
    with office.http:
        yield office
    office.store.close()


@pytest.mark.parametrize("operation", EVERY, ids=named)
def test_each_operation_refuses_lower_roles_and_strangers_and_no_others(
    operation: Operation, matrix_office: Office
) -> None:
    """A refused role is told 401 or 403; a permitted one anything else: its empty body is another matter."""
    for role in (None, *TOKENS):
        found = ask(matrix_office, operation.method, address(operation), role)
        refused = found.status_code in (401, 403) or found.headers.get("location") == "/login"
        permitted = operation.role is Role.ANYONE if role is None else role >= operation.role
        unforged = operation.path == "/logout" and role is not None  # its form has no field but the hidden one
        assert refused is (not permitted or unforged), (role, found.status_code, found.text)


def test_a_method_the_table_has_not_is_refused(guarded: Office) -> None:
    told = {(each.method, each.address) for each in EVERY}
    for operation in EVERY:
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - {way for way, at in told if at == operation.address}:
            response = guarded.http.request(method, address(operation))
            assert response.status_code == 405, (method, operation.path)
            assert "allow" in response.headers


def test_a_stranger_is_told_how_to_say_who_they_are(guarded: Office) -> None:
    answer = guarded.get("/v1/toy/status")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_what_the_table_has_not_does_not_exist(office: Office) -> None:
    for path in ("/v1/toy/secret", "/admin", "/v1/toy/rollout/delete", "/docs", "/v1/toy/"):
        assert office.get(path).status_code == 404


def test_another_problem_does_not_exist(office: Office) -> None:
    for operation in OPERATIONS:
        if "problem" in operation.varying:
            path = operation.address.format(**dict.fromkeys(operation.varying, "other"))
            assert ask(office, operation.method, path, None).status_code == 404, path


def test_the_document_has_every_operation_with_its_role(office: Office) -> None:
    found = office.get("/openapi.json").json()
    told = {
        (method.upper(), path): each["x-role"] for path, by in found["paths"].items() for method, each in by.items()
    }
    assert told == {(operation.method, operation.address): operation.role.word for operation in OPERATIONS}
    assert ("POST", "/v1/{problem}/decisions") in told


def test_every_reference_of_the_document_leads_somewhere() -> None:
    made = document(OPERATIONS, "1")
    schemas = made["components"]["schemas"]

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            here = [value["$ref"]] if "$ref" in value else []
            return here + [found for each in value.values() for found in references(each)]
        return [found for each in value for found in references(each)] if isinstance(value, list) else []

    found = references(made)
    assert found
    assert {reference.rpartition("/")[2] for reference in found} <= set(schemas)


def test_names_of_operations_are_unique() -> None:
    made = document(OPERATIONS, "1")
    names = [each["operationId"] for by in made["paths"].values() for each in by.values()]
    assert len(names) == len(set(names)) == len(OPERATIONS)


def test_every_answer_forbids_scripts_frames_sniffing_and_keeping(open_office: Open) -> None:
    office = open_office()
    for path in ("/", "/style.css", "/healthz", "/v1/toy/status", "/nowhere"):
        headers = office.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "script" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
