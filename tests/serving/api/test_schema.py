"""Everything the OpenAPI document allows, and much it does not, is answered; never with a 5xx.

TENURE_SCHEMA_EXAMPLES sets how many requests each operation gets; the default keeps the suite quick.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tenure.console.operator import PAGES
from tenure.serving.api import OPERATIONS
from tenure.serving.api.openapi import document

from .conftest import Office

EXAMPLES = int(os.environ.get("TENURE_SCHEMA_EXAMPLES", "8"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = list(schemathesis.GenerationMode)
EVERY = (*OPERATIONS, *PAGES)


@schemathesis.serializer("application/x-ndjson")
def lines(_: Any, value: Any) -> bytes:
    """Whatever was drawn, as bytes."""
    return value.data if hasattr(value, "data") else str(value).encode("utf-8", "surrogatepass")


schema = schemathesis.openapi.from_dict(document(EVERY, "1"))
schema.config.generation.update(modes=MODES)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("schema"))
    made.world.at("full", 1.0)
    with made.http:
        yield made
    made.store.close()


@pytest.mark.parametrize("operation", EVERY, ids=lambda each: f"{each.method} {each.path}")
def test_every_operation_keeps_its_word_whatever_comes(operation: Any, office: Office) -> None:
    described = schema[operation.address][operation.method.lower()]

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(MODES))
        case: Any = data.draw(described.as_strategy(generation_mode=mode))
        if operation.path.startswith("/v1") and data.draw(st.integers(0, 9)):
            case.path_parameters["problem"] = "toy"
        sent = requests.Request(**case.as_transport_kwargs(base_url="http://test")).prepare()
        headers = {name: value for name, value in sent.headers.items() if name.lower() != "host"}
        response = office.http.request(str(sent.method), str(sent.url), headers=headers, content=sent.body)
        case.validate_response(response, checks=CHECKS if operation in OPERATIONS else [not_a_server_error])

    ask()
