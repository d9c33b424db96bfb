"""What is done to columns before a model.

Formulas: scikit-learn's user guide, chapter 7 (dataset transformations).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from exporters.columns import distinct
from exporters.document import DOUBLES, Document, Feature, text
from exporters.errors import UnsupportedError


def each_feature(
    document: Document,
    features: Sequence[Feature],
    what: str,
    parameters: dict[str, Any],
    formula: Callable[..., Any],
) -> list[Feature]:
    """Return each feature after a formula of it and of parameters of its own.

    ``parameters`` has an array for each of the formula's, with a number for each feature; they
    are in a cell, by the features' names.
    """
    keys = distinct([feature.name for feature in features])
    names = list(parameters)
    fields = [{"name": name, "type": "double"} for name in names]
    record = {"type": "record", "name": document.unique(what.title()), "fields": fields}
    rows = zip(*(np.asarray(parameters[name], dtype=float).tolist() for name in names), strict=True)
    init = {key: dict(zip(names, row, strict=True)) for key, row in zip(keys, rows, strict=True)}
    cell = document.cell(what, {"type": "map", "values": record}, init)
    return [
        _made(
            document,
            feature,
            what,
            formula(
                document.number(feature),
                *({**cell, "path": [text(key), text(name)]} for name in names),
            ),
        )
        for key, feature in zip(keys, features, strict=True)
    ]


def _made(document: Document, feature: Feature, what: str, value: Any) -> Feature:
    return Feature(feature.name, document.let(f"{feature.name}_{what}", value))


def standard_scaler(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """(x - mean) / scale."""
    zero, one = np.zeros(len(features)), np.ones(len(features))
    found = {
        "mean": zero if model.mean_ is None or not model.with_mean else model.mean_,
        "scale": one if model.scale_ is None else model.scale_,
    }
    return each_feature(
        document,
        features,
        "standard",
        found,
        lambda x, mean, scale: {"/": [{"-": [x, mean]}, scale]},
    )


def robust_scaler(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """(x - median) / scale."""
    zero, one = np.zeros(len(features)), np.ones(len(features))
    found = {
        "center": zero if model.center_ is None else model.center_,
        "scale": one if model.scale_ is None else model.scale_,
    }
    return each_feature(document, features, "robust", found, _standard)


def _standard(x: Any, middle: Any, scale: Any) -> Any:
    return {"/": [{"-": [x, middle]}, scale]}


def min_max_scaler(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """x * scale + min, within the range if it is to be clipped."""
    low, high = map(float, model.feature_range)

    def formula(x: Any, scale: Any, least: Any) -> Any:
        made = {"+": [{"*": [x, scale]}, least]}
        return {"min": [{"max": [made, low]}, high]} if model.clip else made

    found = {"scale": model.scale_, "min": model.min_}
    return each_feature(document, features, "minmax", found, formula)


def max_abs_scaler(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """x / scale, within -1 and 1 if it is to be clipped."""

    def formula(x: Any, scale: Any) -> Any:
        made = {"/": [x, scale]}
        clip = getattr(model, "clip", False)  # since scikit-learn 1.8
        return {"min": [{"max": [made, -1.0]}, 1.0]} if clip else made

    return each_feature(document, features, "maxabs", {"scale": model.scale_}, formula)


def binarizer(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """1 above the threshold, else 0."""
    found = {"threshold": np.full(len(features), float(model.threshold))}
    return each_feature(
        document,
        features,
        "binary",
        found,
        lambda x, threshold: {"if": {">": [x, threshold]}, "then": 1.0, "else": 0.0},
    )


_LEAST = {"log": 0.0, "sqrt": 0.0, "log1p": -1.0}  # below it there is no number
_FUNCTIONS = {"log": "m.ln", "exp": "m.exp", "sqrt": "m.sqrt", "log1p": "m.ln1p", "abs": "m.abs"}


def function(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """numpy's log, exp, sqrt, log1p or absolute of each feature; none: as they are."""
    if model.func is None:
        return list(features)
    name = getattr(model.func, "__name__", "")
    known = _FUNCTIONS.get({"absolute": "abs"}.get(name, name))
    if known is None or getattr(np, name, None) is not model.func or model.kw_args:
        names = ", ".join(f"numpy.{each}" for each in sorted(_FUNCTIONS))
        raise UnsupportedError(f"FunctionTransformer can be exported with {names} only.")
    made = []
    for feature in features:
        x = document.number(feature)
        value: Any = {known: [x]}
        if name in _LEAST:
            error = {"error": f"there is no {name} of this {feature.name}", "code": -5}
            value = {"if": {">=": [x, _LEAST[name]]}, "then": value, "else": error}
        made.append(_made(document, feature, name, value))
    return made


def components(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """Principal components: a matrix product of the centred features."""
    matrix = np.asarray(model.components_, dtype=float)
    if model.whiten:
        least = np.finfo(model.explained_variance_.dtype).eps  # as scikit-learn has it
        matrix = matrix / np.maximum(np.sqrt(model.explained_variance_), least)[:, None]
    mean = document.cell("pca_mean", DOUBLES, np.asarray(model.mean_, dtype=float).tolist())
    rows = {"type": "array", "items": DOUBLES}
    cell = document.cell("pca_components", rows, matrix.tolist())
    centred = document.let("centred", {"la.sub": [document.doubles(features), mean]})
    made = document.let("components", {"la.dot": [cell, centred]})
    return [
        Feature(f"component_{i}", {"attr": made, "path": [i]})
        for i in range(len(model.components_))
    ]
