"""scikit-learn, one row or many given as dicts."""

import pickle
from typing import Any

import numpy as np
import sklearn  # noqa: F401  what the model needs of it, its pickle imports


def load(text: bytes, _: str) -> Any:
    """Make an estimator of its pickle."""
    return pickle.loads(text)


def one(model: Any) -> Any:
    """Answer a record."""
    score = many(model)
    return lambda record: score([record])[0]


def many(model: Any) -> Any:
    """Answer records: the second class's probability, or the number that is predicted."""
    if hasattr(model, "predict_proba"):
        return lambda records: model.predict_proba(array(records))[:, 1].tolist()
    return lambda records: model.predict(array(records)).tolist()


def array(records: list[dict[str, float]]) -> Any:
    """Rows of doubles; the records' keys are in the order of the columns."""
    return np.array([list(record.values()) for record in records])
