"""The clouds' own refusals and silences in our words; every other promise is tested over them in test_artifacts.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.store.artifacts.azure import FORBIDDEN, blob_service
from tests.store.artifacts.conftest import BUCKET, connect, free_port
from tests.store.artifacts.test_far import _Flaky, far

from tenure.core.errors import StoreError
from tenure.store.artifacts import Artifacts
from tenure.store.far import Far


def test_a_key_of_s3_that_nobody_gave_is_a_missing_right(tmp_path: Path) -> None:
    from botocore.exceptions import ClientError, NoCredentialsError

    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")
    for error in (denied, NoCredentialsError()):
        with pytest.raises(StoreError, match="the right to list"):
            far(_Flaky(error), tmp_path, []).get("a")


def test_a_refusal_of_google_is_a_missing_right(tmp_path: Path) -> None:
    from gcsfs.retry import HttpError

    with pytest.raises(StoreError, match="the right to list"):
        far(_Flaky(HttpError({"code": 403, "message": "no"})), tmp_path, []).get("a")


def test_a_refusal_of_azure_is_a_missing_right(monkeypatch: pytest.MonkeyPatch) -> None:
    with blob_service() as address:
        connect(monkeypatch, address)
        with pytest.raises(StoreError, match="the right to list"):
            Far(f"az://{FORBIDDEN}/a").put("x", b"1")


def test_an_s3_that_nobody_answers_for_is_told_with_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # else its own tries sleep, as those of s3fs
    monkeypatch.setattr("s3fs.core.S3FileSystem.retries", 1)
    waited = list[float]()
    with pytest.raises(StoreError, match=r"a store that answers; found EndpointConnectionError.*s3://bucket/a"):
        Far("s3://bucket/a", pause=waited.append).get("x")
    assert waited == [2.0, 4.0]


@pytest.mark.parametrize("store", ["s3", "gs", "az"], indirect=True)
def test_no_bucket_is_told_before_anything_is_trained(store: str) -> None:
    nowhere = Artifacts(store.replace(BUCKET, "no-such-bucket"), "toy", pause=_never)
    with pytest.raises(StoreError, match="a bucket that exists"):
        nowhere.check()


def _never(_: float) -> None:
    raise AssertionError("what cannot help is not tried again")
