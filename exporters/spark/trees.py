"""Spark's trees, forests and boosted trees.

Their nodes are read from what Spark saves, in a folder for the moment: one by one through the
gateway to Java, a forest takes minutes. The folder must be one that Spark's executors can write to,
as those of local mode can. A number goes left where it is at most the threshold, which is a double;
a category where it is one of a list; a missing value goes right, and one that is compared with a
list of those on the right goes left.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from exporters.classes import shares, sigmoid
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.forests import Forest, grown, of_doubles, sum_of_arrays
from exporters.spark.classes import likeliest, of_margin
from exporters.spark.session import session
from exporters.spark.stages import given

Nodes = dict[int, Any]


def _saved(model: Any) -> list[Nodes]:
    """Return the nodes of each tree by their number."""
    with tempfile.TemporaryDirectory(prefix="trees-") as folder:
        where = (Path(folder) / "model").as_uri()
        model.save(where)
        rows = session().read.parquet(f"{where}/data").collect()
    trees: dict[int, Nodes] = {}
    for row in rows:
        tree, node = (row.treeID, row.nodeData) if "treeID" in row else (0, row)
        trees.setdefault(tree, {})[node.id] = node
    return [trees[i] for i in sorted(trees)]


def _categorical(trees: Sequence[Nodes]) -> frozenset[int]:
    splits = [node.split for tree in trees for node in tree.values() if node.leftChild >= 0]
    return frozenset(split.featureIndex for split in splits if split.numCategories >= 0)


def _tree(forest: Forest, nodes: Nodes, leaf: Callable[[Any], Any]) -> Any:
    def step(i: int) -> Any:
        node = nodes[i]
        left, right = node.leftChild, node.rightChild
        if left < 0:
            return leaf(node)
        split = node.split
        values = list(split.leftCategoriesOrThreshold)
        if split.numCategories < 0:
            return split.featureIndex, float(values[0]), left, right, False
        if 2 * len(values) <= split.numCategories:
            return split.featureIndex, values, left, right, False
        others = [float(k) for k in range(split.numCategories) if k not in values]
        return split.featureIndex, others, right, left, False

    return grown(forest, 0, step)


def _sum(
    model: Any,
    features: Sequence[Feature],
    document: Document,
    weights: Sequence[float] | None = None,
) -> Any:
    """Return PFA of the sum of the trees' numbers, each times its weight."""
    trees = _saved(model)
    forest = of_doubles(document, features, _categorical(trees))
    made = [
        _tree(forest, nodes, _weighted(weight))
        for nodes, weight in zip(trees, weights or [1.0] * len(trees), strict=True)
    ]
    return {"a.sum": [forest.scores(made)]}


def _weighted(weight: float) -> Callable[[Any], Any]:
    return lambda node: weight * float(node.prediction)


def regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """One tree; its leaves hold a number."""
    return Prediction(_sum(model, features, document))


def forest_regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The mean of the trees."""
    return Prediction({"/": [_sum(model, features, document), float(model.getNumTrees)]})


def boosted_regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The sum of the trees, each with a weight."""
    return Prediction(_sum(model, features, document, model.treeWeights))


def boosted_classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The second class where that sum is positive; half of it is the log of the odds."""
    margin = document.let("margin", _sum(model, features, document, model.treeWeights))
    second: Any = sigmoid({"*": [2.0, margin]})
    if given(model, "thresholds") is None:
        return of_margin(document, margin, 0.0, second)
    second = document.let("second", second)
    both = document.let("shares", {"type": DOUBLES, "new": [{"-": [1.0, second]}, second]})
    return likeliest(document, model, both, both, 2)


def classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The sum of the trees' shares of each class: one tree, or a forest."""
    trees = _saved(model)
    forest = Forest(document, features, DOUBLES, "array", _categorical(trees))
    made = [_tree(forest, nodes, _shares) for nodes in trees]
    votes = sum_of_arrays(document, forest.scores(made))
    probabilities = shares(document, votes)
    return likeliest(document, model, votes, probabilities, model.numClasses)


def _shares(node: Any) -> list[float]:
    counts = np.asarray(node.impurityStats, dtype=float)
    found: list[float] = (counts / counts.sum()).tolist()
    return found
