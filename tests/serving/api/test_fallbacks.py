"""The route by which clients report what they did themselves: a verdict per line, for clients only."""

from __future__ import annotations

import json

from tenure.serving.access import Role

from .conftest import Open

LINE = {
    "request": {"decision_id": "d1", "unit_id": "u1", "context": {"x": 2.0, "y": 3.0}},
    "action": "b",
    "reason": "unreachable",
    "taken_at": "2011-10-01T11:59:00Z",
}


def test_every_line_gets_its_verdict(open_office: Open) -> None:
    office = open_office()
    body = f"{json.dumps(LINE)}\nnonsense\n{json.dumps(LINE)}".encode()
    response = office.post("/v1/toy/fallbacks", content=body, headers={"content-type": "application/x-ndjson"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/x-ndjson")
    verdicts = [json.loads(line) for line in response.text.splitlines()]
    assert [one.get("status", one.get("error")) for one in verdicts] == ["created", "RequestError", "exists"]
    assert office.world.row().version == "caller"


def test_nobody_reports_without_the_role_of_a_client(open_office: Open) -> None:
    office = open_office(tokens=True)
    body = json.dumps(LINE).encode()
    assert office.post("/v1/toy/fallbacks", content=body).status_code == 401
    assert office.world.count() == 0
    assert office.post("/v1/toy/fallbacks", Role.CLIENT, content=body).status_code == 200
    assert office.world.count() == 1
