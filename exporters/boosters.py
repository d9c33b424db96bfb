"""XGBoost and LightGBM.

Formats: XGBoost's JSON model (doc/model.schema of its repository), LightGBM's
``Booster.dump_model``.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from exporters.classes import chosen, of_two, sigmoid, softmax
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.errors import UnsupportedError
from exporters.forests import Forest, grown, of_doubles, under
from exporters.scikit_learn.categories import FAILS, looked_up

_XGBOOST_LINKS = {
    "reg:squarederror": None,
    "reg:absoluteerror": None,
    "reg:pseudohubererror": None,
    "reg:quantileerror": None,
    "rank:pairwise": None,
    "rank:ndcg": None,
    "rank:map": None,
    "binary:logitraw": None,
    "reg:logistic": "m.link.logit",
    "binary:logistic": "m.link.logit",
    "count:poisson": "m.exp",
    "reg:gamma": "m.exp",
    "reg:tweedie": "m.exp",
    "reg:squaredlogerror": None,
    "multi:softprob": "m.link.softmax",
    "multi:softmax": "m.link.softmax",
}


def xgboost_model(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """Trees of an XGBoost model, up to the best iteration of early stopping."""
    booster = model.get_booster()
    learner = json.loads(booster.save_raw("json"))["learner"]
    objective = learner["objective"]["name"]
    # of binary:logitraw XGBClassifier takes the margin for a probability
    if objective not in _XGBOOST_LINKS or (
        objective.endswith("raw") and hasattr(model, "classes_")
    ):
        raise UnsupportedError(f"The objective {objective} of XGBoost cannot be exported.")
    if learner["gradient_booster"]["name"] not in ("gbtree", "dart"):
        raise UnsupportedError("Only XGBoost's boosters 'gbtree' and 'dart' can be exported.")
    parts = learner["gradient_booster"]
    parts = {**parts, **parts.get("gbtree", {})}  # of dart, as it was saved up to version 3.3
    parts = {**parts, **parts["model"]}
    trees, groups = parts["trees"], parts["tree_info"]
    shares = parts.get("weight_drop") or [1.0] * len(trees)
    best = getattr(model, "best_iteration", None) if booster.attr("best_iteration") else None
    if best is not None:
        last = parts["iteration_indptr"][best + 1]
        trees, groups = trees[:last], groups[:last]
    count = max(1, int(learner["learner_model_param"]["num_class"]))
    start = _base_scores(learner, objective, count)
    types = learner["feature_types"] or ["float"] * len(features)
    encoded = parts.get("cats", {}).get("enc", [])
    forest = of_doubles(document, *_xgboost_categories(types, encoded, features, document))
    grown_trees = [
        (at, _xgboost_tree(forest, tree, share))
        for tree, at, share in zip(trees, groups, shares, strict=False)  # more shares than trees
    ]
    of_class = [[tree for at, tree in grown_trees if at == k] for k in range(count)]
    margins = _margins(document, forest, of_class, start)
    return _linked(model, document, margins, _XGBOOST_LINKS[objective])


def _base_scores(learner: dict[str, Any], objective: str, count: int) -> list[float]:
    """Return where the sums begin; XGBoost keeps it as a value of the answer, in text.

    Each step is in single precision, and the bounds are XGBoost's.
    """
    read = json.loads(learner["learner_model_param"]["base_score"])
    scores = np.atleast_1d(np.array(read, dtype=np.float32))
    if len(scores) not in (1, count):
        raise UnsupportedError("XGBoost with several targets or quantiles cannot be exported.")
    one = np.float32(1.0)
    if objective in ("binary:logistic", "reg:logistic"):
        scores = -np.log(one / np.clip(scores, np.float32(1e-6), one - np.float32(1e-6)) - one)
    if objective in ("count:poisson", "reg:gamma", "reg:tweedie"):
        scores = np.log(scores)
    return [float(each) for each in np.broadcast_to(scores, count)]


def _xgboost_categories(
    types: Sequence[str],
    encoded: Sequence[dict[str, Any]],
    features: Sequence[Feature],
    document: Document,
) -> tuple[list[Feature], list[int]]:
    """Return the features with the numbers of categories, and the positions of those."""
    made = list(features)
    found = [i for i, kind in enumerate(types) if kind == "c"]
    for i in found:
        table = encoded[i] if i < len(encoded) else {}
        known = table.get("values", [])
        if "offsets" in table:
            text = bytes(byte % 256 for byte in known)  # written as signed ones
            known = [text[a:b].decode() for a, b in pairwise(table["offsets"])]
        if known:
            made[i] = _numbered(document, features[i], known, FAILS)
    return made, found


def _numbered(document: Document, feature: Feature, known: list[Any], unknown: Any) -> Feature:
    """Return the number of a category; null stays null."""
    table = [*map(float, range(len(known))), None]
    value = looked_up(document, feature, [*known, None], table, unknown, "double")
    name = document.let(f"{feature.name}_category", value)
    return Feature(feature.name, name, nullable=feature.nullable or unknown is None)


def _xgboost_tree(forest: Forest, tree: dict[str, Any], share: float) -> Any:
    """Return a tree whose leaves are multiplied with its share (dart)."""
    left, right = tree["left_children"], tree["right_children"]
    parts = tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"]
    sets = {
        node: tree["categories"][start : start + size]
        for node, start, size in zip(*parts, strict=True)
    }

    def step(i: int) -> Any:
        value = float(np.float32(tree["split_conditions"][i]))
        if left[i] < 0:
            return float(np.float32(value) * np.float32(share))
        missing_left = bool(tree["default_left"][i])
        if i in sets:  # whose categories go right
            return tree["split_indices"][i], sets[i], right[i], left[i], not missing_left
        return tree["split_indices"][i], under(value), left[i], right[i], missing_left

    return grown(forest, 0, step)


def _margins(
    document: Document, forest: Forest, groups: Sequence[Sequence[Any]], start: Sequence[float]
) -> list[str]:
    made = []
    for trees, first in zip(groups, start, strict=True):
        total = {"a.sum": [forest.scores(trees)]}
        begin = document.cell("start", "double", first)
        made.append(document.let("margin", {"+": [begin, total]}))
    return made


def _linked(model: Any, document: Document, margins: Sequence[str], link: str | None) -> Prediction:
    """Return a classifier's prediction, or a number through the link."""
    classes = getattr(model, "classes_", None)
    if classes is None:
        if link == "m.link.logit":
            return Prediction(sigmoid(margins[0]))
        return Prediction(margins[0] if link is None else {link: [margins[0]]})
    if len(margins) == 1:
        second = document.let("second", sigmoid(margins[0]))
        return of_two(document, classes, margins[0], second)
    found = document.let("margins", {"type": DOUBLES, "new": list(margins)})
    probabilities = softmax(document, found)
    return chosen(document, classes, {"a.argmax": [found]}, probabilities)


