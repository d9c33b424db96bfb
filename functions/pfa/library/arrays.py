"""What the generated code calls for arrays.

``key`` gives what Python orders as Avro orders the items; None stands for the items themselves.
"""

import json
import math
from collections import Counter
from collections.abc import Callable
from functools import cmp_to_key, partial, reduce
from itertools import chain
from math import nan, prod
from operator import add
from typing import Any

from pfa.library import order
from pfa.library.math import exp
from pfa.specialise import MISSING

__all__ = ["nan", "prod", "reduce"]

Key = Callable[[Any], Any] | None
Raise = Callable[[], Any]
Sort = Callable[[list[Any]], list[Any]]

_by_order = cmp_to_key(order.compare_reals)


def of_number(x: float) -> Any:
    """Return the key of a number; only if there is a NaN it is needed."""
    return _by_order(x)


def _of_compared(compare: order.Compare, x: Any) -> Any:
    return cmp_to_key(compare)(x)


def key_of(avro_type: Any) -> Any:
    """Return the key for items of a type; MISSING if it cannot be made."""
    if order.is_plain(avro_type):
        return None
    if avro_type.name in order.REAL:
        return of_number
    if order.is_enum(avro_type):
        return order.places(avro_type).__getitem__
    compare = order.comparison(avro_type)
    return MISSING if compare is None else partial(_of_compared, compare)


def sorter(avro_type: Any) -> Sort | None:
    """Return what sorts a list of items of a type."""
    key = key_of(avro_type)
    return None if key is MISSING else partial(sort, key)


def usable(key: Key, a: list[Any]) -> Any:
    """Return the key for these items, as ``sorted`` takes it."""
    return None if key is of_number and not order.has_nan(a) else key


def sort(key: Key, a: list[Any]) -> list[Any]:
    """Return the items in order; equal ones stay as they are."""
    return sorted(a, key=usable(key, a))


def greatest(empty: Raise, key: Key, a: list[Any]) -> Any:
    """Return the greatest item, the first of equal ones."""
    return max(a, key=usable(key, a)) if a else empty()


def least(empty: Raise, key: Key, a: list[Any]) -> Any:
    """Return the smallest item, the first of equal ones."""
    return min(a, key=usable(key, a)) if a else empty()


def place_of_greatest(empty: Raise, key: Key, a: list[Any]) -> Any:
    """Return the index of the greatest item, of the first of equal ones."""
    if not a:
        return empty()
    needed = usable(key, a)
    if needed is None:
        return a.index(max(a))
    keys = list(map(needed, a))
    return keys.index(max(keys))


def place_of_least(empty: Raise, key: Key, a: list[Any]) -> Any:
    """Return the index of the smallest item, of the first of equal ones."""
    if not a:
        return empty()
    needed = usable(key, a)
    if needed is None:
        return a.index(min(a))
    keys = list(map(needed, a))
    return keys.index(min(keys))


def _first(
    empty: Raise, negative: Raise, key: Key, a: list[Any], n: int, downwards: bool
) -> list[int]:
    """Return the places of the n greatest or smallest items."""
    if not a:
        return empty()  # type: ignore[no-any-return]
    if n < 0:
        return negative()  # type: ignore[no-any-return]
    needed = usable(key, a)
    keys = a if needed is None else list(map(needed, a))
    return sorted(range(len(a)), key=keys.__getitem__, reverse=downwards)[:n]


def greatest_of(empty: Raise, negative: Raise, key: Key, a: list[Any], n: int) -> list[Any]:
    """Return the n greatest items, the greatest first."""
    return [a[i] for i in _first(empty, negative, key, a, n, True)]


def least_of(empty: Raise, negative: Raise, key: Key, a: list[Any], n: int) -> list[Any]:
    """Return the n smallest items, the smallest first."""
    return [a[i] for i in _first(empty, negative, key, a, n, False)]


def places_of_greatest(empty: Raise, negative: Raise, key: Key, a: list[Any], n: int) -> list[int]:
    """Return the indexes of the n greatest items, that of the greatest first."""
    return _first(empty, negative, key, a, n, True)


def places_of_least(empty: Raise, negative: Raise, key: Key, a: list[Any], n: int) -> list[int]:
    """Return the indexes of the n smallest items, that of the smallest first."""
    return _first(empty, negative, key, a, n, False)


def sum_of_arrays(add_two: Callable[..., Any], a: list[Any], *first: Any) -> Any:
    """Return what reduce(add_two, a, *first) does, which adds arrays element by element."""
    rows = [*first, *a]
    if len({*map(len, rows)}) > 1:
        return reduce(add_two, rows)
    return [reduce(add, column) for column in zip(*rows, strict=True)]


