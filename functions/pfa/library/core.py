"""Arithmetic, comparisons and bits: ``+ - * / // ** u- % %% == != < <= > >= cmp max min ! ^^ …``.

``&&`` and ``||`` decide whether their second argument is evaluated at all: the compiler writes
them.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from pfa.library import order
from pfa.library.texts import (
    call,
    checked,
    closed,
    closed_args,
    function,
    is_name,
    limits,
    named,
    number,
    raiser,
)
from pfa.specialise import Site, inline

_OVERFLOWS = {"+": 18000, "-": 18010, "*": 18020}


@inline("+", "-", "*")
def _arithmetic(site: Site) -> str:
    x, y = closed_args(site)
    return checked(site, f"{x} {site.name} {y}", site.types[0].name, _OVERFLOWS[site.name])


@inline("u-")
def _negative(site: Site) -> str:
    return checked(site, f"-{closed(site.args[0])}", site.types[0].name, 18050)


def divide(x: float, y: float) -> float:
    """Return x / y, which is infinite, or NaN, where y is 0."""
    divisor = float(y)
    return x / divisor if divisor else over_zero(x)


def over_zero(x: float) -> float:
    """Return what PFA has for x / 0, whatever the sign of the zero."""
    return math.inf if x > 0 else -math.inf if x < 0 else math.nan


@inline("/")
def _divide(site: Site) -> str:
    x, y = closed_args(site)
    divisor = number(site, 1)
    if divisor:
        return f"({x} / {closed(repr(float(divisor)))})"
    if not is_name(x):
        return call(site, divide)
    zero = function(site, over_zero)
    first, then = named(y)
    # An int is made a float before it is divided: of two large ints Python gives another quotient.
    # The second may be one, but two floats are the rule.
    numerator = number(site, 0)
    x = f"{x} * 1.0" if numerator is None else repr(float(numerator))
    return f"({x} / {then} if {first} else {zero}({closed_args(site)[0]}))"


def floor_divide(zero: Callable[[], Any], x: int, y: int) -> int:
    """Return the quotient of ints towards zero."""
    return zero() if y == 0 else int(x / float(y))


@inline("//")
def _floor_divide(site: Site) -> str:
    divisor = number(site, 1)
    if divisor:
        return f"int({closed(site.args[0])} / {closed(repr(float(divisor)))})"
    zero = raiser(site, "integer division by zero", 18040)
    return call(site, floor_divide, zero)


def _nan() -> float:
    return math.nan


def modulo(zero: Callable[[], Any], x: float, y: float) -> float:
    """Return x modulo y, with the sign of y."""
    return zero() if y == 0 else x % y


def remainder(zero: Callable[[], Any], x: float, y: float) -> float:
    """Return the remainder of x / y, with the sign of x."""
    if y == 0:
        return zero()  # type: ignore[no-any-return]
    if math.isinf(y) and math.isfinite(x):
        return x
    out = x % y
    if x < 0 and out > 0:
        return out - abs(y)
    if x > 0 and out < 0:
        return out + abs(y)
    return out


def _zero_divisor(site: Site, code: int) -> str:
    if limits(site.ret.name) is None:
        return function(site, _nan, "nan")
    return raiser(site, "integer division by zero", code)


@inline("%")
def _modulo(site: Site) -> str:
    x, y = closed_args(site)
    if number(site, 1):
        return f"({x} % {y})"
    zero = _zero_divisor(site, 18060)
    if not is_name(x):
        return call(site, modulo, zero)
    first, then = named(y)
    return f"({x} % {then} if {first} else {zero}())"


@inline("%%")
def _remainder(site: Site) -> str:
    return call(site, remainder, _zero_divisor(site, 18070))


def power(x: float, y: float) -> float:
    """Return x to the power of y as Java does: it raises nothing."""
    if 0 < x < math.inf and -math.inf < y < math.inf:
        try:
            return math.pow(x, y)
        except OverflowError:
            return _overflowed(x, y)
    return _odd_power(x, y)


def _odd_power(x: float, y: float) -> float:
    if y == 0:
        return 1.0
    if x != x or y != y:
        return math.nan
    if x == 0 and y < 0:
        return math.inf
    if math.isinf(y):
        if x in (1, -1):
            return math.nan
        return math.inf if (abs(x) < 1) == (y < 0) else 0.0
    if math.isinf(x):
        if y < 0:
            return 0.0
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    if x < 0 and round(y) != y:
        return math.nan
    try:
        return math.pow(x, y)
    except OverflowError:
        return _overflowed(x, y)


def _overflowed(x: float, y: float) -> float:
    if abs(y) < 1:
        return math.nan if x < 0 else 1.0
    return 0.0 if (abs(x) > 1 and y < 0) or (abs(x) < 1 and y > 0) else math.inf


def int_power(low: int, high: int, overflow: Callable[[], Any], x: int, y: int) -> int:
    """Return the power of ints as an int between these."""
    out = power(x, y)
    return int(out) if low <= out <= high else overflow()


@inline("**")
def _power(site: Site) -> str:
    name = site.ret.name
    between = limits(name)
    if between is None:
        # a square is never odd, and what overflows here is an error
        short = "(({0}) ** 2.0)" if number(site, 1) == 2 else None
        return f"{site.bind('power', power, short)}({', '.join(site.args)})"
    overflow = raiser(site, f"{name} overflow", 18080 + (name == "long"))
    return call(site, int_power, str(between[0]), str(between[1]), overflow)


_NEGATED = {">": "<=", ">=": "<"}
_MIRRORED = {"<": ">=", "<=": ">"}
_REALS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "<": (order.less, "{0} < {1} or ({y} != {y} and {x} == {x})"),
    "<=": (order.less_or_equal, "{0} <= {1} or {y} != {y}"),
    ">": (order.greater, "{0} > {1} or ({x} != {x} and {y} == {y})"),
    ">=": (order.greater_or_equal, "{0} >= {1} or {x} != {x}"),
    "==": (order.equal, "{0} == {1} or ({x} != {x} and {y} != {y})"),
    "!=": (order.unequal, "{0} != {1} and ({x} == {x} or {y} == {y})"),
}


@inline("==", "!=", "<", "<=", ">", ">=")
def _compare(site: Site) -> str | None:
    x, y = closed_args(site)
    operator, of = site.name, site.types[0]
    if order.is_plain(of) or (order.is_enum(of) and operator in ("==", "!=")):
        return f"({x} {operator} {y})"
    if of.name in order.REAL:
        return _compare_reals(site)
    if order.is_enum(of):
        places = site.bind("places", order.places(of))
        return f"({places}[{site.args[0]}] {operator} {places}[{site.args[1]}])"
    compare = order.comparison(of)
    return compare and f"({call(site, compare, hint='compare')} {operator} 0)"


def _compare_reals(site: Site) -> str:
    """Write a comparison where NaN is greater than all others and equal to itself."""
    x, y = closed_args(site)
    operator = site.name
    if number(site, 1) is not None:
        # Python says False whenever there is a NaN, but for !=
        negated = _NEGATED.get(operator)
        return f"(not {x} {negated} {y})" if negated else f"({x} {operator} {y})"
    if number(site, 0) is not None:
        negated = _MIRRORED.get(operator)
        return f"(not {x} {negated} {y})" if negated else f"({x} {operator} {y})"
    plain, written = _REALS[operator]
    if not is_name(x) and not is_name(y):
        return call(site, plain)
    (first, x), (second, y) = named(x), named(y)
    return f"({written.format(first, second, x=x, y=y)})"


@inline("cmp")
def _cmp(site: Site) -> str | None:
    compare = order.comparison(site.types[0])
    return compare and call(site, compare, hint="compare")


@inline("max", "min")
def _extreme(site: Site) -> str | None:
    of = site.types[0]
    if order.is_plain(of):
        return f"{site.name}({', '.join(site.args)})"
    is_max = site.name == "max"
    if of.name not in order.REAL:
        compare = order.comparison(of)
        if compare is None:
            return None
        by = order.larger_by if is_max else order.smaller_by
        return call(site, partial(by, compare), hint=by.__name__)
    x, y = site.args
    if not is_name(x) or not is_name(y):
        return call(site, order.larger if is_max else order.smaller)
    if is_max:
        return f"({x} if {x} >= {y} or {x} != {x} else {y})"
    return f"({x} if {x} < {y} or ({y} != {y} and {x} == {x}) else {y})"


@inline("^^")
def _xor(site: Site) -> str:
    x, y = closed_args(site)
    return f"({x} != {y})"


@inline("!", "~")
def _not(site: Site) -> str:
    x = closed(site.args[0])
    return f"(not {x})" if site.name == "!" else f"(~{x})"


@inline("&", "|", "^")
def _bits(site: Site) -> str:
    x, y = closed_args(site)
    return f"({x} {site.name} {y})"
