"""What a bucket answers: errors, documents, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple


class BucketError(Exception):
    """The source of models did not give what was asked (no answer, no access, half an answer)."""


class MissingError(BucketError):
    """There is no such model."""


class TooLargeError(BucketError):
    """The document is larger than the limit, so it was not read."""


class RefusedError(BucketError):
    """S3 answered with an error: HTTP `status`, S3's `code`, the object's `version` if it said."""

    def __init__(self, status: int, code: str, version: str = "") -> None:
        """Keep these; the message of S3 stays out, as it may name keys and accounts."""
        super().__init__(f"S3 refuses: {status} {code}")
        self.status = status
        self.code = code
        self.version = version


class ConflictError(BucketError):
    """The object is not what the caller knew, so nothing was written."""


class Document(NamedTuple):
    """The bytes of a document as they were stored, and what they were stored as.

    `artifact` is None if none was asked for or none fits, b"" if the one that fits could not be
    had. With one, `body` may be b"" of a document that has more: `size` is how many bytes it has.
    """

    body: bytes
    etag: str
    version: str
    metadata: Mapping[str, str] = MappingProxyType({})
    artifact: bytes | None = None
    size: int = 0


class Head(NamedTuple):
    """What is known of an object without its bytes: `size` in bytes, `modified` in UTC."""

    etag: str
    version: str
    size: int
    modified: datetime
    metadata: Mapping[str, str]


class Unchanged(NamedTuple):
    """The document is the one that is known; `version` is "" if the source did not say it.

    The same bytes stored once more are a new version with the same ETag.
    """

    version: str


class Listed(NamedTuple):
    """One live model in a listing, or one version of it. `size` is in bytes, `modified` in UTC.

    `live`: it is the newest, and not deleted. `metadata` is there where the listing says so.
    """

    name: str
    version: str
    size: int
    modified: datetime
    live: bool = True
    metadata: Mapping[str, str] = MappingProxyType({})
