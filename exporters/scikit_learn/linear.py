"""Linear models: ``model.reg.linear`` and a link function.

Formulas: scikit-learn's user guide, chapters 1.1 (linear models), 1.2 (discriminant analysis) and
1.5 (stochastic gradient descent).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from exporters.classes import chosen, dense, of_two, shares, sigmoid, softmax
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.errors import UnsupportedError


def regression(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """A weighted sum of the features."""
    weights = dense(model.coef_)
    if weights.ndim > 1 and weights.shape[0] != 1:
        raise UnsupportedError("A regression of several targets cannot be exported.")
    const = float(np.ravel(model.intercept_)[0])
    return Prediction(linear(document, features, weights.ravel(), const))


def generalised(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """A weighted sum of the features, through the link of the distribution; user guide, 1.1."""
    link = type(model._base_loss.link).__name__
    if link not in ("LogLink", "IdentityLink"):
        raise UnsupportedError(f"{type(model).__name__} with {link} cannot be exported.")
    total = linear(document, features, np.ravel(model.coef_), float(model.intercept_))
    return Prediction({"m.exp": [total]} if link == "LogLink" else total)


def latent(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """Partial least squares: a weighted sum of the centred features; user guide, 1.8."""
    weights = np.asarray(model.coef_, dtype=float)
    if weights.shape[0] != 1:
        raise UnsupportedError("A regression of several targets cannot be exported.")
    const = float(np.ravel(model.intercept_)[0] - weights[0] @ model._x_mean)
    return Prediction(linear(document, features, weights[0], const))


def linear(
    document: Document, features: Sequence[Feature], weights: np.ndarray, const: float
) -> dict[str, Any]:
    """Return PFA of a weighted sum of the features."""
    cell = document.cell(
        "regression",
        {
            "type": "record",
            "name": document.unique("Regression"),
            "fields": [{"name": "const", "type": "double"}, {"name": "coeff", "type": DOUBLES}],
        },
        {"const": const, "coeff": weights.tolist()},
    )
    return {"model.reg.linear": [document.doubles(features), cell]}


def many(
    document: Document,
    features: Sequence[Feature],
    weights: np.ndarray,
    const: np.ndarray,
    hint: str = "margins",
) -> str:
    """Return PFA of several weighted sums of the features, an array."""
    fields = [
        {"name": "const", "type": DOUBLES},
        {"name": "coeff", "type": {"type": "array", "items": DOUBLES}},
    ]
    cell = document.cell(
        "regression",
        {"type": "record", "name": document.unique("Regression"), "fields": fields},
        {"const": const.tolist(), "coeff": weights.tolist()},
    )
    return document.let(hint, {"model.reg.linear": [document.doubles(features), cell]})


def logistic(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """Probabilities by the logistic function, or softmax for more than two classes."""
    separate = getattr(model, "solver", "") == "liblinear"
    return _classified(model, features, document, "each" if separate else "softmax")


def discriminant(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """Linear discriminant analysis: the margins are linear, the probabilities their softmax."""
    return _classified(model, features, document, "softmax")


def margins(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The class of the largest margin; probabilities where the loss gives them."""
    link = {"log_loss": "each", "modified_huber": "huber"}.get(getattr(model, "loss", ""))
    return _classified(model, features, document, link)


def _clipped(margin: str) -> dict[str, Any]:
    """Return PFA of (min(max(margin, -1), 1) + 1) / 2."""
    return {"/": [{"+": [{"min": [{"max": [margin, -1.0]}, 1.0]}, 1.0]}, 2.0]}


def _classified(
    model: Any, features: Sequence[Feature], document: Document, link: str | None
) -> Prediction:
    weights = np.atleast_2d(dense(model.coef_))
    const = np.broadcast_to(np.ravel(model.intercept_).astype(float), len(weights))
    of_margin = _clipped if link == "huber" else sigmoid
    if len(weights) == 1:
        margin = document.let("margin", linear(document, features, weights[0], float(const[0])))
        second = link and document.let("second", of_margin(margin))
        return replace(of_two(document, model.classes_, margin, second), margins=margin)
    found = many(document, features, weights, const)
    probabilities = None
    if link == "softmax":
        probabilities = softmax(document, found)
    elif link:
        step = {"params": [{"margin": "double"}], "ret": "double", "do": of_margin("margin")}
        each = document.let("each", {"a.map": [found, step]})
        if link == "huber":  # which may give all classes 0: then they are alike
            none = {"==": [{"a.max": [each]}, 0.0]}
            alike = document.cell("alike", DOUBLES, [1.0] * len(weights))
            each = document.let("counted", {"if": none, "then": alike, "else": each})
        probabilities = shares(document, each)
    made = chosen(document, model.classes_, {"a.argmax": [found]}, probabilities)
    return replace(made, margins=found)
