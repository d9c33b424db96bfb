"""Nearest neighbours: all of the training data is in a cell. Formulas: user guide, 1.6.

Of neighbours that are equally far PFA takes the one that comes first. scikit-learn may take
another one; the certificate tells when that shows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from exporters.classes import chosen, shares
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.errors import UnsupportedError

_DIFFERENCE = {"fcn": "metric.absDiff"}


def _metric(model: Any, x: str) -> Any:
    """Return PFA of the distance from ``x`` to ``point``."""
    name = str(model.effective_metric_)
    p = float(model.effective_metric_params_.get("p", 2.0))
    if model.effective_metric_params_.get("w") is not None:
        raise UnsupportedError(f"{type(model).__name__} with weighted features.")
    known: dict[str, Any] = {
        "euclidean": {"metric.simpleEuclidean": [x, "point"]},
        "manhattan": {"metric.taxicab": [_DIFFERENCE, x, "point"]},
        "chebyshev": {"metric.chebyshev": [_DIFFERENCE, x, "point"]},
        "minkowski": {"metric.minkowski": [_DIFFERENCE, x, "point", p]},
    }
    name = {"l2": "euclidean", "l1": "manhattan", "cityblock": "manhattan"}.get(name, name)
    if name not in known:
        names = ", ".join(sorted(known))
        raise UnsupportedError(f"{type(model).__name__}: the metric must be one of {names}.")
    return known[name]


def _nearest(model: Any, features: Sequence[Feature], document: Document) -> tuple[str, str]:
    """Return PFA of the numbers of the nearest points, and of the weights that they have."""
    points = np.asarray(model._fit_X, dtype=float).tolist()
    cell = document.cell("points", {"type": "array", "items": DOUBLES}, points)
    x = document.doubles(features)
    metric = {"params": [{"point": DOUBLES}], "ret": "double", "do": _metric(model, x)}
    distances = document.let("distances", {"a.map": [cell, metric]})
    nearest = document.let("nearest", {"a.argminN": [distances, int(model.n_neighbors)]})
    if model.weights in ("uniform", None):
        one: Any = {"params": [{"i": "int"}], "ret": "double", "do": 1.0}
        return nearest, document.let("weights", {"a.map": [nearest, one]})
    if model.weights != "distance":
        raise UnsupportedError("Neighbours with weights=<function> cannot be exported.")
    distance = {"attr": distances, "path": ["i"]}
    least = {"attr": distances, "path": [{"attr": nearest, "path": [0]}]}
    same = document.let("same", {"==": [least, 0.0]})  # then only those there count
    hit = {"if": {"==": [distance, 0.0]}, "then": 1.0, "else": 0.0}
    weight = {
        "params": [{"i": "int"}],
        "ret": "double",
        "do": {"if": same, "then": hit, "else": {"/": [1.0, distance]}},
    }
    return nearest, document.let("weights", {"a.map": [nearest, weight]})


def classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The class that most of the nearest have."""
    if model.outputs_2d_:
        raise UnsupportedError("A classifier of several outputs cannot be exported.")
    nearest, weights = _nearest(model, features, document)
    ints = {"type": "array", "items": "int"}
    label = document.cell("labels", ints, np.ravel(model._y).tolist())
    numbers = document.cell("class_numbers", ints, list(range(len(model.classes_))))
    counted = {
        "params": [{"i": "int"}, {"weight": "double"}],
        "ret": "double",
        "do": {"if": {"==": [{**label, "path": ["i"]}, "k"]}, "then": "weight", "else": 0.0},
    }
    votes = {
        "params": [{"k": "int"}],
        "ret": "double",
        "do": {"a.sum": [{"a.zipmap": [nearest, weights, counted]}]},
    }
    found = document.let("votes", {"a.map": [numbers, votes]})
    probabilities = shares(document, found)
    return chosen(document, model.classes_, {"a.argmax": [found]}, probabilities)


def regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The mean of the nearest ones' values."""
    values = np.asarray(model._y, dtype=float)
    if values.ndim > 1 and values.shape[1] != 1:
        raise UnsupportedError("A regression of several targets cannot be exported.")
    nearest, weights = _nearest(model, features, document)
    value = document.cell("values", DOUBLES, values.ravel().tolist())
    product = {
        "params": [{"i": "int"}, {"weight": "double"}],
        "ret": "double",
        "do": {"*": [{**value, "path": ["i"]}, "weight"]},
    }
    total = {"a.sum": [{"a.zipmap": [nearest, weights, product]}]}
    return Prediction({"/": [total, {"a.sum": [weights]}]})
