"""Which model answers now.

A model is loaded when it is first asked for and kept. Once it is older than the time to live, the
next request asks the source whether the document changed (by its ETag) and, if so, loads the new
one and only then lets the old one go. When the source does not answer or the new document is
broken, the last good model goes on answering, marked stale. What is kept is bounded by memory: the
model that was asked for least recently goes first.

Where the document's metadata name an artifact that is good for this engine, it is loaded in place
of the document. An artifact that is missing or refused costs one more call, no answer.

The model's routes are asked for at the same time as its document. A version of a model that was
asked for as such is loaded in the same way, and never asked for again.

Environment: MODEL_BUCKET (empty: the models packaged with the function), MODEL_TTL_SECONDS (60),
MODEL_CACHE_MB (512), MODEL_MAX_MB (32, of one document), LAMBDA_TASK_ROOT.

Metrics, each of one model, and what the log says with them:

ModelLoaded, ModelLoadTime  "model loaded"
ModelNotCompiled   "model is not compiled": titus's own engine scores it
ModelEvicted       "model evicted", for room
ModelGone          "model is gone": it was deleted
RefreshFailed      "document is broken" or "model refresh failed": the last good one answers
ArtifactRefused    "artifact refused": the document is loaded in its place
ModelCompleted     "model completed": what an artifact does without was needed
RoutesRefused      "routes are broken": there are none until they are mended
RoutesFailed       "routes cannot be read": the last ones hold
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

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
from score import listing, loading
from score.absent import Absent
from score.loading import (
    BYTES_PER_ARTIFACT_BYTE,
    BYTES_PER_BYTE,
    LOAD_SECONDS,
    CutShort,
)
from score.packaged import Folder
from score.slot import (
    Backoff,
    Entry,
    Slot,
    UnavailableError,
    UnknownModelError,
    UnknownVersionError,
    bound_empty,
    key_of,
    make_room,
)
from telemetry import logger, report

__all__ = ["STORE", "Entry", "ModelStore", "UnavailableError", "UnknownModelError"]

REFRESH_SECONDS = 4.0  # to wait for the source when there is a model to fall back on
ROUTES_SECONDS = 2.0  # to wait for the routes: there is always an answer without
LEAST_SECONDS = 1.0  # that a request must have left for the source to be asked
HURRIED_SECONDS = 0.02  # the same of one that can do without the model
CACHE_BYTES = 512_000_000  # of models that are kept, like template.yaml; for Lambda's 1,769 MB
ARTIFACT_KEY = pfa.artifact_key()

# What callers are told; the log says more.
UNLOADABLE = "The live document of this model cannot be loaded."
SILENT = "The source of models does not answer."


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
        self._slots: OrderedDict[str, Slot] = OrderedDict()  # least recently asked for first
        self._forget_failures()

    def _forget_failures(self) -> None:
        self._absent = Absent(lambda limit: self.source.names(limit))
        self._absent_versions = Absent(lambda limit: listing.version_keys(self.source, limit))
        self._outage = Backoff()  # of the source as a whole

    def get(
        self, name: str, seconds: float = LOAD_SECONDS, version: str = "", hurried: bool = False
    ) -> Entry:
        """Return the live model `name`, at most about `ttl` seconds old, or that `version` of it.

        `name` must be a model's name (`bucket.is_model_name`), `version` of the form of one;
        waiting and loading take at most about `seconds`. A `hurried` call asks the source however
        little time there is, and a failure says nothing about the source then. Raises
        UnknownModelError (of a version UnknownVersionError) or UnavailableError.
        """
        until = time.monotonic() + seconds
        now = self._clock()
        key = key_of(name, version)
        with self._lock:
            slot = self._slots.get(key)
            if slot is not None:
                self._slots.move_to_end(key)
                if slot.rests(now, seconds):
                    return slot.entry_or_raise(now)
            elif version and (live := self._live(name, version)):
                return live
        if slot is None:
            if (self._absent_versions if version else self._absent).has(key, now):
                raise UnknownVersionError if version else UnknownModelError
            with self._lock:
                slot = self._slots.setdefault(key, Slot(name, version))
        before = slot.entry
        if before is not None:
            if not slot.lock.acquire(blocking=False):
                return before  # another thread is asking; no need to wait for it
        elif not slot.lock.acquire(timeout=max(0.0, seconds)):
            raise UnavailableError("The model is still being loaded.", LEAST_SECONDS)
        try:
            now = self._clock()
            if slot.rests(now, until - time.monotonic()):  # another thread asked meanwhile
                return slot.entry_or_raise(now)
            return self._refresh(slot, until, hurried)
        finally:
            slot.lock.release()

    def _live(self, name: str, version: str) -> Entry | None:
        """Return the live model if it is that version, which then need not be loaded twice."""
        slot = self._slots.get(name)
        if slot is None or slot.entry is None or slot.entry.version != version:
            return None
        self._slots.move_to_end(name)
        return replace(slot.entry, stale=False) if slot.entry.stale else slot.entry

    def _refresh(self, slot: Slot, until: float, hurried: bool) -> Entry:
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
        if left < (HURRIED_SECONDS if hurried else LEAST_SECONDS):
            # A failure would be this request's, not the source's.
            slot.due, slot.given = now + LEAST_SECONDS, max(left, 0.001)
            return self._keep(slot, "There was no time left to load the model.")
        seconds = min(left, REFRESH_SECONDS) if entry else left
        try:
            known_routes, at_most = slot.routes_etag, min(seconds, ROUTES_SECONDS)
            # At the same time as the document; a version has none.
            ask = None if slot.version else self.source.ask_routes
            wait = ask and ask(slot.name, known_routes, at_most)
            document = self.source.get_if_changed(
                slot.name, known, seconds, version=slot.version, artifact_key=ARTIFACT_KEY
            )
        except MissingError as error:
            raise self._forget(slot) from error
        except (BucketError, MemoryError) as error:
            return self._failed(slot, error, time.monotonic() - asked, hurried)
        self._outage.reset()
        if wait:
            slot.take_routes(wait)
        entry = slot.entry  # with its routes
        if isinstance(document, Document) and (entry is None or document.etag != entry.etag):
            return self._load(slot, document, until, hurried)
        slot.failures.reset()
        slot.due = self._clock() + self.ttl
        if isinstance(document, Unchanged) and slot.broken:
            return self._keep(slot, slot.reason)
        slot.broken = None  # a broken document may have been rolled back
        if entry and (entry.stale or document.version not in ("", entry.version)):
            slot.entry = replace(entry, stale=False, version=document.version or entry.version)
        return slot.entry_or_raise(self._clock())

    def _load(self, slot: Slot, document: Document, until: float, hurried: bool) -> Entry:
        """Load the document and swap it in; if that fails, go on with the last good model."""
        artifact, sha256 = document.artifact, document.metadata.get("sha256", "")
        version, started = document.version, time.perf_counter()
        if artifact is not None:
            need = len(artifact) * BYTES_PER_ARTIFACT_BYTE
            made = self._make(slot, need, until, lambda: loading.from_artifact(artifact, sha256))
            if isinstance(made, tuple):
                return self._swap(slot, document, *made, time.perf_counter() - started)
            logger.warning("artifact refused", model=slot.name, version=version, reason=made)
            report("ArtifactRefused", slot.name)
            if not document.body and document.size:
                left = until - time.monotonic()
                try:
                    document = self._body(slot, version, left)
                except (BucketError, MemoryError) as error:
                    hurried = hurried or left < LEAST_SECONDS
                    return self._failed(slot, error, time.perf_counter() - started, hurried)
        body = document.body
        made = self._make(slot, len(body) * BYTES_PER_BYTE, until, lambda: pfa.load(body))
        took = time.perf_counter() - started
        if isinstance(made, tuple):
            return self._swap(slot, document, *made, took)
        slot.given = made.seconds if isinstance(made, CutShort) else 0.0
        slot.broken = None if slot.given else document.etag
        return self._broken(slot, version, made, took)

    def _make(
        self, slot: Slot, need: int, until: float, make: Callable[[], pfa.Model]
    ) -> tuple[pfa.Model, int] | str:
        """Do `make`, with room for it; see `loading.made`."""
        return loading.made(slot.name, need, until, make, lambda n: self._make_room(slot.key, n))

    def _body(self, slot: Slot, version: str, seconds: float) -> Document:
        """Return the document of that version, with its bytes."""
        seconds = min(seconds, REFRESH_SECONDS) if slot.entry else seconds
        found = self.source.get_if_changed(slot.name, None, max(0.0, seconds), version=version)
        assert isinstance(found, Document)  # noqa: S101 - there was no condition
        return found

    def _swap(
        self, slot: Slot, document: Document, model: pfa.Model, size: int, took: float
    ) -> Entry:
        """Let the model, which took so many bytes and seconds, answer from now on."""
        entry = Entry(
            slot.name,
            model,
            document.version,
            document.etag,
            datetime.now(UTC),
            size,
            document_size=max(document.size, len(document.body)),
            routes=slot.routes,
        )
        with self._lock:
            slot.entry, slot.broken = entry, None
            slot.due = float("inf") if slot.version else self._clock() + self.ttl
            slot.failures.reset()
            self._slots[slot.key] = slot
            self._slots.move_to_end(slot.key)
        self._make_room(slot.key, 0)
        slot.loaded(entry, took)
        return entry

    def complete(self, entry: Entry, seconds: float = LOAD_SECONDS) -> None:
        """Load what a model from an artifact does without, in at most about `seconds`.

        Raises pfa.ScoringTimeout or UnavailableError.
        """
        model, name, version = entry.model, entry.name, entry.version
        if loading.is_whole(model):
            return
        with self._lock:
            slots = [s for s in self._slots.values() if s.entry and s.entry.model is model]
        slot = slots[0] if slots else Slot(name)
        need, until = entry.document_size * BYTES_PER_BYTE, time.monotonic() + seconds
        made = self._make(slot, need, until, lambda: loading.complete(model))
        if isinstance(made, str):
            logger.error("model not completed", model=name, version=version, reason=made)
            if isinstance(made, CutShort):
                raise pfa.ScoringTimeout("There was no time left to load all of the model.")
            raise UnavailableError(UNLOADABLE, LEAST_SECONDS)
        if slot.entry and slot.entry.model is model:
            slot.entry = replace(slot.entry, size=slot.entry.size + made[1])
            self._make_room(slot.key, 0)
        logger.info("model completed", model=name, version=version)
        report("ModelCompleted", name)

    def _broken(self, slot: Slot, version: str, reason: str, took: float) -> Entry:
        """Note that a document did not load, in `took` seconds.

        It is not tried again if it is to blame (`slot.broken`), else after a pause.
        """
        logger.error("document is broken", model=slot.name, version=version, reason=reason)
        report("RefreshFailed", slot.name)
        slot.failures.fail(self._clock(), took)
        slot.due = self._clock() + self.ttl if slot.broken else slot.failures.due
        return self._keep(slot, UNLOADABLE)

    def _failed(
        self, slot: Slot, error: BucketError | MemoryError, took: float, hurried: bool
    ) -> Entry:
        """Note that the source did not give the document, after `took` seconds."""
        now = self._clock()
        slot.failures.fail(now, took)
        slot.due = slot.failures.due
        # A refusal of one object, or one that is too large, says nothing about the others.
        about_one = isinstance(error, TooLargeError | MissingError | MemoryError) or (
            isinstance(error, RefusedError) and error.status < 500
        )
        if hurried:
            slot.given = max(took, 0.001)
        elif not about_one:
            self._outage.fail(now, took)
        if isinstance(error, MemoryError):  # make room for the next try
            self._make_room(slot.key, self.capacity + 1)
        reason = str(error) or "there is no memory left to read it"
        logger.warning("model refresh failed", model=slot.name, reason=reason)
        if slot.entry:  # else the name may be made up, and dimensions are to be known names only
            report("RefreshFailed", slot.name)
        return self._keep(slot, UNLOADABLE if about_one else SILENT)

    def _keep(self, slot: Slot, reason: str) -> Entry:
        """Go on with the last good model, marked stale, or raise UnavailableError."""
        slot.reason = reason
        if slot.entry is None:
            bound_empty(self._slots, self._lock)
        elif not slot.entry.stale:
            slot.entry = replace(slot.entry, stale=True)
        return slot.entry_or_raise(self._clock())

    def _forget(self, slot: Slot) -> UnknownModelError:
        """Drop a model that is no longer there, and remember that for a moment."""
        with self._lock:
            self._slots.pop(slot.key, None)
        (self._absent_versions if slot.version else self._absent).add(slot.key, self._clock())
        self._outage.reset()
        if slot.entry:
            slot.entry = None  # for a thread that waits for this slot
            logger.warning("model is gone", model=slot.name)
            report("ModelGone", slot.name)
        return UnknownVersionError() if slot.version else UnknownModelError()

    def _make_room(self, key: str, needed: int) -> bool:
        """Let other models go until `needed` more bytes fit; see `slot.make_room`."""
        return make_room(self._slots, self._lock, self.capacity, key, needed)

    def versions(self, name: str, limit: int, after: str = "") -> list[Listed]:
        """Return versions of a model, newest first; see `listing.versions`."""
        known, now = self._absent_versions, self._clock()
        return listing.versions(self.source, known, now, name, limit, after)

    def list(self, limit: int, after: str = "") -> list[Listed]:
        """Return at most `limit` live models of the source after `after`; UnavailableError."""
        return listing.models(self.source, limit, after)

    def rest(self) -> None:
        """Close what is open, before this process is frozen into a snapshot."""
        self.source.close()

    def renew(self) -> None:
        """After a restore: nothing that is open is good, and every live model may have changed."""
        self.source.reopen()
        with self._lock:
            self._forget_failures()
            for slot in self._slots.values():
                slot.failures.reset()
                if slot.entry is None or not slot.version:
                    slot.due, slot.given = -1.0, 0.0
                if slot.entry:
                    loading.reseed(slot.entry.model)


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
