"""Support vector machines: ``model.svm.score`` and ``m.kernel``; linear ones ``model.reg.linear``.

User guide, 1.4; of more than two classes each pair has a margin, and the most often won class is
predicted. For these, and where there are many support vectors, ``model.reg.linear`` multiplies a
record with all of them at once, which is 10 to 50 times as fast.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from exporters.classes import chosen, dense, of_two
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.errors import UnsupportedError
from exporters.scikit_learn.linear import linear, many

_MANY = 2_000  # numbers in support vectors
_PARAMETERS: dict[str, dict[str, str]] = {  # of m.kernel, and the model's attributes
    "linear": {},
    "rbf": {"gamma": "_gamma"},
    "poly": {"gamma": "_gamma", "intercept": "coef0", "degree": "degree"},
    "sigmoid": {"gamma": "_gamma", "intercept": "coef0"},
}


def _check_kernel(model: Any) -> None:
    if model.kernel not in _PARAMETERS:
        names = ", ".join(_PARAMETERS)
        raise UnsupportedError(f"{type(model).__name__}: the kernel must be one of {names}.")


def _score(model: Any, features: Sequence[Feature], document: Document, sign: float) -> str:
    """Return PFA of the margin of a machine of one kind of support vectors."""
    weights = sign * np.ravel(dense(model._dual_coef_))
    vectors = dense(model.support_vectors_).tolist()
    fields = [{"name": "supVec", "type": DOUBLES}, {"name": "coeff", "type": "double"}]
    vector = document.unique("SupportVector")
    sides: dict[str, list[Any]] = {"posClass": [], "negClass": []}
    for weight, values in zip(weights.tolist(), vectors, strict=True):
        side = "posClass" if weight > 0 else "negClass"
        sides[side].append({"supVec": values, "coeff": weight})
    machine = {
        "type": "record",
        "name": document.unique("SupportVectors"),
        "fields": [
            {"name": "const", "type": "double"},
            {
                "name": "posClass",
                "type": {
                    "type": "array",
                    "items": {"type": "record", "name": vector, "fields": fields},
                },
            },
            {"name": "negClass", "type": {"type": "array", "items": vector}},
        ],
    }
    const = sign * float(np.ravel(model._intercept_)[0])
    cell = document.cell("support_vectors", machine, {"const": const, **sides})
    x = document.doubles(features)
    parameters = [
        document.cell(name, "double", float(getattr(model, attribute)))
        for name, attribute in _PARAMETERS[model.kernel].items()
    ]
    kernel = {
        "params": [{"x": DOUBLES}, {"y": DOUBLES}],
        "ret": "double",
        "do": {f"m.kernel.{model.kernel}": ["x", "y", *parameters]},
    }
    return document.let("margin", {"model.svm.score": [x, cell, kernel]})


def _kernels(model: Any, features: Sequence[Feature], document: Document) -> Sequence[Feature]:
    """Return the kernels of a record with each support vector, made of their products.

    |x - y|² is |x|² + |y|² - 2xy, good to the last digits of the largest of these; so all is
    measured from the mean of the support vectors.
    """
    vectors = dense(model.support_vectors_)
    gamma, const = float(model._gamma), np.full(len(vectors), float(model.coef0))
    kernel: Any = {"m.tanh": ["product"]}
    if model.kernel == "poly":
        kernel = {"**": ["product", float(model.degree)]}
    elif model.kernel == "rbf":
        mean = vectors.mean(axis=0)
        cell = document.cell("mean", DOUBLES, mean.tolist())
        x = document.let("x", {"la.sub": [document.doubles(features), cell]})
        features = document.elements(x, [feature.name for feature in features])
        known = document.cell("gamma", "double", gamma)
        square = document.let("square", {"*": [known, {"m.kernel.linear": [x, x]}]})
        kernel = {"m.exp": [{"-": ["product", square]}]}
        vectors = vectors - mean
        const = -gamma * (vectors * vectors).sum(axis=1)
        gamma *= 2.0
    products = many(document, features, gamma * vectors, const, "products")
    each = {"params": [{"product": "double"}], "ret": "double", "do": kernel}
    kernels = document.let("kernels", {"a.map": [products, each]})
    return document.elements(kernels, [f"kernel {i}" for i in range(len(vectors))])


def _margin(model: Any, features: Sequence[Feature], document: Document) -> str:
    """Return PFA of the margin of the second of two classes, or of the only one."""
    _check_kernel(model)
    if model.kernel == "linear":
        const = float(model.intercept_[0])
        return document.let("margin", linear(document, features, dense(model.coef_)[0], const))
    sign = -1.0 if len(getattr(model, "classes_", ())) == 2 else 1.0
    if np.prod(model.support_vectors_.shape) < _MANY:
        return _score(model, features, document, sign)
    weights = sign * np.ravel(dense(model._dual_coef_))
    const = sign * np.ravel(model._intercept_)
    kernels = _kernels(model, features, document)
    return document.let("margin", linear(document, kernels, weights, float(const[0])))


def regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The margin is the prediction."""
    return Prediction(_margin(model, features, document))


