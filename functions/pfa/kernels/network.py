"""Neural networks, support vector machines and their kernels: model.neural.*, model.svm.*."""

import math
from collections.abc import Callable
from itertools import repeat
from operator import mul, sub
from typing import Any

from pfa.kernels import prepared
from pfa.kernels.prepared import Call, NumpyLater, call_of, fail, made, titus
from pfa.specialise import MISSING, Site, inline

_exp = math.exp
_tanh = math.tanh
_TWO = repeat(2)  # not 2.0: squares of integers are exact

_BLOCK = 8_000  # products at once: 64 kB for each of the arrays made of them


@inline("model.neural.simpleLayers")
def _simple_layers(site: Site) -> str:
    activation = site.function(2).name
    is_constant = site.constant(1) is not MISSING
    name = site.bind("layers", made(layers, call_of(site), is_constant))
    return f"{name}({site.args[0]}, {site.args[1]}, {activation})"


def layers(call: Call, is_constant: bool = False) -> Callable[..., Any]:
    """Make the function of a vector, layers and what is applied to all but the last of these.

    ``is_constant``: the layers are the same at each call.
    """
    stock, numpy = titus(call), NumpyLater()
    together: list[Callable[[Any], list[Any] | None]] = []  # of each layer
    products = -1 if is_constant else 0  # in large layers; -1: not counted yet

    def through(datum: Any, layer: Any) -> list[Any]:
        size, bias, weights = len(datum), layer["bias"], layer["weights"]
        if len(bias) != len(weights) or any(len(row) != size for row in weights):
            fail(call, "weights, bias, or datum misaligned", 11001)
        # two sums, as in titus: of the products, and then of that and the bias
        return [
            sum((sum(map(mul, row, datum)), more)) for row, more in zip(weights, bias, strict=True)
        ]

    def simple_layers(datum: Any, model: Any, activation: Any) -> Any:
        nonlocal together, products
        if not model:
            return stock(datum, model, activation)
        if products and not together:
            products = _products(model) if products < 0 else products
            if np := numpy.after(products):
                together = [_with_numpy(np, layer) for layer in model]
        last = len(model) - 1
        for number, layer in enumerate(model):
            datum = (together and together[number](datum)) or through(datum, layer)
            if number < last:
                datum = [activation(x) for x in datum]
        return datum

    return simple_layers


def _products(model: Any) -> int:
    """Return how many products the large layers make."""
    sizes = [sum(map(len, layer["weights"])) for layer in model]
    return sum(size for size in sizes if size >= prepared.MANY)


def _with_numpy(np: Any, layer: Any) -> Callable[[Any], list[Any] | None]:
    """Return the function of a vector for a large layer; it gives None for what is not usual.

    It is Python's ``sum``, for all results side by side: of the partial sums, and of what each of
    these lost, which two differences tell exactly (A. Neumaier 1974; D. Knuth, TAOCP 2, 4.2.2).
    """
    rows, bias = layer["weights"], layer["bias"]
    size = len(rows[0]) if rows else 0
    are_floats = all(type(weight) is float for row in rows for weight in row)
    if not are_floats or len(rows) * size < prepared.MANY or {*map(len, rows)} != {size}:
        return lambda _datum: None
    if len(rows) < 2 or len(bias) != len(rows) or not all(type(x) is float for x in bias):
        return lambda _datum: None
    blocks, more = prepared.blocks(np, np.array(rows), _BLOCK), np.array(bias)

    def block_of_sums(products: Any) -> Any:
        sums = np.add.accumulate(products)
        before = np.zeros_like(sums)
        before[1:] = sums[:-1]
        added = sums - before
        lost = np.add.reduce((before - (sums - added)) + (products - added))
        return sums[-1] + np.where(np.isfinite(lost), lost, 0.0)

    def through(datum: Any) -> list[Any] | None:
        x = prepared.column(np, datum, size)
        if x is None:
            return None
        with np.errstate(all="ignore"):
            sums = np.concatenate([block_of_sums(block * x) for block in blocks])
            found: list[Any] = (sums + more).tolist()
        return found

    return through


@inline("model.svm.score")
def _score(site: Site) -> str:
    kernel = site.function(2).name
    name = site.bind("svm", made(score, call_of(site)))
    return f"{name}({site.args[0]}, {site.args[1]}, {kernel})"


def score(call: Call) -> Callable[..., Any]:
    """Make the function of a vector, support vectors, and their kernel."""
    stock = titus(call)

    def of_class(datum: Any, vectors: Any, kernel: Any) -> float:
        size = len(datum)
        total = 0.0
        for each in vectors:
            vector = each["supVec"]
            if len(vector) != size:
                fail(call, "support vectors must have same length as datum", 12001)
            total += kernel(vector, datum) * each["coeff"]
        return total

    def svm(datum: Any, model: Any, kernel: Any) -> Any:
        negative, positive = model["negClass"], model["posClass"]
        if not negative and not positive:
            return stock(datum, model, kernel)
        below = of_class(datum, negative, kernel)
        return below + of_class(datum, positive, kernel) + model["const"]

    return svm


@inline("m.kernel.linear", "m.kernel.poly", "m.kernel.rbf", "m.kernel.sigmoid")
def _kernel(site: Site) -> str:
    hint = site.name.rpartition(".")[2]
    maker = {"linear": linear, "poly": poly, "rbf": rbf, "sigmoid": sigmoid}[hint]
    return f"{site.bind(hint, made(maker, call_of(site)))}({', '.join(site.args)})"


def linear(call: Call) -> Callable[..., Any]:
    """Make the product of two vectors."""
    stock = titus(call)

    def product(x: Any, y: Any) -> Any:
        return sum(map(mul, x, y)) if len(x) == len(y) else stock(x, y)

    return product


def poly(call: Call) -> Callable[..., Any]:
    """Make the power of a product."""
    stock = titus(call)

    def power(x: Any, y: Any, gamma: Any, intercept: Any, degree: Any) -> Any:
        if len(x) == len(y) and degree % 1 == 0:
            try:
                base = gamma * sum(map(mul, x, y)) + intercept
                if 0.0 < abs(base) < math.inf:  # of the others powers are titus's own
                    return math.pow(base, degree)
            except OverflowError:
                pass
        return stock(x, y, gamma, intercept, degree)

    return power


def rbf(call: Call) -> Callable[..., Any]:
    """Make the radial basis function."""
    stock = titus(call)

    def basis(x: Any, y: Any, gamma: Any) -> Any:
        if len(x) != len(y):
            return stock(x, y, gamma)
        try:
            return _exp(-gamma * sum(map(pow, map(sub, x, y), _TWO)))
        except OverflowError:
            return stock(x, y, gamma)

    return basis


def sigmoid(call: Call) -> Callable[..., Any]:
    """Make the hyperbolic tangent of a product."""
    stock = titus(call)

    def tangent(x: Any, y: Any, gamma: Any, intercept: Any) -> Any:
        if len(x) != len(y):
            return stock(x, y, gamma, intercept)
        return _tanh(gamma * sum(map(mul, x, y)) + intercept)

    return tangent
