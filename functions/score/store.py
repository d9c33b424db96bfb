"""Which model answers now.

A model is loaded when it is first asked for and kept. Once it is older than the time to live, the
next request asks the source whether the document changed (by its ETag) and, if so, loads the new
one and only then lets the old one go. When the source does not answer or the new document is
broken, the last good model goes on answering, marked stale. What is kept is bounded by memory: the
model that was asked for least recently goes first.

Environment: MODEL_BUCKET (empty: the models packaged with the function), MODEL_TTL_SECONDS (60),
MODEL_CACHE_MB (512), MODEL_MAX_MB (32, of one document), LAMBDA_TASK_ROOT.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from aws_lambda_powertools.metrics import MetricUnit

import pfa
from bucket import (
    MAX_DOCUMENT_BYTES,
    Bucket,
    BucketError,
    Document,
    Listed,
    MissingError,
    RefusedError,
    TooLargeError,
    Unchanged,
)
from pfa.deadline import DeadlineExceeded, deadline
from pfa.memory import release
from score.absent import Absent
from score.packaged import Folder
from telemetry import log_fault, logger, report

REFRESH_SECONDS = 4.0  # to wait for the source when there is a model to fall back on
LEAST_SECONDS = 1.0  # that a request must have left for the source to be asked
LOAD_SECONDS = 20.0  # for the engine to load one document
BACKOFF_SECONDS = (1.0, 60.0)  # first and longest pause after a failure; each doubles the last
BACKOFF_SHARE = 3.0  # and is so many times what the failure took: a quarter of the time is waited
LISTING_SECONDS = 5.0  # after which a failed listing may be asked for again
SLOTS_WITHOUT_MODEL = 256
BYTES_PER_BYTE = 16  # memory per byte of a document: 14 to 17 while it loads, 8 to 9 stay
BYTES_PER_MODEL = 100_000  # and for the smallest; 25,000 to 50,000 were seen
CACHE_BYTES = 512_000_000  # of models that are kept, like template.yaml; for Lambda's 1,769 MB
MAX_REASON = 1000  # characters of a reason in the log: it may quote the document
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

# What callers are told; the log says more.
UNLOADABLE = "The live document of this model cannot be loaded."
SILENT = "The source of models does not answer."


class UnknownModelError(Exception):
    """There is no live model of that name."""


class UnavailableError(Exception):
    """The model cannot be had now and there is no earlier one; ask again in `retry_after` s."""

    def __init__(self, reason: str, retry_after: float) -> None:
        """`reason` may be shown to callers."""
        super().__init__(reason)
        self.retry_after = max(1, round(retry_after))


@dataclass(frozen=True, slots=True)
class Entry:
    """A loaded model and what it was loaded from. It never changes, so no answer mixes two."""

    name: str
    model: pfa.Model
    version: str
    etag: str
    loaded: datetime
    size: int  # estimated bytes of memory
    stale: bool = False


class _Backoff:
    """Pauses that double from one failure to the next."""

    def __init__(self) -> None:
        self.failures = 0
        self.due = 0.0

    def fail(self, now: float, took: float) -> None:
        first, longest = BACKOFF_SECONDS
        pause = max(first * 2.0 ** min(self.failures, 10), took * BACKOFF_SHARE)
        self.due = now + min(pause, longest)
        self.failures += 1

    def reset(self) -> None:
        self.failures = 0
        self.due = 0.0


class _Slot:
    """What is known about one name. `lock` is held by the thread that asks the source."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.entry: Entry | None = None
        self.due = -1.0  # when the source is to be asked again
        self.given = 0.0  # seconds that the last load was cut short after; 0: it was not
        self.failures = _Backoff()
        self.broken: str | None = None  # ETag of a document that does not load
        self.reason = "The model has not been loaded yet."

    def rests(self, now: float, seconds: float) -> bool:
        """Say whether the source is not to be asked yet by a request that has so many `seconds`.

        One with clearly more time than the last load had need not wait, as after INIT.
        """
        return now < self.due and not 0.0 < self.given < seconds - 1.0


