"""A check ends in a verdict, within the time and the memory that an invocation has."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pfa
from bucket import BucketError
from gate.checks import check_document, size_words
from gate.verdict import Finding, Limits, Verdict
from pfa.deadline import DeadlineExceeded, deadline
from pfa.memory import release
from telemetry import log_fault

RESERVE_SECONDS = 20.0  # of an invocation's time, for S3 after a check; at most a quarter of it


def one_finding(check: str, message: str, sha256: str, passed: bool = False) -> Verdict:
    """Return a verdict that no check of the document gave."""
    finding = Finding(check, "passed" if passed else "failed", message)
    return Verdict(passed, (finding,), sha256, pfa.VERSION)


def too_large(size: int, limits: Limits) -> Verdict:
    """Return the verdict on a document of so many bytes, which is not even read."""
    return one_finding("size", size_words(size, limits), "")


def compare(body: bytes, live: bytes | None, limits: Limits) -> Verdict:
    """Check a document against the live one, which may be one that today's engine refuses."""
    model = warning = None
    if live is not None:
        try:
            model = pfa.load(live, timeout=limits.load_seconds, memory=limits.memory_bytes)
        except pfa.DocumentError:
            message = "The live document cannot be loaded, so this one was not compared with it."
            warning = Finding("schema", "warning", message)
    verdict = check_document(body, limits, model)
    return replace(verdict, findings=(*verdict.findings, warning)) if warning else verdict


def within(left: float, body: bytes, check: Callable[[], Verdict]) -> Verdict:
    """Return what `check` does, or what kept it from an end.

    `left` is how many seconds the invocation has. Raises BucketError.
    """
    seconds = left - min(RESERVE_SECONDS, left / 4)
    try:
        with deadline(seconds):
            return check()
    except DeadlineExceeded:
        message = f"It could not be checked in time ({seconds:.0f} s)."
    except BucketError:
        raise
    except MemoryError as error:
        release(error)
        message = "Checking it needs more memory than the gate has."
    except Exception as error:  # ours, not the document's; a further try would come to the same
        log_fault("the gate failed", error)
        message = "The gate itself failed on it: please report this, with the document."
    return one_finding("gate", message, hashlib.sha256(body).hexdigest())
