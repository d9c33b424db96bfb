"""Logarithm of the normal density: prob.dist.gaussianLL."""

import math
import sys
from collections.abc import Callable
from typing import Any

from pfa.kernels.prepared import Call, call_of, made, titus, unusual
from pfa.specialise import MISSING, Site, inline

_INFINITE = -math.inf
_LEAST = -sys.float_info.max
_ROOT = math.sqrt(2.0 * math.pi)
_log = math.log
_sqrt = math.sqrt

# The errors are found afterwards: a parameter or x that is no finite number, or a variance of 0,
# leaves no finite result, or ends in one of these exceptions. Then titus's function says which.
_ODD = (ArithmeticError, ValueError, TypeError)

Density = tuple[float, float, float]  # mean, 2 sigma², log(sigma √2π)


@inline("prob.dist.gaussianLL")
def _gaussian_ll(site: Site) -> str:
    call = call_of(site)
    if len(site.types) == 3:
        return f"{site.bind('gaussian_ll', made(of_numbers, call))}({', '.join(site.args)})"
    record = site.constant(1)
    density = prepare(record) if record is not MISSING else None
    if density is not None:
        name = site.bind("gaussian_ll", made(of_constants, density, record, call))
        return f"{name}({site.args[0]})"
    keyed = getattr(site, "keyed", lambda _: None)(1)
    if keyed is not None and isinstance(keyed[0], dict):
        # one of a map of records that do not change
        records, key = keyed
        table = {k: (*d, v, -d[1]) for k, v in records.items() if (d := prepare(v)) is not None}
        known = site.bind("densities", table)
        short = _short(site, known) if len(table) == len(records) else None
        name = site.bind("gaussian_ll", made(of_prepared, call), short)
        return f"{name}({site.args[0]}, {key}, {known}.get({key}) or {site.args[1]})"
    return f"{site.bind('gaussian_ll', made(of_records, call))}({', '.join(site.args)})"


def _short(site: Site, known: str) -> str:
    """Return the expression, where all records are prepared and any error will do."""
    value = f"({{0}} - (_v := {known}[{{1}}])[0]) ** 2.0 / _v[4] - _v[2]"
    return f"(_v if (_v := {value}) >= {_LEAST!r} else {site.bind('unusual', unusual)}())"


def prepare(record: Any) -> Density | None:
    """Return what of the density does not depend on x, or None: the record is none."""
    try:
        sigma = _sqrt(record["variance"])
        density = float(record["mean"]), 2.0 * sigma**2, _log(sigma * _ROOT)
    except _ODD:
        return None
    return density if all(map(math.isfinite, density)) and density[1] > 0.0 else None


def of_constants(density: Density, record: Any, call: Call) -> Callable[..., Any]:
    """Make the function of x for one mean and variance."""
    stock = titus(call)
    mean, double, term = density

    def gaussian_ll(x: Any) -> Any:
        try:
            value = -((x - mean) ** 2) / double - term
        except OverflowError:
            return stock(x, record)
        return value if value > _INFINITE else stock(x, record)

    return gaussian_ll


def of_prepared(call: Call) -> Callable[..., Any]:
    """Make the function of x, a key, and its Density, or mere record.

    Behind the Density are the record and -2 sigma².
    """
    stock = titus(call)
    of_record = of_records(call)

    def gaussian_ll(x: Any, _key: Any, density: Any) -> Any:
        try:
            mean, double, term, record, _ = density
            value = -((x - mean) ** 2) / double - term
        except _ODD:
            record = density[3] if type(density) is tuple else density
            return of_record(x, record)
        return value if value > _INFINITE else stock(x, record)

    return gaussian_ll


def of_records(call: Call) -> Callable[..., Any]:
    """Make the function of x and a record."""
    stock = titus(call)

    def gaussian_ll(x: Any, record: Any) -> Any:
        try:
            sigma = _sqrt(record["variance"])
            value = -((x - record["mean"]) ** 2) / (2.0 * sigma**2) - _log(sigma * _ROOT)
        except _ODD:
            return stock(x, record)
        return value if value > _INFINITE else stock(x, record)

    return gaussian_ll


def of_numbers(call: Call) -> Callable[..., Any]:
    """Make the function of x, mean and standard deviation."""
    stock = titus(call)

    def gaussian_ll(x: Any, mean: Any, sigma: Any) -> Any:
        try:
            value = -((x - mean) ** 2) / (2.0 * sigma**2) - _log(sigma * _ROOT)
        except _ODD:
            return stock(x, mean, sigma)
        return value if value > _INFINITE else stock(x, mean, sigma)

    return gaussian_ll
