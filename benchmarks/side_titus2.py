"""Stock titus2, with only the two names without which it does not import on today's Python."""

import inspect
from typing import Any

import numpy

inspect.getargspec = inspect.getfullargspec  # type: ignore[attr-defined]
numpy.float_ = numpy.float64  # type: ignore[attr-defined]

from titus.genpy import PFAEngine  # noqa: E402


def load(text: bytes, _: str) -> Any:
    """Make an engine of a document's text."""
    (engine,) = PFAEngine.fromJson(text.decode())
    return engine


def one(engine: Any) -> Any:
    """Score a record; titus checks its input by default."""
    return engine.action


def many(engine: Any) -> Any:
    """Score records; titus has only the loop."""
    action = engine.action
    return lambda records: [action(record) for record in records]
