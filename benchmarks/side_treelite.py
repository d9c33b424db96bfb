"""treelite, by its own runtime (GTIL), one row or many given as dicts."""

from typing import Any

import numpy as np
import treelite


def load(_: bytes, path: str) -> Any:
    """Read a model; treelite reads from files only."""
    return treelite.Model.deserialize(path)


def one(model: Any) -> Any:
    """Answer a record."""
    score = many(model)
    return lambda record: score([record])[0]


def many(model: Any) -> Any:
    """Answer records."""

    def score(records: list[dict[str, float]]) -> list[float]:
        rows = np.array([list(record.values()) for record in records])
        return treelite.gtil.predict(model, rows, nthread=1).ravel().tolist()

    return score
