"""From an upload to the gate: what EventBridge and Lambda's queue of events do on AWS.

moto tells nobody of a new object, so its models/ prefix is looked at ten times a second.
"""

import http.client
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.local_cloud.events import object_created
from scripts.local_cloud.lambda_runtime import InvokeTimeoutError, Pool
from scripts.local_cloud.s3 import LocalS3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectVersionTypeDef

PREFIX = "models/"
POLL_SECONDS = 0.1
# An event that the gate failed over is tried this many times again; on AWS after 1 and 2 minutes.
RETRY_SECONDS = (0.5, 1.0)
# moto gives times in whole seconds: an object written twice within one looks as before.
SETTLED = timedelta(seconds=2)


class Uploads:
    """Calls the gate with an event for every new version under models/, in order of upload."""

    def __init__(self, s3: LocalS3, bucket: str, gate: Pool) -> None:
        """Nothing is watched until `start`."""
        self._s3, self._bucket, self._gate = s3, bucket, gate
        self._client: S3Client = s3.make_client()
        self._seen: set[str] = set()
        self._looked: dict[str, tuple[str, datetime]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="uploads", daemon=True)
        self.lost: list[dict[str, Any]] = []  # events that the gate failed over each time

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more. A gate that is at work is ended by its pool."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(1.0)
        self._client.close()

    def _watch(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            try:
                events = list(self._new())
            except (BotoCoreError, ClientError, OSError):
                continue  # S3 is dead, or stalls; a test may want it so
            for event in events:
                self._deliver(event)

    def _new(self) -> Iterator[dict[str, Any]]:
        """Give an event for each version that was not seen yet, the oldest first."""
        # moto copies every object to list versions, so it is asked whether anything changed first.
        pages = self._client.get_paginator("list_objects_v2")
        now = {
            item["Key"]: (item["ETag"], item["LastModified"])
            for page in pages.paginate(Bucket=self._bucket, Prefix=PREFIX)
            for item in page.get("Contents", ())
        }
        newest = max((modified for _, modified in now.values()), default=None)
        if now == self._looked and (newest is None or datetime.now(UTC) - newest > SETTLED):
            return
        found: list[ObjectVersionTypeDef] = [
            item
            for page in self._client.get_paginator("list_object_versions").paginate(
                Bucket=self._bucket, Prefix=PREFIX
            )
            for item in page.get("Versions", ())
            if item["VersionId"] not in self._seen
        ]
        self._looked = now
        # A key's versions come newest first, and those of one second must stay in their order.
        found.reverse()
        for item in sorted(found, key=lambda item: item["LastModified"]):
            self._seen.add(item["VersionId"])
            yield object_created(
                item["Key"],
                item["VersionId"],
                item["Size"],
                etag=item["ETag"].strip('"'),
                modified=item["LastModified"],
                bucket=self._bucket,
            )

    def _deliver(self, event: dict[str, Any]) -> None:
        payload = json.dumps(event).encode()
        for pause in (*RETRY_SECONDS, None):
            if self._over.is_set():
                return
            try:
                failed = self._gate.invoke(payload, self._gate.function.timeout + 5.0).error
            except (InvokeTimeoutError, OSError, http.client.HTTPException) as error:
                failed = type(error).__name__
            if failed is None:
                return
            if pause is not None:
                self._over.wait(pause)
        self.lost.append(event)
