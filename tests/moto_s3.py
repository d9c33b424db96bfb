"""moto's S3: credentials that are none, and a bucket with versions, as the template makes it."""

import pytest

from bucket import Bucket


def set_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what boto3 asks for, so that nothing leaves this machine by mistake."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)


def created[B: Bucket](bucket: B) -> B:
    """Create a bucket named "models" that keeps versions; return what stands for it."""
    bucket.client.create_bucket(Bucket="models")
    bucket.client.put_bucket_versioning(
        Bucket="models", VersioningConfiguration={"Status": "Enabled"}
    )
    return bucket
