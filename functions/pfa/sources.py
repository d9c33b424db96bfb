"""A digest of the engine's own source files.

What a compiled model is good for depends on them: artifacts of other sources are refused, even if
the version is the same, as between two releases. To read the files takes some milliseconds of a
cold start, so the build writes the digest down::

    python pfa/sources.py > pfa/sources.sha256
"""

import hashlib
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_LENGTH = 16  # hex digits, which go into the metadata of S3 objects


@cache
def digest() -> str:
    """Return the digest, as the build wrote it, or else of the files."""
    try:
        return (_FOLDER / "sources.sha256").read_text("ascii").strip()
    except OSError:
        return computed(_FOLDER)


def computed(folder: Path) -> str:
    """Return the digest of the names and contents of the Python files below a folder."""
    total = hashlib.sha256()
    for name, path in sorted((p.relative_to(folder).as_posix(), p) for p in folder.rglob("*.py")):
        total.update(f"{name}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()[:_LENGTH]


if __name__ == "__main__":
    print(computed(_FOLDER))
