"""What the store keeps of one model: the model, when to ask again, what went wrong."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from aws_lambda_powertools.metrics import MetricUnit

import pfa
from bucket import BucketError, Document, MissingError, Unchanged
from score import loading, routes
from score.routes import NONE, Routes
from telemetry import logger, report

SLOTS_WITHOUT_MODEL = 256
BACKOFF_SECONDS = (1.0, 60.0)  # first and longest pause after a failure; each doubles the last
BACKOFF_SHARE = 3.0  # and is so many times what the failure took: a quarter of the time is waited


class UnknownModelError(Exception):
    """There is no live model of that name."""


class UnknownVersionError(UnknownModelError):
    """The model has no such version."""


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
    document_size: int = 0  # bytes of the document
    routes: Routes = NONE


class Backoff:
    """Pauses that double from one failure to the next."""

    def __init__(self) -> None:
        """There was no failure."""
        self.failures = 0
        self.due = 0.0

    def fail(self, now: float, took: float) -> None:
        """Count a failure that took so many seconds."""
        first, longest = BACKOFF_SECONDS
        pause = max(first * 2.0 ** min(self.failures, 10), took * BACKOFF_SHARE)
        self.due = now + min(pause, longest)
        self.failures += 1

    def reset(self) -> None:
        """Forget all failures."""
        self.failures = 0
        self.due = 0.0


def key_of(name: str, version: str) -> str:
    """Return what a version of a model is kept under; "" is the live one. No name has an @."""
    return f"{name}@{version}" if version else name


class Slot:
    """What is known about one name, or one version of it, which never changes and has no routes.

    `lock` is held by the thread that asks the source.
    """

    def __init__(self, name: str, version: str = "") -> None:
        """Nothing is known yet."""
        self.name = name
        self.version = version
        self.key = key_of(name, version)
        self.lock = threading.Lock()
        self.entry: Entry | None = None
        self.due = -1.0  # when the source is to be asked again
        self.given = 0.0  # seconds that the last load was cut short after; 0: it was not
        self.failures = Backoff()
        self.broken: str | None = None  # ETag of a document that does not load
        self.reason = "The model has not been loaded yet."
        self.routes = NONE
        self.routes_etag: str | None = None

    def rests(self, now: float, seconds: float) -> bool:
        """Say whether the source is not to be asked yet by a request that has so many `seconds`.

        One with clearly more time than the last load had need not wait, as after INIT.
        """
        return now < self.due and not 0.0 < self.given < seconds - 1.0

    def entry_or_raise(self, now: float) -> Entry:
        """Return the model, or raise UnavailableError."""
        if self.entry is not None:
            return self.entry
        raise UnavailableError(self.reason, self.due - now)

    def take_routes(self, wait: Callable[[], Document | Unchanged]) -> None:
        """Take the routes that were asked for; broken ones are none until they are mended."""
        try:
            found = wait()
            if isinstance(found, Document):
                self.routes, self.routes_etag = NONE, found.etag
                self.routes = routes.parse(found.body)
        except MissingError:
            self.routes, self.routes_etag = NONE, None
        except routes.RoutesError as error:
            logger.error("routes are broken", model=self.name, reason=str(error))
            report("RoutesRefused", self.name)
        except (BucketError, MemoryError) as error:
            logger.warning("routes cannot be read", model=self.name, reason=str(error))
            report("RoutesFailed", self.name)
        if self.entry and self.entry.routes is not self.routes:
            self.entry = replace(self.entry, routes=self.routes)

    def loaded(self, entry: Entry, took: float) -> None:
        """Tell operators that a model was loaded, in so many seconds."""
        name, version, model = self.name, entry.version, entry.model
        from_artifact = "no" if loading.is_whole(model) else "yes"
        logger.info(
            "model loaded",
            model=name,
            version=version,
            sha256=model.sha256,
            artifact=from_artifact,
        )
        report("ModelLoaded", name)
        report("ModelLoadTime", name, took * 1000, MetricUnit.Milliseconds)
        if model.fallback:  # it answers the same, only slower
            reason = model.fallback[: loading.MAX_REASON]
            logger.info("model is not compiled", model=name, version=version, reason=reason)
            report("ModelNotCompiled", name)


def make_room(
    slots: OrderedDict[str, Slot], lock: threading.Lock, capacity: int, key: str, needed: int
) -> bool:
    """Let models go, those first that come first, until `needed` more bytes fit in `capacity`.

    The model of that key stays whatever it needs. Returns whether any model went.
    """
    gone = []
    with lock:
        total = needed + sum(slot.entry.size for slot in slots.values() if slot.entry)
        for other, slot in [*slots.items()]:
            if total <= capacity:
                break
            if slot.entry and other != key:
                total -= slot.entry.size
                del slots[other]
                gone.append(slot)
    for slot in gone:
        logger.info("model evicted", model=slot.name)
        report("ModelEvicted", slot.name)
    return bool(gone)


def bound_empty(slots: OrderedDict[str, Slot], lock: threading.Lock) -> None:
    """Let go of the oldest slots without a model, if they are too many."""
    with lock:
        empty = [key for key, slot in slots.items() if slot.entry is None]
        for key in empty[: max(0, len(empty) - SLOTS_WITHOUT_MODEL)]:
            del slots[key]
