"""A bucket in memory for thousands of runs, and hooks before each call of a bucket."""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bucket import (
    Bucket,
    ConflictError,
    Document,
    Head,
    Listed,
    MissingError,
    TooLargeError,
    live_key,
)


class Stored(NamedTuple):
    """One version of an object; one without a body is a delete marker."""

    number: int
    body: bytes | None
    metadata: Mapping[str, str]

    @property
    def version(self) -> str:
        return f"v{self.number}"

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body or b"").hexdigest()}"'

    @property
    def modified(self) -> datetime:
        return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=self.number)


class MemoryBucket(Bucket):
    """What S3 does with one versioned bucket, as far as the gate asks it."""

    def __init__(self) -> None:
        self.name = "models"
        self.max_bytes = 10**6
        self.objects: dict[str, list[Stored]] = defaultdict(list)
        self.numbers = itertools.count(1)

    def _find(self, key: str, version: str | None) -> Stored | None:
        for stored in reversed(self.objects[key]):
            if version in (None, stored.version):
                return stored if stored.body is not None else None
        return None

    def head(self, key, version=None):
        stored = self._find(key, version)
        if stored is None:
            return None
        size = len(stored.body)
        return Head(stored.etag, stored.version, size, stored.modified, stored.metadata)

    def get(self, key, version=None, seconds=None):
        stored = self._find(key, version)
        if stored is None:
            raise MissingError
        if len(stored.body) > self.max_bytes:
            raise TooLargeError
        return Document(stored.body, stored.etag, stored.version, stored.metadata)

    def put_object(self, key, body, metadata=None, only_over=None):
        stored = self._find(key, None)
        if only_over is not None and only_over != (stored.etag if stored else ""):
            raise ConflictError
        self.objects[key].append(Stored(next(self.numbers), body, dict(metadata or {})))
        return self.objects[key][-1].version

    def delete(self, key):
        self.objects[key].append(Stored(next(self.numbers), None, {}))

    def versions(self, name, limit=1000):
        found = reversed(self.objects[live_key(name)])
        return [Listed(name, it.version, len(it.body), it.modified) for it in found if it.body]

    def uploads(self, key, limit):
        return [it.version for it in reversed(self.objects[key]) if it.body is not None][:limit]


class Hooks:
    """Calls `before` with the operation and the key, before each call of a bucket."""

    before: Callable[[str, str], None] = staticmethod(lambda operation, key: None)

    def head(self, key, version=None):
        self.before("head", key)
        return super().head(key, version)

    def get(self, key, version=None, seconds=None):
        self.before("get", key)
        return super().get(key, version, seconds)

    def put_object(self, key, body, metadata=None, only_over=None):
        self.before("put", key)
        return super().put_object(key, body, metadata, only_over)

    def delete(self, key):
        self.before("delete", key)
        super().delete(key)

    def versions(self, name, limit=1000):
        self.before("versions", live_key(name))
        return super().versions(name, limit)

    def uploads(self, key, limit):
        self.before("uploads", key)
        return super().uploads(key, limit)


class HookedMemory(Hooks, MemoryBucket):
    pass


class HookedS3(Hooks, Bucket):
    pass
