"""A bucket of moto's, and one of an S3 that fails on demand."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from bucket import Bucket, make_client
from tests.score.faulty_s3 import FaultyS3


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)


@pytest.fixture
def s3() -> Iterator[Bucket]:
    with mock_aws():
        live = Bucket("models")
        live.client.create_bucket(Bucket="models")
        live.client.put_bucket_versioning(
            Bucket="models", VersioningConfiguration={"Status": "Enabled"}
        )
        yield live


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    server = FaultyS3()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    yield server
    server.stop()


def impatient(**limits: float) -> Bucket:
    return Bucket("models", make_client(0.3, 0.3, 2), **{"call_seconds": 2.0, **limits})
