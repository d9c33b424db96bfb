"""Link functions: m.link.*, of a number, an array or a map."""

import math
from collections.abc import Callable
from typing import Any

from pfa.kernels.prepared import Call, call_of, kind, made, titus
from pfa.specialise import Site, inline

_exp = math.exp
_log = math.log
_erf = math.erf
_atan = math.atan
_tanh = math.tanh
_ROOT = math.sqrt(2.0)
_BY_PI = 1.0 / math.pi


# An exponential that overflows is infinite, as pfa.compat has it.
def logit(y: float) -> float:
    """Return 1 / (1 + exp(-y))."""
    try:
        return 1.0 / (1.0 + _exp(-y))
    except OverflowError:
        return 0.0


def probit(y: float) -> float:
    """Return the normal distribution's cumulated density."""
    return (_erf(y / _ROOT) + 1.0) / 2.0


def loglog(y: float) -> float:
    """Return exp(-exp(y))."""
    try:
        return _exp(-_exp(y))
    except OverflowError:
        return 0.0


def cloglog(y: float) -> float:
    """Return 1 - exp(-exp(y))."""
    return 1.0 - loglog(y)


def cauchit(y: float) -> float:
    """Return the Cauchy distribution's cumulated density."""
    return 0.5 + _BY_PI * _atan(y)


def softplus(y: float) -> float:
    """Return log(1 + exp(y))."""
    try:
        return _log(1.0 + _exp(y))
    except OverflowError:
        return math.inf


def relu(y: float) -> float:
    """Return y, or 0.0 if that is more; NaN for NaN."""
    # max(0, y) of titus is 0 for -0.0 too
    return float(y) if y > 0 or y != y else 0.0


def tanh(y: float) -> float:
    """Return the hyperbolic tangent as a double."""
    return _tanh(y)


LINKS: dict[str, Callable[[float], float]] = {
    "m.link.logit": logit,
    "m.link.probit": probit,
    "m.link.cloglog": cloglog,
    "m.link.loglog": loglog,
    "m.link.cauchit": cauchit,
    "m.link.softplus": softplus,
    "m.link.relu": relu,
    "m.link.tanh": tanh,
}


@inline(*LINKS)
def _link(site: Site) -> str | None:
    hint = site.name.rpartition(".")[2]
    container = kind(site.types[0])
    if container in {"array", "map"}:
        maker = of_array if container == "array" else of_map
        return f"{site.bind(hint, made(maker, site.name))}({site.args[0]})"
    return f"{site.bind(hint, made(of_number, site.name))}({site.args[0]})"


def of_number(name: str) -> Callable[..., Any]:
    """Return the link function of a number."""
    return LINKS[name]


def of_array(name: str) -> Callable[..., Any]:
    """Make a link function of arrays."""
    link = LINKS[name]
    return lambda x: [link(y) for y in x]


def of_map(name: str) -> Callable[..., Any]:
    """Make a link function of maps."""
    link = LINKS[name]
    return lambda x: {key: link(y) for key, y in x.items()}


@inline("m.link.softmax")
def _softmax(site: Site) -> str | None:
    maker = softmax_of_map if kind(site.types[0]) == "map" else softmax_of_array
    return f"{site.bind('softmax', made(maker, call_of(site)))}({site.args[0]})"


def softmax_of_array(call: Call) -> Callable[..., Any]:
    """Make softmax of arrays."""
    stock = titus(call)

    def softmax(x: Any) -> Any:
        try:
            return _shares(x)
        except (OverflowError, ValueError):
            return stock(x)

    return softmax


def softmax_of_map(call: Call) -> Callable[..., Any]:
    """Make softmax of maps."""
    stock = titus(call)

    def softmax(x: Any) -> Any:
        try:
            return dict(zip(x, _shares([*x.values()]), strict=True))
        except (OverflowError, ValueError):
            return stock(x)

    return softmax


def _shares(x: list[float]) -> list[float]:
    """Return each exponential's share of their sum; raise ValueError if there is none."""
    # relative to the extreme that is farther from zero, the first of such
    most, least = max(x), min(x)
    if most < -least:
        most = least
    elif not most > -least:  # as far, or NaN
        sizes = [*map(abs, x)]
        if not x[sizes.index(max(sizes))] >= 0:
            most = least
    powers = [_exp(y - most) for y in x]
    total = sum(powers)
    return [power / total for power in powers]
