"""This project's engine."""

from typing import Any

import pfa


def load(text: bytes, _: str) -> Any:
    """Make a model of a document's text."""
    return pfa.load(text)


def one(model: Any) -> Any:
    """Check and score a record."""
    return model.score


def many(model: Any) -> Any:
    """Check and score records."""
    return model.score_batch


def about(model: Any) -> Any:
    """Return what the model says of its engine."""
    return model.describe()["engine"]


def artifact(model: Any) -> bytes | None:
    """Return the compiled model."""
    return model.to_artifact() if hasattr(model, "to_artifact") else None
