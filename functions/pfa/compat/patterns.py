"""Limits on the regular expressions of re.*, which the C library compiles and searches for.

titus calls ``regcomp`` and ``regexec`` of libc. Some patterns make these overflow the stack or
take all memory, which ends the process; while they run, Python can interrupt nothing. A pattern
may come with a record, so that each is measured here before libc sees it:

* size: its characters, groups and alternatives, repeats multiplied out;
* what a search may cost on a text of so many bytes, see ``_most_bytes``.

Searches in long texts are cut into pieces by where a match may start, so that a deadline can come
in between.
"""

import ctypes
import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from pfa.compat.loader import mends

MAX_PATTERN = 2000  # bytes
MAX_SIZE = 1000  # characters, groups and alternatives, repeats multiplied out
MAX_GROUPS_DEEP = 50
MAX_TEXT = 1_000_000  # bytes

# bytes of text times size of the pattern; the worst of each kind that was found takes
_FIXED = 1_000_000_000  # 1 MB: nothing
_CHOICE = 2_000_000  # 100 MB, 0.5 s
_VARIABLE = 200_000  # 230 MB; seconds in all, but in pieces
_BACK_FIXED = 20_000
_BACK_VARIABLE = 1000  # 10 MB, 1.5 s: time grows with the third power of the text and faster

_BRACKET = re.compile(rb"\[\^?\]?(?:\[([:.=]).*?\1\]|[^\]])*\]", re.DOTALL)
_INTERVAL = re.compile(rb"\{([0-9]*)(,?)([0-9]*)\}")


class Refused(Exception):  # noqa: N818
    """A pattern, or a pattern on a text of this length, is beyond the limits."""


class Measure(NamedTuple):
    """What a pattern asks of libc."""

    size: int
    """Characters, groups and alternatives, with repeats multiplied out."""
    variable: bool
    """There are matches of different lengths before something that must follow."""
    choice: bool
    """There are alternatives."""
    back_references: int


class _Level:
    """The pattern, or a group in it, while it is read."""

    def __init__(self) -> None:
        self.size = 0
        self.last = 0  # size of what a repeat that comes next would repeat
        self.last_refers = False  # that is, or holds, a back-reference
        self.refers = False
        self.choice = False
        self.after_choice = False


def measure(pattern: bytes) -> Measure:
    """Measure a POSIX extended regular expression (with GNU's additions).

    A malformed one is libc's to refuse. Raises Refused if it is too large.
    """
    if len(pattern) > MAX_PATTERN:
        raise Refused(f"longer than {MAX_PATTERN} bytes")
    levels = [_Level()]
    variable, any_choice, back_references = False, False, 0
    for kind, times in _tokens(pattern):
        here = levels[-1]
        if kind == "open":
            variable |= here.after_choice
            levels.append(_Level())
            if len(levels) > MAX_GROUPS_DEEP + 1:
                raise Refused(f"groups more than {MAX_GROUPS_DEEP} deep")
        elif kind == "close" and len(levels) > 1:
            levels.pop()
            outer = levels[-1]
            outer.last, outer.last_refers = here.size + 1, here.refers
            outer.refers |= here.refers
            outer.size += outer.last
            outer.after_choice |= here.choice
            outer.choice |= here.choice
        elif kind == "or":
            here.size, here.last, here.last_refers = here.size + 1, 0, False
            here.choice, here.after_choice, any_choice = True, False, True
        elif kind in ("repeat", "exactly"):
            variable |= kind == "repeat" or here.after_choice
            if here.last_refers:  # exponential in the text: 20 s for 100 bytes
                raise Refused("a back-reference is repeated")
            here.size += here.last * (times - 1)
            here.last *= times
        else:
            variable |= here.after_choice and kind != "anchor"
            here.size, here.last, here.last_refers = here.size + 1, 1, kind == "back"
            here.refers |= here.last_refers
            back_references += here.last_refers
        if levels[-1].size > MAX_SIZE:
            raise Refused(f"more than {MAX_SIZE} characters with all repeats")
    size = sum(level.size for level in levels)
    if size > MAX_SIZE:
        raise Refused(f"more than {MAX_SIZE} characters with all repeats")
    if back_references > 1:
        raise Refused("more than one back-reference")
    return Measure(max(size, 1), variable, any_choice, back_references)


def _tokens(pattern: bytes) -> Iterator[tuple[str, int]]:
    """Split a pattern: kinds of token, and for repeats how often what they repeat is compiled."""
    at, end = 0, len(pattern)
    while at < end:
        byte = pattern[at : at + 1]
        at += 1
        if byte == b"\\":
            escaped = pattern[at : at + 1]
            at += 1
            if escaped in (b"b", b"B", b"<", b">", b"`", b"'"):
                yield "anchor", 1
            else:
                yield "back" if escaped.isdigit() and escaped != b"0" else "character", 1
        elif byte == b"[":
            bracket = _BRACKET.match(pattern, at - 1)
            at = bracket.end() if bracket else end
            yield "character", 1
        elif byte in b"()|":
            yield {b"(": "open", b")": "close", b"|": "or"}[byte], 1
        elif byte in b"*?":
            yield "repeat", 1
        elif byte == b"+":
            yield "repeat", 2  # x+ is compiled as xx*
        elif byte in b"^$":
            yield "anchor", 1
        elif byte == b"{" and (interval := _INTERVAL.match(pattern, at - 1)):
            at = interval.end()
            yield _interval(*interval.groups())
        else:
            yield "character", 1


