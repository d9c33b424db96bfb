"""A PFA document in the making: input, cells, statements of the action, output."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from exporters.columns import Column, avro_names, distinct
from exporters.errors import ExportError, UnsupportedError

DOUBLES = {"type": "array", "items": "double"}

# What a document with renamed columns answers to a record that does not fit, as models/credit.pfa.
MISSING, WRONG_TYPE, UNKNOWN_FIELD = -1, -2, -4


@dataclass(frozen=True)
class Feature:
    """One number, text or truth value that a model is given: a column, or made of columns.

    ``value`` is PFA: an expression that may be written several times. A nullable one is a union
    with null. Of features that are the elements of one array of doubles, ``place`` is the array's
    name, the position and the length.
    """

    name: str
    value: Any
    type: str = "double"
    nullable: bool = False
    place: tuple[str, int, int] | None = None


@dataclass(frozen=True)
class Prediction:
    """What a model gives. ``value`` is PFA of Avro type ``type``.

    A classifier has its classes, and if it knows them their probabilities: PFA of an array.
    ``margins`` is PFA of the decision function: a number for two classes, an array for more.
    """

    value: Any
    type: Any = "double"
    classes: tuple[Any, ...] = ()
    probabilities: Any = None
    margins: Any = None


def text(value: str) -> dict[str, str]:
    """Return PFA of a literal text."""
    return {"string": value}


class Document:
    """A document in the making. Names in it are unique."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Begin with the input, and its columns as features."""
        self.columns = columns
        self.cells: dict[str, Any] = {}
        self.functions: dict[str, Any] = {}
        self.action: list[Any] = []
        self.defined: set[str] = set()  # types that a cell has defined
        self.names = {"input"}
        self._renamed = [column for column in columns if column.name != column.field]
        self.input = self._read_map() if self._renamed else self._record(columns)
        self.row = "row" if self._renamed else "input"
        self.features = [
            Feature(column.name, f"{self.row}.{column.field}", column.type, column.nullable)
            for column in columns
        ]

    def unique(self, hint: str) -> str:
        """Return a name for a cell, variable or type that begins with ``hint``."""
        (name,) = distinct(avro_names([hint]), self.names)
        self.names.add(name)
        return name

    def cell(self, hint: str, avro_type: Any, init: Any) -> dict[str, Any]:
        """Add a cell with a model's parameters; return PFA of its value."""
        made = {"type": avro_type, "init": init}
        for known, other in self.cells.items():
            if known.startswith(hint) and other == made:
                return {"cell": known}
        name = self.unique(hint)
        self.cells[name] = made
        return {"cell": name}

    def let(self, hint: str, expression: Any) -> str:
        """Add a statement that names the value of an expression; return the name, which is PFA."""
        name = self.unique(hint)
        self.action.append({"let": {name: expression}})
        return name

    def function(self, name: str, params: Sequence[dict[str, Any]], ret: Any, do: Any) -> str:
        """Define a function, once; return the name to call it by."""
        self.functions.setdefault(name, {"params": list(params), "ret": ret, "do": do})
        return f"u.{name}"

    def elements(self, array: str, names: Sequence[str]) -> list[Feature]:
        """Return the elements of an array of doubles, which ``names`` counts, as features."""
        return [
            Feature(name, {"attr": array, "path": [i]}, place=(array, i, len(names)))
            for i, name in enumerate(names)
        ]

    def doubles(self, features: Sequence[Feature], hint: str = "x") -> str:
        """Return PFA of an array of the features' values."""
        places = [feature.place for feature in features if feature.place]
        if places and len(places) == len(features) and len({array for array, *_ in places}) == 1:
            array, _, size = places[0]
            positions = [i for _, i, _ in places]
            if positions == list(range(size)):
                return array
            ints = self.cell("chosen", {"type": "array", "items": "int"}, positions)
            take = {
                "params": [{"i": "int"}],
                "ret": "double",
                "do": {"attr": array, "path": ["i"]},
            }
            return self.let(hint, {"a.map": [ints, take]})
        values = [self.number(feature) for feature in features]
        return self.let(hint, {"type": DOUBLES, "new": values})

    def number(self, feature: Feature) -> Any:
        """Return PFA of a feature as a number. Raises UnsupportedError if it may be none."""
        if feature.nullable:
            raise UnsupportedError(
                f"{feature.name!r} has missing values, which this model does not take:"
                " put an imputer before it."
            )
        if feature.type == "string":
            raise UnsupportedError(
                f"{feature.name!r} is text, which this model does not take: encode it before."
            )
        if feature.type == "boolean":
            return {"if": feature.value, "then": 1.0, "else": 0.0}
        return feature.value

    def finished(self, prediction: Prediction, output: str) -> dict[str, Any]:
        """Return the document; ``output`` is "auto", "predict", "predict_proba" or "both".

        Raises ExportError if the model has no probabilities.
        """
        known = prediction.probabilities is not None
        if output == "auto":
            output = "both" if known else "predict"
        if output not in ("predict", "predict_proba", "both"):
            raise ExportError("output must be auto, predict, predict_proba or both.")
        if output != "predict" and not known:
            raise ExportError("This model gives no probabilities: use output='predict'.")
        by_class = {"type": "map", "values": "double"}
        probabilities = {
            "type": by_class,
            "new": {
                _class_name(label): {"attr": prediction.probabilities, "path": [i]}
                for i, label in enumerate(prediction.classes)
            },
        }
        both: dict[str, Any] = {
            "type": "record",
            "name": self.unique("Prediction"),
            "fields": [
                {"name": "label", "type": prediction.type},
                {"name": "probability", "type": by_class},
            ],
        }
        made = {"label": prediction.value, "probability": probabilities}
        choices: dict[str, tuple[Any, Any]] = {
            "predict": (prediction.type, prediction.value),
            "predict_proba": (by_class, probabilities),
            "both": (both, {"type": both["name"], "new": made}),
        }
        avro_type, last = choices[output]
        return {
            "input": self.input,
            "output": avro_type,
            "cells": self.cells,
            **({"fcns": self.functions} if self.functions else {}),
            "action": [*self.action, last],
        }

    def _record(self, columns: Sequence[Column], name: str = "Input") -> dict[str, Any]:
        fields: list[dict[str, Any]] = []
        for column in columns:
            if column.nullable:
                nullable = ["null", column.type]
                fields.append({"name": column.field, "type": nullable, "default": None})
            else:
                fields.append({"name": column.field, "type": column.type})
        return {"type": "record", "name": self.unique(name), "fields": fields}

    def _read_map(self) -> dict[str, Any]:
        """Take a map with the original names, and make the row of it, with errors of its own."""
        types = sorted({column.type for column in self.columns})
        if "long" in types and "double" in types:
            types.remove("long")  # a number of a union is read as the wider one
        if any(column.nullable for column in self.columns):
            types.insert(0, "null")
        row = self._record(self.columns, "Row")
        for field in row["fields"]:
            field.pop("default", None)
        self.action.append(
            {
                "if": {"a.any": [{"map.keys": ["input"]}, self._unknown()]},
                "then": {"error": "a field is not known", "code": UNKNOWN_FIELD},
            }
        )
        values = {column.field: self._taken(column, types) for column in self.columns}
        self.let("row", {"type": row, "new": values})
        return {"type": "map", "values": types if len(types) > 1 else types[0]}

    def _unknown(self) -> dict[str, Any]:
        names = [column.name for column in self.columns]
        known = self.cell("columns", {"type": "array", "items": "string"}, names)
        return {
            "params": [{"name": "string"}],
            "ret": "boolean",
            "do": {"!": [{"a.contains": [known, "name"]}]},
        }

    def _taken(self, column: Column, types: Sequence[str]) -> Any:
        """PFA that takes a column from the input map."""
        value: Any = {"attr": "input", "path": [text(column.name)]}
        read = "double" if column.type == "long" and "double" in types else column.type
        wrong = {"error": f"{column.name} must be of type {column.type}", "code": WRONG_TYPE}
        right: Any = "value"
        if read != column.type:
            whole = {"m.round": ["value"]}
            right = {"if": {"==": [whole, "value"]}, "then": whole, "else": wrong}
        if len(types) > 1 or read != column.type:
            cases = [
                {
                    "as": each,
                    "named": "value",
                    "do": right
                    if each == read
                    else None
                    if each == "null" and column.nullable
                    else wrong,
                }
                for each in types
            ]
            value = {"cast": value, "cases": cases}
        missing = {"error": f"{column.name} is missing", "code": MISSING}
        return {
            "if": {"map.containsKey": ["input", text(column.name)]},
            "then": value,
            "else": None if column.nullable else missing,
        }


def _class_name(label: Any) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)
