"""JSON as it crosses the wire: strict reading of what callers send, safe writing of answers."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, NoReturn

JSON_TYPE = "application/json"
NDJSON_TYPE = "application/x-ndjson"
PROBLEM_TYPE = "application/problem+json"
NDJSON_TYPES = frozenset({NDJSON_TYPE, "application/ndjson", "application/jsonl"})
SPACE = " \t\r\n"  # what RFC 8259 allows between tokens


class NotJsonError(Exception):
    """A request's body is not the JSON that it should be; the message says why."""


class UnusableJsonError(NotJsonError):
    """It may be JSON, but a key is in one object twice, or it is too deep, or has a huge number."""


class MediaTypeError(Exception):
    """A request's body is of a type that is not taken; the message says which are."""


class TooMuchError(Exception):
    """A request or its answer is larger than may cross; the message says what the limit is."""


def is_ndjson(content_type: str | None, content_encoding: str | None, batch: bool) -> bool:
    """Say whether a body is newline-delimited JSON (only a `batch` may be); no type means JSON.

    Raises MediaTypeError for every type but JSON (`application/json`, `+json`) and NDJSON, for a
    charset other than UTF-8 and for a compressed body.
    """
    if (content_encoding or "identity").strip().lower() != "identity":
        raise MediaTypeError("The body must not be compressed.")
    media, *parameters = (content_type or JSON_TYPE).lower().split(";")
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise MediaTypeError("The charset must be utf-8.")
    media = media.strip()
    if batch and media in NDJSON_TYPES:
        return True
    if media in ("", JSON_TYPE) or (media.startswith("application/") and media.endswith("+json")):
        return False
    also = f" or {NDJSON_TYPE}" if batch else ""
    raise MediaTypeError(f"The Content-Type must be {JSON_TYPE}{also}.")


def body_text(body: object, is_base64: bool, limit: int) -> str:
    """Return the text of an API Gateway event's `body`, without a byte order mark.

    Raises TooMuchError if it has more than `limit` bytes, NotJsonError if it is empty, or is not
    base64 or UTF-8 where it should be.
    """
    if not isinstance(body, str) or not body:
        raise NotJsonError("The body is empty.")
    if is_base64:
        if len(body) // 4 * 3 - 2 > limit:
            raise TooMuchError(f"The body is larger than {limit} bytes.")
        try:
            raw = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise NotJsonError("The body is not valid base64.") from error
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise NotJsonError(f"The body is not UTF-8 (byte {error.start}).") from error
        size = len(raw)
    else:
        text = body
        # Only a text near the limit is worth encoding to be counted; a character has 1 to 4 bytes.
        near = len(text) * 4 > limit
        size = len(text.encode("utf-8", "surrogatepass")) if near else len(text)
    if size > limit:
        raise TooMuchError(f"The body is larger than {limit} bytes.")
    return text.removeprefix("\ufeff")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise UnusableJsonError(f"The key {json.dumps(key[:100])} is in one object twice.")
            seen.add(key)
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_no_duplicates)


def loads(text: str) -> Any:
    """Return the value of one JSON text; NotJsonError says why it is none.

    NaN, Infinity and numbers beyond a double become floats that are not finite, which a model's
    input check then refuses by name. A key twice in one object is refused: which one is meant?
    """
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise NotJsonError(f"Not JSON: {error.msg} ({place}).") from error
    except RecursionError as error:
        raise UnusableJsonError("The JSON is nested too deep.") from error
    except ValueError as error:  # CPython turns no more than 4300 digits into an int
        raise UnusableJsonError("A number has too many digits.") from error


# Closed strings and one that never is, brackets, commas: what tells where an array's items end.
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[][{},]', re.DOTALL)


