"""Trees as PFA: nodes, thresholds, missing values, and the sum or mean of many.

scikit-learn and XGBoost round what they compare to single precision. PFA compares doubles, so the
thresholds are moved: ``below`` gives the largest double that rounds to no more than a threshold.
With it the same side is taken for every double.

A missing value goes left at some nodes and right at others. A nullable column is two fields of the
record that the trees walk: one in which null is larger than every threshold, and one in which it is
smaller; each node asks the one that sends null where it belongs.

A category is the double of its number, and -1 if it is missing. A node that asks whether it is one
of several has an array for a value.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from exporters.columns import avro_names
from exporters.document import DOUBLES, Document, Feature

_LARGEST = 1.7976931348623157e308  # of a double: null, and no number of a record is larger
_MOST = 1.7976931348623155e308  # the one before it, at which only null goes right
MISSING = -1.0  # in place of the number of a category
_SMALLER = "_or_small"  # ends the name of the field in which null is smaller than all


def below(threshold: float) -> float:
    """Return the largest double x with float32(x) <= threshold, by IEEE 754's round to even."""
    if not np.isfinite(threshold):
        return threshold
    single = np.float32(threshold)
    if float(single) > threshold:
        single = np.nextafter(single, np.float32(-np.inf))
    above = np.nextafter(single, np.float32(np.inf))
    if not np.isfinite(above):
        return threshold
    middle = (float(single) + float(above)) / 2  # exact: doubles have 29 more bits
    return middle if np.float32(middle) == single else float(np.nextafter(middle, -np.inf))


def under(threshold: float) -> float:
    """Return the largest double x with float32(x) < threshold, which is a single."""
    return below(float(np.nextafter(np.float32(threshold), np.float32(-np.inf))))


@dataclass
class Forest:
    """Trees over the same features, being written."""

    document: Document
    features: Sequence[Feature]
    leaf: Any  # Avro type of a leaf's value
    tag: str  # of such a value in a union
    categorical: frozenset[int] = frozenset()  # numbers of the features that are categories

    def __post_init__(self) -> None:
        """Make the record that the trees walk."""
        names = [feature.name for feature in self.features]
        found = avro_names(names + [name + _SMALLER for name in names])
        self.names, self.smaller = found[: len(names)], found[len(names) :]
        self.node_type = self.document.unique("TreeNode")
        self.datum = self._datum()

    def _datum(self) -> str:
        if not self.categorical and self._are_columns():
            places = [self.document.features.index(each) for each in self.features]
            self.fields = [column.field for column in self.document.columns]
            self.names = [self.fields[place] for place in places]
            return self.document.row
        fields: dict[str, Any] = {}
        for i, (feature, name) in enumerate(zip(self.features, self.names, strict=True)):
            if feature.nullable:
                known = Feature(feature.name, "known", feature.type)
                both = ((name, _LARGEST), (self.smaller[i], -_LARGEST))
                for field, missing in ((name, MISSING),) if i in self.categorical else both:
                    fields[field] = {
                        "ifnotnull": {"known": feature.value},
                        "then": self.document.number(known),
                        "else": missing,
                    }
            else:
                fields[name] = self.document.number(feature)
        self.fields = list(fields)
        record = {
            "type": "record",
            "name": self.document.unique("Features"),
            "fields": [{"name": field, "type": "double"} for field in fields],
        }
        return self.document.let("features", {"type": record, "new": fields})

    def _are_columns(self) -> bool:
        """Tell whether the trees can walk the row itself: doubles, none of them missing."""
        return all(
            each in self.document.features and each.type == "double" and not each.nullable
            for each in self.features
        )

    def node(self, index: int, threshold: Any, left: Any, right: Any, missing_left: bool) -> Any:
        """Return a node that goes left where the feature is at most ``threshold``, or in a list."""
        name = self.names[index]
        if isinstance(threshold, list):
            values = [float(code) for code in threshold] + [MISSING] * missing_left
            test = {"field": name, "operator": "in", "value": {"array": values}}
            return {**test, "pass": left, "fail": right}
        if self.features[index].nullable and missing_left:
            name = self.smaller[index]
        # An infinite threshold is how a tree asks for nothing but null; JSON has no infinity.
        value: Any = min(max(threshold, -_LARGEST), _MOST)
        if self.categorical:
            value = {"double": value}
        return {"field": name, "operator": "<=", "value": value, "pass": left, "fail": right}

    def value(self, value: Any) -> dict[str, Any]:
        """Return a leaf."""
        return {self.tag: value}

    def within(self, node: Any) -> Any:
        """Return a node or leaf as the child of another."""
        return {self.node_type: node} if "field" in node else node

    def _root(self, made: Any) -> Any:
        """Return a tree that begins with a node: one leaf is both sides of one."""
        return made if "field" in made else self.node(0, 0.0, made, made, False)

    def scores(self, trees: Sequence[Any], hint: str = "forest") -> str:
        """Put trees into a cell, and return PFA of the array of their values."""
        first = self.node_type not in self.document.defined
        node = self._type(self.fields) if first else self.node_type
        self.document.defined.add(self.node_type)
        roots = [self._root(tree) for tree in trees]
        cell = self.document.cell(hint, {"type": "array", "items": node}, roots)
        walk = {
            "params": [{"tree": self.node_type}],
            "ret": self.leaf,
            "do": {"model.tree.simpleTree": [self.datum, "tree"]},
        }
        return self.document.let("scores", {"a.map": [cell, walk]})

    def _type(self, fields: Sequence[str]) -> dict[str, Any]:
        child = [self.node_type, self.leaf]
        symbols = {"type": "enum", "name": f"{self.node_type}Field", "symbols": list(fields)}
        return {
            "type": "record",
            "name": self.node_type,
            "fields": [
                {"name": "field", "type": symbols},
                {"name": "operator", "type": "string"},
                {"name": "value", "type": ["double", DOUBLES] if self.categorical else "double"},
                {"name": "pass", "type": child},
                {"name": "fail", "type": child},
            ],
        }


def of_doubles(
    document: Document, features: Sequence[Feature], categorical: Iterable[int] = ()
) -> Forest:
    """Begin a forest of which the leaves hold a number."""
    return Forest(document, features, "double", "double", frozenset(categorical))


def of_arrays(document: Document, features: Sequence[Feature]) -> Forest:
    """Begin a forest of which the leaves hold a number for each class."""
    return Forest(document, features, DOUBLES, "array")


def sum_of_arrays(document: Document, scores: str) -> str:
    """Return PFA of the sum of arrays."""
    add = {
        "params": [{"a": DOUBLES}, {"b": DOUBLES}],
        "ret": DOUBLES,
        "do": {"la.add": ["a", "b"]},
    }
    return document.let("total", {"a.reduce": [scores, add]})


def grown(forest: Forest, root: int, step: Callable[[int], Any]) -> Any:
    """Return a tree of a table of nodes, the children first, without recursion.

    ``step(i)`` gives feature, threshold (or the categories that go left, a list), left, right and
    missing_left of node ``i``, or what a leaf holds.
    """
    made: dict[int, Any] = {}
    waiting = [root]
    while waiting:
        i = waiting[-1]
        found = step(i)
        if not isinstance(found, tuple):
            made[i] = forest.value(found)
            waiting.pop()
            continue
        feature, threshold, left, right, missing_left = found
        missing = [child for child in (left, right) if child not in made]
        if missing:
            waiting += missing
            continue
        sides = forest.within(made.pop(left)), forest.within(made.pop(right))
        made[i] = forest.node(feature, threshold, *sides, missing_left)
        waiting.pop()
    return made[root]
