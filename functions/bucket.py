"""The bucket of models: keys, conditional GET and PUT, versions. Only here is botocore named.

models/<name>.pfa               what a data scientist uploads
models/<name>.routes.json
live/<name>.pfa                 what callers are answered from: the bytes of an upload that passed
live/<name>.artifact            the same, compiled ahead of time
live/<name>.routes.json
reports/<name>/<version>.json   what the gate found in the upload of that S3 version id

The metadata of a live document say where it is from:

sha256             of the document's bytes, hexadecimal
source-version     S3 version id of the upload
engine             what checked it, `pfa.VERSION`
examples           how many examples it passed
largest-error      the largest relative error of their numbers
artifact-key       what the artifact is good for, `pfa.artifact_key()`
artifact-version   S3 version id of the artifact; "" if the document has none

A GET or a listing ends within a stated time, whatever S3 does.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

UPLOAD_PREFIX = "models/"
LIVE_PREFIX = "live/"
REPORT_PREFIX = "reports/"
SUFFIX = ".pfa"
ROUTES_SUFFIX = ".routes.json"
ARTIFACT_SUFFIX = ".artifact"
VERSION = re.compile(r"[A-Za-z0-9._-]{1,128}")  # of an object: S3's are opaque text, of these
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")  # of a model: safe in a key, a path, a header

CONNECT_SECONDS = 1.0
READ_SECONDS = 3.0  # between two pieces of an answer, not for the whole of it
ATTEMPTS = 2  # in all: a third would only make a caller wait longer for an S3 that hangs
CALL_SECONDS = 6.0  # the whole of one call: name look-up, tries, and every byte of the body
CHUNK_BYTES = 1 << 18
MAX_DOCUMENT_BYTES = 32_000_000
MAX_ROUTES_BYTES = 65_536
SMALL_BYTES = 65_536  # of a body that is read though an artifact is wanted: the connection stays


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


def is_model_name(name: str) -> bool:
    """Say whether `name` may be a model's: up to 64 letters, digits, `_` or `-` (not first)."""
    return NAME.fullmatch(name) is not None


def live_key(name: str) -> str:
    """Return the S3 key of the live model `name`; ValueError if that is no model's name."""
    return key_of(LIVE_PREFIX, name, SUFFIX)


def key_of(prefix: str, name: str, suffix: str) -> str:
    """Return the S3 key of an object of model `name`; ValueError if that is no model's name."""
    if not is_model_name(name):
        raise ValueError("not a model's name")
    return f"{prefix}{name}{suffix}"


def report_key(name: str, version: str) -> str:
    """Return the S3 key of the report on an upload; ValueError if these are no name and version."""
    if not VERSION.fullmatch(version):
        raise ValueError("not a version")
    return key_of(REPORT_PREFIX, name, f"/{version}.json")


