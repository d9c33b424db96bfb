"""Naive Bayes with a model that does not change: model.naive.*.

What depends on the model only is computed once, by the operations that titus does for each record,
in the same order, so that the sums have the same last digit.
"""

import math
from collections.abc import Callable
from typing import Any

from pfa.kernels.prepared import Call, call_of, kind, made, titus, written
from pfa.specialise import MISSING, Site, inline

UNROLLED = 64  # features up to which a sum is one expression; 500 in pieces of so many
_LARGEST = 500

_TINY = 2.2250738585072014e-308  # the smallest normal double, which titus adds to a share
_log = math.log


def _known(site: Site, hint: str, prepare: Any, makers: dict[str, Any]) -> str | None:
    """Write the call of a function made of the constants of the model, if it has such."""
    model = site.constant(1)
    if model is MISSING:
        return None
    if kind(site.types[1]) == "record":
        values = model["values"]
        model_type = next(f.avroType for f in site.types[1].fields if f.name == "values")
    else:
        values, model_type = model, site.types[1]
    try:
        prepared = prepare(values)
    except (ArithmeticError, ValueError):
        prepared = None
    if prepared is None:
        return None
    maker = makers[kind(model_type)]
    return f"{site.bind(hint, made(maker, prepared, model, call_of(site)))}({site.args[0]})"


@inline("model.naive.gaussian")
def _gaussian(site: Site) -> str | None:
    makers = {"array": gaussian_of_array, "map": gaussian_of_map}
    return _known(site, "gaussian", _densities, makers)


def _densities(model: Any) -> Any:
    """Return -log(2πv)/2, mean and v of each feature."""
    if isinstance(model, dict):
        return {key: _density(feature) for key, feature in model.items()}
    return [_density(feature) for feature in model]


def _density(feature: Any) -> tuple[float, float, float]:
    mean, variance = float(feature["mean"]), float(feature["variance"])
    if variance <= 0.0:
        raise ValueError
    return -0.5 * _log(2.0 * math.pi * variance), mean, variance


def gaussian_of_array(densities: Any, model: Any, call: Call) -> Callable[..., Any]:
    """Make the log-likelihood of an array.

    It is written out for the constants, if there are not too many.
    """
    stock = titus(call)
    size = len(densities)

    def gaussian(datum: Any) -> Any:
        if len(datum) != size:
            return stock(datum, model)
        total = 0.0
        try:
            for x, (term, mean, variance) in zip(datum, densities, strict=True):
                total += term
                total += -0.5 * ((x - mean) ** 2 / variance)
        except OverflowError:
            return stock(datum, model)
        return total

    finite = all(math.isfinite(x) for density in densities for x in density)
    if not finite or not 0 < size <= _LARGEST:
        return gaussian
    names = [f"x{i}" for i in range(size)]
    constants: dict[str, float] = {}
    terms = [_added(x, density, constants) for x, density in zip(names, densities, strict=True)]
    pieces = ("".join(terms[i : i + UNROLLED]) for i in range(0, size, UNROLLED))
    lines = [
        "def likelihood(datum):",
        " try:",
        f"  {', '.join(names)}, = datum",
        "  total = 0.0",
        *(f"  total = total{piece}" for piece in pieces),
        " except (OverflowError, ValueError):",
        "  return gaussian(datum)",
        f" return total if total > {_UNUSUAL} else gaussian(datum)",
    ]
    likelihood: Callable[..., Any] = written(lines, constants, {"gaussian": gaussian})
    return likelihood


# A total below is infinite, or might be if it were computed as titus does.
_UNUSUAL = -1e300


def _added(x: str, density: tuple[float, float, float], constants: dict[str, float]) -> str:
    """Write what a feature adds to the total; put the constants of it there.

    To divide by -2v is to divide by v and multiply with -1/2, unless that leaves the range of
    normal numbers: below it does not, since x - mean is 0 or more than 1e-117.
    """
    term, mean, variance = density
    is_short = 1e-100 < abs(mean) < 1e100 and 1e-60 < variance < 1e60
    constants |= {f"term {x}": term, f"mean {x}": mean}
    constants[f"variance {x}"] = -2.0 * variance if is_short else variance
    divided = f"({x} - 'mean {x}') ** 2.0 / 'variance {x}'"
    return f" + 'term {x}' + {divided if is_short else f'-0.5 * ({divided})'}"


def gaussian_of_map(densities: Any, model: Any, call: Call) -> Callable[..., Any]:
    """Make the log-likelihood of a map, in whose order it is summed."""
    stock = titus(call)
    size = len(densities)

    def gaussian(datum: Any) -> Any:
        if len(datum) != size:
            return stock(datum, model)
        total = 0.0
        try:
            for key, x in datum.items():
                term, mean, variance = densities[key]
                total += term
                total += -0.5 * ((x - mean) ** 2 / variance)
        except (KeyError, OverflowError):
            return stock(datum, model)
        return total

    return gaussian


@inline("model.naive.multinomial")
def _multinomial(site: Site) -> str | None:
    makers = {"array": multinomial_of_array, "map": multinomial_of_map}
    return _known(site, "multinomial", _logarithms, makers)


def _logarithms(model: Any) -> Any:
    """Return the logarithm of each feature's share; of its weight in a map, as titus does."""
    weights = model.values() if isinstance(model, dict) else model
    if not weights or not all(x > 0.0 for x in weights):
        return None
    if isinstance(model, dict):
        return {key: _log(x) for key, x in model.items()}
    total = sum(model)
    return [_log(x / total + _TINY) for x in model]


def multinomial_of_array(logarithms: Any, model: Any, call: Call) -> Callable[..., Any]:
    """Make the log-likelihood of an array of counts."""
    stock = titus(call)
    size = len(logarithms)

    def multinomial(datum: Any) -> Any:
        if len(datum) != size:
            return stock(datum, model)
        total = 0.0
        for x, logarithm in zip(datum, logarithms, strict=True):
            total += x * logarithm
        return total

    return multinomial


def multinomial_of_map(logarithms: Any, model: Any, call: Call) -> Callable[..., Any]:
    """Make the log-likelihood of a map of counts."""
    stock = titus(call)
    size = len(logarithms)

    def multinomial(datum: Any) -> Any:
        if len(datum) != size:
            return stock(datum, model)
        total = 0.0
        try:
            for key, x in datum.items():
                total += x * logarithms[key]
        except KeyError:
            return stock(datum, model)
        return total

    return multinomial


@inline("model.naive.bernoulli")
def _bernoulli(site: Site) -> str | None:
    return _known(site, "bernoulli", _odds, {"map": bernoulli})


def _odds(model: Any) -> tuple[float, dict[str, float]] | None:
    """Return the log-likelihood of no item at all, and what each item adds to it."""
    if any(p <= 0.0 or p >= 1.0 for p in model.values()):
        return None
    none = 0.0
    for p in model.values():
        none += _log(1.0 - p)
    return none, {item: _log(p) - _log(1.0 - p) for item, p in model.items()}


def bernoulli(prepared: Any, _model: Any, _call: Call) -> Callable[..., Any]:
    """Make the log-likelihood of an array of items; unknown ones do not count."""
    none, odds = prepared

    def likelihood(datum: Any) -> Any:
        total = none
        for item in datum:
            if item in odds:
                total += odds[item]
        return total

    return likelihood
