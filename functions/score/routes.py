"""Challengers of a live model: which version answers a request, which ones only look on.

`live/<name>.routes.json`, all of it optional:

{"canary": {"version": "...", "share": 0.1, "key": {"header": "X-User-Id"}},
 "shadows": [{"version": "..."}]}

The canary answers its share of the requests instead of the live version. Who gets it is settled by
the request's key, so that a caller always gets the same; `key` may also be {"pointer": "/customer"}
into the record, and a request without one goes by its id. A larger share keeps those that a smaller
one had. At most two shadows.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, NamedTuple

from bucket import VERSION
from score import wire

MAX_SHADOWS = 2
MAX_POINTER = 1000  # characters
# Not compiled here: most models have no routes.
_HEADER = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"  # RFC 9110, token
_POINTER = r"(?:/(?:[^~/]|~[01])*)*"  # RFC 6901
_INDEX = r"0|[1-9][0-9]{0,8}"


class RoutesError(Exception):
    """The routes are not what they must be; the message says where, and quotes nothing."""


class Routes(NamedTuple):
    """Challengers of one model; `canary` is "" if there is none."""

    canary: str = ""
    share: float = 0.0
    header: str = ""
    pointer: tuple[str, ...] | None = None
    shadows: tuple[str, ...] = ()


NONE = Routes()


def parse(body: bytes) -> Routes:
    """Return the routes of a document; RoutesError."""
    try:
        found = wire.loads(body.decode("utf-8"))
    except (wire.NotJsonError, UnicodeDecodeError) as error:
        raise RoutesError("they are not JSON") from error
    document = _object(found, {"canary", "shadows"}, "the routes")
    canary, share, header = "", 0.0, ""
    pointer: tuple[str, ...] | None = None
    if "canary" in document:
        given = _object(document["canary"], {"version", "share", "key"}, "canary")
        canary, wanted = _version(given, "canary"), given.get("share")
        if isinstance(wanted, bool) or not isinstance(wanted, int | float) or not 0 <= wanted <= 1:
            raise RoutesError("canary.share is no number from 0 to 1")
        share = float(wanted)
        header, pointer = _key(given.get("key", {}))
    shadows = document.get("shadows", [])
    if not isinstance(shadows, list) or len(shadows) > MAX_SHADOWS:
        raise RoutesError(f"shadows is no list of at most {MAX_SHADOWS}")
    versions = [_version(_object(one, {"version"}, "a shadow"), "a shadow") for one in shadows]
    return Routes(canary, share, header, pointer, tuple(dict.fromkeys(versions)))


def _object(value: Any, keys: set[str], what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.keys() <= keys:
        raise RoutesError(f"{what} must be an object of {', '.join(sorted(keys))}")
    return value


def _version(given: dict[str, Any], what: str) -> str:
    version = given.get("version")
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        raise RoutesError(f"{what} has no version")
    return version


def _key(given: Any) -> tuple[str, tuple[str, ...] | None]:
    key = _object(given, {"header", "pointer"}, "canary.key")
    if len(key) > 1:
        raise RoutesError("canary.key is a header or a pointer")
    header, pointer = key.get("header"), key.get("pointer")
    if header is not None and not (isinstance(header, str) and re.fullmatch(_HEADER, header)):
        raise RoutesError("canary.key.header is no name of a header")
    if pointer is None:
        return header or "", None
    if (
        not isinstance(pointer, str)
        or len(pointer) > MAX_POINTER
        or not re.fullmatch(_POINTER, pointer)
    ):
        raise RoutesError("canary.key.pointer is no JSON pointer")
    parts = pointer.split("/")[1:]
    return "", tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def value_at(record: Any, pointer: tuple[str, ...]) -> str | None:
    """Return the text or number (as JSON) that `pointer` leads to in `record`; None: no such."""
    for part in pointer:
        if isinstance(record, dict) and part in record:
            record = record[part]
        elif isinstance(record, list) and re.fullmatch(_INDEX, part) and int(part) < len(record):
            record = record[int(part)]
        else:
            return None
    if isinstance(record, str):
        return record
    return json.dumps(record) if isinstance(record, bool | int | float) else None


def is_chosen(name: str, key: str, share: float) -> bool:
    """Say whether the request of that key is among the `share` of model `name`'s requests."""
    digest = hashlib.sha256(f"{name}\0{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:7]) < share * 2.0**56  # 7 bytes: exact in a double
