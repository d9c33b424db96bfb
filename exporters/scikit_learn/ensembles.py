"""Models that ask several models: bagging, AdaBoost, votes, isolation forests.

Trees of them are walked as a forest is. Formulas: scikit-learn's user guide, 1.11 and 2.7.3.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from exporters.classes import chosen, of_two, sigmoid, softmax
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.errors import UnsupportedError
from exporters.forests import of_arrays, of_doubles, sum_of_arrays
from exporters.scikit_learn.trees import mean_of_arrays, numbered_tree_of, tree_of
from exporters.supported import predict

_TREES = (
    "DecisionTreeClassifier",
    "ExtraTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeRegressor",
)
ARRAYS = {"type": "array", "items": DOUBLES}


def _of_trees(models: Sequence[Any]) -> bool:
    return all(type(each).__name__ in _TREES for each in models)


def bagging_regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The mean of models of some of the features each."""
    both = list(zip(model.estimators_, model.estimators_features_, strict=True))
    if _of_trees(model.estimators_):
        forest = of_doubles(document, features)
        trees = [
            tree_of(forest, each.tree_, lambda value: float(value[0, 0]), places)
            for each, places in both
        ]
        return Prediction({"a.mean": [forest.scores(trees)]})
    values = [predict(each, [features[i] for i in at], document).value for each, at in both]
    return Prediction({"a.mean": [{"type": DOUBLES, "new": values}]})


def bagging_classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The mean of the probabilities by models of some of the features each."""
    count = len(model.classes_)
    both = list(zip(model.estimators_, model.estimators_features_, strict=True))
    if _of_trees(model.estimators_):
        forest = of_arrays(document, features)
        trees = [
            tree_of(forest, each.tree_, _shares(each.classes_, count), places)
            for each, places in both
        ]
        scores = forest.scores(trees)
    else:
        rows = [_all_classes(document, each, [features[i] for i in at], count) for each, at in both]
        scores = document.let("scores", {"type": ARRAYS, "new": rows})
    total = sum_of_arrays(document, scores)
    found = mean_of_arrays(document, total, len(model.estimators_))
    return chosen(document, model.classes_, {"a.argmax": [found]}, found)


def _shares(present: Any, count: int) -> Callable[[np.ndarray], list[float]]:
    """Return what gives a leaf's share of each class; a tree may have seen only some of them."""

    def leaf(value: np.ndarray) -> list[float]:
        row = np.zeros(count)
        row[np.asarray(present, dtype=int)] = value[0]
        found: list[float] = row.tolist()
        return found

    return leaf


def _all_classes(document: Document, model: Any, features: Sequence[Feature], count: int) -> Any:
    """Return PFA of the probabilities of all classes, which are numbered; or of one vote."""
    inner = predict(model, features, document)
    if hasattr(model, "predict_proba"):
        if inner.probabilities is None:
            raise UnsupportedError(f"{type(model).__name__}.predict_proba cannot be exported.")
        if len(inner.classes) == count:
            return inner.probabilities
        places = [inner.classes.index(k) if k in inner.classes else -1 for k in range(count)]
        new = [{"attr": inner.probabilities, "path": [i]} if i >= 0 else 0.0 for i in places]
        return {"type": DOUBLES, "new": new}
    return {"cast.fanoutDouble": [{"cast.int": [inner.value]}, 0, count, False]}


def boost_classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """AdaBoost: each model votes for its class with its weight, and against all others."""
    count = len(model.classes_)
    weights = np.asarray(model.estimator_weights_, dtype=float)[: len(model.estimators_)]
    if count < 2:
        raise UnsupportedError("AdaBoost of one class cannot be exported.")
    votes = (np.eye(count) - (1 - np.eye(count)) / (count - 1))[None] * weights[:, None, None]
    votes /= weights.sum()
    if count == 2:
        votes = votes[:, :, 1] - votes[:, :, 0]
    scores = _votes(model, features, document, votes)
    if count == 2:
        margin = document.let("margin", {"a.sum": [scores]})
        second = document.let("second", sigmoid(margin))
        return replace(of_two(document, model.classes_, margin, second), margins=margin)
    found = sum_of_arrays(document, scores)
    scaled = document.let("scaled", {"la.scale": [found, 1.0 / (count - 1)]})
    probabilities = softmax(document, scaled)
    made = chosen(document, model.classes_, {"a.argmax": [found]}, probabilities)
    return replace(made, margins=found)


def _votes(model: Any, features: Sequence[Feature], document: Document, votes: np.ndarray) -> str:
    """Return PFA of the array of what each model's class counts."""
    if _of_trees(model.estimators_):
        forest = (of_doubles if votes.ndim == 2 else of_arrays)(document, features)
        classes = model.classes_.tolist()

        def leaf(each: Any, vote: np.ndarray) -> Callable[[np.ndarray], Any]:
            return lambda value: vote[classes.index(each.classes_[value[0].argmax()])].tolist()

        return forest.scores(
            [
                tree_of(forest, each.tree_, leaf(each, vote))
                for each, vote in zip(model.estimators_, votes, strict=True)
            ]
        )
    items = DOUBLES if votes.ndim == 3 else "double"
    rows = {"type": "array", "items": {"type": "array", "items": items}}
    cell = document.cell("votes", rows, votes.tolist())
    new = []
    for i, each in enumerate(model.estimators_):
        inner = predict(each, features, document)
        kind = {"type": "array", "items": inner.type}
        known = document.cell("labels", kind, model.classes_.tolist())
        new.append({**cell, "path": [i, {"a.index": [known, inner.value]}]})
    return document.let("scores", {"type": {"type": "array", "items": items}, "new": new})


