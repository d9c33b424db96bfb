"""Neural networks, support vector machines and their kernels: model.neural.*, model.svm.*."""

import math
from collections.abc import Callable
from itertools import repeat
from operator import mul, sub
from typing import Any

from pfa.kernels.prepared import Call, call_of, fail, made, titus
from pfa.specialise import Site, inline

_exp = math.exp
_tanh = math.tanh
_TWO = repeat(2)  # not 2.0: squares of integers are exact


@inline("model.neural.simpleLayers")
def _simple_layers(site: Site) -> str:
    activation = site.function(2).name
    name = site.bind("layers", made(layers, call_of(site)))
    return f"{name}({site.args[0]}, {site.args[1]}, {activation})"


def layers(call: Call) -> Callable[..., Any]:
    """Make the function of a vector, layers and what is applied to all but the last of these."""
    stock = titus(call)

    def through(datum: Any, layer: Any) -> list[Any]:
        size, bias, weights = len(datum), layer["bias"], layer["weights"]
        if len(bias) != len(weights) or any(len(row) != size for row in weights):
            fail(call, "weights, bias, or datum misaligned", 11001)
        # two sums, as in titus: of the products, and then of that and the bias
        return [
            sum((sum(map(mul, row, datum)), more)) for row, more in zip(weights, bias, strict=True)
        ]

    def simple_layers(datum: Any, model: Any, activation: Any) -> Any:
        if not model:
            return stock(datum, model, activation)
        for layer in model[:-1]:
            datum = [activation(x) for x in through(datum, layer)]
        return through(datum, model[-1])

    return simple_layers


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