def _interval(least: bytes, comma: bytes, most: bytes) -> tuple[str, int]:
    # as many digits as the pattern may have: libc's own limit is 32767
    times = max(int(least[:9] or b"0"), int(most[:9] or b"0"), 1)
    if not comma:
        return "exactly", times
    return "repeat", times if most else times + 1


def _most_bytes(measured: Measure) -> int:
    """Give the length of the longest text to search with a pattern of this measure.

    libc builds a deterministic automaton as it goes, of which each byte of the text can need a new
    state of up to 1.1 kB per unit of size. That takes a pattern that can be at many of its places
    at once, as in ``(a|b)*a(a|b){20}``; one without repeats is only ever at few.
    """
    if measured.back_references:
        most = _BACK_VARIABLE if measured.variable or measured.choice else _BACK_FIXED
    elif measured.variable:
        most = _VARIABLE
    else:
        most = _CHOICE if measured.choice else _FIXED
    return min(most // measured.size, MAX_TEXT)


def check(pattern: bytes, text_bytes: int) -> None:
    """Check a pattern before libc compiles it, to search in a text of ``text_bytes``.

    Raises Refused, with the reason.
    """
    most = _most_bytes(measure(pattern))
    if text_bytes > most:
        raise Refused(f"too costly for a text of more than {most} bytes")


class _Registers(ctypes.Structure):
    """struct re_registers of <regex.h>: where match and groups begin and end."""

    _fields_ = (
        ("num_regs", ctypes.c_uint),
        ("start", ctypes.POINTER(ctypes.c_int)),
        ("end", ctypes.POINTER(ctypes.c_int)),
    )


_AT_ONCE = 1000  # bytes of text that are searched without a look at the clock
_PIECE = 0.005  # seconds that a piece should take


class _Libc:
    """What titus uses of libc, with a ``regexec`` that Python can interrupt."""

    def __init__(self, libc: Any) -> None:
        self.regcomp, self.regfree = libc.regcomp, libc.regfree
        self._libc = libc

    def regexec(self, regex: Any, text: bytes, count: int, groups: Any, flags: int) -> int:
        """Search as POSIX's regexec does; gives 0 if there is a match."""
        text = text.partition(b"\0")[0]
        if len(text) <= _AT_ONCE or not hasattr(self._libc, "re_search"):
            result: int = self._libc.regexec(regex, text, count, groups, flags)
            return result
        # GNU's re_search takes the range in which a match may start, and is what regexec calls
        room = count + 1
        starts, ends = (ctypes.c_int * room)(), (ctypes.c_int * room)()
        registers = _Registers(room, starts, ends)
        into = ctypes.byref(registers)
        self._libc.re_set_registers(regex, into, ctypes.c_uint(room), starts, ends)
        start, piece, length = 0, 1, len(text)
        while start <= length:
            before = time.monotonic()
            last = min(piece - 1, length - start)
            found = self._libc.re_search(regex, text, length, start, last, into)
            if found >= 0:
                for group, begins, ends_at in zip(groups, starts, ends, strict=False):
                    group.rm_so, group.rm_co = begins, ends_at
                return 0
            if found < -1:
                raise MemoryError("no memory for a regular expression")
            start += last + 1
            took = time.monotonic() - before
            piece = piece * 2 if took < _PIECE else max(piece // 2, 1)
        return 1


class _Ctypes:
    """The module ctypes, as titus.lib.regex sees it: it loads libc with it."""

    def __init__(self) -> None:
        self.cdll = self

    def __getattr__(self, name: str) -> Any:
        return getattr(ctypes, name)

    def LoadLibrary(self, name: str) -> _Libc:  # noqa: N802
        """Load libc; a copy of our own, as the types of its arguments are set nowhere."""
        return _Libc(ctypes.CDLL(name))


@mends("titus.lib.regex")
def _limits(lib: Any) -> None:
    """Check patterns before they are compiled; free them also when a search was interrupted."""
    regexer = lib.Regexer
    compile_, free = regexer.__init__, regexer.free

    def checked_init(
        self: Any, haystack: bytes, pattern: bytes, code: int, name: str, pos: str | None
    ) -> None:
        try:
            check(pattern, len(haystack))
        except Refused as reason:
            raise lib.PFARuntimeException(f"bad pattern: {reason}", code, name, pos) from None
        compile_(self, haystack, pattern, code, name, pos)
        self.compiled = True

    def free_once(self: Any) -> None:
        if vars(self).pop("compiled", False):
            free(self)

    regexer.__init__, regexer.free, regexer.__del__ = checked_init, free_once, free_once
    lib.ctypes = _Ctypes()
    lib.utf8ByteIndexes = lambda _: ()  # computed for every text, used for none
