"""Spark's naive Bayes, clusters and perceptrons. Formulas: its guide of MLlib."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from exporters.classes import sigmoid, softmax
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.errors import UnsupportedError
from exporters.scikit_learn.linear import many
from exporters.scikit_learn.others import closest_of, normal_scores
from exporters.spark.classes import likeliest


def bayes(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The log of the prior, and of the likelihood of each feature."""
    kind = model.getModelType()
    prior, theta = model.pi.toArray(), model.theta.toArray()
    if kind == "gaussian":
        scores = normal_scores(document, features, prior, theta, model.sigma.toArray())
    elif kind == "bernoulli":
        absent = np.log(1 - np.exp(theta))
        scores = many(document, features, theta - absent, prior + absent.sum(axis=1))
    else:  # the complement's prior counts for nothing
        start = np.zeros(len(prior)) if kind == "complement" else prior
        scores = many(document, features, theta, start)
    return likeliest(document, model, scores, softmax(document, scores), len(theta))


def clusters(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The number of the closest centre."""
    if model.getDistanceMeasure() != "euclidean":
        raise UnsupportedError(f"{type(model).__name__}: distanceMeasure must be 'euclidean'.")
    centres = [np.asarray(centre, dtype=float).tolist() for centre in model.clusterCenters()]
    return closest_of(document, features, centres)


def perceptron(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """Layers with the logistic function between them, and softmax of the last one's numbers.

    Spark keeps all weights in one vector: of each layer the matrix by columns, then the bias.
    """
    fields = [
        {"name": "weights", "type": {"type": "array", "items": DOUBLES}},
        {"name": "bias", "type": DOUBLES},
    ]
    layer = {"type": "record", "name": document.unique("Layer"), "fields": fields}
    sizes, rest, layers = list(model.getLayers()), model.weights.toArray(), []
    for before, size in pairwise(sizes):
        matrix, bias = rest[: before * size], rest[before * size : before * size + size]
        rest = rest[before * size + size :]
        weights = matrix.reshape(before, size).T
        layers.append({"weights": weights.tolist(), "bias": bias.tolist()})
    cell = document.cell("layers", {"type": "array", "items": layer}, layers)
    activation = {"params": [{"v": "double"}], "ret": "double", "do": sigmoid("v")}
    x = document.doubles(features)
    found = document.let("outputs", {"model.neural.simpleLayers": [x, cell, activation]})
    return likeliest(document, model, found, softmax(document, found), sizes[-1])
