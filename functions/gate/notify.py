"""Say what became of a model: in a report, a log line, metrics, and an event of EventBridge.

Environment: EVENT_BUS, the bus's name or ARN; without it no event is sent. An event that cannot be
sent is logged and changes nothing: the report in the bucket is what counts.

Metrics come twice, with the model as a dimension, and without it for alarms.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from bucket import Bucket, ConflictError, Head, report_key
from gate.verdict import Verdict
from telemetry import logger, metrics, report

SOURCE = "pfa-score"
METRICS = {
    "promoted": "ModelPromoted",
    "rejected": "ModelRejected",
    "unchanged": "ModelUnchanged",
    "rolled back": "ModelRolledBack",
    "removed": "ModelRemoved",
}
CONNECT_SECONDS = 1.0
READ_SECONDS = 2.0
MAX_TEXT = 4000  # characters of a report in a log line and an event


def timestamp(moment: datetime) -> str:
    """Return a time in UTC as RFC 3339 has it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def make_report(
    bucket: Bucket,
    key: str,
    name: str,
    upload: Head,
    word: str,
    verdict: Verdict,
    live: str,
    seconds: float = 0.0,
    anew: bool = False,
) -> dict[str, Any] | None:
    """Write the report on an upload and announce it; None if it has one, and is to keep it.

    `word` is "promoted", "rejected" or "unchanged", `live` the live version that the upload became.
    Raises BucketError.
    """
    made: dict[str, Any] = {
        "model": name,
        "verdict": word,
        "time": timestamp(datetime.now(UTC)),
        "upload": {
            "key": key,
            "version": upload.version,
            "etag": upload.etag,
            "size": upload.size,
            "modified": timestamp(upload.modified),
        },
        "live": live or None,
        **verdict.to_json(),
        "text": verdict.text(),
    }
    body = json.dumps(made, indent=1).encode()
    metadata = {"verdict": word, "sha256": verdict.sha256}
    place = report_key(name, upload.version)
    try:
        bucket.put_object(place, body, metadata, only_over=None if anew else "")
    except ConflictError:
        return None
    if seconds:
        report("GateTime", name, seconds * 1000, MetricUnit.Milliseconds)
    detail = {
        "bucket": bucket.name,
        "key": key,
        "version": upload.version,
        "live": live or None,
        "sha256": verdict.sha256,
        "report": place,
    }
    announce(word, name, detail, verdict.text())
    return made


def announce(word: str, name: str, detail: dict[str, Any], text: str) -> None:
    """Log, count and send what became of model `name`; see METRICS for the words."""
    detail = {"model": name, **detail, "text": text[:MAX_TEXT]}
    log = logger.warning if word == "rejected" else logger.info
    log(f"model {word}", extra=detail)
    metrics.add_metric(METRICS[word], MetricUnit.Count, 1)
    report(METRICS[word], name)
    _send(f"Model {word}", detail)


@cache
def _client() -> Any:
    # Not at the top: a stack without a bus does without it.
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    return get_session().create_client("events", config=config)


def _send(detail_type: str, detail: dict[str, Any]) -> None:
    bus = os.environ.get("EVENT_BUS", "")
    if not bus:
        return
    entry = {
        "Source": SOURCE,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "EventBusName": bus,
    }
    try:
        answer = _client().put_events(Entries=[entry])
        reason = "EventBridge refused it" if answer.get("FailedEntryCount") else ""
    except Exception as error:  # of any kind: no verdict hangs on who hears of it
        reason = type(error).__name__
    if reason:
        logger.error("event not sent", model=detail["model"], reason=reason)
