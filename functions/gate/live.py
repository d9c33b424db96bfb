"""What is written under live/, and whether it still is what the reports say."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pfa
from bucket import (
    ARTIFACT_SUFFIX,
    LIVE_PREFIX,
    SUFFIX,
    UPLOAD_PREFIX,
    VERSION,
    Bucket,
    ConflictError,
    Document,
    Head,
    MissingError,
    TooLargeError,
    key_of,
    live_key,
    report_key,
)
from gate.bounds import one_finding
from gate.notify import make_report
from gate.verdict import Verdict
from telemetry import logger

ROLLED_BACK = "rolled-back-to"  # metadata of a live document: the live version whose bytes it has
LOOKED_BACK = 10  # uploads; each gate that ends looks, so more would all have to come between two


def finish(
    bucket: Bucket, key: str, name: str, live: Head | None, verdicts: dict[str, Verdict]
) -> dict[str, Any] | None:
    """Make the report of the upload that is live, if the gate died before it could.

    Without it the next event of that upload would put it live again, whatever came in between.
    """
    source = live.metadata.get("source-version", "") if live else ""
    if live is None or ROLLED_BACK in live.metadata or not VERSION.fullmatch(source):
        return None
    if bucket.head(report_key(name, source)) is not None:
        return None
    upload = bucket.head(key, source)
    if upload is None:
        return None
    message = "It passed and went live; what the checks found was lost."
    lost = one_finding("gate", message, live.metadata.get("sha256", ""), True)
    verdict = verdicts.get(source, lost)
    return make_report(bucket, key, name, upload, "promoted", verdict, live.version)


def last_passed(bucket: Bucket, key: str, name: str) -> tuple[Head, Head] | None:
    """Return the newest upload that passed, and its report: one of the last few; or None."""
    for version in bucket.uploads(key, LOOKED_BACK):
        report = bucket.head(report_key(name, version))
        if report and report.metadata.get("verdict") in ("promoted", "unchanged"):
            upload = bucket.head(key, version)
            return (upload, report) if upload else None
    return None


def holds(report: Head, live: Head | None) -> bool:
    """Say whether live agrees with the report on the newest upload that passed.

    It does not if a slower gate put an older upload live: that one had compared it with the same
    bytes, which were live before, and still or again.
    """
    if live is None or ROLLED_BACK in live.metadata:
        return True
    return live.metadata.get("sha256") == report.metadata.get("sha256")


def is_current(live: Head) -> bool:
    """Say whether what is live starts fast: its artifact, if it has one, is of this engine."""
    return live.metadata.get("artifact-key", "") in ("", pfa.artifact_key())


def body_of(bucket: Bucket, name: str, live: Head | None) -> bytes | None:
    """Return the bytes that are live, None if nothing is. Raises BucketError.

    They are b"", as of a document that cannot be loaded, if they are too large by today's limit, or
    gone meanwhile.
    """
    if live is None:
        return None
    try:
        return bucket.get(live_key(name), live.version).body
    except (MissingError, TooLargeError):
        return b""


def put_artifact(bucket: Bucket, name: str, verdict: Verdict, source: str) -> dict[str, str]:
    """Write the artifact, if there is one; return the metadata of the document it belongs to."""
    version = ""
    if verdict.artifact is not None:
        version = bucket.put_object(key_of(LIVE_PREFIX, name, ARTIFACT_SUFFIX), verdict.artifact)
    return {
        "sha256": verdict.sha256,
        "source-version": source,
        "engine": verdict.engine,
        "examples": str(verdict.examples),
        "largest-error": repr(verdict.largest_error),
        "artifact-key": pfa.artifact_key() if version else "",
        "artifact-version": version,
    }


def go_live(
    bucket: Bucket,
    name: str,
    suffix: str,
    upload: Document,
    verdict: Verdict,
    live: Head | None,
    newest: Head,
    again: bool,
) -> str:
    """Make an upload the live document, if `live` still is; return its version, or "".

    No upload may have come after `newest`. `again`: it has its report already.
    """
    place = key_of(LIVE_PREFIX, name, suffix)
    metadata = put_artifact(bucket, name, verdict, upload.version)
    last = bucket.head(key_of(UPLOAD_PREFIX, name, suffix))
    if last is None or last.version != newest.version:
        logger.info("upload was overtaken", model=name, version=upload.version)
        return ""
    if not again and bucket.head(report_key(name, upload.version)):
        logger.info("another gate was faster", model=name, version=upload.version)
        return ""
    try:
        made = bucket.put_object(place, upload.body, metadata, only_over=live.etag if live else "")
    except ConflictError:
        logger.info("live has changed meanwhile", model=name, version=upload.version)
        return ""
    return "" if live and suffix == SUFFIX and _took_back(bucket, name, made, live) else made


def _took_back(bucket: Bucket, name: str, made: str, live: Head) -> bool:
    """Say whether version `made`, just written, took the place of another one than `live`.

    The condition of the write is the ETag, which is of the bytes: since they were compared, they
    may have gone and come back by a rollback. Then that is live once more.
    """
    place, history = live_key(name), bucket.versions(name, 10)
    versions = [item.version for item in history]
    before = versions[versions.index(made) + 1 :][:1] if made in versions else []
    if not before or before[0] == live.version:
        return False
    logger.warning("live has changed meanwhile, and is as it was again", model=name, version=made)
    written = bucket.head(place, made)
    if written and versions[0] == made:
        old = bucket.get(place, before[0])
        with suppress(ConflictError):  # an upload that came later
            bucket.put_object(place, old.body, old.metadata, only_over=written.etag)
    return True