def array(text: str, limit: int) -> list[Any]:
    """Return the records of a batch that is a JSON array; NotJsonError says why it is none.

    A record that is of no use by itself becomes an UnusableJsonError in its place (not raised).
    Raises TooMuchError for more than `limit` records.
    """
    try:
        found = loads(text)
    except UnusableJsonError:
        if not text.lstrip(SPACE).startswith("["):
            raise
        return _items(text, limit)
    if not isinstance(found, list):
        raise NotJsonError("A batch is a JSON array of records.")
    _check_count(found, limit)
    return found


def _items(text: str, limit: int) -> list[Any]:
    """Read the items one by one, which takes ten times as long."""
    found: list[Any] = []
    start, depth = 0, 0
    for mark in _MARKS.finditer(text):
        sign = mark[0]
        if sign in ("[", "{"):
            depth += 1
            start = start or mark.end()
        elif depth == 1 and sign in (",", "]", "}"):
            try:
                found.append(loads(text[start : mark.start()]))
            except UnusableJsonError as error:
                found.append(error)
            except NotJsonError as error:
                raise NotJsonError(f"Record {len(found)}, counted from 0: {error}") from error
            _check_count(found, limit)
            start = mark.end()
        if sign in ("]", "}"):
            depth -= 1
            if depth == 0:
                break
    if depth or text[start - 1] != "]" or text[start:].strip(SPACE):
        raise NotJsonError("The array does not end where the body does.")
    return found


def lines(text: str, limit: int) -> list[Any]:
    """Return the values of a newline-delimited text's lines that are not blank, in order.

    A line that is not JSON becomes a NotJsonError in its place (not raised). Raises TooMuchError
    for more than `limit`.
    """
    found: list[Any] = []
    for line in text.split("\n"):
        if not line.strip(SPACE):
            continue
        try:
            found.append(loads(line))
        except NotJsonError as error:
            found.append(error)
        _check_count(found, limit)
    return found


def _check_count(found: list[Any], limit: int) -> None:
    if len(found) > limit:
        raise TooMuchError(f"A batch has at most {limit} records.")


def _no_default(value: object) -> NoReturn:
    raise TypeError(f"{type(value).__name__} is not JSON")


_AT_ONCE = 100  # values of a batch
_ENCODER = json.JSONEncoder(
    ensure_ascii=True,  # a lone surrogate has no UTF-8, but it has an escape
    allow_nan=False,
    check_circular=False,
    separators=(",", ":"),
    default=_no_default,
)


def dumps(value: object) -> str:
    """Return `value` as compact JSON in ASCII. ValueError if a number in it is not finite."""
    return _ENCODER.encode(value)


def dumps_all(values: list[Any], limit: int, ndjson: bool) -> str:
    """Return values as a JSON array, or as lines, compact and in ASCII.

    Raises TooMuchError for more than `limit` bytes, before the rest takes memory for nothing;
    ValueError as `dumps` does.
    """
    # The encoder takes 2 µs to begin, as much as for ten values; a line has one of its own.
    step = 1 if ndjson else _AT_ONCE
    texts: list[str] = []
    for start in range(0, len(values), step):
        part = values[start : start + step]
        texts.append(f"{dumps(*part)}\n" if ndjson else dumps(part)[1:-1])
        limit -= len(texts[-1])
        if limit < 0:
            raise TooMuchError("The answer is larger than 6 MB: send fewer records.")
    return "".join(texts) if ndjson else f"[{','.join(texts)}]"


def size_in_json(text: str) -> int:
    """Return how many bytes `text`, which is ASCII, takes as a string in JSON, without quotes.

    That is how a body leaves Lambda, so that is what its limit counts.
    """
    return len(text) + text.count('"') + text.count("\\") + text.count("\n")


def size_as_sent(value: object) -> int:
    """Return how many bytes the Lambda runtime makes of a direct invocation's answer."""
    return len(_as_sent(value).encode())


def with_utf8(value: Any) -> Any:
    """Return `value` with every lone surrogate, which has no UTF-8, replaced by "?"."""
    return json.loads(_as_sent(value).encode(errors="replace"))


def _as_sent(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
