"""Trees, forests, and boosted trees of scikit-learn.

The arrays of a tree are described at sklearn.tree._tree.Tree; those of histogram boosting at
sklearn.ensemble._hist_gradient_boosting.common.PREDICTOR_RECORD_DTYPE.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from exporters.classes import chosen, of_two, sigmoid, softmax
from exporters.document import Document, Feature, Prediction
from exporters.errors import UnsupportedError
from exporters.forests import Forest, below, grown, of_arrays, of_doubles, sum_of_arrays
from exporters.scikit_learn.categories import ordinal


def tree_of(
    forest: Forest,
    tree: Any,
    leaf: Callable[[np.ndarray], Any],
    places: Sequence[int] | None = None,
) -> Any:
    """Return a tree; ``leaf`` gives a leaf's value of scikit-learn's, a row for each output.

    ``places`` are the positions of the tree's features among the forest's.
    """
    values = tree.value  # a copy each time
    return numbered_tree_of(forest, tree, lambda i: leaf(values[i]), places)


def numbered_tree_of(
    forest: Forest, tree: Any, leaf: Callable[[int], Any], places: Sequence[int] | None = None
) -> Any:
    """Return a tree; ``leaf`` gives what the leaf of this number holds."""
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    features, thresholds = tree.feature.tolist(), tree.threshold.tolist()
    missing = getattr(tree, "missing_go_to_left", None)
    missing_left = [False] * len(left) if missing is None else missing.astype(bool).tolist()

    def step(i: int) -> Any:
        if left[i] < 0:
            return leaf(i)
        feature = features[i] if places is None else int(places[features[i]])
        return feature, below(thresholds[i]), left[i], right[i], missing_left[i]

    return grown(forest, 0, step)


def _one_output(model: Any) -> None:
    if getattr(model, "n_outputs_", 1) != 1:
        raise UnsupportedError("A model with several outputs cannot be exported.")


def tree_regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """One tree; its leaves hold the mean."""
    return _mean(model, [model], features, document)


def forest_regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The mean of the trees."""
    return _mean(model, model.estimators_, features, document)


def _mean(
    model: Any, trees: Sequence[Any], features: Sequence[Feature], document: Document
) -> Prediction:
    _one_output(model)
    forest = of_doubles(document, features)
    made = [tree_of(forest, each.tree_, lambda value: float(value[0, 0])) for each in trees]
    return Prediction({"a.mean": [forest.scores(made)]})


def tree_classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """One tree; its leaves hold the share of each class."""
    return _voted(model, [model], features, document)


def forest_classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The mean of the trees' shares of each class."""
    return _voted(model, model.estimators_, features, document)


def _voted(
    model: Any, trees: Sequence[Any], features: Sequence[Feature], document: Document
) -> Prediction:
    _one_output(model)
    if len(model.classes_) == 2:
        forest = of_doubles(document, features)
        made = [tree_of(forest, each.tree_, lambda value: _share(value)[1]) for each in trees]
        second = document.let("second", {"a.mean": [forest.scores(made)]})
        margin = document.let("margin", {"-": [second, 0.5]})
        return of_two(document, model.classes_, margin, second)
    forest = of_arrays(document, features)
    made = [tree_of(forest, each.tree_, _share) for each in trees]
    total = sum_of_arrays(document, forest.scores(made))
    found = mean_of_arrays(document, total, len(trees))
    return chosen(document, model.classes_, {"a.argmax": [found]}, found)


def mean_of_arrays(document: Document, total: str, count: float) -> str:
    """Return PFA of a sum of arrays over their number, as scikit-learn has it: ties stay ties."""
    share = {"params": [{"v": "double"}], "ret": "double", "do": {"/": ["v", float(count)]}}
    return document.let("probability", {"a.map": [total, share]})


def _share(value: np.ndarray) -> list[float]:
    row: list[float] = value[0].tolist()
    return row


def _boosted(
    document: Document,
    features: Sequence[Feature],
    groups: Sequence[Any],
    start: np.ndarray,
    categorical: Sequence[int] = (),
) -> list[str]:
    """Return PFA of the sums of the trees' values, a sum for each group of trees.

    A group makes its trees of a forest.
    """
    sums = []
    forest = of_doubles(document, features, categorical)
    for group, first in zip(groups, start.tolist(), strict=True):
        scores = forest.scores(group(forest))
        begin = document.cell("start", "double", first)
        sums.append(document.let("margin", {"+": [begin, {"a.sum": [scores]}]}))
    return sums


