"""What classifiers have in common: their classes, and the label of the likeliest."""

from typing import Any

import numpy as np

from exporters.document import Document, Prediction
from exporters.errors import UnsupportedError

_TYPES = {"i": "long", "u": "long", "b": "boolean", "f": "double"}


def labels(classes: Any) -> tuple[str, tuple[Any, ...]]:
    """Return the Avro type of class labels, and the labels as JSON values."""
    array = np.asarray(classes)
    if array.ndim != 1:
        raise UnsupportedError("A classifier of several outputs cannot be exported.")
    values = tuple(array.tolist())
    if all(isinstance(value, str) for value in values):
        return "string", values
    kind = _TYPES.get(array.dtype.kind)
    if kind is None:
        raise UnsupportedError("Class labels must be text, whole numbers or truth values.")
    return kind, values


def dense(numbers: Any) -> np.ndarray:
    """Return numbers that may be in a sparse matrix, as models that were fitted to one have."""
    made: np.ndarray = np.asarray(getattr(numbers, "toarray", lambda: numbers)(), dtype=float)
    return made


def sigmoid(margin: Any) -> dict[str, Any]:
    """Return PFA of 1 / (1 + exp(-margin)).

    titus2's exp overflows at 709.8; 1e-308 is what it gives at -709.
    """
    return {"m.link.logit": [{"max": [margin, -709.0]}]}


def softmax(document: Document, scores: str) -> str:
    """Return PFA of the softmax of an array.

    m.link.softmax subtracts the smallest score where that is the farthest from 0, and overflows.
    """
    largest = document.let("largest", {"a.max": [scores]})
    power = {
        "params": [{"score": "double"}],
        "ret": "double",
        "do": {"m.exp": [{"-": ["score", largest]}]},
    }
    return shares(document, document.let("powers", {"a.map": [scores, power]}))


def shares(document: Document, values: str) -> str:
    """Return PFA of each number of an array over the sum of all."""
    total = document.let("total", {"a.sum": [values]})
    share = {"params": [{"value": "double"}], "ret": "double", "do": {"/": ["value", total]}}
    return document.let("probability", {"a.map": [values, share]})


def chosen(document: Document, classes: Any, index: Any, probabilities: Any = None) -> Prediction:
    """Return the prediction of the class at ``index``, which is PFA of an int."""
    avro_type, values = labels(classes)
    cell = document.cell("classes", {"type": "array", "items": avro_type}, list(values))
    return Prediction({**cell, "path": [index]}, avro_type, values, probabilities)


def of_two(document: Document, classes: Any, margin: str, probability: str | None) -> Prediction:
    """Return the prediction of two classes: the second one where ``margin`` is positive.

    ``probability`` is PFA of the second one's.
    """
    index = {"if": {">": [margin, 0.0]}, "then": 1, "else": 0}
    both = None
    if probability is not None:
        both = document.let(
            "probability",
            {
                "type": {"type": "array", "items": "double"},
                "new": [{"-": [1.0, probability]}, probability],
            },
        )
    return chosen(document, classes, index, both)
