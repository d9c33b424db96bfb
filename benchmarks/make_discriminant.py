"""Linear discriminant analysis of the irises, in the way of R's exporter: matrix functions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from scripts.make_forest import round_digits
from scripts.sample import DATA, Document


def discriminant() -> tuple[Document, list[Any]]:
    """Fisher's discriminant of the irises, by the matrix functions as R's exporter does it.

    Fisher, *The use of multiple measurements in taxonomic problems*, Annals of Eugenics 7, 1936;
    Ripley, *Pattern recognition and neural networks*, 1996, section 3.1. The species are those
    that R's forest tells.
    """
    cases = json.loads((DATA / "r_models/iris_rf.cases.json").read_text("utf-8"))
    names = list(cases["inputs"][0])
    data = np.array([[record[name] for name in names] for record in cases["inputs"]])
    species = np.array(cases["outputs"])
    classes = sorted(set(cases["outputs"]))
    means = np.array([data[species == one].mean(0) for one in classes])
    prior = np.array([np.mean(species == one) for one in classes])
    inner = data - means[np.searchsorted(classes, species)]
    within = inner.T @ inner / (len(data) - len(classes))
    values, vectors = np.linalg.eigh(within)
    whitening = vectors / np.sqrt(values)  # within the species the variance becomes 1
    spread = (means - prior @ means) @ whitening * np.sqrt(prior)[:, None]
    axes = np.linalg.svd(spread)[2][: len(classes) - 1].T
    axes *= np.sign(axes[0])  # either sign is a solution
    document = discriminant_document(
        names,
        classes,
        [[round_digits(float(p)) for p in prior]],
        [[round_digits(float(x)) for x in row] for row in means],
        [[round_digits(float(x)) for x in row] for row in whitening @ axes],
    )
    return document, cases["inputs"]


def discriminant_document(
    names: list[str],
    classes: list[str],
    prior: list[list[float]],
    means: list[list[float]],
    scaling: list[list[float]],
) -> Document:
    """PFA of a linear discriminant: the class with the largest posterior probability."""
    matrix = {"type": "array", "items": {"type": "array", "items": "double"}}
    row = {"type": "array", "items": "double"}

    def each(expression: Any) -> dict[str, Any]:
        return {"params": [{"x": "double"}], "ret": "double", "do": expression}

    def of_matrix(function: str) -> dict[str, Any]:
        return {
            "params": [{"m": matrix}],
            "ret": matrix,
            "do": {"la.map": ["m", each({function: ["x"]})]},
        }

    half_square = each({"*": [0.5, {"**": ["x", 2]}]})
    centred = {"la.sub": ["x", {"attr": "prior_means", "path": [0]}]}
    lowest = {"a.min": [{"attr": "dist", "path": [0]}]}
    return {
        "name": "discriminant",
        "input": {
            "type": "record",
            "name": "Input",
            "fields": [{"name": name, "type": "double"} for name in names],
        },
        "output": "string",
        "cells": {
            name: {"type": matrix, "init": value}
            for name, value in (("prior", prior), ("means", means), ("scaling", scaling))
        }
        | {"dimen": {"type": "int", "init": len(scaling[0])}},
        "fcns": {
            "ln": of_matrix("m.ln"),
            "exp": of_matrix("m.exp"),
            "normalize": {
                "params": [{"a": row}],
                "ret": row,
                "do": {"a.map": ["a", each({"/": ["x", {"a.sum": ["a"]}]})]},
            },
        },
        "action": [
            {"let": {"row": {"type": row, "new": [f"input.{name}" for name in names]}}},
            {"let": {"prior_means": {"la.dot": [{"cell": "prior"}, {"cell": "means"}]}}},
            {
                "let": {
                    "here": truncated(
                        {
                            "la.dot": [
                                {"la.sub": [{"type": matrix, "new": ["row"]}, "prior_means"]},
                                {"cell": "scaling"},
                            ]
                        }
                    )
                }
            },
            {"let": {"centered": {"type": matrix, "value": []}}},
            {
                "foreach": "x",
                "in": {"cell": "means"},
                "do": {"set": {"centered": {"a.append": ["centered", centred]}}},
                "seq": True,
            },
            {"let": {"centers": truncated({"la.dot": ["centered", {"cell": "scaling"}]})}},
            {"let": {"squares": {"type": row, "value": []}}},
            {
                "foreach": "t",
                "in": "centers",
                "do": {
                    "set": {
                        "squares": {
                            "a.append": ["squares", {"a.sum": [{"a.map": ["t", half_square]}]}]
                        }
                    }
                },
                "seq": True,
            },
            {
                "let": {
                    "dist": {
                        "la.sub": [
                            {
                                "la.sub": [
                                    {"type": matrix, "new": ["squares"]},
                                    {"u.ln": [{"cell": "prior"}]},
                                ]
                            },
                            {"la.dot": ["here", {"la.transpose": ["centers"]}]},
                        ]
                    }
                }
            },
            {"let": {"least": lowest, "lows": {"type": row, "value": []}}},
            {
                "foreach": "d",
                "in": {"attr": "dist", "path": [0]},
                "do": {"set": {"lows": {"a.append": ["lows", "least"]}}},
                "seq": True,
            },
            {
                "let": {
                    "likely": {
                        "u.exp": [
                            {
                                "la.scale": [
                                    {"la.sub": ["dist", {"type": matrix, "new": ["lows"]}]},
                                    -1,
                                ]
                            }
                        ]
                    }
                }
            },
            {"let": {"posterior": {"u.normalize": [{"attr": "likely", "path": [0]}]}}},
            {
                "map.argmax": [
                    {
                        "type": {"type": "map", "values": "double"},
                        "new": {
                            name: {"attr": "posterior", "path": [index]}
                            for index, name in enumerate(classes)
                        },
                    }
                ]
            },
        ],
    }


def truncated(matrix: Any) -> dict[str, Any]:
    """The first columns of a matrix, as many as the cell `dimen` says."""
    kept = {"la.truncate": [{"la.transpose": [matrix]}, {"cell": "dimen"}]}
    return {"la.transpose": [kept]}
