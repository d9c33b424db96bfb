"""What the engine answered -> JSON values, by the model's output schema.

The engine does not hold its answers to their type: an int may come out of a double output. What is
written here is exactly the schema's type in Avro's JSON encoding: a double is always a float, bytes
and fixed are text with one character per byte, a union's value is null or ``{full name of the
branch: value}``, a record's fields come in the schema's order. Nothing of the result is shared with
the engine.

A union's value comes without its tag where a library function put it into the union. It is then of
the first of these branches that it fits: for text string, enum, fixed, bytes; for a whole number
int, long, double, float; for another double, float; for an object the records, then the map. An
object with one key that names a branch is a tagged value if it fits that branch.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from pfa.errors import ScoringError
from pfa.scalars import INT_LIMIT, LONG_LIMIT, is_text, pointer_token
from pfa.schema import Type, brief, items_of

Write = Callable[[Any], Any]


class Unfit(Exception):  # noqa: N818
    """The answer does not have its type; ``place`` grows as the error passes outwards."""

    def __init__(self, detail: str, final: bool = False) -> None:
        """Say what is wrong; ``final`` when no other branch of a union could take the value."""
        super().__init__(detail)
        self.detail = detail
        self.final = final
        self.place = ""

    def below(self, key: str) -> "Unfit":
        """Note that the place is below ``key``."""
        self.place = pointer_token(key) + self.place
        return self


def writer(node: Type) -> Callable[[Any, str], Any]:
    """Make the writer of an output type: (engine's value, its pointer in the answer) -> JSON value.

    It raises ScoringError for NaN and the infinities, which JSON cannot carry, and for a value
    that is not of the type.
    """
    write = _make(node, {})

    def written(value: Any, pointer: str = "") -> Any:
        try:
            return write(value)
        except Unfit as error:
            place = pointer + error.place
            where = f"at {place}" if place else "itself"
            raise ScoringError(f"The model's answer {where} is {error.detail}.") from error
        except RecursionError as error:
            raise ScoringError("The model's answer is nested too deeply.") from error

    return written


def parts_writer() -> Callable[[Type], Write]:
    """Give the maker of writers of parts of one type, which raise Unfit."""
    named: dict[str, Write] = {}
    return lambda node: _make(node, named)


def _make(node: Type, named: dict[str, Write]) -> Write:
    if node.kind in _SCALARS:
        return _SCALARS[node.kind]
    if node.kind == "array":
        return _array(_make(items_of(node), named))
    if node.kind == "map":
        return _map(_make(items_of(node), named))
    if node.kind == "union":
        return _union(node, [_make(branch, named) for branch in node.branches])
    name = node.full_name
    if name not in named:
        named[name] = lambda value: named[name](value)  # until the type is made: a recursive one
        named[name] = _named(node, named)
    return named[name]


def _named(node: Type, named: dict[str, Write]) -> Write:
    if node.kind == "record":
        return _record(node, named)
    symbols = frozenset(node.symbols)

    def enum(value: Any) -> Any:
        if isinstance(value, str) and value in symbols:
            return value
        raise Unfit(f"not a symbol of {brief(node)}")

    def fixed(value: Any) -> Any:
        made = _bytes(value)
        if len(made) != node.size:
            raise Unfit(f"not {node.size} bytes long")
        return made

    return enum if node.kind == "enum" else fixed


def _null(value: Any) -> Any:
    if value is not None:
        raise Unfit("not null")


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    raise Unfit("not a boolean")


def _integer(kind: str, limit: int) -> Write:
    def write(value: Any) -> Any:
        if type(value) is not int:
            value = _plain_number(value)
            if isinstance(value, float) and value.is_integer():
                value = int(value)
        if type(value) is int and -limit <= value < limit:
            return value
        if isinstance(value, float) and not math.isfinite(value):
            raise Unfit("not a finite number", final=True)
        raise Unfit("not whole" if isinstance(value, float) else f"out of the range of {kind}")

    return write


def _double(value: Any) -> Any:
    if type(value) is not float:
        try:
            value = float(_plain_number(value))
        except OverflowError:
            raise Unfit("too large a number for a double") from None
    if value - value == 0.0:  # false for NaN and the infinities
        return value
    raise Unfit("not a finite number (NaN or Infinity), which JSON cannot carry", final=True)


def _plain_number(value: Any) -> int | float:
    """An int or float of Python's own: numpy's numbers come out of some library functions."""
    if isinstance(value, float):
        return float(value)
    if isinstance(value, bool) or value is None or isinstance(value, str | bytes | list | dict):
        raise Unfit("not a number")
    if isinstance(value, int):
        return int(value)
    number: Any = value.item() if hasattr(value, "item") else None
    if isinstance(number, int | float):
        return number
    raise Unfit("not a number")


def _string(value: Any) -> Any:
    if isinstance(value, str) and is_text(value):
        return str(value)
    raise Unfit("not text of Unicode characters")


def _bytes(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return value.decode("latin-1")
    if isinstance(value, str) and (value.isascii() or max(value) <= "\u00ff"):
        return str(value)
    raise Unfit("not bytes")


_SCALARS: dict[str, Write] = {
    "null": _null,
    "boolean": _boolean,
    "int": _integer("int", INT_LIMIT),
    "long": _integer("long", LONG_LIMIT),
    "float": _double,
    "double": _double,
    "string": _string,
    "bytes": _bytes,
}


def _array(inner: Write) -> Write:
    def write(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise Unfit("not an array")
        out = []
        try:
            for item in value:
                out.append(inner(item))  # noqa: PERF401 - its length is the place of an error
        except Unfit as error:
            raise error.below(str(len(out))) from None
        return out

    return write


def _map(inner: Write) -> Write:
    def write(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Unfit("not a map")
        out: dict[str, Any] = {}
        for key, item in value.items():
            try:
                out[_string(key)] = inner(item)
            except Unfit as error:
                raise error.below(str(key)) from None
        return out

    return write


def _record(node: Type, named: dict[str, Write]) -> Write:
    fields = [(made.name, _make(made.type, named)) for made in node.fields]

    def write(value: Any) -> Any:
        if not isinstance(value, dict) or len(value) != len(fields):
            raise Unfit(f"not a {brief(node)}")
        out = {}
        for name, inner in fields:
            if name not in value:
                raise Unfit(f"not a {brief(node)}")
            try:
                out[name] = inner(value[name])
            except Unfit as error:
                raise error.below(name) from None
        return out

    return write


# In which order the branches of a union are tried for a value without a tag; see above.
_NUMBERS = ("int", "long", "double", "float")
_ORDER = ("string", "enum", "fixed", "bytes", "record", "map", *_NUMBERS)
_FRACTIONS_FIRST = ("double", "float", "int", "long")
_WIDER = {"int": ("long", "float", "double"), "long": ("float", "double"), "float": ("double",)}


def _union(node: Type, writes: list[Write]) -> Write:
    branches = list(zip(node.branches, writes, strict=True))
    nullable = any(branch.kind == "null" for branch in node.branches)
    tags = {branch.short_name: (branch.tag, write) for branch, write in reversed(branches)}
    tags |= {branch.tag: (branch.tag, write) for branch, write in branches}
    for narrow, wider in _WIDER.items():
        if narrow not in tags and (kind := next(filter(tags.get, wider), None)):
            tags[narrow] = tags[kind]
    untagged = _sorted(branches, _ORDER)
    fractions = _sorted(branches, _FRACTIONS_FIRST)

    def write(value: Any) -> Any:
        if value is None and nullable:
            return None
        failed = Unfit(f"not of type {brief(node)}")
        if isinstance(value, dict) and len(value) == 1:
            (key,) = value
            if key in tags:
                tag, inner = tags[key]
                try:
                    return {tag: inner(value[key])}
                except Unfit as error:
                    failed = error.below(key)
                    if failed.final:
                        raise
        for branch, inner in fractions if isinstance(value, float) else untagged:
            try:
                return {branch.tag: inner(value)}
            except Unfit as error:
                if error.final:
                    raise
        raise failed

    return write


def _sorted(branches: list[tuple[Type, Write]], order: Sequence[str]) -> list[tuple[Type, Write]]:
    place = {kind: number for number, kind in enumerate(order)}
    return sorted(branches, key=lambda each: place.get(each[0].kind, -1))
