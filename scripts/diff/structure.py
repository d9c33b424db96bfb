"""What changes between two documents as they are written: cells, trees, coefficients, functions."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from scripts.diff.behaviour import NOTHING, below

SHOWN_NUMBERS = 10

_STORES = ("cells", "pools")
_EXPRESSIONS = ("begin", "action", "end", "merge", "zero", "options")


@dataclass(frozen=True, slots=True)
class Forest:
    """The trees of a cell: a split is a node with branches, a leaf is what it ends in."""

    trees: int
    splits: int
    leaves: int
    depth: int  # of the deepest tree, in splits
    mean_depth: float
    fields: tuple[str, ...]  # that the splits ask for

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "trees": self.trees,
            "splits": self.splits,
            "leaves": self.leaves,
            "depth": self.depth,
            "meanDepth": self.mean_depth,
        }


@dataclass(slots=True)
class StoreChange:
    """A cell or pool of which the first value, the type or a flag changes.

    Of those that are added or removed, only what holds trees is here.
    """

    name: str
    what: list[str] = field(default_factory=list)  # "type", "value", "flags"; "added", "removed"
    forests: tuple[Forest, Forest] | None = None
    same_trees: int = 0  # at the same place, of the fewer of both
    fields_gone: tuple[str, ...] = ()
    fields_new: tuple[str, ...] = ()
    numbers: int = 0  # outside trees, in both
    numbers_changed: int = 0
    largest: list[tuple[str, float, float]] = field(default_factory=list)  # place, old, new
    places_gone: int = 0
    places_new: int = 0
    texts_changed: int = 0


@dataclass(slots=True)
class Names:
    """Names that come, go, and mean something else."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Say whether there are any."""
        return bool(self.added or self.removed or self.changed)


@dataclass(slots=True)
class Structure:
    """What changes between two documents; ``facts`` and ``expressions`` hold (old, new)."""

    facts: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # name, method, version, doc
    expressions: dict[str, bool] = field(default_factory=dict)  # of those there are: changed or not
    functions: Names = field(default_factory=Names)
    stores: dict[str, Names] = field(default_factory=dict)
    changes: dict[str, list[StoreChange]] = field(default_factory=dict)
    metadata: Names = field(default_factory=Names)
    examples: tuple[int, int] = (0, 0)
    stateful: bool = False


def compare(old_document: bytes, new_document: bytes) -> Structure:
    """Compare two documents, such as could be loaded."""
    found = Structure()
    old, new = _parsed(old_document), _parsed(new_document)
    for fact, default in (("name", None), ("method", "map"), ("version", None), ("doc", None)):
        pair = old.get(fact, default), new.get(fact, default)
        if pair[0] != pair[1]:
            found.facts[fact] = pair
    for part in _EXPRESSIONS:
        if part in old or part in new:
            found.expressions[part] = _list(old.get(part)) != _list(new.get(part))
    found.functions = _names(old.get("fcns", {}), new.get("fcns", {}))
    for kind in _STORES:
        before, after = old.get(kind, {}), new.get(kind, {})
        names = found.stores[kind] = _names(before, after)
        found.changes[kind] = [_store(name, before[name], after[name]) for name in names.changed]
        found.changes[kind] += _with_trees(names.removed, before, "removed")
        found.changes[kind] += _with_trees(names.added, after, "added")
    before, after = old.get("metadata", {}), new.get("metadata", {})
    found.metadata = _names(before, after)
    found.examples = _examples(before), _examples(after)
    found.stateful = any(_has_state(document) for document in (old, new))
    return found


def _parsed(document: bytes) -> dict[str, Any]:
    """The document without "@", which tells where a part comes from and means nothing.

    In the values of cells and pools "@" is a key like others.
    """
    made: dict[str, Any] = json.loads(document)
    if b'"@"' in document:
        stores = {
            kind: {name: _unmarked(store) for name, store in made[kind].items()}
            for kind in _STORES
            if kind in made
        }
        made = json.loads(document, object_hook=_unmarked) | stores
    return made


def _unmarked(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key != "@"}


def _list(expressions: Any) -> Any:
    """One expression is the same as a list of one."""
    return expressions if type(expressions) is list else [expressions]


def _names(old: dict[str, Any], new: dict[str, Any]) -> Names:
    return Names(
        added=[name for name in new if name not in old],
        removed=[name for name in old if name not in new],
        changed=[name for name in new if name in old and old[name] != new[name]],
    )


def _examples(metadata: dict[str, Any]) -> int:
    try:
        found = json.loads(metadata.get("examples", "[]"))
    except (ValueError, TypeError, RecursionError):
        return 0
    return len(found) if isinstance(found, list) else 0


