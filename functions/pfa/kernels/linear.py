"""Linear regression: model.reg.linear.

titus sums through numpy's dot, whose order, and with it the last digits, is that of the processor's
BLAS; of maps it takes the keys in the order of a set, which changes from process to process. Here
it is products from left to right in the order of the coefficients, then the constant, as one writes
it by hand: the same everywhere, next to nothing for the few terms that a regression has, and
without numpy (57 ms to import), but for large matrices when they have taken as long. The difference
is some units in the last place of the largest product. A zero coefficient is not left out: zero
times NaN or infinity is NaN.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from pfa.kernels import prepared
from pfa.kernels.prepared import Call, NumpyLater, call_of, depth, made, titus, written
from pfa.specialise import MISSING, Site, inline

UNROLLED = 64  # coefficients, up to which a sum is one expression; 500 in pieces of so many
_LARGEST = 500

_BLOCK = 16_000  # products at once: 128 kB, above which memory comes from the kernel each time

# What needs no care about commas: names, their items by a plain key, numbers.
_PLAIN = r"(?:[A-Za-z_]\w*(?:\['[^'\\]*'\])*|\(-[\d.]+\)|[\d.]+)"
_ELEMENT = re.compile(_PLAIN)
_DISPLAY = re.compile(rf"\[{_PLAIN}(?:, {_PLAIN})*\]")


@inline("model.reg.linear")
def _linear(site: Site) -> str | None:
    fields = {field.name: field.avroType for field in site.types[1].fields}
    shape = {
        container: (depth(fields["coeff"], container), depth(fields["const"], container))
        for container in ("array", "map")
    }
    call = call_of(site)
    if '"double"' not in repr(fields["coeff"]):  # titus fails on others
        return None
    if shape["array"] == (1, 0):
        return _of_vector(site, call)
    for container, levels, maker in (
        ("array", (2, 1), of_matrix),
        ("map", (1, 0), of_map),
        ("map", (2, 1), of_maps),
    ):
        if shape[container] == levels:
            if maker is of_matrix and _is_large(site.constant(1)):
                maker = of_constant_matrix
            name = site.bind("linear", made(maker, call))
            return f"{name}({site.args[0]}, {site.args[1]})"
    return None


def _of_vector(site: Site, call: Call) -> str:
    model = site.constant(1)
    known = prepare(model) if model is not MISSING else None
    if known is None:
        name = site.bind("linear", made(of_vector, call))
        return f"{name}({site.args[0]}, {site.args[1]})"
    coeff, const = known
    terms = _elements(site.args[0])
    if terms is not None and 0 < len(terms) == len(coeff) <= UNROLLED:
        return f"({_sum(terms, [*map(repr, coeff)])} + {const!r})"
    name = site.bind("linear", made(of_constants, coeff, const, call))
    return f"{name}({site.args[0]})"


def prepare(model: Any) -> tuple[list[float], float] | None:
    """Return coefficients and constant as finite floats, or None: they are not such."""
    coeff = [float(x) for x in model["coeff"]]
    const = float(model["const"])
    return (coeff, const) if all(map(math.isfinite, (*coeff, const))) else None


def _elements(text: str) -> list[str] | None:
    """Return the texts of the elements of a plain list display; None: it is something else."""
    if not _DISPLAY.fullmatch(text):
        return None
    return [match[0] for match in _ELEMENT.finditer(text)]


def _sum(terms: list[str], coeff: list[str]) -> str:
    products = (f"{x} * {c}" for x, c in zip(terms, coeff, strict=True))
    # from 0.0 on, as numpy does: a sum of negative zeros alone is not negative
    return " + ".join(("0.0", *products))


def of_constants(coeff: list[float], const: float, call: Call) -> Callable[..., Any]:
    """Make the function of a vector for coefficients that do not change."""
    stock = titus(call)
    size = len(coeff)

    def misaligned(datum: Any) -> Any:
        return stock(datum, {"coeff": coeff, "const": const})

    if not 0 < size <= _LARGEST:

        def linear(datum: Any) -> Any:
            if len(datum) != size:
                return misaligned(datum)
            total = 0.0
            for x, c in zip(datum, coeff, strict=True):
                total += x * c
            return total + const

        return linear
    names, known = [f"x{i}" for i in range(size)], [f"c{i}" for i in range(size)]
    shown = [*map(repr, known)]
    first, *pieces = (
        _sum(names[i : i + UNROLLED], shown[i : i + UNROLLED]) for i in range(0, size, UNROLLED)
    )
    lines = [
        "def linear(datum):",
        " try:",
        f"  {', '.join(names)}, = datum",
        " except ValueError:",
        "  return misaligned(datum)",
        f" total = {first}",
        *(f" total = total{piece.removeprefix('0.0')}" for piece in pieces),
        " return total + 'const'",
    ]
    if not pieces:
        lines[-2:] = [f" return {first} + 'const'"]
    constants = {"const": const, **dict(zip(known, coeff, strict=True))}
    made_here: Callable[..., Any] = written(lines, constants, {"misaligned": misaligned})
    return made_here


def of_vector(call: Call) -> Callable[..., Any]:
    """Make the function of a vector and a model that may change."""
    stock = titus(call)

    def linear(datum: Any, model: Any) -> Any:
        coeff = model["coeff"]
        if len(datum) != len(coeff):
            return stock(datum, model)
        total = 0.0
        for x, c in zip(datum, coeff, strict=True):
            total += x * c
        return total + model["const"]

    return linear


def of_matrix(call: Call) -> Callable[..., Any]:
    """Make the function of a vector and a model of several results."""
    stock = titus(call)

    def linear(datum: Any, model: Any) -> Any:
        rows, const = model["coeff"], model["const"]
        size = len(datum)
        if not size or len(rows) != len(const) or any(len(row) != size for row in rows):
            return stock(datum, model)
        out = []
        for row, constant in zip(rows, const, strict=True):
            total = 0.0
            for x, c in zip(datum, row, strict=True):
                total += x * c
            out.append(total + constant)
        return out

    return linear


def _is_large(model: Any) -> bool:
    """Tell whether a known model is a matrix for which numpy is worth its while."""
    return model is not MISSING and sum(map(len, model["coeff"])) >= prepared.MANY


def of_constant_matrix(call: Call) -> Callable[..., Any]:
    """Make what `of_matrix` makes, for a large model that is the same at each call."""
    alone, numpy = of_matrix(call), NumpyLater()
    known: Any = None
    together: Callable[[Any], list[float] | None] | None = None

    def linear(datum: Any, model: Any) -> Any:
        nonlocal known, together
        if known is None:  # as floats: of two ints the product is exact, which numpy's is not
            known = {**model, "coeff": [[*map(float, row)] for row in model["coeff"]]}
        if together is None and (np := numpy.after(sum(map(len, known["coeff"])))):
            together = _with_numpy(np, known)
        return (together and together(datum)) or alone(datum, known)

    return linear


def _with_numpy(np: Any, model: Any) -> Callable[[Any], list[float] | None]:
    """Return the function of a vector; it gives None for what is not usual.

    The sums are those of a loop: each term's products are added to what there is of all results.
    """
    try:
        rows, const = np.array(model["coeff"], float), np.array(model["const"], float)
    except (ValueError, OverflowError):
        return lambda _datum: None
    if rows.ndim != 2 or len(rows) < 2 or const.shape != rows.shape[:1]:
        return lambda _datum: None
    blocks = prepared.blocks(np, rows, _BLOCK)

    def results(datum: Any) -> list[float] | None:
        x = prepared.column(np, datum, rows.shape[1])
        if x is None:
            return None
        with np.errstate(all="ignore"):
            sums = np.concatenate([np.add.reduce(block * x) for block in blocks])
            found: list[float] = (sums + 0.0 + const).tolist()
        return found

    return results


def of_map(_call: Call) -> Callable[..., Any]:
    """Make the function of a map and a model that may change."""

    def linear(datum: Any, model: Any) -> Any:
        return _sum_of_map(datum, model["coeff"]) + model["const"]

    return linear


def _sum_of_map(datum: Any, coeff: Any) -> float:
    total = 0.0
    for key, c in coeff.items():
        total += datum.get(key, 0.0) * c
    if len(datum) > len(coeff) or not datum.keys() <= coeff.keys():
        for key, x in datum.items():
            if key not in coeff:
                total += x * 0.0
    return total


def of_maps(_call: Call) -> Callable[..., Any]:
    """Make the function of a map and a model of several results, in the coefficients' order."""

    def linear(datum: Any, model: Any) -> Any:
        rows, const = model["coeff"], model["const"]
        keys = [*rows, *(key for key in const if key not in rows)]
        return {key: _sum_of_map(datum, rows.get(key, {})) + const.get(key, 0.0) for key in keys}

    return linear
