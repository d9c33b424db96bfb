"""What live/<name>.routes.json may say: a canary and shadows of model <name>.

{"canary": {"version": "…", "share": 0.1, "key": {"header": "X-User-Id"}},
 "shadows": [{"version": "…"}]}

`version` is the S3 version id of a document under live/. `share` is that of the requests, from 0 to
1. `key` says what keeps a caller with one version: {"header": name} or {"pointer": RFC 6901 pointer
into the record}; without it, or where a request lacks it, each request draws anew. At most two
shadows. Both may be left out; other keys are refused, as what is misspelt would not be done.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

MAX_BYTES = 10_000
MAX_SHADOWS = 2
_VERSION = re.compile(r"[A-Za-z0-9._-]{1,128}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # a token of RFC 9110, 5.6.2
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)+")  # RFC 6901; "" would be the whole record
_MAX_POINTER = 500


class RoutesError(Exception):
    """The routes are wrong; `position` is a JSON pointer."""

    def __init__(self, message: str, position: str) -> None:
        """Take what is wrong, and where."""
        super().__init__(message)
        self.position = position


def check_form(routes: Any) -> list[tuple[str, str]]:
    """Check the routes' JSON values; give the versions that they name, each with its pointer.

    Raises RoutesError.
    """
    _object(routes, "", "the routes", {"canary", "shadows"}, set())
    named = []
    if "canary" in routes:
        canary = routes["canary"]
        _object(canary, "/canary", "a canary", {"version", "share", "key"}, {"version", "share"})
        named.append((_version(canary, "/canary"), "/canary/version"))
        share = canary["share"]
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise RoutesError("the share must be a number from 0 to 1", "/canary/share")
        if "key" in canary:
            _check_key(canary["key"])
    shadows = routes.get("shadows", [])
    if not isinstance(shadows, list):
        raise RoutesError("the shadows must be a list", "/shadows")
    if len(shadows) > MAX_SHADOWS:
        raise RoutesError(f"{len(shadows)} shadows are more than {MAX_SHADOWS}", "/shadows")
    for i, shadow in enumerate(shadows):
        _object(shadow, f"/shadows/{i}", "a shadow", {"version"}, {"version"})
        named.append((_version(shadow, f"/shadows/{i}"), f"/shadows/{i}/version"))
    versions = [version for version, _ in named]
    for version, place in named:
        if versions.count(version) > 1:
            raise RoutesError(f"the version {version} is named twice", place)
    return named


def check_versions(
    named: list[tuple[str, str]], name: str, exists: Callable[[str, str], bool]
) -> None:
    """Check that each version is one of the live model's; raises RoutesError."""
    for version, place in named:
        if not exists(name, version):
            raise RoutesError(f"there is no version {version} of live/{name}.pfa", place)


def _object(value: Any, place: str, what: str, known: set[str], needed: set[str]) -> None:
    keys = ", ".join(f'"{key}"' for key in sorted(known))
    if not isinstance(value, dict):
        raise RoutesError(f"{what} must be an object with {keys}", place)
    for key in value:
        if key not in known:
            raise RoutesError(f'{what} may have {keys} only, not "{key[:80]}"', place)
    for key in sorted(needed - value.keys()):
        raise RoutesError(f'{what} must have "{key}"', place)


def _version(value: dict[str, Any], place: str) -> str:
    version = value["version"]
    if not isinstance(version, str) or not _VERSION.fullmatch(version) or version == "null":
        raise RoutesError("the version must be an S3 version id", f"{place}/version")
    return version


def _check_key(key: Any) -> None:
    place = "/canary/key"
    _object(key, place, "a key", {"header", "pointer"}, set())
    if len(key) != 1:
        raise RoutesError('a key must have either "header" or "pointer"', place)
    if "header" in key:
        header = key["header"]
        if not isinstance(header, str) or not _HEADER.fullmatch(header):
            raise RoutesError("the header must be the name of an HTTP header", f"{place}/header")
    else:
        pointer = key["pointer"]
        if (
            not isinstance(pointer, str)
            or len(pointer) > _MAX_POINTER
            or not _POINTER.fullmatch(pointer)
        ):
            raise RoutesError('the pointer must be as "/customer/id"', f"{place}/pointer")
