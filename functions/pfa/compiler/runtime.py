"""What the generated code calls: paths, casts, unions, updates. None of it knows a document.

Makers take plain data, so that what they make can be made again from an artifact.
"""

import json
from collections.abc import Callable
from typing import Any

NO_MATCH: Any = object()  # of a case of ``cast``, or of ``unpack``


def _titus(name: str) -> Any:
    """Return a module of titus, which is imported when it is needed and not before."""
    from pfa.compat.loader import load

    return load(name)


def failing(name: str, message: str, code: int | None, pos: str | None) -> Callable[[], Any]:
    """Make what raises the error of a library function."""

    def fail() -> Any:
        raise _titus("titus.errors").PFARuntimeException(message, code, name, pos)

    return fail


def error(message: str, code: int | None, pos: str | None) -> Any:
    """Raise what PFA's ``error`` does."""
    raise _titus("titus.errors").PFAUserException(message, code, pos)


def tagged(value: Any, tag: str) -> Any:
    """Return a value as one of a union."""
    return None if value is None else {tag: value}


def getter(codes: tuple[int, int], form: str, pos: str | None, steps: int) -> Callable[..., Any]:
    """Make what follows a path of ``steps`` indexes, and raises what titus does.

    ``codes`` are those for an array's index and for a map's key.
    """

    def get(value: Any, *path: Any) -> Any:
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError):
                error = _titus("titus.errors").PFARuntimeException
                if isinstance(value, list | tuple):
                    raise error("array index not found", codes[0], form, pos) from None
                raise error("map key not found", codes[1], form, pos) from None
        return value

    def get_one(value: Any, step: Any) -> Any:
        try:
            return value[step]
        except LookupError:
            return get(value, step)

    def get_two(value: Any, first: Any, second: Any) -> Any:
        try:
            return value[first][second]
        except LookupError:
            return get(value, first, second)

    quick: dict[int, Callable[..., Any]] = {1: get_one, 2: get_two}
    return quick.get(steps, get)


def untagger(tags: frozenset[str]) -> Callable[[Any], Any]:
    """Make what takes a value of a union out of its tag, if the tag is one of these."""

    def untag(value: Any) -> Any:
        if isinstance(value, dict) and len(value) == 1:
            ((tag, inner),) = value.items()
            if tag in tags:
                return inner
        return value

    return untag


_READY = {"string": str, "double": float, "boolean": bool}  # decoded as they are


def caster(schema: str, tags: frozenset[str] | None) -> Callable[[Any], Any]:
    """Make what gives a value as the type of a case of ``cast``, or NO_MATCH.

    ``schema`` is the type's JSON text; ``tags`` are those that fit it, if the value is of a union.
    """
    wanted = json.loads(schema)
    ready = _READY.get(wanted) if isinstance(wanted, str) else None
    decode: Callable[[Any], Any] | None = None

    def cast(value: Any) -> Any:
        nonlocal decode
        if tags is not None and isinstance(value, dict) and len(value) == 1:
            ((tag, value),) = value.items()
            if tag not in tags:
                return NO_MATCH
        if type(value) is ready:
            return value
        if decode is None:
            decode = _decoder(schema)
        try:
            return decode(value)
        except (_titus("titus.errors").AvroException, TypeError):
            return NO_MATCH

    return cast


def _decoder(schema: str) -> Callable[[Any], Any]:
    datatype = _titus("titus.datatype")
    of = datatype.jsonToAvroType(schema)
    return lambda value: datatype.jsonDecoder(of, value)


class Updater:
    """A function that updates a cell or pool, as titus's ``update`` calls it."""

    paramNames = ("x",)  # noqa: N815 - titus's name

    def __init__(self, function: Callable[..., Any]) -> None:
        """Take a function (state, scope, pos, types, old value)."""
        self.function = function

    def __call__(self, state: Any, scope: Any) -> Any:
        """Give the new value."""
        return self.function(state, None, None, None, scope.symbols["x"])


def catcher(passing: tuple[type[BaseException], ...]) -> Callable[[Exception, Any], None]:
    """Make what ``try`` does with an error: raise it again unless its filter takes it."""

    def caught(error: Exception, wanted: Any) -> None:
        if isinstance(error, passing):
            raise error
        message = getattr(error, "message", str(error))
        code = getattr(error, "code", None)
        if wanted is None or message in wanted or (code is not None and code in wanted):
            return
        raise error

    return caught


def unpacker(
    one: Callable[..., Any], misaligned: type[Exception], scope_class: Any
) -> Callable[..., Any]:
    """Make what reads the values of ``unpack``: a list, or NO_MATCH."""

    def unpack(data: Any, formats: Any) -> Any:
        scope = scope_class(None)
        try:
            for name, form, length in formats:
                data = one(data, scope, name, form, length)
        except misaligned:
            return NO_MATCH
        if len(data) != 0:
            return NO_MATCH
        return [scope.symbols[name] for name, _, _ in formats]

    return unpack
