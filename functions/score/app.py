"""The score function's edge: routes, direct invocations, the Lambda handler.

Environment, beside what `score.store` and Powertools read:

DEFAULT_MODEL          what `POST /score` and a bare record ask; loaded in Lambda's INIT phase
SCORE_TIMEOUT_SECONDS  for one request's scoring, default 10; never beyond the function's own time
MAX_BODY_BYTES         of a request, default 6000000 (Lambda's own limit is 6 MB each way)
MAX_BATCH_RECORDS      in one batch, default 10000
CORS_ALLOW_ORIGIN      origins that browsers may call from, comma-separated, or *; empty: none
POWERTOOLS_TRACE_DISABLED  "false" turns X-Ray on; its SDK is not even imported otherwise

Metrics of a request, with its model where that is known: ScoredRecords, RefusedRecords,
ScoringErrors, ScoringTimeouts, BadRequests, Unavailable, Faults, StaleServed, ColdStart, ScoreTime
(of the model alone, no shadows in it); those of `score.challengers`.

A request for a version gets that version, live or not, and nothing else. Canary and shadows are
for one record over HTTP, not for batches and direct invocations.

An invocation that is no API Gateway event is a record for the default model, or exactly
`{"model": name, "record": record}`. It is answered with the bare output or with a problem document;
nothing is ever raised, because the Lambda runtime would answer with a stack trace.
"""

# ruff: noqa: E402 - the garbage collector is to rest during the imports too

from __future__ import annotations

import gc

# INIT makes much and drops little: without collections it takes 13 % less processor time.
gc.disable()

import os
import re
import time
import uuid
from collections import Counter
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.metrics import MetricUnit

import pfa
from bucket import VERSION, is_model_name
from pfa.memory import limit_memory, release
from score import pages, problems, routes, snapshot, store, wire
from score.loading import WholeNeeded
from score.slot import Entry, UnavailableError, UnknownModelError, UnknownVersionError
from telemetry import log_fault, logger, metrics, trace

DEFAULT_MODEL = os.environ.get("DEFAULT_MODEL", "")
SCORE_SECONDS = float(os.environ.get("SCORE_TIMEOUT_SECONDS") or 10)
MAX_BODY_BYTES = int(os.environ.get("MAX_BODY_BYTES") or 6_000_000)
MAX_BATCH_RECORDS = int(os.environ.get("MAX_BATCH_RECORDS") or 10_000)
MAX_ANSWER_BYTES = 6_291_556 - 8_192  # what Lambda lets out, less the headers
RESERVE_SECONDS = 0.5  # of the function's time, kept for writing the answer
MEMORY_MB = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") or 0)  # Lambda says it
INIT_SECONDS = 8.0  # Lambda stops INIT at 10 s and begins anew
ORIGINS = [origin.strip() for origin in os.environ.get("CORS_ALLOW_ORIGIN", "").split(",")]
EXPOSED = ["X-Model-Name", "X-Model-Version", "X-Model-Stale", "ETag", "Retry-After"]


type Headers = dict[str, str | list[str]]

app = APIGatewayRestResolver(
    cors=CORSConfig(
        allow_origin=ORIGINS[0], extra_origins=ORIGINS[1:], expose_headers=EXPOSED, max_age=3600
    )
    if ORIGINS[0]
    else None,
    debug=False,  # else POWERTOOLS_DEV would put stack traces into answers
)


def _problem(error: BaseException) -> dict[str, Any]:
    """Return the problem document of `error`; log what its receiver cannot be told."""
    cause = error.__cause__
    if isinstance(error, MemoryError):
        release(error)
    if problems.kind(error) is problems.FAULT:
        log_fault("unexpected error", error)
    elif isinstance(error, pfa.ScoringError) and cause and "cause" not in app.context:
        known = isinstance(cause, ArithmeticError) or type(cause).__module__.startswith("titus")
        if not known:  # once a request
            app.context["cause"] = cause
            log_fault("the engine failed on a record", cause)
    return problems.document(error, _request_id())


def _refuse(error: Exception) -> Response[str]:
    document = _problem(error)
    _count(Counter([problems.metric(error)]))
    entry = app.context.get("entry")
    headers = _headers(entry) if entry else {}
    if isinstance(error, UnavailableError):
        headers["Retry-After"] = str(error.retry_after)
    return _reply(document["status"], wire.dumps(document), headers, wire.PROBLEM_TYPE)


app.exception_handler(Exception)(_refuse)
app.not_found(_refuse)  # API Gateway itself refuses what template.yaml has no route for


@app.post("/score")
def score_default() -> Response[str]:
    """Score one record with the default model."""
    return score(DEFAULT_MODEL)


@app.post("/models/<name>/score")
def score(name: str) -> Response[str]:
    """Score one record with model `name`: the body of the answer is the PFA output alone."""
    entry = _entry(name)
    _content_is_ndjson(batch=False)
    record = wire.loads(_body())
    if entry.routes is not routes.NONE:
        return _score_challenged(entry, record)
    return _reply(200, wire.dumps(_score(entry, record)), _headers(entry))


