"""Limits on what one call of a library function may make.

A deadline stops Python code, but not one C call that fills gigabytes first: ``s.repeat`` with a
number from the input is enough. Where a result can be much larger than the arguments, its size is
worked out before the call.
"""

from collections.abc import Callable, Sequence
from typing import Any

from pfa.compat.loader import mends

MAX_TEXT = 10_000_000  # characters; a Lambda answer holds 6 MB
MAX_ITEMS = 1_000_000

_Size = Callable[[Sequence[Any]], int]


def _first(args: Sequence[Any]) -> int:
    return int(args[0])


def _optional(value: Any) -> int:
    """Give an int that may be null or tagged."""
    if isinstance(value, dict):
        (value,) = value.values()
    return int(value or 0)


def _width(args: Sequence[Any]) -> int:
    """Width, and precision if there is one, of a number written as text."""
    if len(args) < 3:
        return 0
    width, more = _optional(args[1]), args[2]
    if isinstance(more, bool):  # padded with zeros: a negative width has its own error
        return width if more else abs(width)
    precision = _optional(more)
    return abs(width) + precision if precision >= 0 else 0  # as has a negative precision


def _hex(args: Sequence[Any]) -> int:
    return _width(args) if args[0] >= 0 else 0  # as has a negative number


def _repeat(args: Sequence[Any]) -> int:
    text, times = args
    return len(text) * max(int(times), 0)


def _concat(args: Sequence[Any]) -> int:
    return len(args[0]) + len(args[1])


def _join(args: Sequence[Any]) -> int:
    texts, separator = args
    return sum(map(len, texts)) + len(texts) * len(separator)


def _replace(args: Sequence[Any]) -> int:
    text, old, new = args
    return len(text) + int(text.count(old)) * len(new)


def _fanout(args: Sequence[Any]) -> int:
    """Size of a fan-out of an int between two others; others are as long as an argument."""
    return int(args[2]) - int(args[1]) if len(args) == 4 else 0


def _bins(args: Sequence[Any]) -> int:
    """Bins of a histogram that grows to the right until it has one for the number."""
    number, histogram = args[0], args[2]
    try:
        low, size, bins = histogram["low"], histogram["binsize"], len(histogram["values"])
        if size <= 0:
            return 0
        # as titus does it, where what is added to a low of -1e300 is lost
        return int((number - low) / (low + size * bins - low) * bins)
    except (KeyError, ArithmeticError, ValueError):
        return 0  # of another kind, or not a finite number: nothing grows


_TEXTS: dict[str, dict[str, _Size]] = {
    "titus.lib.pfastring": {
        "s.concat": _concat,
        "s.hex": _hex,
        "s.int": _width,
        "s.join": _join,
        "s.number": _width,
        "s.repeat": _repeat,
        "s.replaceall": _replace,
    },
    "titus.lib.rand": {"rand.bytes": _first, "rand.string": _first},
}
_ITEMS: dict[str, dict[str, _Size]] = {
    "titus.lib.rand": {"rand.choices": _first},
    "titus.lib.cast": {
        "cast.fanoutBoolean": _fanout,
        "cast.fanoutDouble": _fanout,
        "cast.fanoutFloat": _fanout,
        "cast.fanoutInt": _fanout,
        "cast.fanoutLong": _fanout,
    },
    "titus.lib.stat.sample": {
        "stat.sample.fillHistogram": _bins,
        "stat.sample.forecastHoltWinters": _first,
    },
}


@mends("titus.lib.pfastring", "titus.lib.rand", "titus.lib.cast", "titus.lib.stat.sample")
def _limit(lib: Any) -> None:
    """Check the size of a result before it is made."""
    for table, most, what in (
        (_TEXTS, MAX_TEXT, "characters"),
        (_ITEMS, MAX_ITEMS, "items"),
    ):
        for name, size in table.get(lib.__name__, {}).items():
            function = type(lib.provides[name])
            function.__call__ = _limited(function.__call__, lib, size, most, what)


def _limited(stock: Callable[..., Any], lib: Any, size: _Size, most: int, what: str) -> Any:
    def call(self: Any, state: Any, scope: Any, pos: Any, types: Any, *args: Any) -> Any:
        if size(args) > most:
            message = f"the result would have more than {most} {what}"
            raise lib.PFARuntimeException(message, None, self.name, pos)
        return stock(self, state, scope, pos, types, *args)

    return call


