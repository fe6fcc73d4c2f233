"""Stores as they stand in the world, on the loopback: a folder, S3 by moto, Google's by its emulator, Azure's."""

from __future__ import annotations

import base64
import os
import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.store.artifacts.azure import ACCOUNT, blob_service

BUCKET = "tenure-test"
Opened = tuple[str, Callable[[str], None]]
"""URL of a store, and what makes a bucket or container in it."""


@pytest.fixture(scope="module", params=["file", "s3", "gs", "az"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a fresh bucket in each kind of store."""
    with pytest.MonkeyPatch.context() as patch:
        kinds: dict[str, Any] = {"s3": _s3, "gs": _gs, "az": _az}
        if request.param == "file":
            yield f"file://{tmp_path_factory.mktemp('store')}"
        else:
            with kinds[request.param](patch):
                yield f"{request.param}://{BUCKET}/a/prefix"


@contextmanager
def _s3(patch: pytest.MonkeyPatch) -> Iterator[None]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    secrets = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**secrets, "AWS_ENDPOINT_URL": address}.items():
        patch.setenv(name, value)
    _request(f"{address}/{BUCKET}", "PUT")
    yield
    server.stop()


@contextmanager
def _gs(patch: pytest.MonkeyPatch) -> Iterator[None]:
    from gcp_storage_emulator.server import create_server

    port = free_port()
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket=BUCKET)
    server.start()
    patch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    patch.setenv("FSSPEC_GS_TOKEN", "anon")
    yield
    server.stop()


@contextmanager
def _az(patch: pytest.MonkeyPatch) -> Iterator[None]:
    if "TENURE_AZURITE" in os.environ:
        connect(patch, os.environ["TENURE_AZURITE"])
        yield
        return
    with blob_service() as address:
        connect(patch, address)
        yield


def connect(patch: pytest.MonkeyPatch, address: str) -> None:
    """Let adlfs speak to that service, where a container is made."""
    from azure.storage.blob import BlobServiceClient

    key = os.environ.get("TENURE_AZURITE_KEY") or base64.b64encode(b"no secret").decode()
    told = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={address}/{ACCOUNT};"
    patch.setenv("AZURE_STORAGE_CONNECTION_STRING", told)
    with BlobServiceClient.from_connection_string(told) as client:
        if not client.get_container_client(BUCKET).exists():
            client.create_container(BUCKET)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _request(url: str, method: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10):
        pass


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with two checkpoints, a lock and something half-written."""
    folder = tmp_path / "here" / "runs" / "first"
    files = {"run.json": b"{}", "seed-1/checkpoints/200/state.pt": b"old", "seed-1/checkpoints/400/state.pt": b"new"}
    for name, content in {**files, ".held": b"", "seed-1/checkpoints/.600/state.pt": b"half"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
