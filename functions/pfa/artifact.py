"""Models compiled ahead of time: bytes from which a model is ready in milliseconds.

An artifact holds the document, what is told of the model, the generated Python, and where the
document has no state the compiled code with its constants. Form: a line with the format's name,
a line of JSON that says what the rest is good for, the SHA-256 digest of that line and the rest,
and the rest in Python's marshal format.

Read artifacts only from a place where nobody but their maker can write: unmarshalling runs no code
by itself, but the code in it is what scores. The digest finds accidents, not forgery: who can write
an artifact can write its digest.
"""

import hashlib
import importlib
import importlib.util
import json
import marshal
import types
import zlib
from collections.abc import Callable
from typing import Any

from pfa import sources
from pfa.compiler.runtime import NO_MATCH
from pfa.errors import DocumentError
from pfa.kernels.prepared import remade

FORMAT = b"pfa-score artifact 4\n"
_DIGEST = 32  # bytes
_PARTS = {
    "engine": "version of the engine",
    "sources": "state of the engine",
    "python": "version of Python",
}

Portable = tuple[str, Any]  # how a name of the code is made again


def key(sha256: str, engine: str) -> dict[str, str]:
    """Return what must be the same for an artifact to be used; the document is its SHA-256."""
    magic = importlib.util.MAGIC_NUMBER.hex()
    return {"document": sha256, "engine": engine, "sources": sources.digest(), "python": magic}


def pack(head: dict[str, str], content: dict[str, Any]) -> bytes:
    """Return the bytes of an artifact; ``content`` is of what marshal can write."""
    line = json.dumps(head, sort_keys=True).encode() + b"\n"
    rest = line + marshal.dumps(content)
    return FORMAT + hashlib.sha256(rest).digest() + rest


def unpack(data: bytes, engine: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return head and content of an artifact.

    Raises DocumentError: it is none, of another engine or Python, cut off or altered.
    """
    if not data.startswith(FORMAT):
        raise DocumentError("This is not an artifact of this version: compile the document again.")
    start = len(FORMAT) + _DIGEST
    rest = memoryview(data)[start:]
    if hashlib.sha256(rest).digest() != data[len(FORMAT) : start]:
        raise DocumentError("The artifact is cut off or altered: compile the document again.")
    end = data.index(b"\n", start) + 1
    head: dict[str, str] = json.loads(data[start:end])
    wanted = key(head["document"], engine)
    for part, what in _PARTS.items():
        if head[part] != wanted[part]:
            raise DocumentError(
                f"The artifact was made by another {what}: compile the document again."
            )
    content: dict[str, Any] = marshal.loads(memoryview(data)[end:])  # noqa: S302 - see above
    return head, content


def compress(text: bytes) -> bytes:
    """Return a document, or source, as an artifact holds it."""
    return zlib.compress(text, 1)


def decompress(data: bytes) -> bytes:
    """Return the text that ``compress`` was given."""
    return zlib.decompress(data)


def portable(value: Any) -> Portable | None:
    """Return how a value is made again in another process; None if it cannot be."""
    recipe = getattr(value, "recipe", None)
    if recipe is not None:
        return ("made", recipe) if _is_plain(recipe) else None
    if value is NO_MATCH:
        return "named", ("pfa.compiler.runtime", "NO_MATCH")
    if isinstance(value, types.BuiltinFunctionType | types.FunctionType):
        return _named(value)
    return ("plain", value) if _is_plain(value) else None


def _named(function: Callable[..., Any]) -> Portable | None:
    """Return where a function of ours or of the standard library is found by its name."""
    module, name = function.__module__ or "", function.__qualname__
    ours = module.startswith(("pfa.library.", "pfa.kernels.", "pfa.compiler."))
    if not ours and module not in ("math", "builtins"):
        return None
    found = getattr(importlib.import_module(module), name, None)
    return ("named", (module, name)) if found is function else None


def _is_plain(value: Any) -> bool:
    try:
        marshal.dumps(value)
    except ValueError:
        return False
    return True


def restored(made: Portable) -> Any:
    """Return the value that ``portable`` described."""
    how, what = made
    if how == "made":
        return remade(what)
    if how == "named":
        return getattr(importlib.import_module(what[0]), what[1])
    return what
