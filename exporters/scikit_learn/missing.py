"""Missing values: what stands in for them, and which there are.

Formulas: scikit-learn's user guide, chapter 7.4 (imputation of missing values).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from exporters.columns import is_missing
from exporters.document import Document, Feature
from exporters.errors import UnsupportedError
from exporters.scikit_learn.categories import of_type


def imputer(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """A value of the training data in place of a missing one, and which were missing."""
    made = []
    for feature, value in zip(features, np.asarray(model.statistics_).tolist(), strict=True):
        if value is None:
            raise UnsupportedError(
                f"SimpleImputer takes None in {feature.name!r} for a value: make it NaN in X."
            )
        if is_missing(value):  # a column without any value, which scikit-learn leaves out
            continue
        test = _test(model.missing_values, feature)
        if test is None:
            made.append(feature)
            continue
        kind = "double" if feature.type in ("double", "long") else feature.type
        cell = document.cell(f"{feature.name}_missing", kind, of_type(value, Feature("", "", kind)))
        if feature.nullable:
            filled = {"ifnotnull": {"known": feature.value}, "then": "known", "else": cell}
        else:
            filled = {"if": test, "then": cell, "else": feature.value}
        name = document.let(f"{feature.name}_imputed", filled)
        made.append(Feature(feature.name, name, kind))
    if model.add_indicator:
        made += indicator(model.indicator_, features, document)
    return made


def indicator(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """1 where a value is missing, else 0."""
    made = []
    for i in model.features_.tolist():
        feature = features[i]
        test = _test(model.missing_values, feature)
        value: Any = 0.0
        if test is not None:
            value = {"if": test, "then": 1.0, "else": 0.0}
        name = f"missingindicator_{feature.name}"
        made.append(Feature(name, document.let(name, value)))
    return made


def _test(missing: Any, feature: Feature) -> Any:
    """Return PFA that tells whether a feature's value is missing; None: it never is."""
    if is_missing(missing):
        return {"==": [feature.value, None]} if feature.nullable else None
    if feature.nullable:
        raise UnsupportedError(
            f"{feature.name!r} has missing values other than missing_values={missing!r}."
        )
    value = of_type(missing, feature)
    return {"==": [feature.value, {"string": value} if isinstance(value, str) else value]}
