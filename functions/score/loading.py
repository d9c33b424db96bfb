"""Loading within bounds of time and memory, and models from artifacts.

A model from an artifact is ready in milliseconds; the document itself is loaded only when it is
needed: when a record first goes the long way, as one with an error does. That takes as long as
without an artifact, and within the time of one record it could fail, record after record, for ever.
So the model raises WholeNeeded instead, and the store, which has more time and knows what memory
there is, calls `complete`.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import pfa
from pfa.deadline import DeadlineExceeded, deadline
from pfa.memory import release, resident_bytes
from telemetry import log_fault

LOAD_SECONDS = 20.0  # for the engine to load one document
BYTES_PER_BYTE = 16  # memory per byte of a document: 14 to 17 while it loads, 8 to 9 stay
BYTES_PER_ARTIFACT_BYTE = 5  # and of an artifact: 3.7 to 4.6 of large ones, 3.2 stay
BYTES_PER_MODEL = 100_000  # and for the smallest; 25,000 to 50,000 were seen
MAX_REASON = 1000  # characters of a reason in the log: it may quote the document
EVERYTHING = 1 << 60  # bytes: more than any capacity, so that all others go


class WholeNeeded(BaseException):
    """A record needs what is only in the document; no handler of Exception is to take this."""


class _Later:
    """Gives the document of a model when it may be loaded."""

    def __init__(self, encoded: Callable[[], bytes]) -> None:
        self.encoded = encoded
        self.allowed = False

    def __call__(self) -> bytes:
        if not self.allowed:
            raise WholeNeeded
        return self.encoded()


def from_artifact(data: bytes, sha256: str) -> pfa.Model:
    """Return the model of an artifact of the document with that digest.

    Raises pfa.DocumentError, and what comes of bytes that were forged.
    """
    if not data:
        raise pfa.DocumentError("The artifact could not be read.")
    model = pfa.load_artifact(data)
    if model.sha256 != sha256:
        raise pfa.DocumentError("The artifact is of another document.")
    later = _Later(model._encoded)
    model._encoded = later
    if model._short is None:  # every record goes the long way
        complete(model)
    return model


def is_whole(model: pfa.Model) -> bool:
    """Say whether nothing more of the model's document is to be loaded."""
    return not isinstance(model._encoded, _Later) or "engines" in vars(model)


def complete(model: pfa.Model) -> pfa.Model:
    """Load the whole document of a model, and return the model. Raises as `pfa.load` does."""
    later = model._encoded
    if isinstance(later, _Later):
        later.allowed = True
        try:
            _ = model.engines  # made at its first use, and kept
        finally:
            later.allowed = False
    return model


def reseed(model: pfa.Model) -> None:
    """Give a model without a seed of its own other random numbers than its copies elsewhere."""
    rand = getattr(vars(model).get("engines"), "_rand", None)
    if rand is not None:
        rand.seed()


class CutShort(str):
    """Why a load failed: its time, which was the request's, was too short by no fault of its own.

    `seconds` is how long it had.
    """

    seconds: float


def made(
    name: str,
    need: int,
    until: float,
    make: Callable[[], pfa.Model],
    make_room: Callable[[int], bool],
) -> tuple[pfa.Model, int] | str:
    """Return what `make` gives and how many bytes that took, or why it fails.

    It is expected to `need` so many bytes, for which `make_room` lets other models go, and says
    whether any went; it has until the monotonic clock says so, and LOAD_SECONDS at most.
    """
    need += BYTES_PER_MODEL
    make_room(need)
    before = resident_bytes()
    seconds = max(0.001, min(LOAD_SECONDS, until - time.monotonic()))
    try:
        with deadline(seconds):
            model = _tried(name, make, make_room)
    except DeadlineExceeded:
        reason = f"not loaded within {seconds:.1f} s"
        if seconds >= LOAD_SECONDS:  # the document is to blame, not the request
            return reason
        short = CutShort(reason)
        short.seconds = seconds
        return short
    return model if isinstance(model, str) else (model, max(resident_bytes() - before, need))


def _tried(
    name: str, make: Callable[[], pfa.Model], make_room: Callable[[int], bool]
) -> pfa.Model | str:
    """Return what `make` gives, or why it fails.

    If memory runs out, all other models are let go and it is tried once more.
    """
    try:
        return make()
    except (pfa.DocumentError, MemoryError) as error:
        reason = str(error) or "The document needs more memory than it may have."
        cause = error if isinstance(error, MemoryError) else error.__cause__
        if not isinstance(cause, MemoryError):
            return reason[:MAX_REASON]
        release(cause)
    except Exception as error:
        log_fault("the engine failed on a document", error, model=name)
        return "the engine failed"
    if not make_room(EVERYTHING):
        return reason[:MAX_REASON]
    gc.collect()  # the models that went hold circles
    return _tried(name, make, make_room)
