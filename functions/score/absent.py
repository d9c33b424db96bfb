"""What the source does not have, so that a flood of made-up names does not become one of calls.

Names here are those of models, or of a model and a version (`key_of_version`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

from bucket import BucketError

REMEMBER_SECONDS = 5.0  # how long "there is none" holds
MAX_NAMES = 512  # how many such names are remembered
MAX_LOOKUPS = 20  # of them asked of the source one by one per REMEMBER_SECONDS; then a listing
MAX_LISTING = 20_000  # names in such a listing, 20 calls; of more each is asked for


class Absent:
    """What is known of what is missing. Times are seconds of the caller's clock."""

    def __init__(self, listing: Callable[[int], Iterable[str]]) -> None:
        """Nothing is known yet; `listing` gives at most so many names, and raises BucketError."""
        self._names = listing
        self._lock = threading.Lock()  # over the fields below, never held while waiting
        self._until: OrderedDict[str, float] = OrderedDict()  # name -> when it may be asked again
        self._window_end = 0.0
        self._lookups = 0  # in this window
        self._listed = False  # in this window already
        self._listing: frozenset[str] | None = None  # all live names, if they could be had

    def add(self, name: str, now: float) -> None:
        """Remember that the source has no `name`."""
        with self._lock:
            self._until[name] = now + REMEMBER_SECONDS
            self._until.move_to_end(name)
            if len(self._until) > MAX_NAMES:
                self._until.popitem(last=False)
            self._lookups += 1

    def has(self, name: str, now: float) -> bool:
        """Say whether there is no `name`, as far as is known without asking for it.

        When many unknown names are asked for, one listing answers for all of them.
        """
        with self._lock:
            if self._until.get(name, 0.0) > now:
                return True
            if now >= self._window_end:
                self._window_end, self._lookups = now + REMEMBER_SECONDS, 0
                self._listed, self._listing = False, None
            if self._lookups < MAX_LOOKUPS:
                return False
            listed, self._listed = self._listed, True
        if not listed:
            self._listing = self._list()
        listing = self._listing
        return listing is not None and name not in listing

    def _list(self) -> frozenset[str] | None:
        """Return all names; None if they are too many or cannot be had."""
        try:
            names = list(self._names(MAX_LISTING))
        except BucketError:
            return None
        return frozenset(names) if len(names) < MAX_LISTING else None