def _of_margins(model: Any, document: Document, margins: Sequence[str]) -> Prediction:
    """Return the prediction of a boosted classifier: the logistic function, or softmax."""
    if len(margins) == 1:
        second = document.let("second", sigmoid(margins[0]))
        found = of_two(document, model.classes_, margins[0], second)
        return replace(found, margins=margins[0])
    values = {"type": {"type": "array", "items": "double"}, "new": list(margins)}
    array = document.let("margins", values)
    made = chosen(document, model.classes_, {"a.argmax": [array]}, softmax(document, array))
    return replace(made, margins=array)


def _gradient(model: Any, features: Sequence[Feature], document: Document) -> list[str]:
    if type(model.init_).__name__ not in ("DummyRegressor", "DummyClassifier", "str"):
        raise UnsupportedError("Gradient boosting with init=... cannot be exported.")
    row = np.zeros((1, model.n_features_in_), dtype=np.float32)
    start: np.ndarray = np.ravel(model._raw_predict_init(row)).astype(float)

    def trees_of(k: int) -> Callable[[Forest], list[Any]]:
        def made(forest: Forest) -> list[Any]:
            return [
                tree_of(forest, each.tree_, lambda value: model.learning_rate * float(value[0, 0]))
                for each in model.estimators_[:, k]
            ]

        return made

    groups = [trees_of(k) for k in range(model.estimators_.shape[1])]
    return _boosted(document, features, groups, start)


def boosting_regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The start and the sum of the trees, times the learning rate."""
    return Prediction(_gradient(model, features, document)[0])


def boosting_classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The same for each class, and probabilities of it."""
    margins = _gradient(model, features, document)
    if model.loss == "exponential":  # the margin is half of the log of the odds
        second = document.let("second", sigmoid({"*": [2.0, margins[0]]}))
        return replace(of_two(document, model.classes_, margins[0], second), margins=margins[0])
    return _of_margins(model, document, margins)


def _histogram(model: Any, features: Sequence[Feature], document: Document) -> list[str]:
    categories: list[int] = []
    given = list(features)
    if model.is_categorical_ is not None and np.any(model.is_categorical_):
        # The model numbers the categories itself, and puts their columns before the others.
        encoder = model._preprocessor.named_transformers_["encoder"]
        both = list(zip(features, model.is_categorical_, strict=True))
        chosen_ = [feature for feature, is_one in both if is_one]
        others = [feature for feature, is_one in both if not is_one]
        given = ordinal(encoder, chosen_, document) + others
        categories = list(range(len(chosen_)))

    def trees_of(k: int) -> Callable[[Forest], list[Any]]:
        def made(forest: Forest) -> list[Any]:
            return [_predictor(forest, group[k]) for group in model._predictors]

        return made

    start: np.ndarray = np.ravel(model._baseline_prediction).astype(float)
    groups = [trees_of(k) for k in range(len(model._predictors[0]))]
    return _boosted(document, given, groups, start, categories)


def _predictor(forest: Forest, tree: Any) -> Any:
    nodes, sets = tree.nodes, tree.raw_left_cat_bitsets

    def step(i: int) -> Any:
        node = nodes[i]
        if node["is_leaf"]:
            return float(node["value"])
        threshold: Any = float(node["num_threshold"])
        if node["is_categorical"]:
            bits = np.unpackbits(sets[node["bitset_idx"]].view(np.uint8), bitorder="little")
            threshold = np.flatnonzero(bits).tolist()
        return (
            int(node["feature_idx"]),
            threshold,
            int(node["left"]),
            int(node["right"]),
            bool(node["missing_go_to_left"]),
        )

    return grown(forest, 0, step)


def histogram_regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The start and the sum of the trees, through the loss's link."""
    margin = _histogram(model, features, document)[0]
    if model.loss in ("poisson", "gamma"):
        return Prediction({"m.exp": [margin]})
    return Prediction(margin)


def histogram_classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The same for each class, and probabilities of it."""
    return _of_margins(model, document, _histogram(model, features, document))
