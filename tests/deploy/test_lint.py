"""The files of deploy/ keep to the published schemas of those who read them; none of them can be run here."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
from tests.deploy.files import CLOUDS, DEPLOY, document, documents
from tests.deploy.kuberay import SCHEMAS

MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
VERSION = "1.37"
"""Of Kubernetes, whose schemas `kubernetes-validate` brings."""


def test_the_dockerfile_passes_hadolint() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    run = subprocess.run([hadolint, "Dockerfile"], cwd=DEPLOY, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, ""), run.stdout + run.stderr


def test_the_compose_file_keeps_to_the_schema_of_its_specification() -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    (compose,) = documents(DEPLOY / "compose.yaml")
    jsonschema.validate(compose, schema)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_every_manifest_keeps_to_its_schema(path: Path) -> None:
    for manifest in documents(path):
        if manifest["kind"] in SCHEMAS:
            jsonschema.validate(manifest, SCHEMAS[manifest["kind"]])
        else:
            kubernetes_validate.validate(manifest, VERSION, strict=True)


def pods() -> list[Any]:
    """The pods of the Ray cluster, the head's first."""
    spec = document(DEPLOY / "kubernetes" / "ray.yaml", "RayCluster")["spec"]
    return [spec["headGroupSpec"]["template"], *(group["template"] for group in spec["workerGroupSpecs"])]


@pytest.mark.parametrize("pod", pods(), ids=lambda pod: pod["spec"]["containers"][0]["name"])
def test_the_pods_of_the_ray_cluster_keep_to_the_schema_of_kubernetes(pod: dict[str, Any]) -> None:
    template = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "x"}, "template": pod}
    kubernetes_validate.validate(template, VERSION, strict=True)


def test_the_job_names_the_cluster_beside_it() -> None:
    path = DEPLOY / "kubernetes" / "ray.yaml"
    selected = document(path, "RayJob")["spec"]["clusterSelector"]
    assert selected == {"ray.io/cluster": document(path, "RayCluster")["metadata"]["name"]}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cluster_file_passes_the_check_of_ray_up(cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    monkeypatch.chdir(DEPLOY.parent)  # local paths in them are relative to the repository
    (written,) = documents(DEPLOY / "ray" / f"{cloud}.yaml")
    config = prepare_config(json.loads(json.dumps(written)))
    validate_config(config)
    assert config["provider"]["type"] == cloud
    assert set(config["available_node_types"]) == {"head", "worker"}


@pytest.mark.parametrize(
    ("cloud", "spot"),
    [
        ("aws", {"InstanceMarketOptions": {"MarketType": "spot"}}),
        ("gcp", {"scheduling": [{"preemptible": True}]}),
        ("azure", {"priority": "Spot"}),
    ],
)
def test_workers_are_at_the_spot_price_and_the_head_is_not(cloud: str, spot: dict[str, Any]) -> None:
    (written,) = documents(DEPLOY / "ray" / f"{cloud}.yaml")
    nodes = {name: node["node_config"] for name, node in written["available_node_types"].items()}
    if cloud == "azure":
        nodes = {name: node["azure_arm_parameters"] for name, node in nodes.items()}
    assert spot.items() <= nodes["worker"].items()
    assert not spot.keys() & nodes["head"].keys()


@pytest.mark.parametrize("kind", ["head", "worker"])
def test_amazon_takes_the_machines_of_its_cluster_file(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    (written,) = documents(DEPLOY / "ray" / "aws.yaml")
    with mock_aws():
        ec2 = boto3.client("ec2", written["provider"]["region"])
        image = ec2.describe_images()["Images"][0]["ImageId"]
        asked = written["available_node_types"][kind]["node_config"] | {"ImageId": image}
        (instance,) = ec2.run_instances(MinCount=1, MaxCount=1, **asked)["Instances"]
    assert instance["InstanceType"] == asked["InstanceType"]
    assert (instance.get("InstanceLifecycle") == "spot") == (kind == "worker")
