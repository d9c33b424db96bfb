"""The gate's edge: S3's events by way of EventBridge, direct commands, the Lambda handler.

An event of EventBridge says that an object was created; what is done with its model is in
promote.py. A command is one of

{"command": "rollback", "model": name, "version": live version, or left out}
{"command": "remove", "model": name}
{"command": "check", "model": name}      as if the events of its newest uploads came again

and is answered with {"done": true or false, "message": in words, ...}.

Environment, beside what `gate.verdict`, `gate.notify` and Powertools read: MODEL_BUCKET.

What is wrong with an upload is never raised. What is wrong with S3 is: Lambda then calls again with
the same event, twice, and nothing is lost by it.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from bucket import (
    ROUTES_SUFFIX,
    SUFFIX,
    UPLOAD_PREFIX,
    Bucket,
    BucketError,
    is_model_name,
    make_client,
)
from gate.promote import Gate, OutOfTimeError, promote
from gate.rollback import remove, rollback
from gate.verdict import Limits
from pfa.memory import limit_memory
from telemetry import log_fault, logger, metrics, trace

MEMORY_MB = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") or 0)  # Lambda says it
CONNECT_SECONDS = 2.0
READ_SECONDS = 10.0  # nobody waits: rather a slow answer of S3 than a further try
CALL_SECONDS = 30.0
ATTEMPTS = 3
DEFAULT_SECONDS = 300.0  # to work, where there is no Lambda to say it

type Answer = dict[str, Any]


@cache
def _bucket_and_limits() -> tuple[Bucket, Limits]:
    """Return what the environment describes; ValueError if it is wrong."""
    limits = Limits.from_environment(os.environ)
    client = make_client(CONNECT_SECONDS, READ_SECONDS, ATTEMPTS)
    most = int(limits.max_mb * 1_000_000)
    return Bucket(os.environ["MODEL_BUCKET"], client, CALL_SECONDS, most), limits


def _gate(context: Any) -> Gate:
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    left = (lambda: remaining() / 1000) if remaining else (lambda: DEFAULT_SECONDS)
    bucket, limits = _bucket_and_limits()
    return Gate(bucket, limits, left)


def upload_of(key: str) -> tuple[str, str] | None:
    """Return name and suffix of the model that an upload's key is for; None if it is for none."""
    rest = key.removeprefix(UPLOAD_PREFIX)
    for suffix in (ROUTES_SUFFIX, SUFFIX):
        name = rest.removesuffix(suffix)
        if rest != key and name != rest and is_model_name(name):
            return name, suffix
    return None


def _on_upload(detail: dict[str, Any], gate: Gate) -> Answer:
    """Do what an event asks for."""
    key = str(detail["object"]["key"])
    version = str(detail["object"].get("version-id", ""))
    if detail["bucket"]["name"] != gate.bucket.name or not key.startswith(UPLOAD_PREFIX):
        logger.warning("event of another place", key=key)
        return {"reports": []}
    upload = upload_of(key)
    if upload is None:
        if not key.endswith("/"):  # what the console makes for a new folder
            metrics.add_metric("ModelRejected", MetricUnit.Count, 1)
            logger.warning("upload ignored: this is no key of a model", key=key)
        return {"reports": []}
    reports = promote(gate, *upload)
    if all(report["upload"]["version"] != version for report in reports):
        logger.info("upload was settled or overtaken", model=upload[0], version=version)
    return {"reports": reports}


def _on_command(event: dict[str, Any], gate: Gate) -> Answer:
    """Do what a command asks for, and say what was done."""
    command, name, version = event["command"], event.get("model"), event.get("version")
    if not isinstance(name, str) or not is_model_name(name):
        return {"done": False, "message": "Nothing was changed: this is no model's name."}
    if command == "rollback" and (version is None or isinstance(version, str)):
        return rollback(gate, name, version or None)
    if command == "remove":
        return remove(gate, name)
    if command == "check":
        reports = promote(gate, name) + promote(gate, name, ROUTES_SUFFIX)
        message = f"{len(reports)} uploads were checked." if reports else "All has its report."
        return {"done": True, "model": name, "message": message, "reports": reports}
    return {"done": False, "model": name, "message": "Nothing was changed: no such command."}


@trace
@logger.inject_lambda_context(clear_state=True)
def _respond(event: Any, context: Any) -> Answer:
    gate = _gate(context)
    if isinstance(event, dict) and "command" in event:
        return _on_command(event, gate)
    try:
        detail = event["detail"]
        is_upload = event["source"] == "aws.s3" and event["detail-type"] == "Object Created"
        _ = detail["object"]["key"], detail["bucket"]["name"]
    except (KeyError, TypeError):
        is_upload = False
    if not is_upload:
        logger.error("this is no event of an upload")
        return {"reports": []}
    return _on_upload(detail, gate)


def handler(event: Any, context: Any) -> Answer:
    """Answer one Lambda invocation.

    Raises, after logging, BucketError and OutOfTimeError of an upload, and whatever is our fault.
    A command that was not finished is answered: given again, a rollback that was done after all
    would go back once more.
    """
    is_command = isinstance(event, dict) and "command" in event
    try:
        answer: Answer = _respond(event, context)
        return answer
    except (BucketError, OutOfTimeError) as error:
        reason = str(error) or "there is no time left"
        logger.error("not finished", reason=reason)
        if is_command:
            return {"done": False, "message": f"Not finished: {reason}. See what is live first."}
        raise
    except Exception as error:
        log_fault("unexpected error", error)
        raise
    finally:
        if metrics.metric_set:
            metrics.flush_metrics()


# Lambda kills a process that takes more; Python raises MemoryError before.
if MEMORY_MB:
    limit_memory(MEMORY_MB << 20)
