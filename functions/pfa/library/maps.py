"""What the generated code calls for maps."""

from collections.abc import Callable
from math import inf
from typing import Any

from pfa.library.arrays import Key, of_number, usable

Raise = Callable[[], Any]
Map = dict[str, Any]


def contains_key(m: Map, key: str) -> bool:
    """Tell whether a map has a key."""
    return key in m


def contains_value(m: Map, value: Any) -> bool:
    """Tell whether a map has a value; no value is NaN."""
    return any([x == value for x in m.values()])  # noqa: C419 - a list is quicker


def remove(m: Map, key: str) -> Map:
    """Return a map without a key."""
    out = dict(m)
    out.pop(key, None)
    return out


def only(m: Map, keys: list[str]) -> Map:
    """Return a map with no other keys than these."""
    return {k: x for k, x in m.items() if k in keys}


def without(m: Map, keys: list[str]) -> Map:
    """Return a map without these keys."""
    return {k: x for k, x in m.items() if k not in keys}


def split(m: Map) -> list[Map]:
    """Return a map for each key."""
    return [{k: x} for k, x in m.items()]


def join(maps: list[Map]) -> Map:
    """Return one map of several; later values win."""
    out: Map = {}
    for m in maps:
        out.update(m)
    return out


def key_of_greatest(empty: Raise, key: Key, m: Map) -> Any:
    """Return the key of the greatest value, the smallest key of equal ones."""
    if not m:
        return empty()
    if key is of_number and len(m) < 20:
        best, top = None, -inf
        for k, x in m.items():
            if x > top:
                best, top = k, x
            elif not x < top:  # two equal ones, or a NaN
                break
        else:
            return best
    values = _ordered(key, m)
    top = max(values)
    if len(values) < 20 and values.count(top) == 1:
        return list(m)[values.index(top)]
    return min([k for k, x in zip(m, values, strict=True) if x == top])


def key_of_least(empty: Raise, key: Key, m: Map) -> Any:
    """Return the key of the smallest value, the smallest key of equal ones."""
    if not m:
        return empty()
    values = _ordered(key, m)
    top = min(values)
    if len(values) < 20 and values.count(top) == 1:
        return list(m)[values.index(top)]
    return min([k for k, x in zip(m, values, strict=True) if x == top])


def keys_of_first(
    empty: Raise, negative: Raise, key: Key, downwards: bool, m: Map, n: int
) -> list[str]:
    """Return the keys of the n greatest, or smallest, values; smaller keys first of equal ones."""
    if not m:
        return empty()  # type: ignore[no-any-return]
    if n < 0:
        return negative()  # type: ignore[no-any-return]
    value_of = dict(zip(m, _ordered(key, m), strict=True))
    return sorted(sorted(m), key=value_of.__getitem__, reverse=downwards)[:n]


def _ordered(key: Key, m: Map) -> list[Any]:
    """Return the values of a map, as something that Python orders as Avro does."""
    values = list(m.values())
    needed = usable(key, values)
    return values if needed is None else list(map(needed, values))
