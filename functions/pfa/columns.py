"""Many records, and many answers, at once: what is usual of them, at the speed of C.

What is not is left to the caller, who takes it one by one.
"""

from ast import literal_eval
from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from operator import itemgetter
from typing import Any

from pfa import convert
from pfa.scalars import INT_LIMIT, LONG_LIMIT
from pfa.schema import Type, items_of

Rows = Callable[[Sequence[Any]], Iterator[Any] | None]
Column = Callable[[list[Any]], None]
Keys = dict[str, "Keys"]  # of a dict: with those of the dicts in it, {} for other values


class UnusualError(Exception):
    """The values are to be taken one by one."""


def _expect(usual: bool) -> None:
    if not usual:
        raise UnusualError


def _are(wanted: type, values: Sequence[Any]) -> bool:
    return [*map(type, values)].count(wanted) == len(values)  # faster than a set


def rows_of(node: Type, keys: list[str], singly: bool) -> Rows:
    """Make what gives an iterator over the values of these keys in records, as tuples.

    The type of a record is a map, or a record and these are its fields. The iterator raises
    KeyError for a record that has others, and goes on. With ``singly`` it gives the records. None
    instead of the iterator: one by one is better.
    """
    get, size = itemgetter(*keys), len(keys)
    defaults: dict[str, Any] = {}
    if node.kind == "record":
        defaults = literal_eval(f"{{{convert.defaults(node)}}}")

    def get_one(record: Any) -> Any:
        if type(record) is not dict:
            raise KeyError
        if len(record) != size:
            record = {**defaults, **record}
            if len(record) != size:
                raise KeyError
        return record if singly else get(record)

    def rows(records: Sequence[Any]) -> Iterator[Any] | None:
        if _are(dict, records) and [*map(len, records)].count(size) == len(records):
            return iter(records) if singly else map(get, records)
        return map(get_one, records) if node.kind == "record" else None

    return rows


def answers_writer(node: Type, keys: Keys) -> Column | None:
    """Make what raises an exception for answers that are not their own JSON form.

    With ``keys`` the answers are new dicts that have these keys, in this order, and so are their
    values that have keys. None: there is none, or one by one does as well.
    """
    if node.kind == "enum":
        symbols = frozenset(node.symbols)
        return lambda values: _expect(_are(str, values) and symbols.issuperset(values))
    if node.kind in _CHECKS:
        return _CHECKS[node.kind]
    if not keys or not all(map(str.isascii, keys)):
        return None
    if node.kind == "record" and [*keys] == [made.name for made in node.fields]:
        types = [made.type for made in node.fields]
    elif node.kind == "map":
        types = [items_of(node)] * len(keys)
    else:
        return None
    columns = [
        (itemgetter(key), column)
        for (key, within), each in zip(keys.items(), types, strict=True)
        if (column := answers_writer(each, within))
    ]

    def write(answers: list[Any]) -> None:
        for get, column in columns:
            column([*map(get, answers)])

    return write if len(columns) == len(keys) else None


def _finite(values: list[Any]) -> None:
    _expect(_are(float, values) and isfinite(sum(values)))


def _integers(limit: int) -> Column:
    def check(values: list[Any]) -> None:
        _expect(_are(int, values) and -limit <= min(values) <= max(values) < limit)

    return check


def _texts(values: list[Any]) -> None:
    _expect(_are(str, values) and all(map(str.isascii, values)))


_CHECKS: dict[str, Column] = {
    "null": lambda values: _expect(_are(type(None), values)),
    "boolean": lambda values: _expect(_are(bool, values)),
    "int": _integers(INT_LIMIT),
    "long": _integers(LONG_LIMIT),
    "float": _finite,
    "double": _finite,
    "string": _texts,
    "bytes": _texts,
}
