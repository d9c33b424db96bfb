"""Naive Bayes of counts, of truth values and of categories.

Formulas: scikit-learn's user guide, 1.9.2 to 1.9.5.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from exporters.classes import chosen, softmax
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.scikit_learn.linear import many


def multinomial(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The log of the prior, and of the share of each feature times how often it is there."""
    prior = np.asarray(model.class_log_prior_, dtype=float)
    return _likeliest(model, features, document, model.feature_log_prob_, prior)


def complement(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The same with the shares in all other classes, and a prior only if it is alone."""
    alone = len(model.classes_) == 1
    prior = model.class_log_prior_ if alone else np.zeros(len(model.classes_))
    return _likeliest(model, features, document, model.feature_log_prob_, prior)


def bernoulli(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The log of the prior, and of each feature's share or its complement."""
    given = list(features)
    if model.binarize is not None:
        x = document.doubles(features)
        threshold = document.cell("threshold", "double", float(model.binarize))
        test = {"if": {">": ["v", threshold]}, "then": 1.0, "else": 0.0}
        step = {"params": [{"v": "double"}], "ret": "double", "do": test}
        made = document.let("binary", {"a.map": [x, step]})
        given = document.elements(made, [feature.name for feature in features])
    absent = np.log(1 - np.exp(model.feature_log_prob_))  # as scikit-learn has it
    weights = model.feature_log_prob_ - absent
    prior = model.class_log_prior_ + absent.sum(axis=1)
    return _likeliest(model, given, document, weights, prior)


def _likeliest(
    model: Any,
    features: Sequence[Feature],
    document: Document,
    weights: np.ndarray,
    prior: np.ndarray,
) -> Prediction:
    found = many(document, features, np.asarray(weights, dtype=float), prior)
    probabilities = softmax(document, found)
    return chosen(document, model.classes_, {"a.argmax": [found]}, probabilities)


def categorical(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The log of the prior, and of the share of each feature's category."""
    x = document.doubles(features)
    table = {"type": "array", "items": {"type": "array", "items": DOUBLES}}
    shares = [each.T.tolist() for each in model.feature_log_prob_]  # by feature, category, class
    cell = document.cell("log_shares", table, shares)
    prior = document.cell("log_priors", DOUBLES, model.class_log_prior_.tolist())
    look = {
        "params": [{"v": "double"}, {"of": {"type": "array", "items": DOUBLES}}],
        "ret": DOUBLES,
        "do": {"attr": "of", "path": [{"cast.int": [{"m.floor": ["v"]}]}]},
    }
    add = {
        "params": [{"a": DOUBLES}, {"b": DOUBLES}],
        "ret": DOUBLES,
        "do": {"la.add": ["a", "b"]},
    }
    each = document.let("shares", {"a.zipmap": [x, cell, look]})
    found = document.let("scores", {"a.fold": [each, prior, add]})
    probabilities = softmax(document, found)
    return chosen(document, model.classes_, {"a.argmax": [found]}, probabilities)
