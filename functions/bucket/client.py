"""Calls of S3: a client that gives up early, errors of our own, an end whatever S3 does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from bucket.answers import BucketError, RefusedError, TooLargeError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

CONNECT_SECONDS = 1.0
READ_SECONDS = 3.0  # between two pieces of an answer, not for the whole of it
ATTEMPTS = 2  # in all: a third would only make a caller wait longer for an S3 that hangs
CALL_SECONDS = 6.0  # the whole of one call: name look-up, tries, and every byte of the body
CHUNK_BYTES = 1 << 18


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


def call[T](operation: Callable[..., T], **arguments: Any) -> T:
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


def read_body(answer: GetObjectOutputTypeDef, until: float, most: int) -> bytes:
    """Return the body of `answer`, `most` bytes at most. BucketError, or what botocore raises."""
    length = answer["ContentLength"]
    stream = answer["Body"]
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


def within[T](seconds: float, ask: Callable[[float], T]) -> T:
    """Return `ask(until)` if it ends within `seconds`, else raise BucketError."""
    return start(seconds, ask)()


def start[T](seconds: float, ask: Callable[[float], T]) -> Callable[[], T]:
    """Start `ask(until)`; what is returned waits for it, until `seconds` are over: BucketError.

    It runs in a thread of its own, because no timeout of a socket bounds a whole answer: an S3 that
    drips a byte a second, or a name server that hangs, would hold the caller for ever. A thread
    that was given up ends by those timeouts, or at its next piece.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []
    until = time.monotonic() + seconds

    def run() -> None:
        try:
            outcome.append(ask(until))
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
