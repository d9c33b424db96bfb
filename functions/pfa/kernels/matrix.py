"""Small matrices without numpy: la.*.

Elementwise functions give titus's values. Products are math.sumprod's, rounded once at the end,
where titus's are those of the processor's BLAS. What needs LAPACK (la.inverse, la.eigenBasis,
la.det) stays titus's.
"""

import math
from collections.abc import Callable
from operator import add, sub
from typing import Any

from pfa.kernels.prepared import Call, call_of, depth, made, titus
from pfa.specialise import MISSING, Site, inline

_sumprod = math.sumprod
_isfinite = math.isfinite
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {"la.add": add, "la.sub": sub}


def _shape(site: Site) -> str | None:
    """Return how the first argument is laid out."""
    first = site.types[0]
    for container in ("array", "map"):
        levels = depth(first, container)
        if levels in (1, 2):
            return container + "s" * (levels - 1)
    return None


def _write(site: Site, makers: dict[str, Any], *functions: str) -> str | None:
    maker = makers.get(_shape(site) or "")
    if maker is None:
        return None
    hint = site.name.rpartition(".")[2]
    args = [*site.args[: len(site.args) - len(functions)], *functions]
    return f"{site.bind(hint, made(maker, call_of(site)))}({', '.join(args)})"


@inline("la.add", "la.sub")
def _elementwise(site: Site) -> str | None:
    makers = {
        "array": combine_array,
        "arrays": combine_arrays,
        "map": combine_map,
        "maps": combine_maps,
    }
    return _write(site, makers)


def combine_array(call: Call) -> Callable[..., Any]:
    """Make the sum or difference of vectors."""
    stock, operator = titus(call), _OPERATORS[call[0]]

    def combine(x: Any, y: Any) -> Any:
        return [*map(operator, x, y)] if len(x) == len(y) else stock(x, y)

    return combine


def combine_arrays(call: Call) -> Callable[..., Any]:
    """Make the sum or difference of matrices."""
    stock, operator = titus(call), _OPERATORS[call[0]]

    def combine(x: Any, y: Any) -> Any:
        if len(x) != len(y):
            return stock(x, y)
        if len(x) == 1 and len(x[0]) == len(y[0]):
            return [[*map(operator, x[0], y[0])]]
        out = []
        for a, b in zip(x, y):  # noqa: B905  60 ns for the keyword
            if len(a) != len(b):
                return stock(x, y)
            out.append([*map(operator, a, b)])
        return out

    return combine


def combine_map(call: Call) -> Callable[..., Any]:
    """Make the sum or difference of vectors by name, the names sorted, a missing one 0."""
    operator = _OPERATORS[call[0]]

    def combine(x: Any, y: Any) -> Any:
        return {k: operator(x.get(k, 0.0), y.get(k, 0.0)) for k in sorted(x.keys() | y.keys())}

    return combine


def combine_maps(call: Call) -> Callable[..., Any]:
    """Make the sum or difference of matrices by name."""
    operator = _OPERATORS[call[0]]
    none: dict[str, float] = {}

    def combine(x: Any, y: Any) -> Any:
        names = sorted({k for m in (x, y) for row in m.values() for k in row})
        out = {}
        for key in sorted(x.keys() | y.keys()):
            a, b = x.get(key, none), y.get(key, none)
            out[key] = {k: operator(a.get(k, 0.0), b.get(k, 0.0)) for k in names}
        return out

    return combine


@inline("la.scale")
def _scale(site: Site) -> str | None:
    makers = {
        "array": scale_array,
        "arrays": scale_arrays,
        "map": scale_map,
        "maps": scale_maps,
    }
    return _write(site, makers)


def scale_array(_call: Call) -> Callable[..., Any]:
    """Make a vector times a number."""
    return lambda x, alpha: [a * alpha for a in x]


def scale_arrays(_call: Call) -> Callable[..., Any]:
    """Make a matrix times a number."""
    return lambda x, alpha: [[a * alpha for a in row] for row in x]


def scale_map(_call: Call) -> Callable[..., Any]:
    """Make a vector by name times a number."""
    return lambda x, alpha: {k: a * alpha for k, a in x.items()}


def scale_maps(_call: Call) -> Callable[..., Any]:
    """Make a matrix by name times a number."""
    return lambda x, alpha: {i: {k: a * alpha for k, a in r.items()} for i, r in x.items()}


@inline("la.map")
def _map(site: Site) -> str | None:
    function = site.function(1)
    names = [*function.params]
    if _shape(site) == "arrays" and len(names) == 1:
        (x,) = names
        body = function.inline(x)
        if body is not None:
            return f"[[{body} for {x} in row_{x}] for row_{x} in {site.args[0]}]"
    return _write(site, {"arrays": map_arrays, "maps": map_maps}, site.function(1).name)


def map_arrays(_call: Call) -> Callable[..., Any]:
    """Make a function of each element of a matrix."""
    return lambda x, function: [[*map(function, row)] for row in x]


def map_maps(_call: Call) -> Callable[..., Any]:
    """Make a function of each element of a matrix by name."""
    return lambda x, function: {i: {k: function(a) for k, a in r.items()} for i, r in x.items()}


@inline("la.zipmap")
def _zipmap(site: Site) -> str | None:
    return _write(site, {"arrays": zip_arrays, "maps": zip_maps}, site.function(2).name)


