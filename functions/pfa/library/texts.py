"""How the functions of this package write expressions.

What they write is closed: a call, a name, or in brackets. A value that is used twice gets the name
``_v`` where it is made; it is read before any other ``_v`` can be made, so that one name is enough
for all. ``_v`` is an assignment expression, which Python does not take where a comprehension gets
its items: there a function here writes ``items``.
"""

import re
from collections.abc import Callable
from typing import Any

from pfa.specialise import STRING, Site

INT = (-2147483648, 2147483647)
LONG = (-9223372036854775808, 9223372036854775807)

_NAME = re.compile(r"[A-Za-z_]\w*|-?\d+(\.\d+)?(e[+-]?\d+)?")
_QUOTED = re.compile(r"""'[^'\\]*'|"[^"\\]*\"""")
_HEAD = re.compile(r"\w*[(\[]")
_PARTS = re.compile(rf"[()\[\]{{}}]|{STRING}")


def is_name(text: str) -> bool:
    """Tell whether an expression is a variable or a number, so that it may be written twice."""
    return _NAME.fullmatch(text) is not None


def closed(text: str) -> str:
    """Put an expression in brackets, unless it can do without beside an operator."""
    is_closed = is_name(text) or _QUOTED.fullmatch(text) or _is_bracketed(text)
    return text if is_closed else f"({text})"


def _is_bracketed(text: str) -> bool:
    """Tell whether the first bracket, perhaps that of a call, goes on to the end."""
    if not _HEAD.match(text):
        return False
    depth = 0
    for part in _PARTS.finditer(text):
        if part[0] in "([{":
            depth += 1
        elif part[0] in ")]}":
            depth -= 1
            if not depth:
                return part.end() == len(text)
    return False


def is_fixed(text: str) -> bool:
    """Tell whether it does not matter when an expression is evaluated: a name, number or text."""
    return is_name(text) or _QUOTED.fullmatch(text) is not None


def items(site: Site, index: int = 0) -> str:
    """Return what a comprehension goes through: an argument that is evaluated before others."""
    text = site.args[index]
    return site.once(index) if ":=" in text else closed(text)


def closed_args(site: Site) -> list[str]:
    """Return the arguments of a call, each closed."""
    return [closed(text) for text in site.args]


def named(text: str) -> tuple[str, str]:
    """Return what to write for an argument first, and what from then on."""
    return (text, text) if is_name(text) else (f"(_v := {text})", "_v")


def number(site: Site, index: int) -> int | float | None:
    """Return an argument that is a number known beforehand, and not NaN."""
    value = site.constant(index)
    return value if type(value) in (int, float) and value == value else None


def raiser(site: Site, message: str, code: int) -> str:
    """Return the name of a function without parameters that raises an error of this call."""
    return site.bind(re.sub(r"\W+", "_", message), site.error(message, code))


def function(site: Site, called: Callable[..., Any], hint: str | None = None) -> str:
    """Return the name under which generated code sees a function."""
    return site.bind(hint or called.__name__, called)


def call(site: Site, called: Callable[..., Any], *first: str, hint: str | None = None) -> str:
    """Return the call of a function with the arguments of the call, after ``first``."""
    return f"{function(site, called, hint)}({', '.join((*first, *site.args))})"


def limits(type_name: str) -> tuple[int, int] | None:
    """Return the least and the largest number of an integer type; None for other types."""
    return {"int": INT, "long": LONG}.get(type_name)


def checked(site: Site, text: str, type_name: str, code: int) -> str:
    """Return an expression of this type that raises "int overflow" or "long overflow".

    ``code`` is the error's for an int; that for a long is the next one.
    """
    between = limits(type_name)
    if between is None:
        return f"({text})"
    is_long = type_name == "long"
    overflow = raiser(site, f"{type_name} overflow", code + is_long)
    return f"(_v if {between[0]} <= (_v := {text}) <= {between[1]} else {overflow}())"
