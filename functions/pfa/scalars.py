"""Checks of the types without parts, and the notes that a check takes.

A check gives the engine's form of a JSON value, or BAD after noting in ``run`` what is wrong.
"""

from collections.abc import Callable
from math import isfinite
from typing import Any, NamedTuple

from pfa.schema import Type, expected

MAX_ERRORS = 100  # wrong places named in one answer; the rest is counted
MAX_TOKEN = 100  # characters of one key in a pointer: keys may come from the caller
MAX_POINTER = 2000  # characters of a pointer: its steps of so deep a place are left out after "/…"

_CUT = "/…"

BAD: Any = object()


class Tried(NamedTuple):
    """What came of checking one value against one type."""

    made: Any
    errors: list[tuple[str, str]]
    wrong: int  # places


INT_LIMIT = 2**31
LONG_LIMIT = 2**63
EXACT = 2.0**53  # below this a double holds every integer; 2**53 + 1 is read as this
FLOAT_MAX = 3.4028234663852886e38  # the largest finite 32-bit float: (2 - 2**-23) * 2**127


class Run:
    """What one check has found so far."""

    __slots__ = ("count", "depth", "errors", "memo")

    def __init__(self) -> None:
        """Begin with nothing found."""
        self.errors: list[list[str]] = []  # [pointer below where we are, detail]
        self.count = 0
        self.depth = 0
        self.memo: dict[tuple[int, int], Tried] = {}

    def fail(self, detail: str) -> Any:
        """Note that the value in hand is wrong; returns BAD."""
        self.count += 1
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(["", detail])
        return BAD

    def fail_below(self, key: str, detail: str) -> None:
        """Note that the member ``key`` of the value in hand is wrong."""
        start = len(self.errors)
        self.fail(detail)
        self.below(start, key)

    def below(self, start: int, key: str) -> int:
        """Say that the errors since ``start`` are below ``key``; returns the new start."""
        token = pointer_token(key)
        for error in self.errors[start:]:
            if len(error[0]) + len(token) <= MAX_POINTER:
                error[0] = token + error[0]
            elif not error[0].startswith(_CUT):
                error[0] = _CUT + error[0]
        return len(self.errors)

    def undo(self, start: int, count: int) -> None:
        """Forget the errors of a reading that was tried."""
        del self.errors[start:]
        self.count = count


Check = Callable[[Any, Run], Any]


def pointer_token(key: str) -> str:
    """One step of an RFC 6901 pointer; a long key is cut, a lone surrogate replaced."""
    if len(key) > MAX_TOKEN:
        key = key[:MAX_TOKEN] + "…"
    return "/" + unicode(key).replace("~", "~0").replace("/", "~1")


def unicode(text: str) -> str:
    """The text with U+FFFD for halves of surrogate pairs, which no encoding has."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def integer(limit: int) -> Callable[[Any], Any]:
    """Make the reading of a whole number in [-limit, limit): 1.0 is one, true is none."""

    def read(value: Any) -> Any:
        if type(value) is float and -EXACT < value < EXACT and value.is_integer():
            value = int(value)
        if type(value) is int and -limit <= value < limit:
            return value
        return BAD

    return read


def read_double(value: Any) -> Any:
    """Read a finite number as a double; an integer may lose digits beyond 2**53, as in JSON."""
    if type(value) is float and value - value == 0.0:  # false for NaN and the infinities
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return BAD
    return BAD


def read_float(value: Any) -> Any:
    """Read a number in the range of a 32-bit float; the engine computes with it unrounded."""
    made = read_double(value)
    return made if made is not BAD and -FLOAT_MAX <= made <= FLOAT_MAX else BAD


def is_text(value: str) -> bool:
    """Whether a str is Unicode text: JSON can smuggle in half of a surrogate pair."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_string(value: Any) -> Any:
    """Read text."""
    return value if type(value) is str and (value.isascii() or is_text(value)) else BAD


def read_bytes(value: Any) -> Any:
    """Read bytes in Avro's JSON form, one character up to U+00FF per byte."""
    if type(value) is not str:
        return BAD
    return value if value.isascii() or max(value) <= "\u00ff" else BAD


def read_fixed(size: int) -> Callable[[Any], Any]:
    """Make the reading of a fixed of ``size`` bytes."""
    return lambda value: read_bytes(value) if type(value) is str and len(value) == size else BAD


def read_enum(symbols: frozenset[str]) -> Callable[[Any], Any]:
    """Make the reading of an enum."""
    return lambda value: value if type(value) is str and value in symbols else BAD


_READ: dict[str, Callable[[Any], Any]] = {
    "null": lambda value: None if value is None else BAD,
    "boolean": lambda value: value if value is True or value is False else BAD,
    "int": integer(INT_LIMIT),
    "long": integer(LONG_LIMIT),
    "float": read_float,
    "double": read_double,
    "string": read_string,
    "bytes": read_bytes,
}


def reading(node: Type) -> Callable[[Any], Any] | None:
    """The reading of a type without parts: value -> engine's form or BAD; None for the others."""
    if node.kind == "enum":
        return read_enum(frozenset(node.symbols))
    if node.kind == "fixed":
        return read_fixed(node.size)
    return _READ.get(node.kind)


def scalar(node: Type, read: Callable[[Any], Any]) -> Check:
    """Make the check of a type without parts of its reading."""
    wanted = "expected " + expected(node)

    def check(value: Any, run: Run) -> Any:
        made = read(value)
        return run.fail(wanted + why(node.kind, value)) if made is BAD else made

    return check


def double(value: Any, run: Run) -> Any:
    """The check of a double, by far the most common: the usual case first, without a call."""
    if type(value) is float and value - value == 0.0:
        return value
    made = read_double(value)
    return run.fail("expected double" + why("double", value)) if made is BAD else made


def why(kind: str, value: Any) -> str:
    """What is wrong with a value that looks right, without saying the value."""
    if kind in ("int", "long", "float", "double") and type(value) in (int, float):
        if value != value or value in (float("inf"), float("-inf")):
            return "; NaN and Infinity are not accepted"
        if kind in ("int", "long") and not value.is_integer():
            return "; the number is not whole"
        if kind == "long" and type(value) is float and abs(value) < LONG_LIMIT:
            return "; a number this large must be written without point or exponent"
        return "; the number is out of range"
    if kind == "string" and type(value) is str:
        return " of Unicode; it holds half of a surrogate pair"
    return ""


_REALS = {float, int}


def as_double(value: Any) -> float:
    """Read an int as a double; KeyError for anything else."""
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            pass
    raise KeyError


def as_doubles(values: dict[str, Any]) -> dict[str, float] | None:
    """Read a map of many doubles, some of them ints, all at once; None if that does not do."""
    types = {*map(type, values.values())}
    try:
        if not types <= _REALS or not "".join(values).isascii():
            return None
        made = values.copy()
        if int in types:
            made |= {key: float(value) for key, value in values.items() if type(value) is int}
        return made if isfinite(sum(made.values())) else None
    except (TypeError, OverflowError):  # a key that is no text, an int that no double comes near
        return None


def as_key(value: Any) -> str:
    """Read a map's key; KeyError if it is not Unicode text."""
    if type(value) is str and is_text(value):
        return value
    raise KeyError


def without_tag(value: Any) -> Any:
    """Return a value of a union as it is without its tag."""
    return next(iter(value.values())) if type(value) is dict else value


def without_tags(values: dict[str, Any]) -> dict[str, Any]:
    """Return a map of values of a union without their tags."""
    return {key: without_tag(value) for key, value in values.items()}
