"""Constant trees that were read as a Forest, to the same data that `lower` makes of JSON values."""

from array import array
from collections.abc import Callable, Sequence
from itertools import chain
from operator import invert
from typing import Any

from pfa.forest import Forest
from pfa.kernels.tree.lower import Column, Data, Reader, UnusualError, decoder, is_flat
from pfa.kernels.tree.shape import NUMBERS, ORDERED, Walk, branches


def lower_forest(walk: Walk, forest: Forest) -> Data | None:
    """Return the trees as data; None if they are not of the walk's types, or not usual."""
    try:
        reader = Reader(walk)
        _check_types(reader, forest)
        columns = _columns(reader, forest)
        reader.leaves = _leaves(walk, forest)
        if is_flat(len(forest.codes), len(columns)):
            return {**reader.head(), "leaves": reader.leaves, **_sorted(forest, columns)}
        for column in columns:
            column.cuts = [forest.cuts[split] for split in column.splits]
        reader.children, roots = _ways(forest, range(len(forest.codes)), invert)
        return {**reader.head(), "trees": reader.nested(roots)}
    except (UnusualError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return None
    except RecursionError:  # of nested trees, where the stack is deep already
        return None


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


def _columns(reader: Reader, forest: Forest) -> list[Column]:
    """Put the splits into columns, one for each of the forest's heads."""
    columns = []
    for field, operator in forest.heads:
        number = 1.0 if forest.value_tag is None else {forest.value_tag: 1.0}
        sample = {"field": field, "operator": operator, "value": number}
        column, _, always = reader.unusual(sample)
        if always is not None or column.operator >= len(ORDERED):
            raise UnusualError
        columns.append(column)
    adders = [column.splits.append for column in columns]
    for split, code in enumerate(forest.codes):
        adders[code](split)
    return columns


def _sorted(forest: Forest, columns: list[Column]) -> Data:
    """Number the splits by column and cut, and find where each leads.

    The numbers are in arrays: those of lists are all over the memory, which takes 30 ms more for
    8 MB of trees.
    """
    cut_of = forest.cuts.__getitem__
    splits = [array("i", sorted(column.splits, key=cut_of)) for column in columns]
    size = len(forest.codes)
    numbers = _zeros(size)
    for number, split in enumerate(chain.from_iterable(splits)):
        numbers[split] = number
    ways, roots = _ways(forest, numbers, size.__add__)
    return {
        "columns": [
            (column.field, column.operator, [*map(cut_of, each)])
            for column, each in zip(columns, splits, strict=True)
        ],
        "ways": [way.tobytes() for way in ways],
        "roots": roots,
    }


def _ways(
    forest: Forest, numbers: Sequence[int], number_of_leaf: Callable[[int], int]
) -> "tuple[list[array[int]], list[int]]":
    """Find where each split leads, from the last to the first; return that, and the roots.

    Args:
        forest: the trees.
        numbers: of the splits, in the order of the text.
        number_of_leaf: gives that of a leaf.
    """
    size = len(numbers)
    last_split = reversed(numbers).__next__
    last_leaf = map(number_of_leaf, reversed(forest.numbers)).__next__
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
    return [passing, failing, missing], below[::-1]


def _zeros(size: int) -> "array[int]":
    return array("i", [0]) * size
