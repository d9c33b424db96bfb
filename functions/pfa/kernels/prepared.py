"""What all kernels share: being made of plain data, titus's own function, its errors.

A kernel is made by ``made(maker, *data)`` of data that marshal can write, and carries them as its
``recipe``; ``remade`` makes it again from there, with neither titus nor numpy imported. What is
rare - an error, an overflow, an odd value - goes to titus's own function, called once more with the
same arguments. It is imported then, and not before.
"""

import importlib
import json
import math
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

from pfa import memory
from pfa.specialise import Site

Recipe = tuple[str, str, tuple[Any, ...]]
Call = tuple[str, str | None, str]  # name, position, JSON text of parameter and result types

MANY = 2_000  # products in a call, from which on numpy is faster: 10 µs to 60
_ENOUGH = 2_000_000  # that Python makes while it would import numpy: 30 ns each


def made(maker: Callable[..., Any], *data: Any) -> Any:
    """Return ``maker(*data)``, a function, with the recipe of it."""
    function = maker(*data)
    function.recipe = (maker.__module__, maker.__name__, data)
    return function


def remade(recipe: Recipe) -> Any:
    """Return the function that has this recipe."""
    module, name, data = recipe
    return made(getattr(importlib.import_module(module), name), *data)


def written(lines: Sequence[str], constants: dict[str, Any], names: dict[str, Any]) -> Any:
    """Return the function of this text, with ``constants`` in place of the texts in it.

    A kernel's text is the same for all models of a size, so that it is compiled once.
    """
    code = _compiled("\n".join(lines))
    kept = (constants.get(x, x) if type(x) is str else x for x in code.co_consts)
    return FunctionType(code.replace(co_consts=tuple(kept)), names)


@lru_cache(maxsize=128)
def _compiled(text: str) -> CodeType:
    module = compile(text, "<kernel>", "exec", dont_inherit=True)
    return next(each for each in module.co_consts if isinstance(each, CodeType))


def unusual() -> Any:
    """Leave the short way of a record, which ends with any error, for the long way."""
    raise ValueError


class NumpyLater:
    """numpy, for a kernel that has a large model: once it has been worth importing."""

    def __init__(self, many: int = MANY, enough: int = _ENOUGH) -> None:
        """Take how much work a call has to be for numpy, and how much is worth the import."""
        self._many = many
        self._enough = self._left = float(enough)

    def after(self, work: int) -> Any:
        """Return numpy, or None, if that is better for a call of so much work: its products."""
        if work < self._many:
            return None
        self._left -= self._enough if "numpy" in sys.modules else work
        if self._left > 0.0:
            return None
        if not memory.affords_numpy():
            self._left = self._enough  # asked again after as much
            return None
        try:
            return memory.numpy()
        except (ImportError, MemoryError):
            self._left = math.inf
            return None


def blocks(np: Any, table: Any, most: int) -> list[Any]:
    """Return a matrix in parts of about ``most`` numbers, each turned: a row for each term.

    There are two results in each at least: of one numpy adds up the terms in another order.
    """
    parts = max(min(table.size // most, len(table) // 2), 1)
    return [np.ascontiguousarray(block.T) for block in np.array_split(table, parts)]


def column(np: Any, datum: Any, size: int) -> Any:
    """Return a vector as a column of doubles; None: it has another size, or too large an int."""
    if len(datum) != size:
        return None
    try:
        return np.array(datum, float)[:, None]
    except OverflowError:
        return None


def call_of(site: Site) -> Call:
    """Return what titus's function gets besides the arguments, as plain data."""
    return site.name, site.pos, repr([*site.types, site.ret])


def titus(call: Call) -> Callable[..., Any]:
    """Return titus's function as a function of the arguments only.

    Functions among the arguments are those of generated code, without state and scope.
    """
    name, pos, types = call
    function: Any = None

    def stock(*args: Any) -> Any:
        nonlocal function, types
        if function is None:
            from pfa import compat  # noqa: F401  mends titus
            from pfa.compat.loader import load

            function = load("titus.pfaast").FunctionTable.blank().functions[name]
            types = json.loads(types) if isinstance(types, str) else types
        return function(None, None, pos, types, *(_as_titus(arg) for arg in args))

    return stock


def _as_titus(arg: Any) -> Any:
    if not callable(arg):
        return arg
    return lambda _state, _scope, _pos, _types, *args: arg(*args)


def fail(call: Call, message: str, code: int) -> Any:
    """Raise titus's error for a failed library function."""
    from pfa import compat  # noqa: F401  mends titus
    from pfa.compat.loader import load

    raise load("titus.errors").PFARuntimeException(message, code, call[0], call[1])


def kind(avro_type: Any) -> str:
    """Return "record", "array" and so on; the name of a type that has one may be such a word."""
    return type(avro_type).__name__.removeprefix("Avro").lower()


def depth(avro_type: Any, container: str) -> int:
    """Return how deep arrays or maps (``container``) of numbers are nested in a type, else 0."""
    levels = 0
    while kind(avro_type) == container:
        levels += 1
        avro_type = avro_type.items if container == "array" else avro_type.values
    return levels if kind(avro_type) in {"int", "long", "float", "double"} else 0