def zip_arrays(call: Call) -> Callable[..., Any]:
    """Make a function of the elements of two matrices."""
    stock = titus(call)

    def combine(x: Any, y: Any, function: Any) -> Any:
        if [*map(len, x)] != [*map(len, y)]:
            return stock(x, y, function)
        return [[*map(function, a, b)] for a, b in zip(x, y, strict=True)]

    return combine


def zip_maps(_call: Call) -> Callable[..., Any]:
    """Make a function of the elements of two matrices by name."""
    none: dict[str, float] = {}

    def combine(x: Any, y: Any, function: Any) -> Any:
        names = sorted({k for m in (x, y) for row in m.values() for k in row})
        out = {}
        for key in sorted(x.keys() | y.keys()):
            a, b = x.get(key, none), y.get(key, none)
            out[key] = {k: function(a.get(k, 0.0), b.get(k, 0.0)) for k in names}
        return out

    return combine


@inline("la.transpose")
def _transpose(site: Site) -> str | None:
    known = site.constant(0)
    if known is not MISSING and depth(site.types[0], "array") == 2:
        columns = prepare(known)
        if columns is not None:
            return site.bind("transposed", [*map(list, columns)])
    return _write(site, {"arrays": transpose_arrays, "maps": transpose_maps})


def transpose_arrays(call: Call) -> Callable[..., Any]:
    """Make the transposed matrix."""
    stock = titus(call)

    def transpose(x: Any) -> Any:
        if len(x) == 1 and x[0]:
            return [[a] for a in x[0]]
        columns = [*map(list, zip(*x))]  # noqa: B905  as in prepare
        if columns and sum(map(len, x)) == len(x) * len(columns):
            return columns
        return stock(x)

    return transpose


def transpose_maps(call: Call) -> Callable[..., Any]:
    """Make the transposed matrix by name, the names sorted."""
    stock = titus(call)

    def transpose(x: Any) -> Any:
        rows = sorted(x)
        names = sorted({k for row in x.values() for k in row})
        if not names or any(len(row) != len(names) for row in x.values()):
            return stock(x)
        return {k: {row: x[row][k] for row in rows} for k in names}

    return transpose


@inline("la.truncate")
def _truncate(site: Site) -> str | None:
    if _shape(site) != "arrays":
        return None
    name = site.bind("truncate", made(truncate, call_of(site)))
    return f"{name}({site.args[0]}, {site.args[1]})"


def truncate(call: Call) -> Callable[..., Any]:
    """Make the first rows of a matrix."""
    stock = titus(call)

    def first_rows(x: Any, keep: int) -> Any:
        if not x or not (size := len(x[0])):
            return stock(x, keep)
        for row in x:
            if len(row) != size:
                return stock(x, keep)
        return x[: max(keep, 0)]

    return first_rows


@inline("la.dot")
def _dot(site: Site) -> str | None:
    if _shape(site) != "arrays":
        return None
    levels = depth(site.types[1], "array")
    call = call_of(site)
    known = site.constant(1)
    columns = prepare(known) if levels == 2 and known is not MISSING else None
    if columns is not None:
        left = site.constant(0)
        product = None if left is MISSING else _product(left, columns)
        if product:
            return site.bind("product", product)
        name = site.bind("dot", made(dot_columns, columns, call))
        return f"{name}({site.args[0]}, {site.args[1]})"
    maker = {1: dot_vector, 2: dot_matrix}.get(levels)
    if maker is None:
        return None
    return f"{site.bind('dot', made(maker, call))}({site.args[0]}, {site.args[1]})"


def prepare(y: Any) -> list[tuple[float, ...]] | None:
    """Return the columns of a matrix, or None: it has none, or has rows of any length."""
    # zip leaves out what not all rows have; its strict= costs as much again
    columns = [*zip(*y)]  # noqa: B905
    return columns if columns and sum(map(len, y)) == len(y) * len(columns) else None


# What is not finite in an argument leaves a result that is not. So may a sum that overflows; titus
# then says what it is.
def dot_vector(call: Call) -> Callable[..., Any]:
    """Make a matrix times a vector."""
    stock = titus(call)

    def dot(x: Any, y: Any) -> Any:
        try:
            out = [_sumprod(row, y) + 0.0 for row in x]
        except (ValueError, OverflowError):
            return stock(x, y)
        return out if out and y and _isfinite(sum(out)) else stock(x, y)

    return dot


def dot_columns(columns: list[tuple[float, ...]], call: Call) -> Callable[..., Any]:
    """Make a matrix times a matrix that has these columns."""
    stock = titus(call)
    return lambda x, y: _product(x, columns) or stock(x, y)


def dot_matrix(call: Call) -> Callable[..., Any]:
    """Make a matrix times a matrix."""
    stock = titus(call)

    def dot(x: Any, y: Any) -> Any:
        columns = prepare(y)
        return (columns and _product(x, columns)) or stock(x, y)

    return dot


def _product(x: Any, columns: list[tuple[float, ...]]) -> list[list[float]] | None:
    """Return the product, or None: there is none, or none that is finite."""
    out = []
    total = 0.0
    try:
        for row in x:
            products = [_sumprod(row, column) + 0.0 for column in columns]  # of ints too
            out.append(products)
            total += sum(products)
    except (ValueError, OverflowError):
        return None
    return out if _isfinite(total) else None
