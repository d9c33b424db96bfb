"""What an operator asks for: an older live version back, or no live model at all.

Only the gate's role may write live/, so both are commands to the gate's function.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from bucket import (
    LIVE_PREFIX,
    ROUTES_SUFFIX,
    SUFFIX,
    UPLOAD_PREFIX,
    VERSION,
    ConflictError,
    Head,
    Listed,
    MissingError,
    TooLargeError,
    key_of,
    live_key,
    report_key,
)
from gate.bounds import compare, too_large, within
from gate.live import ROLLED_BACK, body_of, finish, put_artifact
from gate.notify import announce, timestamp
from gate.promote import Gate

TRIES = 5  # each other one means that an upload went live meanwhile


def rollback(gate: Gate, name: str, version: str | None = None) -> dict[str, Any]:
    """Make an older live version of model `name` the live one again, if today's checks pass it.

    Without `version`: the newest older one with other bytes. Rolled back twice, it goes back twice.
    The schemas may break callers then, as these had them before. Returns what was done, in words.
    Raises BucketError.
    """
    bucket, place = gate.bucket, live_key(name)
    limits = replace(gate.limits, allow_breaking=True)
    for _ in range(TRIES):
        live = bucket.head(place)
        finish(bucket, key_of(UPLOAD_PREFIX, name, SUFFIX), name, live, {})
        target, why = _target(gate, name, live, version)
        if target is None:
            return _refused(name, why)
        try:
            body = bucket.get(place, target.version).body
        except MissingError:
            continue
        except TooLargeError:  # by today's limit
            verdict = too_large(target.size, limits)
        else:
            check = partial(compare, body, body_of(bucket, name, live), limits)
            verdict = within(gate.seconds_left(), body, check)
        if not verdict.passed:
            message = f"Nothing was changed: version {target.version} fails today's checks."
            return {**_refused(name, message), **verdict.to_json(), "text": verdict.text()}
        metadata = put_artifact(bucket, name, verdict, target.metadata.get("source-version", ""))
        metadata[ROLLED_BACK] = target.metadata.get(ROLLED_BACK, target.version)
        metadata["rolled-back-from"] = live.version if live else ""
        try:
            made = bucket.put_object(place, body, metadata, only_over=live.etag if live else "")
        except ConflictError:
            now = bucket.head(place)
            if now is None or now.metadata != metadata:
                continue
            made = now.version  # ours: S3's first answer was lost, and the second try refused
        was = f"instead of version {live.version}" if live else "where none was live"
        message = (
            f"Model {name} is back at the document of {timestamp(target.modified)} (version"
            f" {target.version}), now version {made}, {was}."
        )
        detail = {
            "bucket": bucket.name,
            "live": made,
            "to": target.version,
            "from": live.version if live else None,
            "sha256": verdict.sha256,
        }
        announce("rolled back", name, detail, verdict.text())
        done = {**detail, **verdict.to_json(), "text": verdict.text()}
        return {"done": True, "model": name, "message": message + _besides(gate, name), **done}
    return _refused(name, "Nothing was changed: live changes all the time. Try again.")


def remove(gate: Gate, name: str) -> dict[str, Any]:
    """Take model `name` and its routes off live; its versions stay. Raises BucketError."""
    bucket, place = gate.bucket, live_key(name)
    live = bucket.head(place)
    if live is None:
        return _refused(name, "Nothing was changed: no model of this name is live.")
    finish(bucket, key_of(UPLOAD_PREFIX, name, SUFFIX), name, live, {})
    bucket.delete(key_of(LIVE_PREFIX, name, ROUTES_SUFFIX))
    bucket.delete(place)
    message = (
        f"Model {name} is no longer live. Its last version was {live.version}; a rollback brings"
        " it back."
    )
    detail = {"bucket": bucket.name, "live": None, "from": live.version}
    announce("removed", name, detail, message)
    return {"done": True, "model": name, "message": message + _besides(gate, name), **detail}


def _refused(name: str, message: str) -> dict[str, Any]:
    return {"done": False, "model": name, "message": message}


def _target(
    gate: Gate, name: str, live: Head | None, version: str | None
) -> tuple[Head | None, str]:
    """Return the version to go back to, or None and why there is none."""
    bucket, place = gate.bucket, live_key(name)
    if version is not None:
        found = bucket.head(place, version) if VERSION.fullmatch(version) else None
        if found is None:
            return None, "Nothing was changed: the model has no such live version."
        if live and _same(found, live):
            return None, "Nothing was changed: these bytes are live already."
        return found, ""
    listed = bucket.versions(name)
    if not listed:
        return None, "Nothing was changed: no model of this name was ever live."
    for item in _older(listed, live):
        found = bucket.head(place, item.version)
        if found and not (live and _same(found, live)):
            return found, ""
    return None, "Nothing was changed: there is no older version with other bytes."


def _older(listed: list[Listed], live: Head | None) -> list[Listed]:
    """Return the versions before the live one; before the one that it was rolled back to."""
    if live is None:
        return listed
    at = live.metadata.get(ROLLED_BACK, live.version)
    versions = [item.version for item in listed]
    return listed[versions.index(at) + 1 :] if at in versions else listed


def _same(one: Head, other: Head) -> bool:
    sha256 = one.metadata.get("sha256")
    return one.etag == other.etag or (bool(sha256) and sha256 == other.metadata.get("sha256"))


def _besides(gate: Gate, name: str) -> str:
    """Say what else may change the answers of this model."""
    text = ""
    newest = gate.bucket.head(key_of(UPLOAD_PREFIX, name, SUFFIX))
    if newest and gate.bucket.head(report_key(name, newest.version)) is None:
        text = (
            f" The upload of {timestamp(newest.modified)} (version {newest.version}) has no"
            " verdict yet: it goes live if it passes."
        )
    if gate.bucket.head(key_of(LIVE_PREFIX, name, ROUTES_SUFFIX)):
        text += " Its routes (canary, shadows) stay as they are."
    return text
