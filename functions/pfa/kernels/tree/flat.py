"""Walks of one record after the other down a flat forest (see `lower`).

A state has, for each split, which is the next for the record at hand, so that a walk only looks
that up. In a column the splits before some place are all passed, or all failed, and the others the
other way round. Both are kept for the next record, for which what is between its place and the
last one's has to be changed. A leaf leads to itself.

Python takes the trees one by one. numpy takes a step in all trees at once, 2 to 6 times as fast
if they are many, and answers as soon as it has been worth its import.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from pfa.kernels.prepared import NumpyLater
from pfa.kernels.tree.lower import GT, LE, LT, Data

Values = tuple[Any, ...]
Walker = Callable[[Values], list[Any]]

LISTED = 16_000  # splits for a list, which is looked into faster; of more an array changes faster
FEWEST = 50  # trees for numpy: of fewer, Python takes them all in the time of numpy's calls
ENOUGH = 1_000_000  # trees walked, in 0.4 s, after which numpy is imported, in 0.1 s


def flat(data: Data) -> Walker:
    """Make the walk of a flat forest."""
    walk, trees = in_python(data), len(data["roots"])
    if trees < FEWEST:
        return walk
    numpy: NumpyLater | None = NumpyLater(FEWEST, ENOUGH)

    def answers(values: Values) -> list[Any]:
        nonlocal walk, numpy
        if (later := numpy) is not None and (np := later.after(trees)) is not None:
            with suppress(MemoryError):
                walk = in_arrays(np, data) or walk
            numpy = None
        return walk(values)

    return answers


# What comes after each split, and each leaf, in a list or an array; the place in each column, -1 if
# the value is missing.
State = tuple[Any, list[int]]

# Splits of one field and operator: the number of the first, how many there are; what comes after
# each if it is before the place, if it is not, and if the value is missing.
Column = tuple[int, int, Any, Any, Any]

# The field of a column, its cuts, what finds the place of a value in them, and the place of NaN.
Finder = tuple[int, list[float], Callable[[list[float], float], int], int]


def _columns(data: Data, ways: list[Any]) -> list[Column]:
    columns: list[Column] = []
    start = 0
    for _, operator, cuts in data["columns"]:
        yes, no, none = (way[start : start + len(cuts)] for way in ways)
        low, high = (no, yes) if operator in (LE, LT) else (yes, no)
        columns.append((start, len(cuts), low, high, none))
        start += len(cuts)
    return columns


def _finders(data: Data) -> list[Finder]:
    # cuts before the place are less than the value (bisect_left), or not more (bisect_right)
    return [
        (
            field,
            cuts,
            bisect_left if operator in (LE, GT) else bisect_right,
            len(cuts) if operator in (LE, LT) else 0,
        )
        for field, operator, cuts in data["columns"]
    ]


def _state(columns: list[Column], step: Any) -> State:
    """Make the state of a record before all cuts, of a ``step`` in which all lead to themselves."""
    for start, size, _, high, _ in columns:
        step[start : start + size] = high
    return step, [0] * len(columns)


def _moved(state: State, columns: list[Column], places: list[int]) -> State:
    """Change a state to that of a record with these places."""
    step, before = state
    for (start, size, low, high, none), old, new in zip(columns, before, places, strict=True):
        if new == old:
            continue
        if new < 0:
            step[start : start + size] = none
        elif old < 0:
            step[start : start + new] = low[:new]
            step[start + new : start + size] = high[new:]
        elif old < new:
            step[start + old : start + new] = low[old:new]
        else:
            step[start + new : start + old] = high[new:old]
    return step, places


def _places(finders: list[Finder], values: Values) -> list[int]:
    places = []
    for field, cuts, find, of_nan in finders:
        value = values[field]
        if value is None:
            places.append(-1)
        elif value != value:
            places.append(of_nan)
        else:
            places.append(find(cuts, value))
    return places


def in_python(data: Data) -> Walker:
    """Make the walk without numpy."""
    ways: list[Any] = [array("i", way) for way in data["ways"]]
    roots, splits = data["roots"], len(ways[0])
    scores = [None] * splits + data["leaves"]
    make: Any = partial(array, "i")
    if splits <= LISTED:
        known = list(range(len(scores)))  # so that there is one of each int
        make, ways = list, [[known[at] for at in way] for way in ways]
    columns, finders = _columns(data, ways), _finders(data)
    states: list[State] = []  # as many as there have been walks at the same time

    def follow(values: Values) -> State:
        places = _places(finders, values)
        try:
            state = states.pop()
        except IndexError:
            state = _state(columns, make(range(len(scores))))
        return _moved(state, columns, places)

    # Several steps without a look whether it is a leaf take less time, though some lead nowhere.

    def shallow(values: Values) -> list[Any]:
        step, _ = state = follow(values)
        answers = [scores[step[step[step[at]]]] for at in roots]
        states.append(state)
        return answers

    def deep(values: Values) -> list[Any]:
        step, _ = state = follow(values)
        answers = []
        for at in [step[step[step[step[at]]]] for at in roots]:
            while at < splits:
                at = step[step[step[at]]]
            answers.append(scores[at])
        states.append(state)
        return answers

    return shallow if _levels(roots, ways, 4) <= 3 else deep


def in_arrays(np: Any, data: Data) -> Walker | None:
    """Make the walk with numpy; None for trees that are deeper than they are many."""
    ways = [memoryview(array("q", array("i", way))) for way in data["ways"]]
    roots = np.array(data["roots"], np.int64)
    levels = _levels(data["roots"], ways, len(roots) + 1)
    if levels > len(roots):
        return None
    columns, finders = _columns(data, ways), _finders(data)
    leaves = [None] * len(ways[0]) + data["leaves"]
    scores = np.fromiter(leaves, object, len(leaves))
    states: list[tuple[State, Any]] = []

    def walk(values: Values) -> list[Any]:
        places = _places(finders, values)
        try:
            state, take = states.pop()
        except IndexError:
            step = memoryview(array("q", range(len(scores))))
            state, take = _state(columns, step), np.frombuffer(step, np.int64).take
        state = _moved(state, columns, places)
        ats = roots
        for _ in range(levels):  # all, though most have come to a leaf before
            ats = take(ats)
        states.append((state, take))
        answers: list[Any] = scores.take(ats).tolist()
        return answers

    return walk


def _levels(roots: list[int], ways: list[Any], most: int) -> int:
    """Return how many splits there are one below the other; no more than ``most``."""
    splits, levels = len(ways[0]), 0
    below = [at for at in roots if at < splits]
    while below and levels < most:
        levels += 1
        below = [to for way in ways if way for at in below if (to := way[at]) < splits]
    return levels
