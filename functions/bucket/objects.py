"""The objects of one bucket, read and written; listed by what is in listings.py."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bucket import listings
from bucket.answers import (
    BucketError,
    ConflictError,
    Document,
    Head,
    Listed,
    MissingError,
    RefusedError,
    Unchanged,
)
from bucket.client import CALL_SECONDS, call, make_client, read_body, start, within
from bucket.names import (
    ARTIFACT_SUFFIX,
    LIVE_PREFIX,
    ROUTES_SUFFIX,
    SUFFIX,
    UNVERSIONED,
    VERSION,
    key_of,
    live_key,
    version_of,
    which,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_DOCUMENT_BYTES = 32_000_000
MAX_ROUTES_BYTES = 65_536
SMALL_BYTES = 65_536  # of a body that is read though an artifact is wanted: the connection stays
_MISSING = ("NoSuchKey", "NoSuchVersion", "InvalidVersionId", "MethodNotAllowed")


class Bucket:
    """The live models of one S3 bucket.

    `call_seconds` bounds every call as a whole, `max_bytes` a document.
    """

    def __init__(
        self,
        name: str,
        client: S3Client | None = None,
        call_seconds: float = CALL_SECONDS,
        max_bytes: int = MAX_DOCUMENT_BYTES,
    ) -> None:
        """Make the client now, in Lambda's INIT phase, where the CPU is fastest."""
        self.name = name
        self.client = client or make_client()
        self.call_seconds = call_seconds
        self.max_bytes = max_bytes

    def close(self) -> None:
        """Close what is open to S3; a call opens it again."""
        self.client.close()

    def reopen(self) -> None:
        """Take a new client: in a restored process, sockets and credentials are of another one."""
        self.client.close()
        self.client = make_client()

    def get_if_changed(
        self,
        name: str,
        etag: str | None = None,
        seconds: float | None = None,
        *,
        version: str = "",
        artifact_key: str = "",
    ) -> Document | Unchanged:
        """Return the live document of model `name`, unless it still is the one with `etag`.

        `version` is of an older one. If the document's metadata say that there is an artifact good
        for `artifact_key`, that comes instead of the document's bytes.

        Takes at most `seconds` (never more than `call_seconds`). Raises MissingError, TooLargeError
        or another BucketError.
        """
        condition = {**({"IfNoneMatch": etag} if etag else {}), **which(version)}
        key = live_key(name)

        def ask(until: float) -> Document | Unchanged:
            return self._get(key, condition, until, version, artifact_key)

        return within(self._at_most(seconds), ask)

    def get(self, key: str, version: str | None = None, seconds: float | None = None) -> Document:
        """Return an object, or the `version` of it; takes time and raises as `get_if_changed`."""

        def ask(until: float) -> Document | Unchanged:
            return self._get(key, which(version), until, version)

        made = within(self._at_most(seconds), ask)
        assert isinstance(made, Document)  # noqa: S101 - there was no condition
        return made

    def ask_routes(
        self, name: str, etag: str | None = None, seconds: float | None = None
    ) -> Callable[[], Document | Unchanged]:
        """Ask for the routes of model `name`, unless they still are those with `etag`.

        It is asked at once; what is returned waits for the answer and raises as `get_if_changed`.
        """
        key = key_of(LIVE_PREFIX, name, ROUTES_SUFFIX)
        condition = {"IfNoneMatch": etag} if etag else {}

        def ask(until: float) -> Document | Unchanged:
            try:
                answer = call(self.client.get_object, Bucket=self.name, Key=key, **condition)
            except RefusedError as refused:
                if refused.status == 304:
                    return Unchanged(refused.version)
                # S3 says 403 of what is not there to who may not list the bucket; most models have
                # no routes, so it is not asked which of the two it is.
                if refused.status in (403, 404) and refused.code != "NoSuchBucket":
                    raise MissingError("no routes") from refused
                raise
            body = call(read_body, answer=answer, until=until, most=MAX_ROUTES_BYTES)
            return Document(body, answer["ETag"], version_of(answer), size=len(body))

        return start(self._at_most(seconds), ask)

    def head(self, key: str, version: str | None = None) -> Head | None:
        """Return what is known of an object, or the `version` of it; None if there is none."""
        try:
            answer = call(self.client.head_object, Bucket=self.name, Key=key, **which(version))
        except RefusedError as refused:
            # A HEAD has no body to say why: 404, or 405 of a delete marker's own version; 400 of
            # what is no version id.
            if refused.status in (404, 405) or (version and refused.status == 400):
                return None
            raise
        if version and UNVERSIONED.fullmatch(version) and version != version_of(answer):
            return None
        return Head(
            answer["ETag"],
            version_of(answer),
            answer["ContentLength"],
            answer["LastModified"],
            answer.get("Metadata", {}),
        )

    def _at_most(self, seconds: float | None) -> float:
        return min(self.call_seconds if seconds is None else seconds, self.call_seconds)

    def _get(
        self,
        key: str,
        condition: dict[str, str],
        until: float,
        version: str | None = None,
        artifact_key: str = "",
    ) -> Document | Unchanged:
        try:
            answer = call(self.client.get_object, Bucket=self.name, Key=key, **condition)
        except RefusedError as refused:
            if refused.status == 304:
                return Unchanged(refused.version)
            # A missing bucket is a 404 too, but that says nothing about the model. Of what is no
            # version id S3 says 400.
            if (
                refused.code in _MISSING
                or (refused.status == 400 and "VersionId" in condition)
                or (refused.status == 403 and not self._exists(key, condition.get("VersionId")))
            ):
                raise MissingError("no such model") from refused
            raise
        if version and UNVERSIONED.fullmatch(version) and version != version_of(answer):
            answer["Body"].close()
            raise MissingError("no such version")
        size, metadata = answer["ContentLength"], answer.get("Metadata", {})
        found = Document(b"", answer["ETag"], version_of(answer), metadata, None, size)
        if artifact_key and metadata.get("artifact-key") == artifact_key:
            if size <= SMALL_BYTES:
                found = found._replace(
                    body=call(read_body, answer=answer, until=until, most=self.max_bytes)
                )
            else:
                answer["Body"].close()  # and with it the connection: what is on its way is lost
            return found._replace(artifact=self._artifact(key, metadata, until))
        return found._replace(body=call(read_body, answer=answer, until=until, most=self.max_bytes))

    def _artifact(self, key: str, metadata: Mapping[str, str], until: float) -> bytes:
        """Return the artifact that a document's metadata name; b"" if it cannot be had.

        It has half of the time that is left: the other half is the document's.
        """
        version = metadata.get("artifact-version", "")
        if not VERSION.fullmatch(version):
            return b""
        key = key.removesuffix(SUFFIX) + ARTIFACT_SUFFIX
        try:
            made = within(
                (until - time.monotonic()) / 2,
                lambda half: self._get(key, which(version), half, version),
            )
        except BucketError:
            return b""
        return made.body if isinstance(made, Document) else b""

    def _exists(self, key: str, version: str | None) -> bool:
        """Say whether `key` exists when GET was refused (True if that cannot be told).

        S3 answers 403 for a key that does not exist to a caller who may not list the bucket, and a
        role that may list only one prefix may count as such.
        """
        try:
            if version:
                listed = listings.versions(
                    self.client, self.name, key, 1000, "", time.monotonic() + self.call_seconds
                )
                return any(item.version == version for item in listed)
            page = call(self.client.list_objects_v2, Bucket=self.name, Prefix=key, MaxKeys=1)
        except BucketError:
            return True
        return any(item.get("Key") == key for item in page.get("Contents", []))

    def put(self, name: str, body: bytes, metadata: Mapping[str, str] | None = None) -> str:
        """Make `body` the live document of model `name`; return the new version. BucketError."""
        return self.put_object(live_key(name), body, metadata)

    def put_object(
        self,
        key: str,
        body: bytes,
        metadata: Mapping[str, str] | None = None,
        only_over: str | None = None,
    ) -> str:
        """Write an object; return its new version. BucketError.

        `only_over` is the ETag of what it may take the place of, "" for nothing: then ConflictError
        says that something else is there, or was being written.
        """
        condition = {"IfMatch": only_over} if only_over else {"IfNoneMatch": "*"}
        try:
            answer = call(
                self.client.put_object,
                Bucket=self.name,
                Key=key,
                Body=body,
                ContentType="application/octet-stream"
                if key.endswith(ARTIFACT_SUFFIX)
                else "application/json",
                Metadata=metadata or {},
                **({} if only_over is None else condition),
            )
        except RefusedError as refused:
            # 412; 409 of two at once; 404 of IfMatch when there is no object any more
            if only_over is not None and refused.status in (404, 409, 412):
                raise ConflictError("the object has changed meanwhile") from refused
            raise
        return version_of(answer)

    def delete(self, key: str) -> None:
        """Delete an object; in a versioned bucket its versions stay. BucketError."""
        call(self.client.delete_object, Bucket=self.name, Key=key)

    def versions(self, name: str, limit: int = 1000, after: str = "") -> list[Listed]:
        """Return the newest versions of live model `name` that still exist, newest first.

        They are at most `limit`, and older than the version `after`. Raises BucketError.
        """
        key = live_key(name)
        return within(
            self.call_seconds,
            lambda until: list(listings.versions(self.client, self.name, key, limit, after, until)),
        )

    def history(self, name: str, limit: int, after: str = "") -> list[Listed]:
        """Return what `versions` does, each with its metadata, which are asked for eight at once.

        One that goes meanwhile has none. Raises BucketError.
        """
        key = live_key(name)

        def ask(until: float) -> list[Listed]:
            from concurrent.futures import ThreadPoolExecutor

            def look(item: Listed) -> Listed:
                if time.monotonic() > until:
                    raise BucketError("S3 is too slow")
                head = self.head(key, item.version)
                return item._replace(metadata=head.metadata) if head else item

            listed = list(listings.versions(self.client, self.name, key, limit, after, until))
            with ThreadPoolExecutor(max_workers=8) as pool:
                return list(pool.map(look, listed))

        return within(self.call_seconds, ask)

    def uploads(self, key: str, limit: int) -> list[str]:
        """Return the newest versions of the object `key`, newest first. Raises BucketError."""
        return within(
            self.call_seconds,
            lambda until: [
                item.version
                for item in listings.versions(self.client, self.name, key, limit, "", until)
            ],
        )

    def all_versions(self, limit: int) -> list[tuple[str, str]]:
        """Return name and version of at most `limit` versions of all live models. BucketError."""
        return within(
            self.call_seconds,
            lambda until: [
                (item.name, item.version)
                for item in listings.versions(self.client, self.name, "", limit, "", until)
            ],
        )

    def names(self, limit: int, after: str = "") -> list[str]:
        """Return the names of at most `limit` live models that come after `after`, in key order."""
        return within(
            self.call_seconds, lambda _: list(listings.names(self.client, self.name, limit, after))
        )

    def list(self, limit: int, after: str = "") -> list[Listed]:
        """Return at most `limit` live models that come after `after`, in key order. BucketError.

        A listing of S3 has no version ids, and one of versions would read every old one; so each
        model is asked for its own (HEAD), eight at once. One that cannot be had is left out, and a
        further one listed in its place.
        """
        return within(
            self.call_seconds,
            lambda until: listings.models(self.client, self.name, limit, after, until),
        )
