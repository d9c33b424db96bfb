"""Support vector machines: ``model.svm.score`` and ``m.kernel``; linear ones ``model.reg.linear``.

User guide, 1.4; of more than two classes each pair has a margin, and the most often won class is
predicted.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from exporters.classes import chosen, of_two
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.errors import UnsupportedError
from exporters.scikit_learn.linear import linear, many


def _kernel(model: Any, document: Document, first: str, second: str) -> Any:
    """Return PFA of the kernel of two arrays."""
    values = {"gamma": model._gamma, "intercept": model.coef0, "degree": model.degree}
    taken = {
        "rbf": ("m.kernel.rbf", ("gamma",)),
        "poly": ("m.kernel.poly", ("gamma", "intercept", "degree")),
        "sigmoid": ("m.kernel.sigmoid", ("gamma", "intercept")),
    }
    if model.kernel not in taken:
        names = ", ".join(["linear", *sorted(taken)])
        raise UnsupportedError(f"{type(model).__name__}: the kernel must be one of {names}.")
    function, names_ = taken[model.kernel]
    cells = [document.cell(name, "double", float(values[name])) for name in names_]
    return {function: [first, second, *cells]}


def _score(model: Any, features: Sequence[Feature], document: Document, sign: float) -> str:
    """Return PFA of the margin of a machine of one kind of support vectors."""
    weights = sign * np.ravel(model._dual_coef_)
    vectors = np.asarray(model.support_vectors_, dtype=float).tolist()
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
    kernel = {
        "params": [{"x": DOUBLES}, {"y": DOUBLES}],
        "ret": "double",
        "do": _kernel(model, document, "x", "y"),
    }
    return document.let("margin", {"model.svm.score": [x, cell, kernel]})


def _margin(model: Any, features: Sequence[Feature], document: Document) -> str:
    """Return PFA of the margin of the second of two classes, or of the only one."""
    if model.kernel == "linear":
        const = float(model.intercept_[0])
        return document.let("margin", linear(document, features, model.coef_[0], const))
    sign = -1.0 if len(getattr(model, "classes_", ())) == 2 else 1.0
    return _score(model, features, document, sign)


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
    if model.break_ties:
        raise UnsupportedError("SVC(break_ties=True) cannot be exported.")
    count = len(model.classes_)
    pairs = list(combinations(range(count), 2))
    if model.kernel == "linear":
        margins = many(document, features, model.coef_, np.ravel(model.intercept_))
    else:
        margins = _margins_of_pairs(model, features, document, pairs)
    votes = _votes(document, margins, pairs, count)
    made = chosen(document, model.classes_, {"a.argmax": [votes]})
    if model.decision_function_shape == "ovr":
        return replace(made, margins=_one_to_rest(document, margins, votes, pairs, count))
    return made


def _margins_of_pairs(
    model: Any, features: Sequence[Feature], document: Document, pairs: Sequence[tuple[int, int]]
) -> str:
    """Return PFA of sums of the kernels of all support vectors, which are made once."""
    x = document.doubles(features)
    vectors = np.asarray(model.support_vectors_, dtype=float).tolist()
    cell = document.cell("support_vectors", {"type": "array", "items": DOUBLES}, vectors)
    kernel = {
        "params": [{"vector": DOUBLES}],
        "ret": "double",
        "do": _kernel(model, document, x, "vector"),
    }
    kernels = document.let("kernels", {"a.map": [cell, kernel]})
    starts = np.concatenate([[0], np.cumsum(model.n_support_)]).tolist()
    rows = []
    for i, j in pairs:
        row = np.zeros(len(vectors))
        row[starts[i] : starts[i + 1]] = model._dual_coef_[j - 1, starts[i] : starts[i + 1]]
        row[starts[j] : starts[j + 1]] = model._dual_coef_[i, starts[j] : starts[j + 1]]
        rows.append(row.tolist())
    fields = [
        {"name": "const", "type": DOUBLES},
        {"name": "coeff", "type": {"type": "array", "items": DOUBLES}},
    ]
    weights = document.cell(
        "pairs_of_classes",
        {"type": "record", "name": document.unique("Pairs"), "fields": fields},
        {"const": np.ravel(model._intercept_).tolist(), "coeff": rows},
    )
    return document.let("margins", {"model.reg.linear": [kernels, weights]})


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
