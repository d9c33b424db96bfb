"""Faults of titus in functions of the library on strings and maps."""

from typing import Any

from pfa.compat.loader import mends


@mends("titus.lib.map")
def _zipmap(lib: Any) -> None:
    """Compare the keys of maps as sets.

    titus compares lists of them, in the order in which they happen to be in the maps, and calls
    maps with the same keys misaligned.
    """
    for cls in (lib.ZipMap, lib.ZipMapWithKey):
        cls.__call__ = _same_order(cls.__call__)


def _same_order(stock: Any) -> Any:
    def call(self: Any, state: Any, scope: Any, pos: Any, types: Any, *args: Any) -> Any:
        first, *others, function = args
        aligned = [
            {key: other[key] for key in first} if other.keys() == first.keys() else other
            for other in others
        ]
        return stock(self, state, scope, pos, types, first, *aligned, function)

    return call


@mends("titus.lib.regex")
def _empty_matches(lib: Any) -> None:
    """Go on after a match of no characters.

    re.count and all that look for several matches start the next search where the last match
    ended, so that ``x*`` in "abc" matched the empty string at 0 for ever. The next search now
    starts one character later, as in Java's and Python's regular expressions.
    """
    stock_convert = lib.convert
    stock_search = lib.Regexer.search

    def convert(haystack: Any, pattern: Any, kind: Any) -> Any:
        haystack, pattern, back = stock_convert(haystack, pattern, kind)
        return haystack if kind == "string" else _RawBytes(haystack), pattern, back

    def search(self: Any, start: int) -> bool:
        if getattr(self, "empty_at", None) == start:
            start = _next_character(self.haystack, start)
        found = bool(stock_search(self, start))
        if found:
            region = self.getRegion()
            self.empty_at = region.end[0] if region.beg[0] == region.end[0] else None
        return found

    lib.convert = convert
    lib.Regexer.search = search


class _RawBytes(bytes):
    """Bytes to search in that are not UTF-8 text."""


def _next_character(haystack: bytes, start: int) -> int:
    """Give where the character after the one at ``start`` begins; text is UTF-8."""
    start += 1
    if not isinstance(haystack, _RawBytes):
        while start < len(haystack) and haystack[start] & 0b1100_0000 == 0b1000_0000:
            start += 1
    return start
