"""Constant trees that were read as a Forest, to the same data that `lower` makes of JSON values."""

from array import array
from itertools import chain
from typing import Any

from pfa.forest import Forest
from pfa.kernels.tree.lower import Data, Reader, UnusualError, decoder, is_flat
from pfa.kernels.tree.shape import NUMBERS, ORDERED, Walk, branches


def lower_forest(walk: Walk, forest: Forest) -> Data | None:
    """Return the trees as data; None if they are not of the walk's types, or not usual."""
    try:
        reader = Reader(walk)
        _check_types(reader, forest)
        columns = _columns(reader, forest)
        leaves = _leaves(walk, forest)
    except (UnusualError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return None
    if is_flat(len(forest.codes), len(columns)):
        return {**reader.head(), "leaves": leaves, **_sorted(forest, columns)}
    return {**reader.head(), "trees": _nested(forest, columns, leaves)}


def _check_types(reader: Reader, forest: Forest) -> None:
    """Refuse trees whose parts and tags are not those of the types, and values but real numbers."""
    walk, tag = reader.walk, forest.value_tag
    of_value = NUMBERS.get(reader.values.name) if tag is None else reader.kinds.get(tag)
    if of_value is not float or reader.unread or forest.ways != 2 + walk.three_way:
        raise UnusualError
    if forest.node_tag not in (None, reader.tag):
        raise UnusualError


def _leaves(walk: Walk, forest: Forest) -> list[Any]:
    """Return the leaves, if they are of their types."""
    leaves: list[Any] = forest.leaves
    kinds = set(map(type, leaves))
    for child in ("pass", "fail", "missing")[: forest.ways]:
        of = branches(walk.node.fieldsDict[child].avroType)[str(forest.leaf_tag)]
        if NUMBERS.get(of.schema.type) is float and kinds <= {int, float}:
            leaves = [*map(float, leaves)]
        elif of.schema.type != "string" or kinds != {str}:
            leaves = [*map(decoder(of), leaves)]
    return leaves


def _columns(reader: Reader, forest: Forest) -> list[tuple[int, int]]:
    """Return field and operator of each of the forest's heads."""
    columns = []
    for field, operator in forest.heads:
        number = 1.0 if forest.value_tag is None else {forest.value_tag: 1.0}
        sample = {"field": field, "operator": operator, "value": number}
        column, _, always = reader.unusual(sample)
        if always is not None or column.operator >= len(ORDERED):
            raise UnusualError
        columns.append((column.field, column.operator))
    return columns


def _sorted(forest: Forest, columns: list[tuple[int, int]]) -> Data:
    """Number the splits by column and cut, and find where each leads.

    The numbers are in arrays: those of lists are all over the memory, which takes 30 ms more for
    8 MB of trees.
    """
    splits = [array("i") for _ in columns]
    adders = [each.append for each in splits]
    for split, code in enumerate(forest.codes):
        adders[code](split)
    cut_of = forest.cuts.__getitem__
    splits = [array("i", sorted(each, key=cut_of)) for each in splits]
    numbers = _zeros(len(forest.codes))
    for number, split in enumerate(chain.from_iterable(splits)):
        numbers[split] = number
    return {
        "columns": [
            (*column, [*map(cut_of, each)]) for column, each in zip(columns, splits, strict=True)
        ],
        **_ways(forest, numbers),
    }


def _ways(forest: Forest, numbers: "array[int]") -> Data:
    """Find where each split leads, from the last to the first."""
    size = len(numbers)
    last_split = reversed(numbers).__next__
    last_leaf = map(size.__add__, reversed(forest.numbers)).__next__
    passing, failing, missing = _zeros(size), _zeros(size), _zeros(size if forest.ways == 3 else 0)
    below: list[int] = []
    take, put = below.pop, below.append
    for is_split in reversed(forest.order):
        if is_split:
            number = last_split()
            passing[number] = take()
            failing[number] = take()
            if missing:
                missing[number] = take()
            put(number)
        else:
            put(last_leaf())
    return {
        "ways": [way.tobytes() for way in (passing, failing, missing)],
        "roots": below[::-1],
    }


def _nested(
    forest: Forest, columns: list[tuple[int, int]], leaves: list[Any]
) -> list[tuple[Any, ...]]:
    """Return the trees as nested tuples (operator, field, value, pass, fail, missing)."""
    last_split = zip(reversed(forest.codes), reversed(forest.cuts), strict=True).__next__
    last_leaf = map(leaves.__getitem__, reversed(forest.numbers)).__next__
    below: list[Any] = []
    take, put = below.pop, below.append
    for is_split in reversed(forest.order):
        if is_split:
            code, cut = last_split()
            field, operator = columns[code]
            missing = forest.ways == 3
            put((operator, field, cut, take(), take(), take() if missing else None))
        else:
            put(last_leaf())
    return below[::-1]


def _zeros(size: int) -> "array[int]":
    return array("i", [0]) * size
