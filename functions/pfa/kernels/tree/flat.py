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
from typing import Any

from pfa.kernels.prepared import NumpyLater
from pfa.kernels.tree.lower import GT, LE, LT, Data

Values = tuple[Any, ...]
Walker = Callable[[Values], list[Any]]

FEWEST = 50  # trees for numpy: of fewer, Python takes them all in the time of numpy's calls
ENOUGH = 1_000_000  # trees walked, in 0.4 s, after which numpy is imported, in 0.1 s


def flat(data: Data) -> Walker:
    """Make the walk of a flat forest."""
    walk, trees = in_lists(data), len(data["roots"])
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


# What comes after each split, and each leaf: of the upper levels, in a list, which is looked into
# faster; of the others, in an array, which is changed faster; the place in each column, -1 if the
# value is missing. For numpy the first two are one array.
State = tuple[Any, Any, list[int]]

# Splits of one field and operator: the number of the first, how many there are, whether they are of
# the upper levels; what comes after each if it is before the place, if it is not, and if the value
# is missing.
Column = tuple[int, int, bool, Any, Any, Any]

# The field of a column, its cuts, what finds the place of a value in them, and the place of NaN.
Finder = tuple[int, list[float], Callable[[list[float], float], int], int]


def _columns(data: Data, ways: "list[array[int]]", upper: int) -> list[Column]:
    """Return the columns; of so many what comes after a split is in lists, in arrays of others."""
    known = list(range(len(ways[0]) + len(data["leaves"])))  # so that there is one of each int
    columns: list[Column] = []
    start = 0
    for number, (_, operator, cuts) in enumerate(data["columns"]):
        end = start + len(cuts)
        is_upper = number < upper
        yes, no, none = (
            [known[at] for at in way[start:end]] if is_upper else way[start:end] for way in ways
        )
        low, high = (no, yes) if operator in (LE, LT) else (yes, no)
        columns.append((start, len(cuts), is_upper, low, high, none))
        start = end
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


def _state(columns: list[Column], step: Any, rest: Any) -> State:
    """Return the state of a record before all cuts; where all lead to themselves is changed."""
    for start, size, is_upper, _, high, _ in columns:
        (step if is_upper else rest)[start : start + size] = high
    return step, rest, [0] * len(columns)


def _moved(state: State, columns: list[Column], places: list[int]) -> State:
    """Change a state to that of a record with these places."""
    step, rest, before = state
    for (start, size, is_upper, low, high, none), old, new in zip(
        columns, before, places, strict=True
    ):
        if new == old:
            continue
        at: Any = step if is_upper else rest
        if new < 0:
            at[start : start + size] = none
        elif old < 0:
            at[start : start + size] = low[:new] + high[new:]
        elif old < new:
            at[start + old : start + new] = low[old:new]
        else:
            at[start + new : start + old] = high[new:old]
    return step, rest, places


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


def in_lists(data: Data) -> Walker:
    """Make the walk without numpy."""
    ways = [array("i", way) for way in data["ways"]]
    columns, finders = _columns(data, ways, data["upper"]), _finders(data)
    is_upper = data["upper"] == len(columns)
    splits, roots, levels = len(ways[0]), data["roots"], data["levels"]
    scores = [None] * splits + data["leaves"]
    states: list[State] = []  # as many as there have been walks at the same time

    def follow(values: Values) -> State:
        places = _places(finders, values)
        try:
            state = states.pop()
        except IndexError:
            step = list(range(len(scores)))
            state = _state(columns, step, array("i", [] if is_upper else step))
        return _moved(state, columns, places)

    # Each a function of its own: the interpreter adapts the code to lists, or to arrays. Several
    # steps without a look whether it is a leaf take less time, though some of them lead nowhere.

    def shallow(values: Values) -> list[Any]:
        step, _, _ = state = follow(values)
        answers = [scores[step[step[step[at]]]] for at in roots]
        states.append(state)
        return answers

    def in_list(values: Values) -> list[Any]:
        step, _, _ = state = follow(values)
        answers = []
        for at in [step[step[step[step[at]]]] for at in roots]:
            while at < splits:
                at = step[step[step[at]]]
            answers.append(scores[at])
        states.append(state)
        return answers

    def in_both(values: Values) -> list[Any]:
        step, rest, _ = state = follow(values)
        answers = []
        for at in _down(step, roots, levels):
            while at < splits:
                at = rest[rest[at]]
            answers.append(scores[at])
        states.append(state)
        return answers

    if not is_upper:
        return in_both
    return shallow if levels <= 3 else in_list


def _down(step: list[int], ats: list[int], levels: int) -> list[int]:
    for _ in range(levels // 2):
        ats = [step[step[at]] for at in ats]
    return [step[at] for at in ats] if levels % 2 else ats


def in_arrays(np: Any, data: Data) -> Walker | None:
    """Make the walk with numpy; None for trees that are deeper than they are many."""
    ways = [np.frombuffer(way, np.intc).astype(np.int64) for way in data["ways"]]
    levels = _levels(np, data["roots"], [way for way in ways if len(way)])
    if levels > len(data["roots"]):
        return None
    columns, finders = (
        _columns(data, [array("q", way.tobytes()) for way in ways], 0),
        _finders(data),
    )
    roots = np.array(data["roots"], np.int64)
    leaves = [None] * len(ways[0]) + data["leaves"]
    scores = np.fromiter(leaves, object, len(leaves))
    states: list[tuple[State, Any]] = []

    def walk(values: Values) -> list[Any]:
        places = _places(finders, values)
        try:
            state, take = states.pop()
        except IndexError:
            step = array("q", range(len(scores)))
            state, take = _state(columns, step, step), np.frombuffer(step, np.int64).take
        state = _moved(state, columns, places)
        ats = roots
        for _ in range(levels):  # all, though most have come to a leaf before
            ats = take(ats)
        states.append((state, take))
        answers: list[Any] = scores.take(ats).tolist()
        return answers

    return walk


def _levels(np: Any, roots: list[int], ways: list[Any]) -> int:
    """Return the most splits that are one below the other."""
    levels, ats = 0, np.array(roots, np.int64)
    while len(ats := ats[ats < len(ways[0])]):
        levels += 1
        ats = np.concatenate([way.take(ats) for way in ways])
    return levels
