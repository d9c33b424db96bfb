"""Names: of models, of their objects (keys), of versions."""

from __future__ import annotations

import re
from typing import Any

UPLOAD_PREFIX = "models/"
LIVE_PREFIX = "live/"
REPORT_PREFIX = "reports/"
SUFFIX = ".pfa"
ROUTES_SUFFIX = ".routes.json"
ARTIFACT_SUFFIX = ".artifact"
VERSION = re.compile(r"[A-Za-z0-9._-]{1,128}")  # of an object: S3's are opaque text, of these
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")  # of a model: safe in a key, a path, a header
UNVERSIONED = re.compile(r"etag-[0-9a-f]{1,12}")  # what `version_of` makes


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


def version_of(answer: Any) -> str:
    """Return S3's version id; an object of an unversioned bucket is named by its ETag instead."""
    version = answer.get("VersionId")
    if version and version != "null":
        return str(version)
    return f"etag-{answer['ETag'].strip('"')[:12]}"


def which(version: str | None) -> dict[str, str]:
    """Return what asks for a version; an unversioned bucket has but one, and no id for it."""
    return {} if not version or UNVERSIONED.fullmatch(version) else {"VersionId": version}