def make_client(
    connect_seconds: float = CONNECT_SECONDS,
    read_seconds: float = READ_SECONDS,
    attempts: int = ATTEMPTS,
) -> S3Client:
    """Return an S3 client that gives up early; where and as whom comes from the environment."""
    # Not at the top: packaged models are served without it. This is the client that boto3.client
    # gives, without importing boto3 about it: 12 % less processor time.
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(
        connect_timeout=connect_seconds,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    client: S3Client = get_session().create_client("s3", config=config)  # type: ignore[assignment]
    return client


_MISSING = ("NoSuchKey", "NoSuchVersion", "InvalidVersionId", "MethodNotAllowed")
_UNVERSIONED = re.compile(r"etag-[0-9a-f]{1,12}")  # what `_version` makes


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
        condition = {**({"IfNoneMatch": etag} if etag else {}), **_which(version)}
        key = live_key(name)

        def ask(until: float) -> Document | Unchanged:
            return self._get(key, condition, until, version, artifact_key)

        return _within(self._at_most(seconds), ask)

    def get(self, key: str, version: str | None = None, seconds: float | None = None) -> Document:
        """Return an object, or the `version` of it; takes time and raises as `get_if_changed`."""

        def ask(until: float) -> Document | Unchanged:
            return self._get(key, _which(version), until, version)

        made = _within(self._at_most(seconds), ask)
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
                answer = _call(self.client.get_object, Bucket=self.name, Key=key, **condition)
            except RefusedError as refused:
                if refused.status == 304:
                    return Unchanged(refused.version)
                # S3 says 403 of what is not there to who may not list the bucket; most models have
                # no routes, so it is not asked which of the two it is.
                if refused.status in (403, 404) and refused.code != "NoSuchBucket":
                    raise MissingError("no routes") from refused
                raise
            body = _call(self._read, answer=answer, until=until, most=MAX_ROUTES_BYTES)
            return Document(body, answer["ETag"], _version(answer), size=len(body))

        return _start(self._at_most(seconds), ask)

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
            answer = _call(self.client.get_object, Bucket=self.name, Key=key, **condition)
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
        if version and _UNVERSIONED.fullmatch(version) and version != _version(answer):
            answer["Body"].close()
            raise MissingError("no such version")
        size, metadata = answer["ContentLength"], answer.get("Metadata", {})
        found = Document(b"", answer["ETag"], _version(answer), metadata, None, size)
        if artifact_key and metadata.get("artifact-key") == artifact_key:
            if size <= SMALL_BYTES:
                found = found._replace(body=_call(self._read, answer=answer, until=until))
            else:
                answer["Body"].close()  # and with it the connection: what is on its way is lost
            return found._replace(artifact=self._artifact(key, metadata, until))
        return found._replace(body=_call(self._read, answer=answer, until=until))

    def _artifact(self, key: str, metadata: Mapping[str, str], until: float) -> bytes:
        """Return the artifact that a document's metadata name; b"" if it cannot be had.

        It has half of the time that is left: the other half is the document's.
        """
        version = metadata.get("artifact-version", "")
        if not VERSION.fullmatch(version):
            return b""
        key = key.removesuffix(SUFFIX) + ARTIFACT_SUFFIX
        try:
            made = _within(
                (until - time.monotonic()) / 2,
                lambda half: self._get(key, _which(version), half, version),
            )
        except BucketError:
            return b""
        return made.body if isinstance(made, Document) else b""

    def head(self, key: str, version: str | None = None) -> Head | None:
        """Return what is known of an object, or the `version` of it; None if there is none."""
        try:
            answer = _call(self.client.head_object, Bucket=self.name, Key=key, **_which(version))
        except RefusedError as refused:
            # A HEAD has no body to say why: 404, or 405 of a delete marker's own version; 400 of
            # what is no version id.
            if refused.status in (404, 405) or (version and refused.status == 400):
                return None
            raise
        if version and _UNVERSIONED.fullmatch(version) and version != _version(answer):
            return None
        return Head(
            answer["ETag"],
            _version(answer),
            answer["ContentLength"],
            answer["LastModified"],
            answer.get("Metadata", {}),
        )

    def _read(self, answer: GetObjectOutputTypeDef, until: float, most: int | None = None) -> bytes:
        length = answer["ContentLength"]
        stream = answer["Body"]
        most = self.max_bytes if most is None else most
        with closing(stream):  # not `with stream`, which gives the raw one without iter_chunks
            if length > most:
                raise TooLargeError(f"{length} bytes are more than the limit of {most}")
            pieces = []
            for piece in stream.iter_chunks(CHUNK_BYTES):
                pieces.append(piece)
                if time.monotonic() > until:
                    raise BucketError("S3 is too slow")
        body = b"".join(pieces)
        if len(body) != length:
            raise BucketError(f"S3 gave {len(body)} of {length} bytes")
        return body

    def _exists(self, key: str, version: str | None) -> bool:
        """Say whether `key` exists when GET was refused (True if that cannot be told).

        S3 answers 403 for a key that does not exist to a caller who may not list the bucket, and a
        role that may list only one prefix may count as such.
        """
        try:
            if version:
                listed = self._versions(key, 1000, "", time.monotonic() + self.call_seconds)
                return any(item.version == version for item in listed)
            page = _call(self.client.list_objects_v2, Bucket=self.name, Prefix=key, MaxKeys=1)
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
            answer = _call(
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
        return _version(answer)

    def delete(self, key: str) -> None:
        """Delete an object; in a versioned bucket its versions stay. BucketError."""
        _call(self.client.delete_object, Bucket=self.name, Key=key)

    def versions(self, name: str, limit: int = 1000, after: str = "") -> list[Listed]:
        """Return the newest versions of live model `name` that still exist, newest first.

        They are at most `limit`, and older than the version `after`. Raises BucketError.
        """
        key = live_key(name)
        return _within(
            self.call_seconds, lambda until: list(self._versions(key, limit, after, until))
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

            listed = list(self._versions(key, limit, after, until))
            with ThreadPoolExecutor(max_workers=8) as pool:
                return list(pool.map(look, listed))

        return _within(self.call_seconds, ask)

    def all_versions(self, limit: int) -> list[tuple[str, str]]:
        """Return name and version of at most `limit` versions of all live models. BucketError."""
        return _within(
            self.call_seconds,
            lambda until: [
                (item.name, item.version) for item in self._versions("", limit, "", until)
            ],
        )

    def _versions(self, key: str, limit: int, after: str, until: float) -> Iterator[Listed]:
        """Give at most `limit` versions of a live document, or of all if `key` is ""."""
        if _UNVERSIONED.fullmatch(after):
            return  # it is the only one
        start = {"KeyMarker": key, "VersionIdMarker": after} if after else {}
        while True:
            if time.monotonic() > until:
                raise BucketError("S3 is too slow")
            page = _call(
                self.client.list_object_versions,
                Bucket=self.name,
                Prefix=key or LIVE_PREFIX,
                MaxKeys=min(limit, 1000),
                **start,
            )
            for item in page.get("Versions", []):
                name = item["Key"].removeprefix(LIVE_PREFIX).removesuffix(SUFFIX)
                # "hello.pfa" is a prefix of no other model's key, but of other objects' perhaps.
                if is_model_name(name) and item["Key"] == (key or live_key(name)):
                    limit -= 1
                    yield Listed(
                        name,
                        _version(item),
                        item["Size"],
                        item["LastModified"],
                        bool(item.get("IsLatest")),
                    )
                    if not limit:
                        return
            if not page.get("IsTruncated"):
                return
            start = {"KeyMarker": page["NextKeyMarker"]}
            if page.get("NextVersionIdMarker"):
                start["VersionIdMarker"] = page["NextVersionIdMarker"]

    def names(self, limit: int, after: str = "") -> list[str]:
        """Return the names of at most `limit` live models that come after `after`, in key order."""
        return _within(self.call_seconds, lambda _: list(self._names(limit, after)))

    def _names(self, limit: int, after: str) -> Iterator[str]:
        start = f"{LIVE_PREFIX}{after}{SUFFIX}" if after else LIVE_PREFIX
        while limit > 0:
            page = _call(
                self.client.list_objects_v2,
                Bucket=self.name,
                Prefix=LIVE_PREFIX,
                StartAfter=start,
                MaxKeys=min(limit, 1000),
            )
            for item in page.get("Contents", []):
                start = item["Key"]
                name = start.removeprefix(LIVE_PREFIX).removesuffix(SUFFIX)
                if start.endswith(SUFFIX) and is_model_name(name):
                    limit -= 1
                    yield name
            if not page.get("IsTruncated"):
                return

    def _heads(self, limit: int, after: str, until: float) -> list[Listed]:
        from concurrent.futures import ThreadPoolExecutor

        found: list[Listed] = []
        with ThreadPoolExecutor(max_workers=8) as pool:
            while (wanted := limit - len(found)) > 0:
                if time.monotonic() > until:
                    raise BucketError("S3 is too slow")
                names = [*self._names(wanted, after)]
                found += [item for item in pool.map(self._head, names) if item]
                if len(names) < wanted:
                    break
                after = names[-1]
        return found

    def list(self, limit: int, after: str = "") -> list[Listed]:
        """Return at most `limit` live models that come after `after`, in key order. BucketError.

        A listing of S3 has no version ids, and listing versions would read every old one and need
        one more permission; so each model is asked for its own (HEAD), eight at once. One that
        cannot be had is left out, and a further one listed in its place.
        """
        return _within(self.call_seconds, lambda until: self._heads(limit, after, until))

    def _head(self, name: str) -> Listed | None:
        """Ask for one model; None if it was deleted since it was listed, or may not be read.

        S3 says 403 for both, unless the caller may list the whole bucket.
        """
        try:
            answer = _call(self.client.head_object, Bucket=self.name, Key=live_key(name))
        except RefusedError as refused:
            if refused.status in (403, 404):
                return None
            raise
        return Listed(name, _version(answer), answer["ContentLength"], answer["LastModified"])


def _call[T](operation: Callable[..., T], **arguments: Any) -> T:
    """Call `operation`; what botocore raises becomes a BucketError."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return operation(**arguments)
    except ClientError as error:
        answer = error.response.get("ResponseMetadata", {})
        version = answer.get("HTTPHeaders", {}).get("x-amz-version-id", "")
        code = error.response.get("Error", {}).get("Code", "")
        raise RefusedError(
            answer.get("HTTPStatusCode", 0), code, "" if version == "null" else version
        ) from error
    except (BotoCoreError, OSError) as error:
        raise BucketError(f"S3 does not answer: {type(error).__name__}") from error


def _version(answer: Any) -> str:
    """Return S3's version id; an object of an unversioned bucket is named by its ETag instead."""
    version = answer.get("VersionId")
    if version and version != "null":
        return str(version)
    return f"etag-{answer['ETag'].strip('"')[:12]}"


def _which(version: str | None) -> dict[str, str]:
    """Return what asks for a version; an unversioned bucket has but one, and no id for it."""
    return {} if not version or _UNVERSIONED.fullmatch(version) else {"VersionId": version}


def _within[T](seconds: float, call: Callable[[float], T]) -> T:
    """Return `call(until)` if it ends within `seconds`, else raise BucketError."""
    return _start(seconds, call)()


def _start[T](seconds: float, call: Callable[[float], T]) -> Callable[[], T]:
    """Start `call(until)`; what is returned waits for it, until `seconds` are over: BucketError.

    It runs in a thread of its own, because no timeout of a socket bounds a whole answer: an S3 that
    drips a byte a second, or a name server that hangs, would hold the caller for ever. A thread
    that was given up ends by those timeouts, or at its next piece.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []
    until = time.monotonic() + seconds

    def run() -> None:
        try:
            outcome.append(call(until))
        except BaseException as error:  # handed to the waiting thread
            failure.append(error)

    thread = threading.Thread(target=run, name="bucket", daemon=True)
    thread.start()

    def wait() -> T:
        thread.join(max(0.0, until - time.monotonic()))
        if failure:
            error = failure.pop()
            try:
                raise error
            finally:
                del error  # else its traceback holds itself, and with it the connection
        if not outcome:
            raise BucketError(f"no answer from S3 in {seconds:g} s")
        return outcome[0]

    return wait
