"""Canary and shadows: other versions of a model that take part in scoring one record.

A canary answers in place of the live version: its answer, its errors. If it cannot be loaded the
live version answers. Shadows score after the answer is fixed, all of a request's within one box of
time; what they do changes nothing but the metrics and the log. A shadow that is not loaded yet is
loaded in the box; one that does not fit into it is tried again after a pause. The box is no limit
for one call of C code, such as the reading of a large document's JSON.

Environment: SHADOW_TIMEOUT_SECONDS (0.2, of all shadows of one request), SHADOW_LOG_SHARE (0.01, of
the requests of which the log tells what is below).

Metrics, of one model, and the lines of the log:

CanaryServed    records that the canary scored
CanaryFailed    that the live version scored, because the canary could not be loaded; "canary
                failed" has the canary's version and the reason
ShadowCompared  records that a shadow scored as well
ShadowDiffered  of these, with another answer: numbers that differ by more than the tolerance that
                the shadow's metadata name (else 1e-6, relative), any other value, an answer in
                place of an error; "shadow differs" has both versions, and pointers into the answer
                with the relative difference where there are two numbers. No value is in it, and *
                in a pointer stands for a map's key
ShadowFailed    that a shadow did not score: not loaded, out of time, an error where the live
                version answers; "shadow failed" has its version and the kind of error
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pfa
from pfa.deadline import DeadlineExceeded, deadline
from score import routes
from score.loading import WholeNeeded
from score.slot import Entry
from score.store import ModelStore
from telemetry import logger

SHADOW_SECONDS = float(os.environ.get("SHADOW_TIMEOUT_SECONDS") or 0.2)
LOG_SHARE = float(os.environ.get("SHADOW_LOG_SHARE") or 0.01)
TOLERANCE = 1e-6
MAX_DIFFERENCES = 10  # in one line of the log
CANARY_SHARE = 0.5  # of the request's time, for loading a canary; the rest is the live version's

type Outcome = Any | pfa.PfaError  # of a record: the answer, or why there is none


def answering(
    store: ModelStore,
    live: Entry,
    record: Any,
    headers: Mapping[str, Any],
    request: str,
    seconds: float,
) -> tuple[Entry, str]:
    """Return the version that is to answer the record, and the metric of it ("" of none).

    `request` is the request's id, `seconds` what it has left.
    """
    wanted = live.routes
    if not wanted.canary:
        return live, ""
    key: str | None = None
    if wanted.header:
        key = headers.get(wanted.header)
    elif wanted.pointer is not None:
        key = routes.value_at(record, wanted.pointer)
    if not routes.is_chosen(live.name, key or request, wanted.share):
        return live, ""
    try:
        return store.get(live.name, seconds * CANARY_SHARE, wanted.canary), "CanaryServed"
    except Exception as error:
        if _is_logged(request):
            reason = type(error).__name__
            logger.warning("canary failed", model=live.name, version=wanted.canary, reason=reason)
        return live, "CanaryFailed"


def shadow(
    store: ModelStore,
    shadows: tuple[str, ...],
    answered: Entry,
    record: Any,
    outcome: Outcome,
    request: str,
    seconds: float,
) -> Counter[str]:
    """Let the shadows score a record that is answered; return what to count. Raises nothing.

    They have `seconds` at most, and no more than SHADOW_TIMEOUT_SECONDS.
    """
    until = time.monotonic() + min(seconds, SHADOW_SECONDS)
    counts: Counter[str] = Counter()
    for version in shadows:
        if version != answered.version:
            counts.update(_look_on(store, version, answered, record, outcome, request, until))
    return counts


def _look_on(
    store: ModelStore,
    version: str,
    answered: Entry,
    record: Any,
    outcome: Outcome,
    request: str,
    until: float,
) -> list[str]:
    name = answered.name
    try:
        entry = store.get(name, _left(until), version, hurried=True)
        other = _outcome(store, entry, record, until)
        if isinstance(other, pfa.PfaError) and not isinstance(outcome, pfa.PfaError):
            raise other
        with deadline(_left(until)):
            found = _compared(outcome, other, entry.model)
    except (Exception, DeadlineExceeded, WholeNeeded) as error:
        if _is_logged(request):
            reason = type(error).__name__
            logger.warning("shadow failed", model=name, version=version, reason=reason)
        return ["ShadowFailed"]
    if found and _is_logged(request):
        told = [{"pointer": pointer, "relative": by} for pointer, by in found]
        logger.info("shadow differs", model=name, version=answered.version, shadow=version, at=told)
    return ["ShadowCompared", "ShadowDiffered"] if found else ["ShadowCompared"]


def _outcome(store: ModelStore, entry: Entry, record: Any, until: float) -> Outcome:
    """Return the answer or the error; whatever says that the time is up is raised."""
    try:
        try:
            return entry.model.score(record, timeout=_left(until))
        except WholeNeeded:
            store.complete(entry, _left(until))
            return entry.model.score(record, timeout=_left(until))
    except pfa.ScoringTimeout:
        raise
    except pfa.PfaError as error:
        return error


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise pfa.ScoringTimeout("The time for shadows is over.")
    return left


def _compared(mine: Outcome, other: Outcome, model: pfa.Model) -> list[tuple[str, float | None]]:
    """Return where two outcomes differ, the first few; two errors are the same."""
    if isinstance(mine, pfa.PfaError):
        return [] if isinstance(other, pfa.PfaError) else [("", None)]
    tolerance = _tolerance(model.metadata.get("tolerance", ""))
    known = frozenset(_names(model.output_schema))
    found: list[tuple[str, float | None]] = []
    for place, by in differences(mine, other, tolerance):
        pointer = "".join(f"/{part if _is_plain(part, known) else '*'}" for part in place)
        found.append((pointer, by))
        if len(found) == MAX_DIFFERENCES:
            break
    return found


def differences(
    mine: Any, other: Any, tolerance: float, place: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], float | None]]:
    """Give where two JSON values differ, and by how much relative to the larger if by a number."""
    if isinstance(mine, dict) and isinstance(other, dict):
        for key in {**mine, **other}:
            if key in mine and key in other:
                yield from differences(mine[key], other[key], tolerance, (*place, key))
            else:
                yield (*place, key), None
    elif isinstance(mine, list) and isinstance(other, list):
        for index in range(max(len(mine), len(other))):
            if index < min(len(mine), len(other)):
                yield from differences(mine[index], other[index], tolerance, (*place, index))
            else:
                yield (*place, index), None
    elif _is_number(mine) and _is_number(other):
        by = _relative(mine, other)
        if by > tolerance:
            yield place, by
    elif type(mine) is not type(other) or mine != other:
        yield place, None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _relative(mine: float, other: float) -> float:
    if mine == other:
        return 0.0
    larger = max(abs(mine), abs(other))
    return float(abs(mine / larger - other / larger))


def _tolerance(text: str) -> float:
    try:
        given = float(text)
    except ValueError:
        return TOLERANCE
    return given if math.isfinite(given) and given >= 0 else TOLERANCE


def _names(schema: Any) -> Iterator[str]:
    """Give the names of fields and types: what may be a key of an answer and is no map's."""
    if isinstance(schema, str):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else ():
        yield from _names(part)
    for part in schema if isinstance(schema, list) else ():
        yield from _names(part)


def _is_plain(part: str | int, known: frozenset[str]) -> bool:
    return isinstance(part, int) or (part in known and "/" not in part and "~" not in part)


def _is_logged(request: str) -> bool:
    return routes.is_chosen("log", request, LOG_SHARE)