def one_class(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """1 where the margin is positive, -1 for an outlier."""
    margin = _margin(model, features, document)
    value = {"if": {">": [margin, 0.0]}, "then": 1, "else": -1}
    return Prediction(document.let("inlier", value), "int", margins=margin)


def classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The class of a positive margin, or the one that wins most pairs."""
    if model.probability is True:  # libsvm stops its iteration at an error of 0.0025
        raise UnsupportedError(
            f"{type(model).__name__}(probability=True) cannot be exported: its probabilities are"
            " approximate. CalibratedClassifierCV(SVC(), ensemble=False) can."
        )
    if len(model.classes_) > 2:
        return _pairs(model, features, document)
    margin = _margin(model, features, document)
    return replace(of_two(document, model.classes_, margin, None), margins=margin)


def _pairs(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """Return the class that wins most of the pairs."""
    _check_kernel(model)
    if model.break_ties:
        raise UnsupportedError("SVC(break_ties=True) cannot be exported.")
    count = len(model.classes_)
    pairs = list(combinations(range(count), 2))
    if model.kernel == "linear":
        weights, const = dense(model.coef_), model.intercept_
    else:
        features = _kernels(model, features, document)
        weights, const = _weights_of_pairs(model, pairs), model._intercept_
    margins = many(document, features, weights, np.ravel(const))
    votes = _votes(document, margins, pairs, count)
    made = chosen(document, model.classes_, {"a.argmax": [votes]})
    if model.decision_function_shape == "ovr":
        return replace(made, margins=_one_to_rest(document, margins, votes, pairs, count))
    return made


def _weights_of_pairs(model: Any, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return the weights of all support vectors in the margin of each pair of classes."""
    starts = np.concatenate([[0], np.cumsum(model.n_support_)])
    duals = dense(model._dual_coef_)
    weights = np.zeros((len(pairs), len(duals[0])))
    for row, (i, j) in zip(weights, pairs, strict=True):
        of_i, of_j = slice(*starts[i : i + 2]), slice(*starts[j : j + 2])
        row[of_i], row[of_j] = duals[j - 1, of_i], duals[i, of_j]
    return weights


def _one_to_rest(
    document: Document, margins: str, votes: str, pairs: Sequence[Any], count: int
) -> str:
    """Return PFA of a margin for each class: its votes, and less than half for its margins."""
    signs = np.zeros((count, len(pairs)))
    for number, (i, j) in enumerate(pairs):
        signs[i, number], signs[j, number] = 1.0, -1.0
    cell = document.cell("signs", {"type": "array", "items": DOUBLES}, signs.tolist())
    sums = document.let("sums", {"la.dot": [cell, margins]})
    part = {"/": ["sum", {"*": [3.0, {"+": [{"m.abs": ["sum"]}, 1.0]}]}]}
    both = {
        "params": [{"sum": "double"}, {"votes": "int"}],
        "ret": "double",
        "do": {"+": ["votes", part]},
    }
    return document.let("decision", {"a.zipmap": [sums, votes, both]})


def _votes(document: Document, margins: str, pairs: Sequence[Any], count: int) -> str:
    """Return PFA of how many pairs each class wins."""
    ints = {"type": "array", "items": "int"}
    cell = document.cell("pairs", {"type": "array", "items": ints}, [list(each) for each in pairs])
    winner = {
        "params": [{"margin": "double"}, {"pair": ints}],
        "ret": "int",
        "do": {
            "if": {">": ["margin", 0.0]},
            "then": {"attr": "pair", "path": [0]},
            "else": {"attr": "pair", "path": [1]},
        },
    }
    won = document.let("won", {"a.zipmap": [margins, cell, winner]})
    numbers = document.cell("class_numbers", ints, list(range(count)))
    votes = {"params": [{"k": "int"}], "ret": "int", "do": {"a.count": [won, "k"]}}
    return document.let("votes", {"a.map": [numbers, votes]})
