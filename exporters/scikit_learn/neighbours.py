"""Nearest neighbours: all of the training data is in a cell. Formulas: user guide, 1.6.

Of neighbours that are equally far PFA takes the one that comes first. scikit-learn may take
another one; the certificate tells when that shows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from exporters.classes import chosen, dense, shares
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.errors import UnsupportedError

_DIFFERENCE = {"fcn": "metric.absDiff"}


def _metric(model: Any, x: str, point: str) -> Any:
    """Return PFA of the distance from ``x`` to ``point``."""
    name = str(model.effective_metric_)
    p = float(model.effective_metric_params_.get("p", 2.0))
    if model.effective_metric_params_.get("w") is not None:
        raise UnsupportedError(f"{type(model).__name__} with weighted features.")
    known: dict[str, Any] = {
        "euclidean": {"metric.simpleEuclidean": [x, point]},
        "manhattan": {"metric.taxicab": [_DIFFERENCE, x, point]},
        "chebyshev": {"metric.chebyshev": [_DIFFERENCE, x, point]},
        "minkowski": {"metric.minkowski": [_DIFFERENCE, x, point, p]},
    }
    name = {"l2": "euclidean", "l1": "manhattan", "cityblock": "manhattan"}.get(name, name)
    if name not in known:
        names = ", ".join(sorted(known))
        raise UnsupportedError(f"{type(model).__name__}: the metric must be one of {names}.")
    return known[name]


def _nearest(
    model: Any, features: Sequence[Feature], document: Document, kind: str, values: Sequence[Any]
) -> tuple[str, str]:
    """Return PFA of the values of the nearest points, and of the weights that they have."""
    record = {
        "type": "record",
        "name": document.unique("Neighbour"),
        "fields": [{"name": "point", "type": DOUBLES}, {"name": "value", "type": kind}],
    }
    points = [
        {"point": point, "value": value}
        for point, value in zip(dense(model._fit_X).tolist(), values, strict=True)
    ]
    cell = document.cell("points", {"type": "array", "items": record}, points)
    x = document.doubles(features)
    neighbour = record["name"]
    metric = {
        "params": [{"x": DOUBLES}, {"neighbour": neighbour}],
        "ret": "double",
        "do": _metric(model, "x", "neighbour.point"),
    }
    count = int(model.n_neighbors)
    nearest = document.let("nearest", {"model.neighbor.nearestK": [count, x, cell, metric]})
    take = {"params": [{"neighbour": neighbour}], "ret": kind, "do": "neighbour.value"}
    found = document.let("values", {"a.map": [nearest, take]})
    if model.weights in ("uniform", None):
        one: Any = {"params": [{"neighbour": neighbour}], "ret": "double", "do": 1.0}
        return found, document.let("weights", {"a.map": [nearest, one]})
    if model.weights != "distance":
        raise UnsupportedError("Neighbours with weights=<function> cannot be exported.")
    measure = {
        "params": [{"neighbour": neighbour}],
        "ret": "double",
        "do": _metric(model, x, "neighbour.point"),
    }
    distances = document.let("distances", {"a.map": [nearest, measure]})
    least = {"attr": distances, "path": [0]}
    same = document.let("same", {"==": [least, 0.0]})  # then only those there count
    hit = {"if": {"==": ["distance", 0.0]}, "then": 1.0, "else": 0.0}
    weight = {
        "params": [{"distance": "double"}],
        "ret": "double",
        "do": {"if": same, "then": hit, "else": {"/": [1.0, "distance"]}},
    }
    return found, document.let("weights", {"a.map": [distances, weight]})


def classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The class that most of the nearest have."""
    if model.outputs_2d_:
        raise UnsupportedError("A classifier of several outputs cannot be exported.")
    labels = np.ravel(model._y).tolist()
    values, weights = _nearest(model, features, document, "int", labels)
    ints = {"type": "array", "items": "int"}
    numbers = document.cell("class_numbers", ints, list(range(len(model.classes_))))
    counted = {
        "params": [{"value": "int"}, {"weight": "double"}],
        "ret": "double",
        "do": {"if": {"==": ["value", "k"]}, "then": "weight", "else": 0.0},
    }
    votes = {
        "params": [{"k": "int"}],
        "ret": "double",
        "do": {"a.sum": [{"a.zipmap": [values, weights, counted]}]},
    }
    found = document.let("votes", {"a.map": [numbers, votes]})
    probabilities = shares(document, found)
    return chosen(document, model.classes_, {"a.argmax": [found]}, probabilities)


def regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The mean of the nearest ones' values."""
    known = np.asarray(model._y, dtype=float)
    if known.ndim > 1 and known.shape[1] != 1:
        raise UnsupportedError("A regression of several targets cannot be exported.")
    values, weights = _nearest(model, features, document, "double", known.ravel().tolist())
    product = {
        "params": [{"value": "double"}, {"weight": "double"}],
        "ret": "double",
        "do": {"*": ["value", "weight"]},
    }
    total = {"a.sum": [{"a.zipmap": [values, weights, product]}]}
    return Prediction({"/": [total, {"a.sum": [weights]}]})
