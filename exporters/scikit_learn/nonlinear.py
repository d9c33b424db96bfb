"""Transformers that bend: bins, powers, quantiles, products, and rows of length one.

Formulas: scikit-learn's user guide, 7.3.2 (non-linear transformation), 7.3.3 (normalization), 7.3.5
(discretization), 7.3.7 (polynomial features).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from exporters.document import DOUBLES, Document, Feature
from exporters.errors import UnsupportedError
from exporters.scikit_learn.preparation import each_feature

_EDGES: list[dict[str, Any]] = [{"x": "double"}, {"edges": DOUBLES}]


def position(document: Document, name: str, operator: str) -> str:
    """Define a function: how many of the sorted edges are <= (or <) x, by bisection."""
    middle = {"attr": "edges", "path": ["middle"]}
    step = [
        {"let": {"middle": {"//": [{"+": ["low", "high"]}, 2]}}},
        {
            "if": {operator: [middle, "x"]},
            "then": {"set": {"low": {"+": ["middle", 1]}}},
            "else": {"set": {"high": "middle"}},
        },
    ]
    search: list[Any] = [
        {"let": {"low": 0, "high": {"a.len": ["edges"]}}},
        {"while": {"<": ["low", "high"]}, "do": step},
        "low",
    ]
    return document.function(name, _EDGES, "int", search)


def bins(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """The number of the bin, or 1 for it and 0 for the others."""
    if model.dtype not in (None, np.float64):  # it would round numbers before it compares them
        raise UnsupportedError("KBinsDiscretizer with dtype=... cannot be exported.")
    reached = position(document, "reached", "<=")
    made = []
    for feature, edges, count in zip(
        features, model.bin_edges_, model.n_bins_.tolist(), strict=True
    ):
        cell = document.cell(f"{feature.name}_edges", DOUBLES, edges[1:-1].tolist())
        place = document.let(f"{feature.name}_bin", {reached: [document.number(feature), cell]})
        if model.encode == "ordinal":
            made.append(Feature(feature.name, {"cast.double": [place]}))
            continue
        hot = {"cast.fanoutDouble": [place, 0, int(count), False]}
        variable = document.let(f"{feature.name}_bins", hot)
        made += document.elements(variable, [f"{feature.name}_{i}" for i in range(int(count))])
    return made


def polynomial(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """Products of features; which ones is in a cell, each as the positions of its factors."""
    x = document.doubles(features)
    powers = model.powers_
    factors: list[list[int]] = [np.repeat(np.arange(len(row)), row).tolist() for row in powers]
    ints = {"type": "array", "items": "int"}
    cell = document.cell("products", {"type": "array", "items": ints}, factors)
    take = {"params": [{"i": "int"}], "ret": "double", "do": {"attr": x, "path": ["i"]}}
    product = {
        "params": [{"factors": ints}],
        "ret": "double",
        "do": {"a.product": [{"a.map": ["factors", take]}]},
    }
    made = document.let("polynomial", {"a.map": [cell, product]})
    names = [" ".join(features[i].name for i in row) or "1" for row in factors]
    return document.elements(made, names)


def normalizer(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """Each row over its norm, unless that is 0."""
    x = document.doubles(features)
    size = {"params": [{"v": "double"}], "ret": "double", "do": {"m.abs": ["v"]}}
    square = {"params": [{"v": "double"}], "ret": "double", "do": {"*": ["v", "v"]}}
    norms: dict[str, Any] = {
        "l1": {"a.sum": [{"a.map": [x, size]}]},
        "l2": {"m.sqrt": [{"a.sum": [{"a.map": [x, square]}]}]},
        "max": {"a.max": [{"a.map": [x, size]}]},
    }
    norm = document.let("norm", norms[model.norm])
    divisor = document.let("divisor", {"if": {"==": [norm, 0.0]}, "then": 1.0, "else": norm})
    share = {"params": [{"v": "double"}], "ret": "double", "do": {"/": ["v", divisor]}}
    made = document.let("normalized", {"a.map": [x, share]})
    return document.elements(made, [feature.name for feature in features])


def power(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """The Yeo-Johnson or the Box-Cox transformation, and then standardised."""
    bend = _yeo_johnson(document) if model.method == "yeo-johnson" else _box_cox(document)
    mean, scale = np.zeros(len(features)), np.ones(len(features))
    if model.standardize:
        mean, scale = model._scaler.mean_, model._scaler.scale_
    found = {"lambda": model.lambdas_, "mean": mean, "scale": scale}

    def formula(x: Any, exponent: Any, middle: Any, spread: Any) -> Any:
        return {"/": [{"-": [{bend: [x, exponent]}, middle]}, spread]}

    return each_feature(document, features, "power", found, formula)


_BENT = [{"x": "double"}, {"lambda": "double"}]
_EPSILON = float(np.finfo(float).eps)


def _grown(exponent: Any, log: Any) -> Any:
    """PFA of (e^(exponent * log) - 1) / exponent, which is log itself for an exponent of 0."""
    return {
        "if": {"<": [{"m.abs": [exponent]}, _EPSILON]},
        "then": log,
        "else": {"/": [{"m.expm1": [{"*": [exponent, log]}]}, exponent]},
    }


def _yeo_johnson(document: Document) -> str:
    other = {"-": [2.0, "lambda"]}
    do = {
        "if": {">=": ["x", 0.0]},
        "then": _grown("lambda", {"m.ln1p": ["x"]}),
        "else": {"u-": [_grown(other, {"m.ln1p": [{"u-": ["x"]}]})]},
    }
    return document.function("yeoJohnson", _BENT, "double", do)


def _box_cox(document: Document) -> str:
    do = {
        "if": {">": ["x", 0.0]},
        "then": _grown("lambda", {"m.ln": ["x"]}),
        "else": {"error": "the Box-Cox transformation takes positive numbers only", "code": -5},
    }
    return document.function("boxCox", _BENT, "double", do)


_NEAR = 1e-7  # scikit-learn's BOUNDS_THRESHOLD: so near to an end is the end


def quantiles(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """The share of the training data that is smaller, or the normal variate of that share."""
    normal = model.output_distribution == "normal"
    if model.output_distribution not in ("uniform", "normal"):
        raise UnsupportedError("QuantileTransformer(output_distribution=...) is not known.")
    near = (_NEAR, "shareNear") if normal else (0.0, "share")
    share = _share(document, *near)
    references = document.cell("references", DOUBLES, model.references_.tolist())
    made = []
    for feature, column in zip(features, model.quantiles_.T.tolist(), strict=True):
        cell = document.cell(f"{feature.name}_quantiles", DOUBLES, column)
        value = {share: [document.number(feature), cell, references]}
        if normal:
            value = {_normal_quantile(document): [value]}
        made.append(Feature(feature.name, document.let(f"{feature.name}_quantile", value)))
    return made


def interpolation(document: Document) -> str:
    """Define a function: the number between those of the edges around x, or of the end."""
    return _share(document, 0.0, "interpolated", ({"attr": "to", "path": [0]}, {"a.last": ["to"]}))


def _share(document: Document, near: float, name: str, ends: tuple[Any, Any] = (0.0, 1.0)) -> str:
    """Define a function: where x lies among the edges, between the numbers that these stand for.

    Where edges are alike, the mean of the first one's and the last one's number.
    """
    reached = position(document, "reached", "<=")
    passed = position(document, "passed", "<")

    def at(array: str, place: Any) -> Any:
        return {"attr": array, "path": [place]}

    before = {"-": ["place", 1]}
    run = {"-": [at("edges", "place"), at("edges", before)]}
    rise = {"-": [at("to", "place"), at("to", before)]}
    along = {"*": [{"/": [rise, run]}, {"-": ["x", at("edges", before)]}]}
    least, most = at("edges", 0), {"a.last": ["edges"]}
    mean = {"*": [0.5, {"+": [at("to", before), at("to", {passed: ["x", "edges"]})]}]}
    inside = [
        {"let": {"place": {reached: ["x", "edges"]}}},
        {
            "if": {"==": [at("edges", before), "x"]},
            "then": mean,
            "else": {"+": [at("to", before), along]},
        },
    ]
    do = {
        "cond": [
            {
                "if": {"||": [{"<=": ["x", least]}, {"<": [{"-": ["x", near]}, least]}]},
                "then": ends[0],
            },
            {
                "if": {"||": [{">=": ["x", most]}, {">": [{"+": ["x", near]}, most]}]},
                "then": ends[1],
            },
        ],
        "else": {"do": inside},
    }
    return document.function(name, [*_EDGES, {"to": DOUBLES}], "double", do)


# Algorithm AS 241 of Applied Statistics 37 (1988), PPND16: the normal quantile to 16 digits, the
# powers from the highest. PFA's prob.dist.gaussianQF has three.
_MIDDLE = (
    [
        2509.0809287301226727,
        33430.575583588128105,
        67265.770927008700853,
        45921.953931549871457,
        13731.693765509461125,
        1971.5909503065514427,
        133.14166789178437745,
        3.387132872796366608,
    ],
    [
        5226.495278852854561,
        28729.085735721942674,
        39307.89580009271061,
        21213.794301586595867,
        5394.1960214247511077,
        687.1870074920579083,
        42.313330701600911252,
        1.0,
    ],
)
_TAILS = (
    [
        7.7454501427834140764e-4,
        0.0227238449892691845833,
        0.24178072517745061177,
        1.27045825245236838258,
        3.64784832476320460504,
        5.7694972214606914055,
        4.6303378461565452959,
        1.42343711074968357734,
    ],
    [
        1.05075007164441684324e-9,
        5.475938084995344946e-4,
        0.0151986665636164571966,
        0.14810397642748007459,
        0.68976733498510000455,
        1.6763848301838038494,
        2.05319162663775882187,
        1.0,
    ],
)
_LEAST = _NEAR - float(np.spacing(1))  # scikit-learn clips at the quantiles of it and of 1 - it


def _normal_quantile(document: Document) -> str:
    """Define a function: the quantile of the normal distribution, between its ends at 1e-7."""
    name = "normalQuantile"
    if name in document.functions:
        return f"u.{name}"
    step = {
        "params": [{"sum": "double"}, {"factor": "double"}],
        "ret": "double",
        "do": {"+": [{"*": ["sum", "r"]}, "factor"]},
    }

    def ratio(hint: str, polynomials: tuple[list[float], list[float]]) -> Any:
        cells = [document.cell(hint, DOUBLES, each) for each in polynomials]
        return {"/": [{"a.fold": [cell, 0.0, step]} for cell in cells]}

    least = {"if": {"<": ["q", 0.0]}, "then": "within", "else": {"-": [1.0, "within"]}}
    middle = [
        {"let": {"r": {"-": [0.180625, {"*": ["q", "q"]}]}}},
        {"*": ["q", ratio("normal_middle", _MIDDLE)]},
    ]
    tail = [
        {"let": {"r": {"-": [{"m.sqrt": [{"u-": [{"m.ln": [least]}]}]}, 1.6]}}},
        {"m.copysign": [ratio("normal_tails", _TAILS), "q"]},
    ]
    do = [
        {"let": {"within": {"min": [{"max": ["p", _LEAST]}, 1.0 - _LEAST]}}},
        {"let": {"q": {"-": ["within", 0.5]}}},
        {
            "if": {"<=": [{"m.abs": ["q"]}, 0.425]},
            "then": {"do": middle},
            "else": {"do": tail},
        },
    ]
    return document.function(name, [{"p": "double"}], "double", do)
