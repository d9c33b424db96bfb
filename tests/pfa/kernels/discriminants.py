"""Linear discriminant analysis of the iris data, over matrices as R's exporter writes it."""

from typing import Any

_VECTOR = {"type": "array", "items": "double"}
_MATRIX = {"type": "array", "items": _VECTOR}
_FIELDS = ["Sepal_Length", "Sepal_Width", "Petal_Length", "Petal_Width"]

DOCUMENT: dict[str, Any] = {
    "input": {
        "type": "record",
        "name": "Input",
        "fields": [{"name": name, "type": "double"} for name in _FIELDS],
    },
    "output": _VECTOR,
    "cells": {
        "means": {"type": _VECTOR, "init": [5.8433, 3.0573, 3.758, 1.1993]},
        "scaling": {
            "type": _MATRIX,
            "init": [[0.8294, -0.0241], [1.5345, -2.1645], [-2.2012, 0.9319], [-2.8105, -2.8392]],
        },
        "centers": {
            "type": _MATRIX,
            "init": [[7.6076, -0.2151], [-1.825, 0.7279], [-5.7826, -0.5128]],
        },
        "prior": {"type": _VECTOR, "init": [-1.0986, -1.0986, -1.0986]},
    },
    "action": [
        {"let": {"row": {"type": _VECTOR, "new": [f"input.{name}" for name in _FIELDS]}}},
        {"let": {"x": {"type": _MATRIX, "new": [{"la.sub": ["row", {"cell": "means"}]}]}}},
        {"let": {"projected": {"la.dot": ["x", {"cell": "scaling"}]}}},
        {
            "let": {
                "inner": {
                    "attr": {"la.dot": ["projected", {"la.transpose": [{"cell": "centers"}]}]},
                    "path": [0],
                },
                "squares": {
                    "a.map": [
                        {"cell": "centers"},
                        {
                            "params": [{"center": _VECTOR}],
                            "ret": "double",
                            "do": {
                                "attr": {"la.dot": [
                                    {"type": _MATRIX, "new": ["center"]}, "center"]},
                                "path": [0],
                            },
                        },
                    ]
                },
            }
        },
        {
            "m.link.softmax": {
                "la.add": [
                    {"la.sub": ["inner", {"la.scale": ["squares", 0.5]}]},
                    {"cell": "prior"},
                ]
            }
        },
    ],
}  # fmt: skip

_ROWS = [  # a setosa, a versicolor, two virginicas
    [5.1, 3.5, 1.4, 0.2],
    [6.2, 2.9, 4.3, 1.3],
    [6.0, 2.2, 5.0, 1.5],
    [7.7, 3.8, 6.7, 2.2],
]
INPUTS = [dict(zip(_FIELDS, row, strict=True)) for row in _ROWS]
