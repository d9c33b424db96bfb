"""Constant trees that were read as a Forest, to the same data that `lower` makes of JSON values."""

from array import array
from collections import defaultdict
from itertools import count
from typing import Any

from pfa.forest import Forest
from pfa.kernels.tree.lower import Data, Reader, UnusualError
from pfa.kernels.tree.shape import NUMBERS, ORDERED, Walk, branches


def lower_forest(walk: Walk, forest: Forest) -> Data | None:
    """Return the trees as data; None if they are not of the walk's types, or not usual."""
    try:
        reader = Reader(walk)
        _check_types(reader, forest)
        _read_columns(reader, forest)
        return reader.data(_read_ways(reader, forest))
    except (UnusualError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return None


def _check_types(reader: Reader, forest: Forest) -> None:
    """Refuse trees whose parts and tags are not those of the types, and any but real numbers."""
    walk, tag = reader.walk, forest.value_tag
    of_value = NUMBERS.get(reader.values.name) if tag is None else reader.kinds.get(tag)
    if of_value is not float or reader.unread or forest.ways != 2 + walk.three_way:
        raise UnusualError
    if forest.node_tag not in (None, reader.tag):
        raise UnusualError
    for child in ("pass", "fail", "missing")[: forest.ways]:
        leaf = branches(walk.node.fieldsDict[child].avroType)[str(forest.leaf_tag)]
        if NUMBERS.get(leaf.schema.type) is not float:
            raise UnusualError


def _read_columns(reader: Reader, forest: Forest) -> None:
    """Put the splits into columns, as they come."""
    adders: list[tuple[Any, Any]] = []
    for field, operator in forest.heads:
        number = 1.0 if forest.value_tag is None else {forest.value_tag: 1.0}
        sample = {"field": field, "operator": operator, "value": number}
        column, _, always = reader.unusual(sample)
        if always is not None or column.operator >= len(ORDERED):
            raise UnusualError
        adders.append((column.cuts.append, column.splits.append))
    cuts = map(float, forest.cuts)
    for split, (code, cut) in enumerate(zip(forest.codes, cuts, strict=True)):
        add_cut, add_split = adders[code]
        add_cut(cut)
        add_split(split)


def _read_ways(reader: Reader, forest: Forest) -> list[int]:
    """Find where each split leads, from the last to the first; return the roots."""
    leaves = list(map(float, forest.leaves))
    known: defaultdict[float, int] = defaultdict(count(-1, -1).__next__)
    numbers = list(map(known.__getitem__, leaves))
    if 0.0 in known:  # 0.0 and -0.0 are equal
        numbers = list(range(-1, ~len(leaves), -1))
    else:
        leaves = list(known)
    reader.leaves = leaves
    is_three_way = forest.ways == 3
    ways: list[list[int]] = [[], [], []]
    passing, failing, missing = (way.append for way in ways)
    below: list[int] = []
    take, put = below.pop, below.append
    last_leaf, last_split = numbers.pop, list(range(len(forest.codes))).pop
    for is_split in reversed(forest.order):
        if is_split:
            passing(take())
            failing(take())
            if is_three_way:
                missing(take())
            put(last_split())
        else:
            put(last_leaf())
    reader.children = [array("i", way[::-1]) for way in ways]
    return below[::-1]