@app.post("/models/<name>/versions/<version>/score")
def score_version(name: str, version: str) -> Response[str]:
    """Score one record with that version of model `name`."""
    if not VERSION.fullmatch(version):
        raise UnknownVersionError
    entry = _entry(name, version)
    _content_is_ndjson(batch=False)
    return _reply(200, wire.dumps(_score(entry, wire.loads(_body()))), _headers(entry))


@app.post("/models/<name>/batch")
def batch(name: str) -> Response[str]:
    """Score a JSON array, or the lines of an NDJSON body: per record a result or an error."""
    entry = _entry(name)
    ndjson = _content_is_ndjson(batch=True)
    read = wire.lines if ndjson else wire.array
    records = read(_body(), MAX_BATCH_RECORDS)
    text = wire.dumps_all(_score_batch(entry, records), MAX_ANSWER_BYTES, ndjson)
    return _reply(200, text, _headers(entry), wire.NDJSON_TYPE if ndjson else wire.JSON_TYPE)


@app.get("/models")
def models() -> Response[str]:
    """List the live models by name; `next`, if given, is the `after` of the following page."""
    query = app.current_event.query_string_parameters
    return _reply(200, wire.dumps(pages.models(store.STORE, query, DEFAULT_MODEL)))


@app.get("/models/<name>/versions")
def versions(name: str) -> Response[str]:
    """List the versions of model `name` that are kept, newest first."""
    if not is_model_name(name):
        raise UnknownModelError
    query = app.current_event.query_string_parameters
    return _reply(200, wire.dumps(pages.versions(store.STORE, name, query)))


@app.get("/models/<name>")
def model(name: str) -> Response[str]:
    """Describe model `name`: what it takes and gives, and which document answers now."""
    entry = _entry(name)
    headers = _headers(entry)
    known = app.current_event.headers.get("If-None-Match", "")
    if known.strip() == "*" or headers["ETag"] in re.findall('"[^"]*"', known):
        return Response(304, None, "", headers)
    return _reply(200, wire.dumps(pages.model(entry)), headers)


@app.get("/health")
def health() -> Response[str]:
    """Say whether the default model answers: 200, or 503 if it cannot be loaded."""
    if not DEFAULT_MODEL:
        return _reply(200, wire.dumps({"status": "ok", "model": None}))
    try:
        entry = _entry(DEFAULT_MODEL)
    except UnknownModelError as error:
        raise UnavailableError("There is no live default model.", 5) from error
    state = {"status": "ok", "model": entry.name, "version": entry.version, "stale": entry.stale}
    return _reply(200, wire.dumps(state), _headers(entry))


def _content_is_ndjson(batch: bool) -> bool:
    headers = app.current_event.headers
    return wire.is_ndjson(headers.get("Content-Type"), headers.get("Content-Encoding"), batch)


def _body() -> str:
    event = app.current_event
    # In base64 only if the API is given binary media types; template.yaml gives it none.
    return wire.body_text(event.body, bool(event.is_base64_encoded), MAX_BODY_BYTES)


def _entry(name: str, version: str = "") -> Entry:
    """Return the live model, or a version; what cannot be a name never reaches the source."""
    if not is_model_name(name):
        raise UnknownModelError
    entry = store.STORE.get(name, _seconds_left(), version)
    app.context["entry"] = entry
    metrics.add_dimension("model", entry.name)
    metrics.add_metadata("version", entry.version)
    if entry.stale:
        _count(Counter(StaleServed=1))
    return entry


def _headers(entry: Entry) -> Headers:
    headers: Headers = {
        "X-Model-Name": entry.name,
        "X-Model-Version": re.sub(r"[^!-~]", "", entry.version),
        "ETag": f'"{entry.model.sha256}"',
    }
    if entry.stale:
        headers["X-Model-Stale"] = "true"
    return headers


def _reply(
    status: int, text: str, headers: Headers | None = None, media: str = wire.JSON_TYPE
) -> Response[str]:
    """Return the answer to an HTTP request; TooMuchError if it is too large to leave Lambda."""
    if wire.size_in_json(text) > MAX_ANSWER_BYTES:
        raise wire.TooMuchError("The answer is larger than 6 MB.")
    return Response(status, media, text, headers or {})


def _score_challenged(live: Entry, record: Any) -> Response[str]:
    """Score one record of a model with a canary or shadows."""
    from score import challengers  # not at the top: most models have none

    headers, request = app.current_event.headers, _request_id()
    entry, metric = challengers.answering(
        store.STORE, live, record, headers, request, _seconds_left()
    )
    if entry is not live:
        app.context["entry"] = entry
        metrics.add_metadata("version", entry.version)
    _count(Counter([metric] if metric else []))
    outcome: Any
    try:
        outcome = _score(entry, record)
        answer = _reply(200, wire.dumps(outcome), _headers(entry))
    except pfa.ScoringTimeout:
        raise
    except pfa.ScoringError as error:
        outcome, answer = error, _refuse(error)
    if shadows := live.routes.shadows:
        left = _seconds_left()
        _count(challengers.shadow(store.STORE, shadows, entry, record, outcome, request, left))
    return answer


