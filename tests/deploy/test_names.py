"""What the files of deploy/ name exists: commands, variables, extras, versions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
from tests.deploy.files import CLOUDS, DEPLOY, EVERY, PAGE, ROOT, commands, document, documents

from tenure.cli.main import app
from tenure.training.cost import PRICES, read_prices

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split())
OTHERS = {
    "PATH": "the shell",
    "HOME": "the shell",
    "USER": "the shell",
    "PGSERVICEFILE": "libpq",
    "PIP_DISABLE_PIP_VERSION_CHECK": "pip",
    "PIP_NO_CACHE_DIR": "pip",
    "POSTGRES_DB": "the image of PostgreSQL",
    "POSTGRES_PASSWORD_FILE": "the image of PostgreSQL",
    "POSTGRES_USER": "the image of PostgreSQL",
    "PYTHONUNBUFFERED": "Python",
    "RAY_ADDRESS": "Ray, and training/backends",
    "RAY_HEAD_IP": "set by `ray up`",
}
"""Variables that are not ours, and who reads or sets them."""
ARGUMENTS = {"STORE", "TORCH_INDEX"}
"""Arguments of the Dockerfile."""


def parse(words: list[str]) -> Any:
    """What our command line makes of some words, types and choices included, without doing it."""
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    return command.make_context("tenure", list(words))


@pytest.mark.parametrize("path", [*EVERY, PAGE], ids=lambda path: path.name)
def test_every_command_line_is_one_of_ours(path: Path) -> None:
    for words in commands(path):
        parse(words)


def test_the_command_lines_are_found() -> None:
    found = {path.name: [words[0] for words in commands(path)] for path in EVERY}
    assert found["Dockerfile"] == ["train", "serve"]
    assert found["compose.yaml"] == ["serve", "train"]
    assert found["serve.yaml"] == ["tick", "serve"]
    assert found["ray.yaml"] == ["reward", "train"]
    assert ["token", "create"] in [words[:2] for words in commands(PAGE)]
    assert all(found[f"{cloud}.yaml"] == ["reward", "train"] for cloud in CLOUDS)


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.name)
def test_every_variable_is_read_by_somebody(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:TENURE|RAY|POSTGRES|PIP|AWS|AZURE|GOOGLE)_[A-Z_]+\b|\bPG[A-Z]+\b", text))
    named |= set(re.findall(r"\$\{?([A-Z][A-Z_]+)", text)) - ARGUMENTS
    source = "".join(each.read_text(encoding="utf-8") for each in (ROOT / "src").rglob("*.py"))
    for name in named - OTHERS.keys():
        assert name.startswith("TENURE_"), f"nobody reads {name}"
        assert f'"{name}"' in source, name


def test_the_extras_of_the_images_and_the_clusters_exist_and_serving_brings_no_training() -> None:
    extras: dict[str, set[str]] = {}
    for path in EVERY:
        for found in re.findall(r"\[([\w,${}]+)\]\"$", path.read_text(encoding="utf-8"), re.MULTILINE):
            extras.setdefault(path.name, set()).add(found)
    assert extras["Dockerfile"] == {"postgres,alerts,${STORE}", "train,ray,postgres,${STORE}"}
    assert set(extras) == {"Dockerfile", *(f"{cloud}.yaml" for cloud in CLOUDS)}
    named = {name for each in extras.values() for line in each for name in line.split(",")} - {"${STORE}"}
    assert named | {"s3", "gcs", "azure"} <= set(PROJECT["optional-dependencies"])


def test_every_installation_is_pinned_by_the_constraints() -> None:
    for path in EVERY:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "pip install" in line and "azure-mgmt" not in line:  # the head of Azure: nobody here has those
                assert "--constraint" in line, line


def test_the_ray_of_the_cluster_is_the_one_that_is_pinned() -> None:
    assert document(DEPLOY / "kubernetes" / "ray.yaml", "RayCluster")["spec"]["rayVersion"] == PINS["ray"]


def test_the_images_are_those_of_this_version() -> None:
    manifests = "".join(path.read_text(encoding="utf-8") for path in (DEPLOY / "kubernetes").iterdir())
    assert set(re.findall(r"tenure-(?:serve|train):([\w.]+)", manifests)) == {PROJECT["version"]}


def test_every_secret_and_volume_of_the_compose_file_is_declared() -> None:
    (compose,) = documents(DEPLOY / "compose.yaml")
    for service in compose["services"].values():
        assert set(service.get("secrets", ())) <= compose["secrets"].keys()
        assert {volume.partition(":")[0] for volume in service.get("volumes", ())} <= compose["volumes"].keys()
    for image in ("serve", "train"):
        assert f" AS {image}\n" in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_workers_of_a_cluster_are_machines_whose_price_we_tell(cloud: str) -> None:
    (written,) = documents(DEPLOY / "ray" / f"{cloud}.yaml")
    node = written["available_node_types"]["worker"]
    (price,) = (each for each in read_prices(PRICES) if each.cloud == cloud)
    assert price.instance in str(node["node_config"])
    assert node["resources"] in ({}, {"CPU": price.vcpus})  # Ray looks them up for AWS
    assert price.region == written["provider"].get("region", written["provider"].get("location"))
