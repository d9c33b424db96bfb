"""Normal densities of many dimensions: Gaussian mixtures and quadratic discriminant analysis.

Each class has a matrix that makes its density round: the log of the density is minus half the
squared length of what ``model.reg.linear`` gives, plus a constant. User guide, 2.1.1 and 1.2.2.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from exporters.classes import chosen, of_two, softmax
from exporters.document import DOUBLES, Document, Feature, Prediction


def mixture(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The number of the component that a record is likeliest of."""
    means = np.asarray(model.means_, dtype=float)
    count, size = means.shape
    found = np.asarray(model.precisions_cholesky_, dtype=float)
    if model.covariance_type == "tied":
        found = np.broadcast_to(found, (count, size, size))
    elif model.covariance_type != "full":  # a number for each feature, or one for all
        found = np.array([np.eye(size) * each for each in found])
    matrices = [each.T for each in found]
    logs = [
        float(np.log(np.diag(matrix)).sum() - 0.5 * size * np.log(2 * np.pi) + np.log(weight))
        for matrix, weight in zip(matrices, np.ravel(model.weights_), strict=True)
    ]
    scores = _densities(document, features, matrices, means, logs)
    probabilities = softmax(document, scores)
    return chosen(document, np.arange(count), {"a.argmax": [scores]}, probabilities)


def quadratic(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The class of the largest density, times its prior."""
    matrices = [
        (rotation * scaling**-0.5).T
        for rotation, scaling in zip(model.rotations_, model.scalings_, strict=True)
    ]
    logs = [
        float(np.log(prior) - 0.5 * np.log(scaling).sum())
        for prior, scaling in zip(model.priors_, model.scalings_, strict=True)
    ]
    scores = _densities(document, features, matrices, np.asarray(model.means_), logs)
    probabilities = softmax(document, scores)
    if len(logs) == 2:
        first, second = ({"attr": scores, "path": [i]} for i in range(2))
        margin = document.let("margin", {"-": [second, first]})
        made = of_two(document, model.classes_, margin, None)
        return replace(made, margins=margin, probabilities=probabilities)
    made = chosen(document, model.classes_, {"a.argmax": [scores]}, probabilities)
    return replace(made, margins=scores)


def _densities(
    document: Document,
    features: Sequence[Feature],
    matrices: Sequence[np.ndarray],
    means: np.ndarray,
    logs: Sequence[float],
) -> str:
    """Return PFA of the log densities: an array.

    The means are taken away first: coordinates far from 0 would leave no digits.
    """
    record = document.unique("Normal")
    rows = {"type": "array", "items": DOUBLES}
    types = {"mean": DOUBLES, "coeff": rows, "const": DOUBLES, "log": "double"}
    fields = [{"name": name, "type": kind} for name, kind in types.items()]
    normals = [
        {"mean": mean, "coeff": matrix.tolist(), "const": [0.0] * len(matrix), "log": log}
        for mean, matrix, log in zip(means.tolist(), matrices, logs, strict=True)
    ]
    normal = {"type": "record", "name": record, "fields": fields}
    cell = document.cell("normals", {"type": "array", "items": normal}, normals)
    x = document.doubles(features)
    square = {"params": [{"v": "double"}], "ret": "double", "do": {"*": ["v", "v"]}}
    round_ = {"model.reg.linear": [{"la.sub": [x, "normal.mean"]}, "normal"]}
    length = {"a.sum": [{"a.map": [round_, square]}]}
    density = {
        "params": [{"normal": record}],
        "ret": "double",
        "do": {"-": ["normal.log", {"*": [0.5, length]}]},
    }
    return document.let("densities", {"a.map": [cell, density]})
