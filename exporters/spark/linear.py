"""Spark's linear models. Formulas: its guide of MLlib, "Classification and regression"."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from exporters.classes import sigmoid, softmax
from exporters.document import Document, Feature, Prediction
from exporters.errors import UnsupportedError
from exporters.scikit_learn.linear import linear, many
from exporters.spark.classes import likeliest, of_margin
from exporters.spark.stages import given

_LARGEST = 1.7976931348623157e308  # of a double
_EPSILON = 1e-16  # which Spark's means of these families are away from their ends


def regression(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """A weighted sum of the features."""
    return Prediction(
        linear(document, features, model.coefficients.toArray(), float(model.intercept))
    )


def logistic(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The logistic function of a margin, or softmax of one for each class."""
    weights = model.coefficientMatrix.toArray()
    const = model.interceptVector.toArray()
    if len(weights) > 1:
        scores = many(document, features, weights, const)
        return likeliest(document, model, scores, softmax(document, scores), len(weights))
    margin = document.let("margin", linear(document, features, weights[0], float(const[0])))
    threshold = float(model.getThreshold())
    if not 0 < threshold < 1:
        raise UnsupportedError(f"{type(model).__name__}: a threshold of {threshold:g}.")
    least = float(np.log(threshold / (1 - threshold)))
    return of_margin(document, margin, least, sigmoid(margin))


def vectors(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """A linear support vector machine: the second class where the margin is over a threshold."""
    margin = linear(document, features, model.coefficients.toArray(), float(model.intercept))
    return of_margin(document, document.let("margin", margin), float(model.getThreshold()))


_LINKS = {"gaussian": "identity", "binomial": "logit", "poisson": "log", "gamma": "inverse"}
_POWERS = {1.0: "identity", 0.0: "log", -1.0: "inverse", 0.5: "sqrt"}


def generalized(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """A weighted sum through the inverse of the family's link, within the family's range."""
    if given(model, "offsetCol"):
        raise UnsupportedError(f"{type(model).__name__} with offsetCol=... cannot be exported.")
    total = linear(document, features, model.coefficients.toArray(), float(model.intercept))
    x = document.let("margin", total)
    family = model.getFamily().lower()
    power = 0.0
    if family == "tweedie":
        least = given(model, "linkPower")
        power = 1.0 - model.getVariancePower() if least is None else least
        link = _POWERS.get(power, "power")
    else:
        link = (given(model, "link") or _LINKS[family]).lower()
    formulas: dict[str, Any] = {
        "identity": x,
        "log": {"m.exp": [x]},
        "inverse": {"/": [1.0, x]},
        "sqrt": {"*": [x, x]},
        "logit": sigmoid(x),
        "probit": {"m.link.probit": [x]},
        "cloglog": {"m.link.cloglog": [x]},
    }
    if link == "power":
        formulas["power"] = {"**": [x, 1.0 / power]}
    mean = formulas[link]
    if family == "binomial":
        return Prediction({"min": [{"max": [mean, _EPSILON]}, 1.0 - _EPSILON]})
    if family == "gaussian" or (family == "tweedie" and model.getVariancePower() == 0.0):
        return Prediction(mean)
    return Prediction({"min": [{"max": [mean, _EPSILON]}, _LARGEST]})
