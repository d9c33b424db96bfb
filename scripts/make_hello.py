"""hello: the smallest model, one number in and one out."""

from __future__ import annotations

from scripts.sample import Document, metadata


def document() -> Document:
    """A PFA document that adds 100 to a number."""
    return {
        "name": "hello",
        "doc": "Adds 100 to a number.",
        "version": 1,
        "metadata": metadata(
            "Written by hand.", [(3.14, 103.14), (0.0, 100.0), (-100.0, 0.0), (1e300, 1e300)]
        ),
        "input": "double",
        "output": "double",
        "action": {"+": ["input", 100]},
    }
