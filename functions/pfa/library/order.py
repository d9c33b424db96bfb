"""The order of values: Avro's, where NaN is equal to itself and greater than all other numbers."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

Compare = Callable[[Any, Any], int]

# types whose values Python orders as Avro does
PLAIN = {"int", "long", "string", "bytes", "boolean"}
REAL = {"float", "double"}


def compare_plain(x: Any, y: Any) -> int:
    """Return -1, 0 or 1, in Python's order."""
    return 1 if x > y else -1 if x < y else 0


def compare_reals(x: float, y: float) -> int:
    """Return -1, 0 or 1; NaN is the greatest."""
    if x < y:
        return -1
    if x > y:
        return 1
    if x == y:
        return 0
    return (x != x) - (y != y)


def _compare_symbols(places: dict[str, int], x: str, y: str) -> int:
    return compare_plain(places[x], places[y])


def _compare_arrays(compare: Compare, x: list[Any], y: list[Any]) -> int:
    for one, other in zip(x, y, strict=False):
        compared = compare(one, other)
        if compared:
            return compared
    return compare_plain(len(x), len(y))


def _compare_records(
    fields: tuple[tuple[str, Compare, int], ...], x: dict[str, Any], y: dict[str, Any]
) -> int:
    for name, compare, sign in fields:
        compared = compare(x[name], y[name])
        if compared:
            return compared * sign
    return 0


def is_plain(avro_type: Any) -> bool:
    """Tell whether Python's ``<`` and ``==`` order and compare values as Avro does."""
    return avro_type.name in PLAIN or type(avro_type).__name__ == "AvroFixed"


def is_enum(avro_type: Any) -> bool:
    """Tell an enum by what it has."""
    return hasattr(avro_type, "symbols")


def places(avro_type: Any) -> dict[str, int]:
    """Return each symbol of an enum with its place."""
    return {symbol: i for i, symbol in enumerate(avro_type.symbols)}


def comparison(avro_type: Any, within: tuple[str, ...] = ()) -> Compare | None:
    """Make what compares values of a type; None for maps, unions and records within themselves."""
    if avro_type.name in REAL:
        return compare_reals
    if is_plain(avro_type):
        return compare_plain
    if is_enum(avro_type):
        return partial(_compare_symbols, places(avro_type))
    if avro_type.name == "array":
        items = comparison(avro_type.items, within)
        return items and partial(_compare_arrays, items)
    if not hasattr(avro_type, "fields") or avro_type.fullName in within:
        return None
    fields = []
    for field in avro_type.fields:
        if field.order == "ignore":
            continue
        compare = comparison(field.avroType, (*within, avro_type.fullName))
        if compare is None:
            return None
        fields.append((field.name, compare, -1 if field.order == "descending" else 1))
    return partial(_compare_records, tuple(fields))


def less(x: float, y: float) -> bool:
    """Return x < y for numbers that may be NaN."""
    return x < y or (y != y and x == x)


def less_or_equal(x: float, y: float) -> bool:
    """Return x <= y for numbers that may be NaN."""
    return x <= y or y != y


def greater(x: float, y: float) -> bool:
    """Return x > y for numbers that may be NaN."""
    return x > y or (x != x and y == y)


def greater_or_equal(x: float, y: float) -> bool:
    """Return x >= y for numbers that may be NaN."""
    return x >= y or x != x


def equal(x: float, y: float) -> bool:
    """Return x == y for numbers that may be NaN."""
    return x == y or (x != x and y != y)


def unequal(x: float, y: float) -> bool:
    """Return x != y for numbers that may be NaN."""
    return x != y and (x == x or y == y)


def larger(x: float, y: float) -> float:
    """Return the greater of two numbers, the first of equal ones."""
    return x if x >= y or x != x else y


def smaller(x: float, y: float) -> float:
    """Return the smaller of two numbers, the second of equal ones."""
    return x if x < y or (y != y and x == x) else y


def larger_by(compare: Compare, x: Any, y: Any) -> Any:
    """Return the greater of two values, the first of equal ones."""
    return x if compare(x, y) >= 0 else y


def smaller_by(compare: Compare, x: Any, y: Any) -> Any:
    """Return the smaller of two values, the second of equal ones."""
    return x if compare(x, y) < 0 else y


def has_nan(numbers: Iterable[float]) -> bool:
    """Tell whether there is a NaN: the sum of all is quicker than a look at each."""
    total = sum(numbers)
    return total != total and any(x != x for x in numbers)
