"""What EventBridge sends when an object is created in a bucket.

Form: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from scripts.local_cloud.template import ACCOUNT, REGION

BUCKET = "local-models"
SAMPLE_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def object_created(
    key: str,
    version: str,
    size: int,
    *,
    etag: str = "d41d8cd98f00b204e9800998ecf8427e",
    modified: datetime = SAMPLE_TIME,
    bucket: str = BUCKET,
) -> dict[str, Any]:
    """Return the event of an object's new version; `size` in bytes, `etag` without quotes.

    The same version gives the same event: EventBridge may deliver one twice.
    """
    unique = uuid.uuid5(uuid.NAMESPACE_URL, f"s3://{bucket}/{key}?versionId={version}")
    return {
        "version": "0",
        "id": str(unique),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": ACCOUNT,
        "time": modified.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {
                "key": key,
                "size": size,
                "etag": etag,
                "version-id": version,
                "sequencer": f"{int(modified.timestamp() * 1000):018X}",
            },
            "request-id": unique.hex[:16].upper(),
            "requester": ACCOUNT,
            "source-ip-address": "127.0.0.1",
            "reason": "PutObject",
        },
    }
