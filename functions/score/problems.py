"""What a caller is told of an error: one map from error to status, RFC 9457 problem documents."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler.exceptions import NotFoundError

import pfa
from pfa.deadline import DeadlineExceeded
from pfa.errors import FieldError
from score import wire
from score.slot import UnavailableError, UnknownModelError, UnknownVersionError

MAX_ERRORS_BYTES = 60_000  # of one document's `errors`; a record's hundred have room in it
MAX_POSITION = 1000  # characters: a model's author may write anything there


class BadQueryError(Exception):
    """A query parameter is not what it must be; the message says what."""


# error -> status, last part of the problem's type, title; the first class that fits counts
STATUS: dict[type[BaseException], tuple[int, str, str]] = {
    wire.NotJsonError: (400, "not-json", "The body is not valid JSON"),
    BadQueryError: (400, "bad-query", "A query parameter is wrong"),
    NotFoundError: (404, "no-route", "There is nothing at this path"),
    UnknownModelError: (404, "unknown-model", "There is no such model"),
    UnknownVersionError: (404, "unknown-version", "The model has no such version"),
    wire.TooMuchError: (413, "too-large", "The request or its answer is too large"),
    MemoryError: (413, "too-large", "The request or its answer is too large"),
    wire.MediaTypeError: (415, "media-type", "The body is of a type that is not taken"),
    pfa.InputError: (422, "invalid-record", "The record does not fit the model's input"),
    RecursionError: (422, "invalid-record", "The record or its answer is nested too deep"),
    pfa.ScoringError: (422, "scoring", "The model has no answer for this record"),
    UnavailableError: (503, "unavailable", "The model cannot be loaded now"),
    pfa.ScoringTimeout: (504, "timeout", "The model ran out of its time"),
    DeadlineExceeded: (504, "timeout", "The model ran out of its time"),
}
FAULT = (500, "fault", "Something went wrong on our side")


def kind(error: BaseException) -> tuple[int, str, str]:
    """Return the status, type and title of `error`; FAULT for what should not be."""
    return next((STATUS[base] for base in type(error).__mro__ if base in STATUS), FAULT)


def document(error: BaseException, request: str) -> dict[str, Any]:
    """Return the problem document of `error`, in answer to the request of that id.

    Of what is not in STATUS it says nothing but the request's id.
    """
    status, slug, title = kind(error)
    detail = str(error) or f"{title}."
    if status == 500:
        detail = "The log has the reason under the id of this request."
    elif isinstance(error, MemoryError):
        detail = "It needs more memory than there is."
    elif isinstance(error, RecursionError):
        detail = f"{title}."
    found: dict[str, Any] = {
        "type": f"urn:pfa-score:{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{request}",
    }
    if isinstance(error, pfa.InputError):
        found["errors"] = _first(error.errors)
    elif isinstance(error, pfa.ScoringError):
        found["code"] = error.code
        found["position"] = error.position and error.position[:MAX_POSITION]
    return found


def _first(errors: list[FieldError]) -> list[FieldError]:
    """Return as many of `errors` as there is room for: the keys in them are the caller's."""
    room = MAX_ERRORS_BYTES
    for index, error in enumerate(errors):
        room -= len(wire.dumps(error))
        if room < 0:
            return errors[:index]
    return errors


def metric(error: BaseException) -> str:
    """Return the name of the metric that counts `error`."""
    status, *_ = kind(error)
    if isinstance(error, pfa.ScoringError):
        return "ScoringTimeouts" if status == 504 else "ScoringErrors"
    if isinstance(error, pfa.InputError | wire.NotJsonError):
        return "RefusedRecords"
    return {500: "Faults", 503: "Unavailable", 504: "ScoringTimeouts"}.get(status, "BadRequests")
