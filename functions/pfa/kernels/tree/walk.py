"""Functions that walk lowered trees (see `lower`).

Each takes the values of the data's ``fields``, in that order, and gives the list of all trees'
answers. A value that may be missing is None or bare.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from pfa.kernels.prepared import fail, made
from pfa.kernels.tree.lower import (
    EQ,
    GE,
    GT,
    IN,
    IS_MISSING,
    LE,
    LT,
    NE,
    NOT_IN,
    NOT_MISSING,
    RAISE,
    Data,
)

Values = tuple[Any, ...]

Walker = Callable[[Values], list[Any]]


def walker(data: Data) -> Walker:
    """Return a function of the values of ``data["fields"]``: the answers of all trees."""
    return _flat(data) if "columns" in data else _nested(data)


def all_trees(data: Data) -> Callable[[Any], list[Any]]:
    """Return a function of a record: the answers of all trees."""
    values, walk = values_of(data), made(of_fields, data)

    def answers(datum: Any) -> list[Any]:
        return walk(values(datum))  # type: ignore[no-any-return]

    vars(answers)["of_fields"] = walk
    return answers


def of_fields(data: Data) -> Walker:
    """Return a function of the fields of a record, each with its tag if it has one."""
    walk = walker(data)
    if not data["untag"]:
        return walk

    def untagged(values: Values) -> list[Any]:
        return walk(tuple([bare(value) for value in values]))

    return untagged


def bare(value: Any) -> Any:
    """Return a value without its tag, if it has one."""
    if type(value) is dict:
        (value,) = value.values()
    return value


def one_tree(data: Data) -> Callable[[Any], Any]:
    """Return a function of a record: the answer of the only tree.

    A field is read where it is compared: a record passes few of a tree's nodes.
    """
    if "columns" in data:
        walk = all_trees(data)
        return lambda datum: walk(datum)[0]
    (root,) = data["trees"]
    names, untag, missing, call = data["fields"], data["untag"], data["missing"], data["call"]

    def answer(datum: Any) -> Any:
        node = root
        while type(node) is tuple:
            operator, field, cut, passed, failed, missed = node
            value = datum[names[field]]
            if untag and type(value) is dict:
                (value,) = value.values()
            if value is None and missing and operator != RAISE:
                node = missed
            elif operator == LT:
                node = passed if value < cut else failed
            elif operator == LE:
                node = passed if value <= cut else failed
            else:
                node = passed if _test(operator, value, cut, call) else failed
        return node

    return answer


def one_of_fields(data: Data) -> Callable[[Values], Any]:
    """Return a function of the values of ``data["fields"]``: the answer of the only tree."""
    (root,) = data["trees"]
    untag, missing, call = data["untag"], data["missing"], data["call"]

    def answer(values: Values) -> Any:
        node = root
        while type(node) is tuple:
            operator, field, cut, passed, failed, missed = node
            value = values[field]
            if untag and type(value) is dict:
                (value,) = value.values()
            if value is None and missing and operator != RAISE:
                node = missed
            elif operator == LT:
                node = passed if value < cut else failed
            elif operator == LE:
                node = passed if value <= cut else failed
            else:
                node = passed if _test(operator, value, cut, call) else failed
        return node

    return answer


def values_of(data: Data) -> Callable[[Any], Values]:
    """Return a function of a record: the values of ``data["fields"]``, without tags."""
    names = data["fields"]
    if not names:
        return lambda _datum: ()
    if not data["untag"]:
        get = itemgetter(*names)
        return get if len(names) > 1 else lambda datum: (get(datum),)

    def untagged(datum: Any) -> Values:
        return tuple([bare(datum[name]) for name in names])

    return untagged


def _flat(data: Data) -> Walker:
    """Make the walk of a flat forest.

    ``step`` and ``rest`` have, for each split, which is the next for the record at hand, so that
    a walk only looks that up. In a column the splits before some place are all passed, or all
    failed, and the others the other way round. Both are kept for the next record, for which
    what is between its place and the last one's has to be changed. A leaf leads to itself.
    """
    columns = _columns(data)
    splits, roots, levels = columns[-1].end, data["roots"], data["levels"]
    scores = [None] * splits + data["leaves"]
    states: list[State] = []  # as many as there have been walks at the same time

    def follow(values: Values) -> State:
        """Take a state, and change it to that of a record."""
        try:
            step, rest, places = state = states.pop()
        except IndexError:
            step, rest, places = state = _state(columns, len(scores))
        for number, column in enumerate(columns):
            field, cuts, find, start, _, is_upper, low, high, none, of_nan = column
            value, old = values[field], places[number]
            if value is None:
                new = -1
            elif value != value:
                new = of_nan
            else:
                new = find(cuts, value)
            if new == old:
                continue
            at: Any = step if is_upper else rest
            if new < 0:
                at[start : start + len(cuts)] = none
            elif old < 0:
                at[start : start + len(cuts)] = low[:new] + high[new:]
            elif old < new:
                at[start + old : start + new] = low[old:new]
            else:
                at[start + new : start + old] = high[new:old]
            places[number] = new
        return state

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

    if not columns[-1].is_upper:
        return in_both
    return shallow if levels <= 3 else in_list


def _down(step: list[int], ats: list[int], levels: int) -> list[int]:
    for _ in range(levels // 2):
        ats = [step[step[at]] for at in ats]
    return [step[at] for at in ats] if levels % 2 else ats


# What comes after each split, and each leaf: of the upper levels, in a list, which is looked into
# faster; of the others, in an array, which is changed faster; the place in each column, -1 if the
# value is missing.
State = tuple[list[int], "array[int]", list[int]]


class _Column(NamedTuple):
    """Splits of one field and operator, at ``start`` to ``end``, and what comes after each.

    For those before the place of a value that is ``low``, for those after it ``high``; ``none`` for
    all if the value is missing; the place of NaN is ``of_nan``.
    """

    field: int
    cuts: list[float]
    find: Callable[[list[float], float], int]
    start: int
    end: int
    is_upper: bool
    low: Any
    high: Any
    none: Any
    of_nan: int


def _columns(data: Data) -> list[_Column]:
    passing, failing, missing = (array("i", way) for way in data["ways"])
    known = list(range(len(passing) + len(data["leaves"])))  # so that there is one of each int
    columns = []
    start = 0
    for number, (field, operator, cuts) in enumerate(data["columns"]):
        end = start + len(cuts)
        is_upper = number < data["upper"]
        yes, no, none = (
            [known[at] for at in way[start:end]] if is_upper else way[start:end]
            for way in (passing, failing, missing)
        )
        # cuts before the place are less than the value (bisect_left), or not more (bisect_right)
        find = bisect_left if operator in (LE, GT) else bisect_right
        low, high, of_nan = (no, yes, len(cuts)) if operator in (LE, LT) else (yes, no, 0)
        columns.append(_Column(field, cuts, find, start, end, is_upper, low, high, none, of_nan))
        start = end
    return columns


def _state(columns: list[_Column], size: int) -> State:
    """Return the state of a record that is before all cuts; ``size`` counts splits and leaves."""
    step = list(range(size))
    rest = array("i", step if not columns[-1].is_upper else [])
    for column in columns:
        at: Any = step if column.is_upper else rest
        at[column.start : column.end] = column.high
    return step, rest, [0] * len(columns)


def _nested(data: Data) -> Walker:
    trees, missing, call = data["trees"], data["missing"], data["call"]

    def walk(values: Values) -> list[Any]:
        answers = []
        for node in trees:
            while type(node) is tuple:
                operator, field, cut, passed, failed, missed = node
                value = values[field]
                if value is None and missing and operator != RAISE:
                    node = missed
                elif operator == LE:
                    node = passed if value <= cut else failed
                elif operator == LT:
                    node = passed if value < cut else failed
                else:
                    node = passed if _test(operator, value, cut, call) else failed
            answers.append(node)
        return answers

    return walk


def _test(operator: int, value: Any, cut: Any, call: Any) -> bool:
    """Make any comparison but the most common."""
    if operator == IN:
        return value in cut
    if operator == NOT_IN:
        return value not in cut
    if operator == EQ:
        return bool(value == cut)
    if operator == NE:
        return bool(value != cut)
    if operator == GE:
        return bool(value >= cut)
    if operator == GT:
        return bool(value > cut)
    if operator == LE:
        return bool(value <= cut)
    if operator == LT:
        return bool(value < cut)
    if operator == IS_MISSING:
        return value is None
    if operator == NOT_MISSING:
        return value is not None
    return bool(fail(call, *cut))
