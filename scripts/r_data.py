"""Read the objects of an .RData file (R's XDR serialisation) without R.

Format: "R Internals", section "Serialization Formats". Only what model objects are made of is
known here; anything else is a ValueError.
"""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NA_INTEGER = -(2**31)
HAS_ATTRIBUTES, HAS_TAG = 0x200, 0x400

# SEXP type codes
SYMBOL, PAIRLIST, CLOSURE, ENVIRONMENT, PROMISE, LANGUAGE, CHARACTER = 1, 2, 3, 4, 5, 6, 9
LOGICAL, INTEGER, REAL, STRINGS, LIST = 10, 13, 14, 16, 19
NAMESPACE, EMPTY_ENVIRONMENT, BASE_ENVIRONMENT = 249, 242, 241
BASE_NAMESPACE, MISSING_ARGUMENT, GLOBAL_ENVIRONMENT, NULL, REFERENCE = 247, 251, 253, 254, 255
SINGLETONS = {
    EMPTY_ENVIRONMENT,
    BASE_ENVIRONMENT,
    BASE_NAMESPACE,
    MISSING_ARGUMENT,
    GLOBAL_ENVIRONMENT,
    NULL,
}


@dataclass
class Vector:
    """An R vector: `values`, and its attributes (`names`, `dim`, `levels`, `class`)."""

    values: list[Any]
    attributes: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        """The element called `name`, as `x$name` in R."""
        return self.values[self.attributes["names"].values.index(name)]

    def rows(self) -> list[list[Any]]:
        """A matrix row by row (R keeps it column by column)."""
        count = self.attributes["dim"].values[0]
        return [self.values[row::count] for row in range(count)]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.references: list[Any] = []

    def take(self, form: str, count: int = 1) -> Any:
        layout = struct.Struct(f">{count}{form}")
        found = layout.unpack_from(self.data, self.at)
        self.at += layout.size
        return found

    def integer(self) -> int:
        return int(self.take("i")[0])

    def item(self) -> Any:
        flags = self.integer()
        kind = flags & 0xFF
        if kind in SINGLETONS:
            return None
        if kind == REFERENCE:
            return self.references[(flags >> 8 or self.integer()) - 1]
        if kind in (SYMBOL, NAMESPACE, ENVIRONMENT):
            return self.reference(kind)
        if kind in (PAIRLIST, LANGUAGE, CLOSURE, PROMISE):
            return self.pairlist(flags)
        if kind == CHARACTER:
            size = self.integer()
            return None if size == -1 else self.take("s", size)[0].decode("utf-8")
        vector = Vector(self.elements(kind))
        if flags & HAS_ATTRIBUTES:
            vector.attributes = dict(self.item())
        return vector

    def elements(self, kind: int) -> list[Any]:
        size = self.integer()
        if kind in (LOGICAL, INTEGER):
            return [None if v == NA_INTEGER else v for v in self.take("i", size)]
        if kind == REAL:
            return list(self.take("d", size))
        if kind in (STRINGS, LIST):
            return [self.item() for _ in range(size)]
        raise ValueError(f"R object of type {kind} at byte {self.at}")

    def reference(self, kind: int) -> Any:
        """A symbol, namespace or environment: later ones refer back to it by number."""
        if kind == SYMBOL:
            self.references.append(self.item())
        elif kind == NAMESPACE:
            self.integer()
            self.references.append([self.item() for _ in range(self.integer())])
        else:
            self.references.append(None)
            self.integer()
            for _part in ("enclosure", "frame", "hash table", "attributes"):
                self.item()
        return self.references[-1]

    def pairlist(self, flags: int) -> list[tuple[Any, Any]]:
        """Tag and value of each cell; R chains them, so a loop, not a recursion."""
        found = []
        while flags & 0xFF in (PAIRLIST, LANGUAGE, CLOSURE, PROMISE):
            if flags & HAS_ATTRIBUTES:
                self.item()
            tag = self.item() if flags & HAS_TAG else None
            found.append((tag, self.item()))
            flags = self.integer()
        if flags & 0xFF != NULL:
            # The tail of a dotted pair (a closure's body): read it and let it go.
            self.at -= 4
            self.item()
        return found


def load(path: Path) -> dict[str, Any]:
    """The objects that R's `save()` wrote to `path`, by name.

    Raises:
        ValueError: the file is no gzipped XDR .RData file, or holds an object of another type.
    """
    data = gzip.decompress(path.read_bytes())
    if data[:7] != b"RDX2\nX\n":
        raise ValueError(f"{path.name} is no XDR .RData file")
    reader = _Reader(data)
    reader.at = 7 + 3 * 4  # format version, and the R versions that wrote it and can read it
    return dict(reader.item())
