"""The server of the manifests, started with their arguments and asked as their probes ask: on PostgreSQL, by secret."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.deploy.files import DEPLOY, document, documents
from tests.postgres import Server

from tenure.core.evidence import Verdict

TENURE = str(Path(sys.executable).with_name("tenure"))
POD = document(DEPLOY / "kubernetes" / "serve.yaml", "StatefulSet")["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]


@pytest.fixture(scope="module")
def url(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running server with the pod's arguments and environment; where it listens."""
    folder = tmp_path_factory.mktemp("pod")
    schema = re.search(r"search_path%3D(\w+)", postgres.fresh())
    assert schema
    lines = ("[tenure]", f"host={postgres.folder}", "dbname=postgres", "user=postgres", "password=not asked for")
    secret = "\n".join((*lines, f"options=-csearch_path={schema.group(1)}"))
    (folder / "database_service").write_text(secret)
    told = {each["name"]: each["value"] for each in CONTAINER["env"]}
    places = {"TENURE_HOME": str(folder), "PGSERVICEFILE": str(folder / "database_service")}
    environment = {**os.environ, **told, **places, "TENURE_ARTIFACTS": f"file://{folder}/artifacts"}
    token = [TENURE, "token", "create", "bikes", "--role", "admin", "--name", "first", "--json"]
    subprocess.run(token, env=environment, check=True, capture_output=True)
    words = [
        "0" if before == "--port" else word
        for before, word in zip(["", *CONTAINER["args"]], CONTAINER["args"], strict=False)
    ]
    with subprocess.Popen([TENURE, *words, "--json"], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        try:
            yield said["url"].replace("0.0.0.0", "127.0.0.1")
        finally:
            process.terminate()
        assert process.wait(30) == 0
    assert not (folder / "bikes" / "log.sqlite").exists()


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_a_probe_is_answered_with_200_by_whatever_name_it_asks(url: str, probe: str) -> None:
    asked = CONTAINER[probe]["httpGet"]
    assert {"name": asked["port"], "containerPort": 8080} in CONTAINER["ports"]
    assert httpx.get(url + asked["path"], headers={"Host": "10.1.2.3:8080"}).status_code == 200


def test_the_log_is_the_database_that_the_secret_names(url: str) -> None:
    found = httpx.get(f"{url}/readyz").json()
    assert found["ready"], found


def test_nobody_is_answered_without_a_token(url: str) -> None:
    assert httpx.get(f"{url}/v1/bikes").status_code == 401


def test_the_health_check_of_the_image_passes_while_the_server_lives_and_fails_without(url: str) -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    found = re.search(r"HEALTHCHECK .*\\\n\s+CMD (\[.*\])", text)
    assert found
    _, option, code = json.loads(found.group(1))
    alive = subprocess.run([sys.executable, option, code.replace("127.0.0.1:8080", url.removeprefix("http://"))])
    dead = subprocess.run([sys.executable, option, code.replace("8080", "9")], stderr=subprocess.DEVNULL)
    assert (alive.returncode, dead.returncode) == (0, 1)


def test_image_compose_file_and_manifest_serve_with_the_same_options() -> None:
    (compose,) = documents(DEPLOY / "compose.yaml")
    image = re.search(r"^CMD (\[\"serve.*\])", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert image
    assert compose["services"]["server"]["command"] == CONTAINER["args"]
    assert json.loads(image.group(1))[2:] == CONTAINER["args"][2:7]


def test_a_pod_is_given_the_time_its_server_takes_to_stop() -> None:
    from tenure.cli.serve import DRAIN_S

    wait = int(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][1])
    (compose,) = documents(DEPLOY / "compose.yaml")
    assert POD["terminationGracePeriodSeconds"] >= wait + 2 * DRAIN_S
    assert compose["services"]["server"]["stop_grace_period"] == f"{3 * DRAIN_S}s"


@pytest.mark.parametrize("verdict", Verdict)
def test_a_tick_fails_as_a_job_only_where_it_could_not_look(verdict: Verdict, tmp_path: Path) -> None:
    job = document(DEPLOY / "kubernetes" / "serve.yaml", "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (tmp_path / "tenure").write_text(f"#!/bin/sh\nexit {verdict.exit_code}\n")
    (tmp_path / "tenure").chmod(0o755)
    ended = subprocess.run(job["containers"][0]["command"], env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert ended.returncode == (1 if verdict is Verdict.ERROR else 0)
