"""Models that travel inside the function, for when there is no bucket.

The calls that `score` makes of a `bucket.Bucket`, and their errors, over a folder of `<name>.pfa`
files. A model has one version and no routes; there are no artifacts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bucket import SUFFIX, BucketError, Document, Listed, MissingError, Unchanged, is_model_name

MAX_FILES = 10_000  # of the folder


class Folder:
    """The `.pfa` files of one folder; a file's ETag is the sha256 of its bytes."""

    def __init__(self, path: Path) -> None:
        """Serve the files of `path`, which need not exist."""
        self.path = path

    def get_if_changed(
        self,
        name: str,
        etag: str | None = None,
        seconds: float | None = None,
        *,
        version: str = "",
        artifact_key: str = "",
    ) -> Document | Unchanged:
        """Return the document of `name`, unless it still is the one with `etag`.

        `seconds` is for S3; a file is simply read. Raises MissingError or BucketError.
        """
        del seconds, artifact_key
        if not is_model_name(name):
            raise ValueError("not a model's name")
        try:
            body = (self.path / f"{name}{SUFFIX}").read_bytes()
        except FileNotFoundError as error:
            raise MissingError("no such model") from error
        except OSError as error:
            raise BucketError(f"cannot read the file: {type(error).__name__}") from error
        digest = hashlib.sha256(body).hexdigest()
        if version and version != _version(digest):
            raise MissingError("no such version")
        if digest == etag:
            return Unchanged("")
        return Document(body, digest, _version(digest), size=len(body))

    def ask_routes(
        self, name: str, etag: str | None = None, seconds: float | None = None
    ) -> Callable[[], Document | Unchanged]:
        """Return what raises MissingError."""
        del name, etag, seconds

        def none() -> Document | Unchanged:
            raise MissingError("no routes")

        return none

    def close(self) -> None:
        """Nothing is open."""

    def reopen(self) -> None:
        """Nothing is open."""

    def names(self, limit: int = 1000, after: str = "") -> list[str]:
        """Return the names of at most `limit` models that come after `after`, sorted."""
        names = sorted(path.name.removesuffix(SUFFIX) for path in self.path.glob(f"*{SUFFIX}"))
        return [name for name in names if is_model_name(name) and name > after][:limit]

    def history(self, name: str, limit: int, after: str = "") -> list[Listed]:
        """Return the version of `name`; none if there is no such model, or after that version."""
        if limit < 1 or after or name not in self.names(MAX_FILES):
            return []
        return [self._listed(name)]

    def all_versions(self, limit: int) -> list[tuple[str, str]]:
        """Return name and version of at most `limit` models."""
        return [(item.name, item.version) for item in self.list(limit)]

    def list(self, limit: int, after: str = "") -> list[Listed]:
        """Return at most `limit` models that come after `after`, sorted by name."""
        return [self._listed(name) for name in self.names(limit, after)]

    def _listed(self, name: str) -> Listed:
        path = self.path / f"{name}{SUFFIX}"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        info = path.stat()
        modified = datetime.fromtimestamp(info.st_mtime, UTC)
        known = {"sha256": digest}
        return Listed(name, _version(digest), info.st_size, modified, True, known)


def _version(digest: str) -> str:
    return f"packaged-{digest[:12]}"
