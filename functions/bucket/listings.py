"""Listings of live models, and of their versions. A listing of S3 comes in pages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bucket.answers import BucketError, Listed, RefusedError
from bucket.client import call
from bucket.names import LIVE_PREFIX, SUFFIX, UNVERSIONED, is_model_name, live_key, version_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def versions(
    client: S3Client, bucket: str, key: str, limit: int, after: str, until: float
) -> Iterator[Listed]:
    """Give at most `limit` versions of the object `key`, or of all live documents if it is "".

    They are newest first, and older than the version `after`. BucketError when `until` has passed.
    """
    if UNVERSIONED.fullmatch(after):
        return  # it is the only one
    start = {"KeyMarker": key, "VersionIdMarker": after} if after else {}
    while True:
        if time.monotonic() > until:
            raise BucketError("S3 is too slow")
        page = call(
            client.list_object_versions,
            Bucket=bucket,
            Prefix=key or LIVE_PREFIX,
            MaxKeys=min(limit, 1000),
            **start,
        )
        for item in page.get("Versions", []):
            name = item["Key"].removeprefix(LIVE_PREFIX).removesuffix(SUFFIX)
            # "hello.pfa" is a prefix of no other model's key, but of other objects' perhaps.
            wanted = key or (live_key(name) if is_model_name(name) else "")
            if item["Key"] == wanted:
                limit -= 1
                yield Listed(
                    name,
                    version_of(item),
                    item["Size"],
                    item["LastModified"],
                    bool(item.get("IsLatest")),
                )
                if not limit:
                    return
        if not page.get("IsTruncated"):
            return
        start = {"KeyMarker": page["NextKeyMarker"]}
        if page.get("NextVersionIdMarker"):
            start["VersionIdMarker"] = page["NextVersionIdMarker"]


def names(client: S3Client, bucket: str, limit: int, after: str) -> Iterator[str]:
    """Give the names of at most `limit` live models that come after `after`, in key order."""
    start = f"{LIVE_PREFIX}{after}{SUFFIX}" if after else LIVE_PREFIX
    while limit > 0:
        page = call(
            client.list_objects_v2,
            Bucket=bucket,
            Prefix=LIVE_PREFIX,
            StartAfter=start,
            MaxKeys=min(limit, 1000),
        )
        for item in page.get("Contents", []):
            start = item["Key"]
            name = start.removeprefix(LIVE_PREFIX).removesuffix(SUFFIX)
            if start.endswith(SUFFIX) and is_model_name(name):
                limit -= 1
                yield name
        if not page.get("IsTruncated"):
            return


def models(client: S3Client, bucket: str, limit: int, after: str, until: float) -> list[Listed]:
    """Return at most `limit` live models that come after `after`, each asked for: `Bucket.list`."""
    from concurrent.futures import ThreadPoolExecutor

    found: list[Listed] = []
    with ThreadPoolExecutor(max_workers=8) as pool:
        while (wanted := limit - len(found)) > 0:
            if time.monotonic() > until:
                raise BucketError("S3 is too slow")
            asked = [*names(client, bucket, wanted, after)]
            found += filter(None, pool.map(lambda name: _model(client, bucket, name), asked))
            if len(asked) < wanted:
                break
            after = asked[-1]
    return found


def _model(client: S3Client, bucket: str, name: str) -> Listed | None:
    """Ask for one model; None if it was deleted since it was listed, or may not be read.

    S3 says 403 for both, unless the caller may list the whole bucket.
    """
    try:
        answer = call(client.head_object, Bucket=bucket, Key=live_key(name))
    except RefusedError as refused:
        if refused.status in (403, 404):
            return None
        raise
    return Listed(name, version_of(answer), answer["ContentLength"], answer["LastModified"])
