"""Elementary functions: ``m.…``. They give infinity or NaN where Python raises an error."""

import math
from collections.abc import Callable
from typing import Any

from pfa.library.texts import call, checked, closed, closed_args, function, named, number, raiser
from pfa.specialise import Site, inline


def exp(x: float) -> float:
    """Return e to the power of x; infinity where that is too large."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def cosh(x: float) -> float:
    """Return the hyperbolic cosine; infinity where that is too large."""
    try:
        return math.cosh(x)
    except OverflowError:
        return math.inf


def sinh(x: float) -> float:
    """Return the hyperbolic sine; infinity, with the sign of x, where that is too large."""
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(math.inf, x)


def log_of_odd(x: float) -> float:
    """Return the logarithm of a number that is not greater than 0: zero, negative or NaN."""
    return -math.inf if x == 0.0 else math.nan


def log_base(bad_base: Callable[[], Any], x: float, base: int) -> float:
    """Return the logarithm of x to a base."""
    if base <= 0:
        return bad_base()  # type: ignore[no-any-return]
    if not x > 0.0:
        return log_of_odd(x)
    if base != 1:
        return math.log(x, base)
    return -math.inf if x < 1.0 else math.inf if x > 1.0 else math.nan


def acos(x: float) -> float:
    """Return the arc cosine, or NaN."""
    try:
        return math.acos(x)
    except ValueError:
        return math.nan


def asin(x: float) -> float:
    """Return the arc sine, or NaN."""
    try:
        return math.asin(x)
    except ValueError:
        return math.nan


def hypot(x: float, y: float) -> float:
    """Return the root of the sum of the squares."""
    if math.isinf(x) or math.isinf(y):
        return math.inf
    try:
        return math.sqrt(x**2 + y**2)
    except OverflowError:
        return math.nan if x != x or y != y else math.inf


def rint(x: float) -> float:
    """Return the nearest whole number, the even one of two."""
    if not math.isfinite(x):
        return x
    up, down = float(math.ceil(x)), float(math.floor(x))
    if up - x != x - down:
        return up if up - x < x - down else down
    return up if int(up) % 2 == 0 else down


@inline("m.pi", "m.e")
def _constants(site: Site) -> str:
    return repr(math.pi if site.name == "m.pi" else math.e)


@inline("m.abs")
def _abs(site: Site) -> str:
    name = site.types[0].name
    text = f"abs({site.args[0]})"
    return checked(site, text, name, 27020) if name in ("int", "long") else text


# Functions that take any number
_TOTAL: dict[str, Callable[..., float]] = {
    "m.atan": math.atan,
    "m.atan2": math.atan2,
    "m.tanh": math.tanh,
}
_WRITTEN_OUT: dict[str, Callable[..., float]] = {
    "m.acos": acos,
    "m.asin": asin,
    "m.cosh": cosh,
    "m.hypot": hypot,
    "m.rint": rint,
    "m.sinh": sinh,
}


@inline(*_TOTAL, *_WRITTEN_OUT)
def _call(site: Site) -> str:
    return call(site, _TOTAL.get(site.name) or _WRITTEN_OUT[site.name])


def _constant(site: Site, value: float) -> str:
    return repr(value) if math.isfinite(value) else site.bind("constant", value)


_LOGS: dict[str, Callable[[float], float]] = {
    "m.ln": math.log,
    "m.log10": math.log10,
    "m.ln1p": lambda x: math.log(1 + x),
}


@inline("m.exp", "m.expm1")
def _exp(site: Site) -> str:
    known = number(site, 0)
    if known is not None:
        less = 1.0 if site.name == "m.expm1" else 0.0
        return _constant(site, exp(known) - less)
    x, again = named(site.args[0])
    simple = function(site, math.exp)
    # exp(709) is the last whole one that is finite
    text = f"{simple}({again}) if {x} <= 709.0 else {function(site, exp, 'exp_or_inf')}({again})"
    return f"({text})" if site.name == "m.exp" else f"(({text}) - 1.0)"


@inline(*_LOGS)
def _log(site: Site) -> str:
    known = number(site, 0)
    if known is not None and known > 0:
        return _constant(site, _LOGS[site.name](known))
    x, again = named(site.args[0])
    odd = function(site, log_of_odd)
    if site.name == "m.ln1p":
        log = function(site, math.log)
        return f"({log}(1 + {again}) if {x} > -1.0 else {odd}(1 + {again}))"
    log = function(site, math.log if site.name == "m.ln" else math.log10)
    return f"({log}({again}) if {x} > 0.0 else {odd}({again}))"


@inline("m.log")
def _log_base(site: Site) -> str:
    base = number(site, 1)
    if base is None or base < 2:
        return call(site, log_base, raiser(site, "base must be positive", 27170))
    x, again = named(site.args[0])
    log, odd = function(site, math.log), function(site, log_of_odd)
    return f"({log}({again}, {base}) if {x} > 0.0 else {odd}({again}))"


@inline("m.sqrt")
def _sqrt(site: Site) -> str:
    x, again = named(site.args[0])
    return f"({function(site, math.sqrt)}({again}) if {x} >= 0.0 else {site.bind('nan', math.nan)})"


_CIRCULAR = {"m.sin": math.sin, "m.cos": math.cos, "m.tan": math.tan}


@inline(*_CIRCULAR)
def _circular(site: Site) -> str:
    x, again = named(site.args[0])
    finite, nan = function(site, math.isfinite), site.bind("nan", math.nan)
    return f"({function(site, _CIRCULAR[site.name])}({again}) if {finite}({x}) else {nan})"


@inline("m.floor", "m.ceil")
def _whole(site: Site) -> str:
    x, again = named(site.args[0])
    whole = function(site, math.floor if site.name == "m.floor" else math.ceil)
    return f"(float({whole}({again})) if {function(site, math.isfinite)}({x}) else {again})"


def rounded(site: Site, type_name: str, overflow: str) -> str:
    """Write the rounding of a number, halves up, to an int or a long."""
    end = {"int": "2147483648.0", "long": "9223372036854775808.0"}[type_name]
    x = closed(site.args[0])
    floor = function(site, math.floor)
    return f"({floor}(_v) if -{end} <= (_v := {x} + 0.5) < {end} else {overflow}())"


@inline("m.round")
def _round(site: Site) -> str:
    name = site.ret.name
    overflow = raiser(site, f"{name} overflow", 27190 + (name == "long"))
    return rounded(site, name, overflow)


@inline("m.signum")
def _signum(site: Site) -> str:
    x, again = named(site.args[0])
    return f"(({x} > 0) - ({again} < 0))"


@inline("m.copysign")
def _copysign(site: Site) -> str:
    return f"(abs({site.args[0]}) * (-1 if {closed_args(site)[1]} < 0 else 1))"
