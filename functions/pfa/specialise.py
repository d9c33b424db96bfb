"""Library functions specialised for a call: what they see of it, and the table of them.

An *inline* function is an expression of Python that is written into the generated code; a *kernel*
is a Python function made for the types and the constants of one call. Both may give None: then
titus's own function is called. Both give exactly what titus's function gives: values, Python
types, order of keys, errors.
"""

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

MISSING: Any = object()  # what is not known before a record comes

# The pattern of a string in generated code. With a group for each character it is 4 times as slow.
STRING = r"""'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*\""""


class Function(Protocol):
    """A function that a document gives to a library function.

    ``params`` are the names of its parameters in the generated code; ``call`` is the library call
    that its body is, if it is one expression and that a call, of parameters named ``given``.
    """

    params: list[str]
    given: list[str]
    call: "Site | None"

    @property
    def name(self) -> str:
        """A name that calls it with positional arguments."""

    def inline(self, *args: str) -> str | None:
        """Return the body with these names for its parameters; None if it is no expression."""

    def loop(self, items: str) -> str | None:
        """Write a loop before the call, and return the name of the list of its values.

        ``items`` is what it goes through. None if a comprehension does as well, or better.
        """


class Site(Protocol):
    """One call: types as titus resolved them, arguments as texts of Python expressions.

    ``types`` are titus's AvroTypes (an FcnType for a function), ``ret`` that of the result. Each of
    ``args`` may be written at most once, and in order; ``once`` gives a text that may be written
    often.
    """

    name: str
    types: list[Any]
    ret: Any
    pos: str | None
    args: list[str]

    def once(self, index: int) -> str:
        """Return a name or constant that holds an argument."""

    def bind(self, hint: str, value: Any, short: str | None = None) -> str:
        """Return a name under which generated code sees ``value``; like ``hint``.

        ``short`` is what to write for a call of it where any error will do: ``{0}`` stands for the
        first argument, and so on, each of which may be there once.
        """

    def constant(self, index: int) -> Any:
        """Return an argument's value, if it is a literal or a constant cell; else MISSING."""

    def parsed(self, index: int) -> Any:
        """Return the JSON value of an argument that is a whole constant cell; else MISSING.

        Unlike ``constant`` it does not make the cell be decoded.
        """

    def function(self, index: int) -> Function:
        """Return an argument that is a function."""

    def error(self, message: str, code: int | None) -> Callable[[], Any]:
        """Return what raises titus's PFARuntimeException of this function, here."""


Inline = Callable[[Site], str | None]
Kernel = Callable[[Site], Callable[..., Any] | None]

INLINE: dict[str, Inline] = {}
KERNELS: dict[str, Kernel] = {}

# Where the functions are whose names begin so; imported when a document calls one of them.
MODULES: dict[str, str] = {
    "!": "pfa.library.core",
    "%": "pfa.library.core",
    "&": "pfa.library.core",
    "*": "pfa.library.core",
    "+": "pfa.library.core",
    "-": "pfa.library.core",
    "/": "pfa.library.core",
    "<": "pfa.library.core",
    "=": "pfa.library.core",
    ">": "pfa.library.core",
    "^": "pfa.library.core",
    "a.": "pfa.library.array",
    "cast.": "pfa.library.cast",
    "cmp": "pfa.library.core",
    "la.": "pfa.kernels.matrix",
    "m.": "pfa.library.math",
    "m.kernel.": "pfa.kernels.network",
    "m.link.": "pfa.kernels.link",
    "map.": "pfa.library.map",
    "max": "pfa.library.core",
    "metric.": "pfa.kernels.cluster",
    "min": "pfa.library.core",
    "model.cluster.": "pfa.kernels.cluster",
    "model.naive.": "pfa.kernels.bayes",
    "model.neighbor.": "pfa.kernels.neighbor",
    "model.neural.": "pfa.kernels.network",
    "model.reg.": "pfa.kernels.linear",
    "model.svm.": "pfa.kernels.network",
    "model.tree.": "pfa.kernels.tree",
    "prob.dist.": "pfa.kernels.density",
    "s.": "pfa.library.string",
    "u-": "pfa.library.core",
    "|": "pfa.library.core",
    "~": "pfa.library.core",
}


@cache
def find(name: str) -> tuple[Inline | None, Kernel | None]:
    """Return what specialises the library function ``name``."""
    for prefix, module in MODULES.items():
        if name.startswith(prefix):
            importlib.import_module(module)
    return INLINE.get(name), KERNELS.get(name)


def inline(*names: str) -> Callable[[Inline], Inline]:
    """Register what writes the library functions ``names`` as an expression."""

    def register(write: Inline) -> Inline:
        for name in names:
            if name in INLINE or name in KERNELS:
                raise ValueError(f"{name} is specialised twice")
            INLINE[name] = write
        return write

    return register


def kernel(*names: str) -> Callable[[Kernel], Kernel]:
    """Register what makes a function of the arguments for the library functions ``names``."""

    def register(make: Kernel) -> Kernel:
        for name in names:
            if name in INLINE or name in KERNELS:
                raise ValueError(f"{name} is specialised twice")
            KERNELS[name] = make
        return make

    return register
