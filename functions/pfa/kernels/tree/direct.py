"""Comparisons with, and walks down, trees that are not known before a record comes.

They follow the engine's own values, node by node. Comparisons of numbers are made here, all others
by titus's own function.
"""

import operator
from collections.abc import Callable
from typing import Any

from pfa.kernels.prepared import Call, fail
from pfa.kernels.tree.shape import (
    NUMBERS,
    Walk,
    comparable,
    field_type,
    is_number,
    reference,
    value_type,
)

Test = Callable[[Any, Any], Any]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}


def numeric_fields(walk: Walk) -> list[str]:
    """Return the fields of numbers that can be compared with a node's value."""
    values = value_type(walk)
    names = []
    for each in walk.datum.fields:
        field = field_type(walk, each.name)
        if field is not None and is_number(field[0]) and comparable(values, field[0]):
            names.append(each.name)
    return names


def compare(call: Call, fields: list[str]) -> Test:
    """Return a function of record and node: True, False, or None for a missing value."""
    numeric, other = frozenset(fields), reference(call)
    operators = _OPERATORS.get

    def test(datum: Any, node: Any) -> Any:
        make = operators(node["operator"])
        if make is None or node["field"] not in numeric:
            return other(datum, node)
        value, cut = datum[node["field"]], node["value"]
        if type(cut) is dict and len(cut) == 1:
            ((tag, inner),) = cut.items()
            cut = inner if tag in NUMBERS else cut
        if type(cut) is not float and type(cut) is not int:
            return other(datum, node)
        if type(value) is dict:
            (value,) = value.values()
        return None if value is None else make(value, cut)

    return test


def tagged(call: Call, fields: list[str]) -> Test:
    """Return a function of record and comparison: what missingTest gives."""
    test = compare(call, fields)

    def answer(datum: Any, comparison: Any) -> Any:
        result = test(datum, comparison)
        return None if result is None else {"boolean": result}

    return answer


def tree(call: Call, fields: list[str], tag: str) -> Test:
    """Return a function of record and root node: what the tree says of the record."""
    return _down(compare(call, fields), tag)


def simple_walk(tag: str) -> Callable[[Any, Any, Test], Any]:
    """Return simpleWalk for nodes of type ``tag``, with any predicate."""
    return lambda datum, root, test: _down(test, tag)(datum, root)


def _down(test: Test, tag: str) -> Test:
    def answer(datum: Any, node: Any) -> Any:
        while True:
            union = node["pass"] if test(datum, node) else node["fail"]
            if union is None:
                return None
            ((name, node),) = union.items()
            if name != tag:
                return node

    return answer


def missing_walk(tag: str) -> Callable[[Any, Any, Test], Any]:
    """Return missingWalk for nodes of type ``tag``, with any predicate."""

    def answer(datum: Any, node: Any, test: Test) -> Any:
        while True:
            result = test(datum, node)
            if type(result) is dict:
                result = result["boolean"]
            union = node["missing" if result is None else "pass" if result else "fail"]
            if union is None:
                return None
            ((name, node),) = union.items()
            if name != tag:
                return node

    return answer


def missing_tree(call: Call, fields: list[str], tag: str) -> Test:
    """Return missingWalk with one comparison as its predicate."""
    test, walk = compare(call, fields), missing_walk(tag)
    return lambda datum, root: walk(datum, root, test)


def compound_test(call: Call) -> Callable[..., bool]:
    """Return compoundTest, with any predicate."""

    def answer(datum: Any, logic: Any, comparisons: Any, test: Test) -> bool:
        if logic == "and":
            return all(test(datum, each) is not False for each in comparisons)
        if logic == "or":
            return any(test(datum, each) is True for each in comparisons)
        if logic == "xor":
            return sum(test(datum, each) is True for each in comparisons) % 2 == 1
        return bool(fail(call, "unrecognized logical operator", 32020))

    return answer


def surrogate_test(call: Call) -> Callable[[Any, Any, Test], Any]:
    """Return surrogateTest, with any predicate."""

    def answer(datum: Any, comparisons: Any, test: Test) -> Any:
        for each in comparisons:
            result = test(datum, each)
            if result is not None:
                return result["boolean"] if type(result) is dict else result
        return fail(call, "no successful surrogate", 32030)

    return answer