@mends("titus.lib.array")
def _no_combinations(lib: Any) -> None:
    """Make no list of as many positions as a combination is to have, if there are not so many."""
    stock = lib.Combinations.__call__

    def call(self: Any, state: Any, scope: Any, pos: Any, types: Any, a: Any, size: int) -> Any:
        return stock(self, state, scope, pos, types, a, min(size, len(a) + 1))

    lib.Combinations.__call__ = call


MAX_COMPARED = 10_000_000  # values in values: half a second for Python's ==

_COMPARING = {
    "titus.lib.array": (
        "Contains",
        "Count",
        "Diff",
        "Disjoint",
        "Distinct",
        "EndsWith",
        "Index",
        "Intersection",
        "RIndex",
        "SetEq",
        "StartsWith",
        "Subset",
        "SymDiff",
        "Union",
    ),
    "titus.lib.map": ("ContainsValue",),
}


@mends("titus.lib.array", "titus.lib.map")
def _comparable(lib: Any) -> None:
    """Compare no values that nothing interrupts for hours.

    An array that holds another one twice, which holds another one twice, and so on, is small, but
    Python's == walks all of it, in one call in C.
    """
    for name in _COMPARING[lib.__name__]:
        function = getattr(lib, name)
        function.__call__ = _counting(function.__call__, lib)


def _counting(stock: Callable[..., Any], lib: Any) -> Any:
    def call(self: Any, state: Any, scope: Any, pos: Any, types: Any, *args: Any) -> Any:
        if sum(values_in(arg, {}) for arg in args) > MAX_COMPARED:
            message = f"it would compare more than {MAX_COMPARED} values"
            raise lib.PFARuntimeException(message, None, self.name, pos)
        return stock(self, state, scope, pos, types, *args)

    return call


def values_in(value: Any, known: dict[int, int]) -> int:
    """Count the values in arrays, maps and records; ``known`` takes what each of them has."""
    if not isinstance(value, list | tuple | dict):
        return 1
    if id(value) not in known:
        parts = value.values() if isinstance(value, dict) else value
        nested = [part for part in parts if isinstance(part, list | tuple | dict)]
        inside = sum(values_in(part, known) for part in nested)
        known[id(value)] = 1 + len(value) - len(nested) + inside
    return known[id(value)]


_SHORT = 100  # characters, each of which may be looked for at each place of a text


@mends("titus.lib.pfastring")
def _linear_time(lib: Any) -> None:
    """Look for a text from the right, and strip characters, in linear time.

    Python compares a text from the right at each place anew, and looks for each character among
    all that are stripped: hours for two of a megabyte, in which nothing interrupts it.
    """

    def last(
        _self: Any, _state: Any, _scope: Any, _pos: Any, _types: Any, s: str, part: str
    ) -> int:
        return rindex(s, part)

    lib.RIndex.__call__ = last
    lib.LStrip.__call__ = _stripping(str.lstrip, True, False)
    lib.RStrip.__call__ = _stripping(str.rstrip, False, True)
    lib.Strip.__call__ = _stripping(str.strip, True, True)


def rindex(text: str, part: str) -> int:
    """Return where a part is last in a text; -1 if it is nowhere."""
    if len(part) <= _SHORT:
        return text.rfind(part)
    found = text[::-1].find(part[::-1])
    return -1 if found < 0 else len(text) - len(part) - found


def _stripping(quick: Callable[[str, str], str], left: bool, right: bool) -> Callable[..., str]:
    def call(_self: Any, _state: Any, _scope: Any, _pos: Any, _types: Any, s: str, of: str) -> str:
        return quick(s, of) if len(of) <= _SHORT else strip(s, of, left, right)

    return call


def strip(text: str, characters: str, left: bool, right: bool) -> str:
    """Return a text without these characters at its ends."""
    among = set(characters)
    start, end = 0, len(text)
    while left and start < end and text[start] in among:
        start += 1
    while right and start < end and text[end - 1] in among:
        end -= 1
    return text[start:end]