def boost_regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """AdaBoost: the weighted median of the models' values."""
    if _of_trees(model.estimators_):
        forest = of_doubles(document, features)
        trees = [
            tree_of(forest, each.tree_, lambda value: float(value[0, 0]))
            for each in model.estimators_
        ]
        scores = forest.scores(trees)
    else:
        values = [predict(each, features, document).value for each in model.estimators_]
        scores = document.let("scores", {"type": DOUBLES, "new": values})
    weights = np.asarray(model.estimator_weights_, dtype=float)[: len(model.estimators_)]
    cell = document.cell("weights", DOUBLES, weights.tolist())
    return Prediction({_weighted_median(document): [scores, cell]})


def _weighted_median(document: Document) -> str:
    """Define a function: the first value, in order, with half of the weight at it or before."""
    pick = {"params": [{"i": "int"}], "ret": "double", "do": {"attr": "weights", "path": ["i"]}}
    search: list[Any] = [
        {"let": {"order": {"a.argminN": ["values", {"a.len": ["values"]}]}}},
        {"let": {"heavy": {"a.map": ["order", pick]}}},
        {"let": {"half": {"*": [0.5, {"a.sum": ["heavy"]}]}}},
        {"let": {"at": 0, "sum": {"attr": "heavy", "path": [0]}}},
        {
            "while": {"<": ["sum", "half"]},
            "do": [
                {"set": {"at": {"+": ["at", 1]}}},
                {"set": {"sum": {"+": ["sum", {"attr": "heavy", "path": ["at"]}]}}},
            ],
        },
        {"attr": "values", "path": [{"attr": "order", "path": ["at"]}]},
    ]
    params = [{"values": DOUBLES}, {"weights": DOUBLES}]
    return document.function("weightedMedian", params, "double", search)


def voting_regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The weighted mean of the models' values."""
    values = [predict(each, features, document).value for each in model.estimators_]
    weights = _weights(model)
    cell = document.cell("weights", DOUBLES, (weights / weights.sum()).tolist())
    found = document.let("values", {"type": DOUBLES, "new": values})
    product = {
        "params": [{"value": "double"}, {"weight": "double"}],
        "ret": "double",
        "do": {"*": ["value", "weight"]},
    }
    return Prediction({"a.sum": [{"a.zipmap": [found, cell, product]}]})


def _weights(model: Any) -> np.ndarray:
    given = model._weights_not_none
    made: np.ndarray = np.ones(len(model.estimators_)) if given is None else np.array(given, float)
    return made


def voting_classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The weighted mean of the models' probabilities, or the class of most weight."""
    count = len(model.classes_)
    inner = [predict(each, features, document) for each in model.estimators_]
    weights = _weights(model)
    if model.voting == "soft":
        rows = [each.probabilities for each in inner]
        if any(row is None for row in rows):
            raise UnsupportedError("VotingClassifier: a model of it gives no probabilities.")
    else:  # the models' labels are numbers of classes
        rows = [
            {"cast.fanoutDouble": [{"cast.int": [each.value]}, 0, count, False]} for each in inner
        ]
    weighted = [
        {"la.scale": [row, weight]} for row, weight in zip(rows, weights.tolist(), strict=True)
    ]
    # in scikit-learn's order, so that ties are ties
    total = sum_of_arrays(document, document.let("votes", {"type": ARRAYS, "new": weighted}))
    if model.voting == "hard":
        return chosen(document, model.classes_, {"a.argmax": [total]})
    found = mean_of_arrays(document, total, weights.sum())
    return chosen(document, model.classes_, {"a.argmax": [found]}, found)


def isolation(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """1, or -1 for an outlier: leaves that are near the root are of those."""
    from sklearn.ensemble._iforest import _average_path_length

    forest = of_doubles(document, features)
    trees = []
    for number, (each, places) in enumerate(
        zip(model.estimators_, model.estimators_features_, strict=True)
    ):
        depths = model._decision_path_lengths[number] + model._average_path_length_per_tree[number]
        trees.append(numbered_tree_of(forest, each.tree_, _depth(depths - 1.0), places))
    total = {"a.sum": [forest.scores(trees)]}
    usual = len(trees) * float(_average_path_length([model._max_samples])[0])
    cell = document.cell("usual_depth", "double", usual)
    offset = document.cell("offset", "double", float(model.offset_))
    score = {"u-": [{"**": [2.0, {"u-": [{"/": [total, cell]}]}]}]}
    margin = document.let("margin", {"-": [score, offset]})
    value = {"if": {"<": [margin, 0.0]}, "then": -1, "else": 1}
    return Prediction(document.let("inlier", value), "int", margins=margin)


def _depth(depths: np.ndarray) -> Callable[[int], float]:
    return lambda i: float(depths[i])
