"""The way of an upload: what passes goes live, what does not leaves live as it is.

S3's events come twice, late and in any order, and two gates may run at once. So an event only says
that there is something to do for a model; what that is is read from the bucket:

* The newest upload counts. One that was overtaken before its turn is not checked.
* An upload that has its report is settled: a further event of it changes nothing, and undoes no
  rollback.
* The live document is written by one conditional PUT, over the one that the upload was compared
  with: of two gates one has to begin anew. Its artifact is there before, and named by its version.
* The report comes last. A gate that dies leaves the old or the new document live, and the next
  one goes on from there.

The bucket must be versioned.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bucket import (
    LIVE_PREFIX,
    ROUTES_SUFFIX,
    SUFFIX,
    UPLOAD_PREFIX,
    VERSION,
    Bucket,
    Document,
    Head,
    MissingError,
    TooLargeError,
    is_model_name,
    key_of,
    live_key,
    report_key,
)
from gate.bounds import compare, one_finding, too_large, within
from gate.checks import check_routes
from gate.live import body_of, finish, go_live, holds, is_current, last_passed
from gate.notify import make_report
from gate.verdict import Limits, Verdict

type Report = dict[str, Any]


class OutOfTimeError(Exception):
    """What is left to do is for the next try of the same event."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The bucket, what an upload may be and need, and how many seconds are left to work."""

    bucket: Bucket
    limits: Limits
    seconds_left: Callable[[], float]


def promote(gate: Gate, name: str, suffix: str = SUFFIX) -> list[Report]:
    """Settle the newest upload of model `name`, and those that come meanwhile.

    Returns the reports that were made; none if there was nothing to do. Raises BucketError and
    OutOfTimeError: then the same call may be made again.
    """
    bucket, key = gate.bucket, key_of(UPLOAD_PREFIX, name, suffix)
    reports: list[Report] = []
    verdicts: dict[str, Verdict] = {}  # by the upload's version
    at_first = gate.seconds_left()
    while True:
        newest = bucket.head(key)
        settled = bool(newest and bucket.head(report_key(name, newest.version)))
        passed = last_passed(bucket, key, name) if settled else None
        live = bucket.head(key_of(LIVE_PREFIX, name, suffix))  # last: it is as new as the reports
        if finished := finish(bucket, key, name, live, verdicts):
            reports.append(finished)
            continue
        if newest is None or (settled and (not passed or holds(passed[1], live))):
            return reports
        head = passed[0] if passed else newest
        if verdicts and gate.seconds_left() < at_first / 2:  # too little for a fair check
            raise OutOfTimeError
        started = time.monotonic()
        upload = _get(bucket, key, head)
        if upload is None:
            continue
        sha256 = hashlib.sha256(upload.body).hexdigest()
        word, made = "rejected", ""
        if live and live.metadata.get("sha256") == sha256 and is_current(live):
            word, verdict = "unchanged", one_finding("same", "It is live already.", sha256, True)
        else:
            check = partial(_check, bucket, gate.limits, name, suffix, upload.body, live)
            verdict = (
                within(gate.seconds_left(), upload.body, check)
                if len(upload.body) == head.size
                else too_large(head.size, gate.limits)
            )
            verdicts[head.version] = verdict
        if verdict.passed and word != "unchanged":
            word = "promoted"
            made = go_live(bucket, name, suffix, upload, verdict, live, newest, settled)
            if not made:
                continue
        seconds = time.monotonic() - started
        anew = bool(made or settled)  # what another gate wrote meanwhile lacks the findings
        report = make_report(bucket, key, name, head, word, verdict, made, seconds, anew)
        reports += [report] if report else []


def _get(bucket: Bucket, key: str, upload: Head) -> Document | None:
    """Return an upload, without its bytes if it is too large; None if it was deleted."""
    try:
        return bucket.get(key, upload.version)
    except MissingError:
        return None
    except TooLargeError:
        return Document(b"", upload.etag, upload.version)


def _check(
    bucket: Bucket, limits: Limits, name: str, suffix: str, body: bytes, live: Head | None
) -> Verdict:
    """Check routes, or a document against the live one. Raises BucketError."""
    if suffix == ROUTES_SUFFIX:

        def exists(other: str, version: str) -> bool:
            known = is_model_name(other) and VERSION.fullmatch(version)
            return bool(known) and bucket.head(live_key(other), version) is not None

        return check_routes(body, name, exists, limits)
    return compare(body, body_of(bucket, name, live), limits)
