"""Models that travel inside the function, for when there is no bucket.

Same three calls and the same errors as `bucket.Bucket`, over a folder of `<name>.pfa` files.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from bucket import SUFFIX, BucketError, Document, Listed, MissingError, Unchanged, is_model_name


class Folder:
    """The `.pfa` files of one folder; a file's ETag is the sha256 of its bytes."""

    def __init__(self, path: Path) -> None:
        """Serve the files of `path`, which need not exist."""
        self.path = path

    def get_if_changed(
        self, name: str, etag: str | None = None, seconds: float | None = None
    ) -> Document | Unchanged:
        """Return the document of `name`, unless it still is the one with `etag`.

        `seconds` is for S3; a file is simply read. Raises MissingError or BucketError.
        """
        del seconds
        if not is_model_name(name):
            raise ValueError("not a model's name")
        try:
            body = (self.path / f"{name}{SUFFIX}").read_bytes()
        except FileNotFoundError as error:
            raise MissingError("no such model") from error
        except OSError as error:
            raise BucketError(f"cannot read the file: {type(error).__name__}") from error
        digest = hashlib.sha256(body).hexdigest()
        return Unchanged("") if digest == etag else Document(body, digest, _version(digest))

    def names(self, limit: int = 1000, after: str = "") -> list[str]:
        """Return the names of at most `limit` models that come after `after`, sorted."""
        names = sorted(path.name.removesuffix(SUFFIX) for path in self.path.glob(f"*{SUFFIX}"))
        return [name for name in names if is_model_name(name) and name > after][:limit]

    def list(self, limit: int, after: str = "") -> list[Listed]:
        """Return at most `limit` models that come after `after`, sorted by name."""
        found = []
        for name in self.names(limit, after):
            path = self.path / f"{name}{SUFFIX}"
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            info = path.stat()
            modified = datetime.fromtimestamp(info.st_mtime, UTC)
            found.append(Listed(name, _version(digest), info.st_size, modified))
        return found


def _version(digest: str) -> str:
    return f"packaged-{digest[:12]}"
