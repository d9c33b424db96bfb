"""The Python that m2cgen wrote, one row or many given as dicts."""

import sys
from typing import Any

sys.setrecursionlimit(100_000)


def load(text: bytes, path: str) -> Any:
    """Make the function of its source."""
    found: dict[str, Any] = {}
    exec(compile(text, path, "exec"), found)
    return found["score"]


def one(model: Any) -> Any:
    """Answer a record."""
    return lambda record: model(list(record.values()))


def many(model: Any) -> Any:
    """Answer records."""
    return lambda records: [model(list(record.values())) for record in records]