def median(empty: Raise, sort: Sort, is_real: bool, a: list[Any]) -> Any:
    """Return the item in the middle; of two the mean if they are real, else the smaller."""
    if not a:
        return empty()
    in_order = sort(a)
    half = len(in_order) // 2
    if len(in_order) % 2:
        return in_order[half]
    if is_real:
        return (in_order[half - 1] + in_order[half]) / 2.0
    return in_order[half - 1]


def mode(empty: Raise, sort: Sort, is_real: bool, a: list[Any]) -> Any:
    """Return the item that is there most often; the median of those, if there are several."""
    if not a:
        return empty()
    counts = Counter(a)
    most = max(counts.values())
    best = [x for x, count in counts.items() if count == most]
    return best[0] if len(best) == 1 else median(empty, sort, is_real, best)


def mode_of_reals(empty: Raise, sort: Sort, is_real: bool, a: list[Any]) -> Any:
    """Return the same for floats, of which 0.0 and -0.0 are two, and all NaN are one."""
    if set(map(type, a)) == {float} and 0.0 not in a and not order.has_nan(a):
        return mode(empty, sort, is_real, a)
    return mode_by_json(empty, sort, is_real, a)


def mode_by_json(empty: Raise, sort: Sort, is_real: bool, a: list[Any]) -> Any:
    """Return the same for items that cannot be counted as they are."""
    if not a:
        return empty()
    first: dict[str, Any] = {}
    texts = [json.dumps(x) for x in a]
    for text, x in zip(texts, a, strict=True):
        first.setdefault(text, x)
    counts = Counter(texts)
    most = max(counts.values())
    return median(empty, sort, is_real, [first[t] for t, count in counts.items() if count == most])


def contains(a: list[Any], item: Any) -> bool:
    """Tell whether an array has an item."""
    return item in a


def index(a: list[Any], item: Any) -> int:
    """Return where an item is first; -1 if it is nowhere."""
    try:
        return a.index(item)
    except ValueError:
        return -1


def index_by(a: list[Any], test: Callable[[Any], Any]) -> int:
    """Return where the first item is that passes a test; -1 if it is nowhere."""
    for i, x in enumerate(a):
        if test(x):
            return i
    return -1


def index_of_part(a: list[Any], part: list[Any]) -> int:
    """Return where a part of an array begins; -1 if it is nowhere."""
    for start in range(len(a) - len(part) + 1):
        if part == a[start : start + len(part)]:
            return start
    return -1


def contains_part(a: list[Any], part: list[Any]) -> bool:
    """Tell whether an array has a part."""
    return index_of_part(a, part) >= 0


def count_of_part(a: list[Any], part: list[Any]) -> int:
    """Return how often a part is in an array."""
    if not a or not part:
        return 0
    starts = range(len(a) - len(part) + 1)
    return len([1 for start in starts if part == a[start : start + len(part)]])


def flat(lists: list[list[Any]]) -> list[Any]:
    """Return the items of lists."""
    return list(chain.from_iterable(lists))


def take_while(a: list[Any], test: Callable[[Any], Any]) -> list[Any]:
    """Return the items before the first that does not pass a test."""
    for i, x in enumerate(a):
        if not test(x):
            return a[:i]
    return list(a)


def drop_while(a: list[Any], test: Callable[[Any], Any]) -> list[Any]:
    """Return the items from the first on that does not pass a test."""
    for i, x in enumerate(a):
        if not test(x):
            return a[i:]
    return []


def grouped(a: list[Any], keys: list[str]) -> dict[str, list[Any]]:
    """Return the items of each key."""
    out: dict[str, list[Any]] = {}
    for key, x in zip(keys, a, strict=True):
        out.setdefault(key, []).append(x)
    return out


def untagged(tag: str, values: list[Any]) -> list[Any]:
    """Return what is not null, without its tag."""
    return [without_tag(tag, x) for x in values if x is not None]


def without_tag(tag: str, value: Any) -> Any:
    """Return a value of a union with one branch but null, without its tag."""
    return value[tag] if isinstance(value, dict) and len(value) == 1 and tag in value else value


def lnsum(a: list[float]) -> float:
    """Return the sum of the natural logarithms."""
    return sum([math.log(x) if x > 0.0 else -math.inf if x == 0.0 else math.nan for x in a])


def geomean(a: list[float]) -> float:
    """Return the geometric mean; NaN for a negative product."""
    if not a:
        return math.nan
    mean = prod(a, start=1.0) ** (1.0 / len(a))
    return math.nan if isinstance(mean, complex) else mean


def logsumexp(a: list[float]) -> float:
    """Return the logarithm of the sum of exponentials."""
    if not a:
        return math.nan
    greatest = max(a)
    total = 0.0
    for x in a:
        total += exp(x - greatest)
    return math.log(total) + greatest
