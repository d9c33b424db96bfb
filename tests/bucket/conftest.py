"""A bucket of moto's, and one of an S3 that fails on demand."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from bucket import Bucket, make_client
from tests.moto_s3 import created, set_credentials
from tests.score.faulty_s3 import FaultyS3


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)


@pytest.fixture
def s3() -> Iterator[Bucket]:
    with mock_aws():
        yield created(Bucket("models"))


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    server = FaultyS3()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    yield server
    server.stop()


def impatient(**limits: float) -> Bucket:
    return Bucket("models", make_client(0.3, 0.3, 2), **{"call_seconds": 2.0, **limits})