def _score(entry: Entry, record: object) -> Any:
    started = time.perf_counter()
    try:
        answer = entry.model.score(record, timeout=_score_seconds())
    except WholeNeeded:
        store.STORE.complete(entry, _seconds_left())
        answer = entry.model.score(record, timeout=_score_seconds())
    _count(Counter(ScoredRecords=1), started)
    return answer


def _score_batch(entry: Entry, records: list[Any]) -> list[dict[str, Any]]:
    """Return, for each record in order, its result or error."""
    started = time.perf_counter()
    good = [record for record in records if not isinstance(record, wire.NotJsonError)]
    try:
        answers = iter(entry.model.score_batch(good, timeout=_score_seconds()))
    except WholeNeeded:
        store.STORE.complete(entry, _seconds_left())
        answers = iter(entry.model.score_batch(good, timeout=_score_seconds()))
    rows: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    for index, record in enumerate(records):
        answer = record if isinstance(record, wire.NotJsonError) else next(answers)
        if isinstance(answer, Exception):
            error = _problem(answer)
            error["instance"] += f"#{index}"
            rows.append({"error": error})
            counts[problems.metric(answer)] += 1
        else:
            rows.append({"result": answer})
            counts["ScoredRecords"] += 1
    _count(counts, started)
    return rows


def _seconds_left() -> float:
    """Return how long this invocation may still work before it must write its answer."""
    remaining = getattr(app.lambda_context, "get_remaining_time_in_millis", None)
    return (remaining() / 1000 if remaining else 30.0) - RESERVE_SECONDS


def _score_seconds() -> float:
    seconds = min(SCORE_SECONDS, _seconds_left())
    if seconds <= 0:
        raise pfa.ScoringTimeout("There was no time left to score.")
    return seconds


def _count(counts: Counter[str], started: float | None = None) -> None:
    """Add to the metrics of this request; `started` is when scoring did."""
    for name, number in counts.items():
        metrics.add_metric(name, MetricUnit.Count, number)
    if started is not None:
        took = (time.perf_counter() - started) * 1000
        metrics.add_metric("ScoreTime", MetricUnit.Milliseconds, took)


def _request_id() -> str:
    return str(getattr(app.lambda_context, "aws_request_id", None) or uuid.UUID(int=0))


def _invoke(event: object) -> Any:
    """Answer a direct invocation with the PFA output."""
    name, record = DEFAULT_MODEL, event
    if isinstance(event, dict) and event.keys() == {"model", "record"}:
        name, record = event["model"], event["record"]
    if not isinstance(name, str):
        raise UnknownModelError
    answer = _score(_entry(name), record)
    if wire.size_as_sent(answer) > MAX_ANSWER_BYTES:
        raise wire.TooMuchError("The answer is larger than 6 MB.")
    return answer


def _is_http(event: object) -> bool:
    """Say whether API Gateway sent this: a record's fields may have the same names."""
    return (
        isinstance(event, dict)
        and isinstance(event.get("httpMethod"), str)
        and isinstance(event.get("path"), str)
        and isinstance(event.get("requestContext"), dict)
    )


@trace
@logger.inject_lambda_context(clear_state=True)
def _respond(event: Any, context: Any) -> Any:
    if not _is_http(event):
        return _invoke(event)
    logger.set_correlation_id(str(event["requestContext"].get("requestId", "")))
    return app.resolve(event, context)


def handler(event: Any, context: Any) -> Any:
    """Answer one Lambda invocation, by API Gateway or direct. Raises nothing."""
    global _cold
    app.lambda_context = context
    if _cold:
        _cold = False
        metrics.add_metric("ColdStart", MetricUnit.Count, 1)
    try:
        return _respond(event, context)
    except BaseException as error:
        document = _problem(error)
        _count(Counter([problems.metric(error)]))
        if not _is_http(event):
            return wire.with_utf8(document)
        return {
            "statusCode": document["status"],
            "multiValueHeaders": {"Content-Type": [wire.PROBLEM_TYPE]},
            "body": wire.dumps(document),
        }
    finally:
        if metrics.metric_set:
            metrics.flush_metrics()
        metrics.provider.clear_metrics()  # the dimensions of a request that counted nothing
        app.context.clear()


# Lambda kills a process that takes more, with all its models; Python raises MemoryError before.
if MEMORY_MB:
    limit_memory(MEMORY_MB << 20)

_cold = True
if is_model_name(DEFAULT_MODEL):
    try:
        store.STORE.get(DEFAULT_MODEL, INIT_SECONDS)
    except Exception as error:  # a failing INIT would be repeated, and answer nobody
        log_fault("the default model is not loaded yet", error)

snapshot.register()

# What INIT made stays: later collections need not walk it. A replaced model goes without them.
gc.freeze()
gc.enable()
