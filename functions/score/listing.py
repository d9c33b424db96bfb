"""What the source has: models, and versions of one."""

from __future__ import annotations

from bucket import Bucket, BucketError, Listed, RefusedError
from score.absent import Absent
from score.packaged import Folder
from score.slot import UnavailableError, UnknownModelError, UnknownVersionError, key_of
from telemetry import logger

LISTING_SECONDS = 5.0  # after which a failed listing may be asked for again


def models(source: Bucket | Folder, limit: int, after: str) -> list[Listed]:
    """Return at most `limit` live models after `after`, by name; UnavailableError."""
    try:
        return source.list(limit, after)
    except BucketError as error:
        logger.warning("models cannot be listed", reason=str(error))
        raise UnavailableError("The models cannot be listed now.", LISTING_SECONDS) from error


def versions(
    source: Bucket | Folder, absent: Absent, now: float, name: str, limit: int, after: str
) -> list[Listed]:
    """Return at most `limit` versions of model `name` older than `after`, newest first.

    `absent` knows the keys of `version_keys`. Raises UnknownModelError, UnknownVersionError if
    `after` is none, or UnavailableError.
    """
    key = key_of_all(name)
    if absent.has(key, now):
        raise UnknownModelError
    try:
        found = source.history(name, limit, after)
    except BucketError as error:
        if after and isinstance(error, RefusedError) and error.status == 400:
            raise UnknownVersionError from error
        logger.warning("versions cannot be listed", reason=str(error))
        raise UnavailableError("The versions cannot be listed now.", LISTING_SECONDS) from error
    if not found and not after:
        absent.add(key, now)
        raise UnknownModelError
    return found


def version_keys(source: Bucket | Folder, limit: int) -> set[str]:
    """Return the keys of at most `limit` versions, and of all of a model's. BucketError."""
    pairs = source.all_versions(limit)
    return {key_of(*pair) for pair in pairs} | {key_of_all(name) for name, _ in pairs}


def key_of_all(name: str) -> str:
    """Return what the versions of a model as a whole are known under."""
    return f"{name}@"
