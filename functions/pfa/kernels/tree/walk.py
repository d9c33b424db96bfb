"""Functions that walk lowered trees (see `lower`).

Each takes the values of the data's ``fields``, in that order, and gives the list of all trees'
answers. A value that may be missing is None or bare.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from pfa.kernels.prepared import fail, made
from pfa.kernels.tree.flat import Values, Walker, flat
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


def walker(data: Data) -> Walker:
    """Return a function of the values of ``data["fields"]``: the answers of all trees."""
    return flat(data) if "columns" in data else _nested(data)


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