def _has_state(document: dict[str, Any]) -> bool:
    """Say whether a row may change what later ones get; the documented chunks matter then."""
    if document.get("method") == "fold":
        return True
    todo: list[Any] = [document.get(part) for part in ("action", "fcns")]
    while todo:
        node = todo.pop()
        if type(node) is dict:
            if "to" in node and ("cell" in node or "pool" in node):
                return True
            todo.extend(node.values())
        elif type(node) is list:
            todo.extend(node)
    return False


def _store(name: str, old: dict[str, Any], new: dict[str, Any]) -> StoreChange:
    """Compare a cell or a pool of both documents."""
    made = StoreChange(name)
    if old.get("type") != new.get("type"):
        made.what.append("type")
    rest = [{k: v for k, v in one.items() if k not in ("type", "init")} for one in (old, new)]
    if rest[0] != rest[1]:
        made.what.append("flags")
    if old.get("init") == new.get("init"):
        return made
    made.what.append("value")
    before, after = _Value(old.get("init")), _Value(new.get("init"))
    if before.trees or after.trees:
        forests = made.forests = _forest(before.trees), _forest(after.trees)
        pairs = zip(before.trees, after.trees, strict=False)
        made.same_trees = sum(one == other for one, other in pairs)
        made.fields_gone = tuple(f for f in forests[0].fields if f not in forests[1].fields)
        made.fields_new = tuple(f for f in forests[1].fields if f not in forests[0].fields)
    _leaves(made, before.leaves, after.leaves)
    return made


def _with_trees(names: list[str], stores: dict[str, Any], what: str) -> list[StoreChange]:
    """Of what comes or goes, the forests: they may only have got another name."""
    found = []
    for name in names:
        trees = _Value(stores[name].get("init")).trees
        if trees:
            forests = _forest(trees), _forest([])
            made = StoreChange(name, [what])
            made.forests = forests if what == "removed" else (forests[1], forests[0])
            found.append(made)
    return found


def _leaves(made: StoreChange, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Compare what is outside of trees."""
    apart: list[tuple[float, str, float, float]] = []
    for place, value in old.items():
        other = new.get(place, NOTHING)
        if other is NOTHING:
            made.places_gone += 1
        elif type(value) in (int, float) and type(other) in (int, float):
            made.numbers += 1
            if value != other:
                apart.append((abs(other - value), place, value, other))
        elif value != other:
            made.texts_changed += 1
    made.places_new = sum(place not in old for place in new)
    made.numbers_changed = len(apart)
    apart.sort(key=lambda found: -found[0])
    made.largest = [found[1:] for found in apart[:SHOWN_NUMBERS]]


class _Value:
    """The first value of a cell or pool: its trees, and what is outside of them by its place."""

    def __init__(self, value: Any) -> None:
        self.trees: list[dict[str, Any]] = []
        self.leaves: dict[str, Any] = {}
        todo: list[tuple[str, Any]] = [("", value)]
        while todo:
            place, node = todo.pop()
            if type(node) is dict and "pass" in node and "fail" in node:
                self.trees.append(node)
            elif type(node) is dict:
                todo += reversed([(below(place, key), item) for key, item in node.items()])
            elif type(node) is list:
                todo += reversed([(below(place, index), item) for index, item in enumerate(node)])
            else:
                self.leaves[place] = node


def _forest(trees: list[dict[str, Any]]) -> Forest:
    """Measure trees: nodes of PFA's model.tree, of which a branch may be tagged with its type."""
    splits = leaves = 0
    depths: list[int] = []
    fields: Counter[str] = Counter()
    for tree in trees:
        deepest = 0
        todo: list[tuple[Any, int]] = [(tree, 1)]
        while todo:
            node, depth = todo.pop()
            deepest = max(deepest, depth)
            splits += 1
            asked = node.get("field")
            fields[asked if type(asked) is str else json.dumps(asked)] += 1
            for branch in ("pass", "fail", "missing"):
                if branch not in node:
                    continue
                end = _untagged(node[branch])
                if type(end) is dict and "pass" in end and "fail" in end:
                    todo.append((end, depth + 1))
                else:
                    leaves += 1
        depths.append(deepest)
    mean = sum(depths) / len(depths) if depths else 0.0
    return Forest(len(trees), splits, leaves, max(depths, default=0), mean, tuple(sorted(fields)))


def _untagged(branch: Any) -> Any:
    if type(branch) is dict and len(branch) == 1:
        (inside,) = branch.values()
        return inside
    return branch