class ModelStore:
    """The models of one source, kept for as long as memory and time to live allow.

    `ttl` and what `clock` returns are seconds, `capacity` is bytes.
    """

    def __init__(
        self,
        source: Bucket | Folder,
        ttl: float = 60.0,
        capacity: int = CACHE_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is loaded yet."""
        self.source = source
        self.ttl = ttl
        self.capacity = capacity
        self._clock = clock
        self._lock = threading.Lock()  # over the fields below, never held while waiting
        self._slots: OrderedDict[str, _Slot] = OrderedDict()  # least recently asked for first
        self._absent = Absent(source)
        self._outage = _Backoff()  # of the source as a whole

    def get(self, name: str, seconds: float = LOAD_SECONDS) -> Entry:
        """Return the live model `name`, at most about `ttl` seconds old.

        `name` must be a model's name (`bucket.is_model_name`); waiting and loading take at most
        about `seconds`. Raises UnknownModelError or UnavailableError.
        """
        until = time.monotonic() + seconds
        now = self._clock()
        with self._lock:
            slot = self._slots.get(name)
            if slot is not None:
                self._slots.move_to_end(name)
                if slot.rests(now, seconds):
                    return _entry_or_raise(slot, now)
        if slot is None:
            if self._absent.has(name, now):
                raise UnknownModelError
            with self._lock:
                slot = self._slots.setdefault(name, _Slot())
        before = slot.entry
        if before is not None:
            if not slot.lock.acquire(blocking=False):
                return before  # another thread is asking; no need to wait for it
        elif not slot.lock.acquire(timeout=max(0.0, seconds)):
            raise UnavailableError("The model is still being loaded.", LEAST_SECONDS)
        try:
            now = self._clock()
            if slot.rests(now, until - time.monotonic()):  # another thread asked meanwhile
                return _entry_or_raise(slot, now)
            return self._refresh(name, slot, until)
        finally:
            slot.lock.release()

    def list(self, limit: int, after: str = "") -> list[Listed]:
        """Return at most `limit` live models of the source after `after`; UnavailableError."""
        try:
            return self.source.list(limit, after)
        except BucketError as error:
            logger.warning("models cannot be listed", reason=str(error))
            raise UnavailableError("The models cannot be listed now.", LISTING_SECONDS) from error

    def _refresh(self, name: str, slot: _Slot, until: float) -> Entry:
        """Ask the source, load what is new, return what is to answer. `slot.lock` is held."""
        entry = slot.entry
        now = self._clock()
        slot.given = 0.0
        if now < self._outage.due:
            slot.due = self._outage.due
            return self._keep(slot, SILENT)
        known = slot.broken or (entry.etag if entry else None)
        asked = time.monotonic()
        left = until - asked
        if left < LEAST_SECONDS:  # a failure would be this request's, not the source's
            slot.due, slot.given = now + LEAST_SECONDS, max(left, 0.001)
            return self._keep(slot, "There was no time left to load the model.")
        try:
            document = self.source.get_if_changed(
                name, known, min(left, REFRESH_SECONDS) if entry else left
            )
        except MissingError as error:
            self._forget(name, slot)
            raise UnknownModelError from error
        except (BucketError, MemoryError) as error:
            return self._failed(name, slot, error, time.monotonic() - asked)
        self._outage.reset()
        if isinstance(document, Document) and (entry is None or document.etag != entry.etag):
            return self._load(name, slot, document, until)
        slot.failures.reset()
        slot.due = self._clock() + self.ttl
        if isinstance(document, Unchanged) and slot.broken:
            return self._keep(slot, slot.reason)
        slot.broken = None  # a broken document may have been rolled back
        if entry and (entry.stale or document.version not in ("", entry.version)):
            slot.entry = replace(entry, stale=False, version=document.version or entry.version)
        return _entry_or_raise(slot, self._clock())

    def _load(self, name: str, slot: _Slot, document: Document, until: float) -> Entry:
        """Load the document and swap it in; if that fails, go on with the last good model."""
        estimate = len(document.body) * BYTES_PER_BYTE + BYTES_PER_MODEL
        self._make_room(name, estimate)
        before, started = _resident_bytes(), time.perf_counter()
        seconds = max(0.001, min(LOAD_SECONDS, until - time.monotonic()))
        try:
            with deadline(seconds):
                model = self._parse(name, document.body)
        except DeadlineExceeded:
            model = f"not loaded within {seconds:.1f} s"
            if seconds < LOAD_SECONDS:  # else the document is to blame, not the request
                slot.given = seconds
        took = time.perf_counter() - started
        if isinstance(model, str):
            slot.broken = None if slot.given else document.etag
            return self._broken(name, slot, document.version, model, took)
        size = max(_resident_bytes() - before, estimate)
        now = datetime.now(UTC)
        entry = Entry(name, model, document.version, document.etag, now, size)
        with self._lock:
            slot.entry, slot.broken, slot.due = entry, None, self._clock() + self.ttl
            slot.failures.reset()
            self._slots[name] = slot
            self._slots.move_to_end(name)
        self._make_room(name, 0)
        logger.info("model loaded", model=name, version=entry.version, sha256=model.sha256)
        report("ModelLoaded", name)
        report("ModelLoadTime", name, took * 1000, MetricUnit.Milliseconds)
        if model.fallback:  # it answers the same, only slower
            reason = model.fallback[:MAX_REASON]
            logger.info("model is not compiled", model=name, version=entry.version, reason=reason)
            report("ModelNotCompiled", name)
        return entry

    def _parse(self, name: str, body: bytes) -> pfa.Model | str:
        """Return the model of a document, or why it does not load.

        If memory runs out, all other models are let go and it is tried once more.
        """
        try:
            return pfa.load(body)
        except (pfa.DocumentError, MemoryError) as error:
            reason = str(error) or "The document needs more memory than it may have."
            cause = error if isinstance(error, MemoryError) else error.__cause__
            if not isinstance(cause, MemoryError):
                return reason
            release(cause)
        except Exception as error:
            log_fault("the engine failed on a document", error, model=name)
            return "the engine failed"
        if not self._make_room(name, self.capacity + 1):
            return reason
        gc.collect()  # the models that went hold circles
        return self._parse(name, body)

    def _broken(self, name: str, slot: _Slot, version: str, reason: str, took: float) -> Entry:
        """Note that a document did not load, in `took` seconds.

        It is not tried again if it is to blame (`slot.broken`), else after a pause.
        """
        logger.error("document is broken", model=name, version=version, reason=reason[:MAX_REASON])
        report("RefreshFailed", name)
        slot.failures.fail(self._clock(), took)
        slot.due = self._clock() + self.ttl if slot.broken else slot.failures.due
        return self._keep(slot, UNLOADABLE)

    def _failed(
        self, name: str, slot: _Slot, error: BucketError | MemoryError, took: float
    ) -> Entry:
        """Note that the source did not give the document, after `took` seconds."""
        now = self._clock()
        slot.failures.fail(now, took)
        slot.due = slot.failures.due
        # A refusal of one object, or one that is too large, says nothing about the others.
        about_one = isinstance(error, TooLargeError | MemoryError) or (
            isinstance(error, RefusedError) and error.status < 500
        )
        if not about_one:
            self._outage.fail(now, took)
        if isinstance(error, MemoryError):  # make room for the next try
            self._make_room(name, self.capacity + 1)
        reason = str(error) or "there is no memory left to read it"
        logger.warning("model refresh failed", model=name, reason=reason)
        if slot.entry:  # else the name may be made up, and dimensions are to be known names only
            report("RefreshFailed", name)
        return self._keep(slot, UNLOADABLE if about_one else SILENT)

    def _keep(self, slot: _Slot, reason: str) -> Entry:
        """Go on with the last good model, marked stale, or raise UnavailableError."""
        slot.reason = reason
        if slot.entry is None:
            with self._lock:
                empty = [key for key, other in self._slots.items() if other.entry is None]
                for key in empty[: max(0, len(empty) - SLOTS_WITHOUT_MODEL)]:
                    del self._slots[key]
        elif not slot.entry.stale:
            slot.entry = replace(slot.entry, stale=True)
        return _entry_or_raise(slot, self._clock())

    def _forget(self, name: str, slot: _Slot) -> None:
        """Drop a model that is no longer live, and remember the name for a moment."""
        with self._lock:
            self._slots.pop(name, None)
        self._absent.add(name, self._clock())
        self._outage.reset()
        if slot.entry:
            slot.entry = None  # for a thread that waits for this slot
            logger.warning("model is gone", model=name)
            report("ModelGone", name)

    def _make_room(self, name: str, needed: int) -> bool:
        """Let other models go, the least recently asked for first, until `needed` more bytes fit.

        Model `name` stays whatever it needs. Returns whether any model went.
        """
        gone = []
        with self._lock:
            total = needed + sum(slot.entry.size for slot in self._slots.values() if slot.entry)
            for other, slot in [*self._slots.items()]:
                if total <= self.capacity:
                    break
                if slot.entry and other != name:
                    total -= slot.entry.size
                    del self._slots[other]
                    gone.append(other)
        for other in gone:
            logger.info("model evicted", model=other)
            report("ModelEvicted", other)
        return bool(gone)


def _entry_or_raise(slot: _Slot, now: float) -> Entry:
    if slot.entry is not None:
        return slot.entry
    raise UnavailableError(slot.reason, slot.due - now)


def _resident_bytes() -> int:
    """Return this process's resident memory (second field of /proc/self/statm, in pages)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


def _bytes(megabytes: str | None, default: int) -> int:
    return int(float(megabytes) * 1_000_000) if megabytes else default


def from_environment() -> ModelStore:
    """Return the store that the environment describes (see the module's docstring)."""
    bucket = os.environ.get("MODEL_BUCKET", "")
    source: Bucket | Folder
    if bucket:
        source = Bucket(
            bucket, max_bytes=_bytes(os.environ.get("MODEL_MAX_MB"), MAX_DOCUMENT_BYTES)
        )
    else:
        root = os.environ.get("LAMBDA_TASK_ROOT") or Path(__file__).parents[1]
        source = Folder(Path(root) / "models")
    return ModelStore(
        source,
        ttl=float(os.environ.get("MODEL_TTL_SECONDS") or 60),
        capacity=_bytes(os.environ.get("MODEL_CACHE_MB"), CACHE_BYTES),
    )


STORE = from_environment()
