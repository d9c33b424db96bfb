"""What the GET routes tell: models, versions of one, one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bucket import VERSION, Listed, is_model_name
from score.problems import BadQueryError
from score.slot import Entry, UnknownVersionError
from score.store import ModelStore

MAX_LISTED = 100  # on one page
MAX_TEXT = 1000  # characters of one of an object's metadata: S3 takes 2 kB of all


def models(store: ModelStore, query: Mapping[str, Any], default: str) -> dict[str, Any]:
    """Return a page of the live models by name; `next` is the `after` of the following page.

    Raises BadQueryError or UnavailableError.
    """
    limit, after = _limit(query), str(query.get("after", ""))
    if after and not is_model_name(after):
        raise BadQueryError("after must be the name of a model.")
    found = store.list(limit, after)
    page: dict[str, Any] = {
        "models": [{"name": item.name, **_facts(item)} for item in found],
        "default": default or None,
    }
    if len(found) == limit:
        page["next"] = found[-1].name
    return page


def versions(store: ModelStore, name: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of a model's versions, newest first; `next` is the `after` of the following.

    Raises BadQueryError, UnknownModelError or UnavailableError.
    """
    limit, after = _limit(query), str(query.get("after", ""))
    wrong = "after must be a version of the model."
    if after and not VERSION.fullmatch(after):
        raise BadQueryError(wrong)
    try:
        found = store.versions(name, limit, after)
    except UnknownVersionError as error:
        raise BadQueryError(wrong) from error
    page: dict[str, Any] = {"name": name, "versions": [_version(item) for item in found]}
    if len(found) == limit:
        page["next"] = found[-1].version
    return page


def model(entry: Entry) -> dict[str, Any]:
    """Return what is told of a model."""
    described = entry.model.describe()
    own = {"name": described.pop("name"), "version": described.pop("version")}
    return {
        "name": entry.name,
        "version": entry.version,
        "loaded": _timestamp(entry.loaded),
        "stale": entry.stale,
        "document": own,
        **described,
    }


def _limit(query: Mapping[str, Any]) -> int:
    limit = str(query.get("limit", MAX_LISTED))
    if not re.fullmatch("[0-9]{1,3}", limit) or not 1 <= int(limit) <= MAX_LISTED:
        raise BadQueryError(f"limit must be a number from 1 to {MAX_LISTED}.")
    return int(limit)


def _facts(item: Listed) -> dict[str, Any]:
    modified = _timestamp(item.modified)
    return {"version": item.version, "size": item.size, "modified": modified}


def _version(item: Listed) -> dict[str, Any]:
    """Return what is told of a version: of its metadata what is there."""
    told = {**_facts(item), "live": item.live}
    for key, called in (("sha256", "sha256"), ("source-version", "source")):
        if text := item.metadata.get(key):
            told[called] = text[:MAX_TEXT]
    examples = item.metadata.get("examples", "")
    if re.fullmatch("[0-9]{1,9}", examples):
        told["examples"] = int(examples)
    return told


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
