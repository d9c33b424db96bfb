"""Encoders of categories: each looks a value up in a table of a number for each category.

Missing values may be a category of their own. Formulas: scikit-learn's user guide, 7.3.4 (encoding
categorical features) and 7.3.5 (target encoder).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from exporters.columns import is_missing
from exporters.document import Document, Feature
from exporters.errors import UnsupportedError

FAILS = object()  # in place of a number for a category that is unknown: an error of the document


def one_hot(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """1 for the category that a value is, 0 for the others.

    Infrequent categories are one; all are 0 for one that is dropped or not known.
    """
    made = []
    for j, (feature, categories) in enumerate(zip(features, model.categories_, strict=True)):
        places, infrequent = _grouped(model, j, len(categories))
        unknown: Any = -1
        if model.handle_unknown == "error":
            unknown = FAILS
        elif model.handle_unknown in ("infrequent_if_exist", "warn") and infrequent is not None:
            unknown = infrequent
        dropped = None
        if model._drop_idx_after_grouping is not None:
            dropped = model._drop_idx_after_grouping[j]
        shown = _names(categories, places, dropped)
        columns = [_without(place, dropped) for place in places]
        if unknown is not FAILS:
            unknown = _without(unknown, dropped)
        value = looked_up(document, feature, categories, columns, unknown, "int")
        place = document.let(f"{feature.name}_place", value)
        hot = {"cast.fanoutDouble": [place, 0, len(shown), False]}
        variable = document.let(f"{feature.name}_onehot", hot)
        made += document.elements(variable, [f"{feature.name}_{name}" for name in shown])
    return made


def _grouped(model: Any, j: int, count: int) -> tuple[list[int], int | None]:
    """Return the place of each category after the infrequent ones became one, and that one's."""
    if not getattr(model, "_infrequent_enabled", False):
        return list(range(count)), None
    mapping = model._default_to_infrequent_mappings[j]
    if mapping is None:
        return list(range(count)), None
    return mapping.tolist(), int(mapping[model._infrequent_indices[j][0]])


def _without(place: int, dropped: int | None) -> int:
    if dropped is None or place < dropped:
        return place
    return -1 if place == dropped else place - 1


def _names(categories: Any, places: Sequence[int], dropped: int | None) -> list[str]:
    """Return the names of the columns of a one-hot encoder."""
    by_place: dict[int, list[str]] = {}
    for category, place in zip(np.asarray(categories).tolist(), places, strict=True):
        by_place.setdefault(place, []).append(str(category))
    return [
        found[0] if len(found) == 1 else "infrequent"
        for place, found in sorted(by_place.items())
        if place != dropped
    ]


def ordinal(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """The place of a value among the categories."""
    made = []
    for j, (feature, categories) in enumerate(zip(features, model.categories_, strict=True)):
        places, infrequent = _grouped(model, j, len(categories))
        numbers: list[float | None] = [float(place) for place in places]
        last = np.asarray(categories).tolist()[-1]
        if isinstance(last, float) and is_missing(last):  # None is a category like others
            numbers[len(categories) - 1 :] = [_number(model.encoded_missing_value)]
        unknown: Any = FAILS
        if model.handle_unknown == "use_encoded_value":
            unknown = _number(model.unknown_value)
        elif model.handle_unknown in ("infrequent_if_exist", "warn"):
            unknown = -1.0 if infrequent is None else float(infrequent)
        value = looked_up(document, feature, categories, numbers, unknown, "double")
        name = document.let(f"{feature.name}_ordinal", value)
        nullable = unknown is None or (feature.nullable and None in numbers)
        made.append(Feature(feature.name, name, nullable=nullable))
    return made


def _number(value: Any) -> float | None:
    return None if is_missing(value) else float(value)


def target(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """The mean of what is to be predicted, for each category; of all for an unknown one."""
    means = np.ravel(model.target_mean_).tolist()
    made = []
    for j, (feature, categories) in enumerate(zip(features, model.categories_, strict=True)):
        for k, mean in enumerate(means):
            table = model.encodings_[j * len(means) + k].tolist()
            value = looked_up(document, feature, categories, table, mean, "double")
            name = feature.name if len(means) == 1 else f"{feature.name}_{k}"
            made.append(Feature(name, document.let(f"{name}_target", value)))
    return made


def looked_up(
    document: Document,
    feature: Feature,
    categories: Any,
    table: Sequence[Any],
    unknown: Any,
    kind: str,
) -> Any:
    """Return PFA of the number of the category that a feature is; None there is null.

    ``unknown`` is the number of any other value, or FAILS. ``kind`` is the numbers' Avro type.
    """
    values = np.asarray(categories).tolist()
    missing = [number for value, number in zip(values, table, strict=True) if is_missing(value)]
    if len(missing) > 1:
        raise UnsupportedError(f"{feature.name!r} has several kinds of missing values.")
    known = {
        of_type(value, feature): number
        for value, number in zip(values, table, strict=True)
        if not is_missing(value)
    }
    other: Any = unknown
    if unknown is FAILS:
        message = f"{feature.name} is of a category that the model does not know"
        other = {"error": message, "code": -3}
    value = "known" if feature.nullable else feature.value
    if feature.type == "string":
        cell = document.cell(f"{feature.name}_categories", {"type": "map", "values": kind}, known)
        test: Any = {"map.containsKey": [cell, value]}
        found: Any = {**cell, "path": [value]}
    else:
        items = {"type": "array", "items": feature.type}
        cell = document.cell(f"{feature.name}_categories", items, list(known))
        place = {"a.index": [cell, value]}
        numbers = document.cell(
            f"{feature.name}_numbers", {"type": "array", "items": kind}, list(known.values())
        )
        test = {">=": [place, 0]}
        found = {**numbers, "path": [place]}
    chosen = {"if": test, "then": found, "else": other}
    if not feature.nullable:
        return chosen
    return {
        "ifnotnull": {"known": feature.value},
        "then": chosen,
        "else": missing[0] if missing else other,
    }


def of_type(value: Any, feature: Feature) -> Any:
    """Return a category as a value of a feature's type."""
    right = {
        "string": isinstance(value, str),
        "boolean": value in (False, True),  # and 0.0 and 1.0
        "long": isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0,
        "double": isinstance(value, int | float) and not isinstance(value, bool),
    }
    if not right[feature.type]:
        raise UnsupportedError(
            f"{feature.name!r} is of type {feature.type}, but its category {value!r} is not."
        )
    return {"long": int, "double": float, "boolean": bool}.get(feature.type, str)(value)
