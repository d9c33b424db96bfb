"""Multi-layer perceptrons: ``model.neural.simpleLayers``. Formulas: user guide, 1.17."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from exporters.classes import chosen, of_two, sigmoid, softmax
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.errors import UnsupportedError

_ACTIVATIONS: dict[str, Any] = {
    "identity": "v",
    "logistic": sigmoid("v"),
    "tanh": {"m.tanh": ["v"]},
    "relu": {"max": ["v", 0.0]},
}


def _layers(model: Any, features: Sequence[Feature], document: Document) -> str:
    """Return PFA of what the last layer gives, before its own function."""
    if model.activation not in _ACTIVATIONS:
        raise UnsupportedError(f"MLP with activation={model.activation!r} cannot be exported.")
    fields = [
        {"name": "weights", "type": {"type": "array", "items": DOUBLES}},
        {"name": "bias", "type": DOUBLES},
    ]
    layer = {"type": "record", "name": document.unique("Layer"), "fields": fields}
    layers = [
        {
            "weights": np.asarray(weights, dtype=float).T.tolist(),
            "bias": np.asarray(bias, dtype=float).tolist(),
        }
        for weights, bias in zip(model.coefs_, model.intercepts_, strict=True)
    ]
    cell = document.cell("layers", {"type": "array", "items": layer}, layers)
    activation = {
        "params": [{"v": "double"}],
        "ret": "double",
        "do": _ACTIVATIONS[model.activation],
    }
    x = document.doubles(features)
    return document.let("outputs", {"model.neural.simpleLayers": [x, cell, activation]})


def regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The last layer's number."""
    if model.n_outputs_ != 1:
        raise UnsupportedError("A regression of several targets cannot be exported.")
    value = {"attr": _layers(model, features, document), "path": [0]}
    if getattr(model, "loss", "") == "poisson":
        value = {"m.exp": [value]}
    return Prediction(value)


def classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The logistic function of the last layer's number, or softmax of its numbers."""
    if getattr(model._label_binarizer, "y_type_", "").startswith("multilabel"):
        raise UnsupportedError("A classifier of several outputs cannot be exported.")
    outputs = _layers(model, features, document)
    if model.n_outputs_ == 1:
        margin = document.let("margin", {"attr": outputs, "path": [0]})
        second = document.let("second", sigmoid(margin))
        return of_two(document, model.classes_, margin, second)
    return chosen(document, model.classes_, {"a.argmax": [outputs]}, softmax(document, outputs))