_LIGHTGBM_LINKS = {
    "regression": None,
    "regression_l1": None,
    "huber": None,
    "fair": None,
    "quantile": None,
    "mape": None,
    "lambdarank": None,
    "rank_xendcg": None,
    "binary": "m.link.logit",
    "cross_entropy": "m.link.logit",
    "multiclass": "m.link.softmax",
    "poisson": "m.exp",
    "gamma": "m.exp",
    "tweedie": "m.exp",
}


def lightgbm_model(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """Trees of a LightGBM model, up to the best iteration of early stopping."""
    dump = model.booster_.dump_model(num_iteration=model.best_iteration_ or -1)
    objective, *options = dump.get("objective", "custom").split()
    if objective not in _LIGHTGBM_LINKS:
        raise UnsupportedError(f"The objective {objective} of LightGBM cannot be exported.")
    if "sqrt" in options or dump.get("average_output"):
        raise UnsupportedError("LightGBM with reg_sqrt or boosting_type='rf' cannot be exported.")
    if objective == "binary" and "sigmoid:1" not in options:
        raise UnsupportedError("LightGBM with sigmoid=... cannot be exported.")
    count = dump["num_tree_per_iteration"]
    forest = of_doubles(document, *_lightgbm_categories(dump, features, document))
    trees = [_lightgbm_tree(forest, each["tree_structure"]) for each in dump["tree_info"]]
    groups = [trees[k::count] for k in range(count)]
    margins = _margins(document, forest, groups, [0.0] * count)
    return _linked(model, document, margins, _LIGHTGBM_LINKS[objective])


def _lightgbm_categories(
    dump: dict[str, Any], features: Sequence[Feature], document: Document
) -> tuple[list[Feature], list[int]]:
    """Return the features with the numbers of categories, and the positions of those."""
    infos = dump["feature_infos"]
    known = dump["pandas_categorical"]
    found = [i for i, name in enumerate(dump["feature_names"]) if infos.get(name, {}).get("values")]
    made = list(features)
    if known:
        columns = found
        if len(known) != len(columns):  # one of them is in no tree
            columns = [i for i, feature in enumerate(features) if feature.type == "string"]
        if len(known) != len(columns):
            raise UnsupportedError("A category of LightGBM's that it does not use: leave it out.")
        for i, values in zip(columns, known, strict=True):
            made[i] = _numbered(document, features[i], values, None)
    return made, found


def _lightgbm_tree(forest: Forest, root: dict[str, Any]) -> Any:
    nodes = [root]
    children: dict[int, tuple[int, int]] = {}
    for i, node in enumerate(nodes):  # which grows
        if "split_feature" in node:
            children[i] = len(nodes), len(nodes) + 1
            nodes += [node["left_child"], node["right_child"]]

    def step(i: int) -> Any:
        node = nodes[i]
        if "leaf_const" in node:
            raise UnsupportedError("LightGBM with linear_tree=True cannot be exported.")
        if i not in children:
            return float(node["leaf_value"])
        if node["decision_type"] == "==":
            left = [int(code) for code in node["threshold"].split("||")]
            return node["split_feature"], left, *children[i], False
        threshold = float(node["threshold"])
        kind = node["missing_type"]
        if kind == "Zero":
            raise UnsupportedError("LightGBM with zero_as_missing=True cannot be exported.")
        # Without missing values in training, LightGBM takes one for 0.
        missing_left = node["default_left"] if kind == "NaN" else threshold >= 0.0
        return node["split_feature"], threshold, *children[i], missing_left

    return grown(forest, 0, step)


def wrapped(model: Any) -> Any:
    """Return a model of XGBoost's or LightGBM's own class as one with predict; others as it is.

    Its classes are numbers from 0 on: the library's own files have no names of them.
    """
    if type(model).__name__ != "Booster":
        return model
    if type(model).__module__.partition(".")[0] == "lightgbm":
        return LightgbmFile(model)
    import xgboost

    objective = json.loads(model.save_config())["learner"]["objective"]["name"]
    classifies = objective.startswith(("binary:", "multi:")) and not objective.endswith("raw")
    found = xgboost.XGBClassifier() if classifies else xgboost.XGBRegressor()
    found.load_model(model.save_raw())
    return found


class LightgbmFile:
    """LightGBM's own class of models, with the methods that its scikit-learn classes have."""

    library = "lightgbm"

    def __init__(self, booster: Any) -> None:
        """Take a lightgbm.Booster."""
        self.booster_ = booster
        self.best_iteration_ = self.booster_.best_iteration
        objective = self.booster_.dump_model(num_iteration=1)["objective"].split()[0]
        if objective in ("binary", "multiclass"):
            self.classes_ = np.arange(max(2, self.booster_.num_model_per_iteration()))

    def predict(self, data: Any) -> Any:
        """Return labels, or numbers if there are no classes."""
        if not hasattr(self, "classes_"):
            return self.booster_.predict(data)
        return self.classes_[np.argmax(self.predict_proba(data), axis=1)]

    def predict_proba(self, data: Any) -> Any:
        """Return a row of probabilities for each row."""
        found = np.asarray(self.booster_.predict(data))
        return found if found.ndim == 2 else np.column_stack([1.0 - found, found])
