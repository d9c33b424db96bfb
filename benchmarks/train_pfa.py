"""PFA documents of fitted scikit-learn models, written by hand from what the fit left behind.

The trees are in cells, in the shape that R's exporter gives them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Document = dict[str, Any]


def document(names: list[str], cells: dict[str, Any], action: list[Any]) -> Document:
    """A document of doubles to one double."""
    fields = [{"name": name, "type": "double"} for name in names]
    return {
        "input": {"type": "record", "name": "Input", "fields": fields},
        "output": "double",
        "cells": cells,
        "action": action,
    }


def vector(names: list[str]) -> dict[str, Any]:
    """The expression of the input's fields as an array."""
    return {
        "type": {"type": "array", "items": "double"},
        "new": [f"input.{name}" for name in names],
    }


def naive_bayes(model: Any, names: list[str]) -> Document:
    """GaussianNB: the second class's posterior probability."""
    moments = {
        "type": "record",
        "name": "Moments",
        "fields": [{"name": name, "type": "double"} for name in ("mean", "variance")],
    }
    classes = [
        [
            {"mean": float(mean), "variance": float(variance)}
            for mean, variance in zip(means, variances, strict=True)
        ]
        for means, variances in zip(model.theta_, model.var_, strict=True)
    ]
    cells = {
        "first": {"type": {"type": "array", "items": moments}, "init": classes[0]},
        "second": {"type": {"type": "array", "items": "Moments"}, "init": classes[1]},
    }
    first, second = (float(np.log(prior)) for prior in model.class_prior_)
    action = [
        {"let": {"x": vector(names)}},
        {
            "let": {
                "a": {"+": [first, {"model.naive.gaussian": ["x", {"cell": "first"}]}]},
                "b": {"+": [second, {"model.naive.gaussian": ["x", {"cell": "second"}]}]},
            }
        },
        {"/": [1, {"+": [1, {"m.exp": [{"-": ["a", "b"]}]}]}]},
    ]
    return document(names, cells, action)


def linear(names: list[str], const: float, coeff: list[float]) -> tuple[dict[str, Any], Any]:
    """The cell of a linear model, and the expression that applies it to the input."""
    fields = [
        {"name": "const", "type": "double"},
        {"name": "coeff", "type": {"type": "array", "items": "double"}},
    ]
    cell = {
        "type": {"type": "record", "name": "Linear", "fields": fields},
        "init": {"const": const, "coeff": coeff},
    }
    return {"model": cell}, {"model.reg.linear": [vector(names), {"cell": "model"}]}


def logistic(model: Any, names: list[str]) -> Document:
    """LogisticRegression of two classes: the second's probability."""
    cells, applied = linear(names, float(model.intercept_[0]), model.coef_[0].tolist())
    return document(names, cells, [{"m.link.logit": [applied]}])


def logarithm(model: Any, names: list[str]) -> Document:
    """LinearRegression on a logarithm."""
    line = model[-1]
    slope = {"*": [float(line.coef_[0]), {"m.ln": [f"input.{names[0]}"]}]}
    return document(names, {}, [{"+": [float(line.intercept_), slope]}])


def forest(model: Any, names: list[str]) -> Document:
    """RandomForestRegressor: the mean of its trees."""
    return of_trees([tree.tree_ for tree in model.estimators_], names, {"a.mean": ["scores"]})


def boosting(model: Any, names: list[str]) -> Document:
    """GradientBoostingRegressor: the mean, and the steps of its trees."""
    start = float(np.ravel(model.init_.constant_)[0])
    steps = {"*": [float(model.learning_rate), {"a.sum": ["scores"]}]}
    return of_trees([stage[0].tree_ for stage in model.estimators_], names, {"+": [start, steps]})


def of_trees(trees: list[Any], names: list[str], combined: Any) -> Document:
    """An ensemble; `combined` is the expression that makes one number of its `scores`."""
    column = {"type": "enum", "name": "Column", "symbols": names}
    node_type = {
        "type": "record",
        "name": "TreeNode",
        "fields": [
            {"name": "field", "type": column},
            {"name": "operator", "type": "string"},
            {"name": "value", "type": ["double"]},
            {"name": "pass", "type": ["TreeNode", "double"]},
            {"name": "fail", "type": ["TreeNode", "double"]},
        ],
    }
    grown = [tagged(tree, names, 0)["TreeNode"] for tree in trees]
    cells = {"ensemble": {"type": {"type": "array", "items": node_type}, "init": grown}}
    walk = {
        "params": [{"tree": "TreeNode"}],
        "ret": "double",
        "do": {"model.tree.simpleTree": ["input", "tree"]},
    }
    scores = {"a.map": [{"cell": "ensemble"}, walk]}
    return document(names, cells, [{"let": {"scores": scores}}, combined])


def tagged(tree: Any, names: list[str], node: int) -> dict[str, Any]:
    """A node of a fitted tree: scikit-learn goes left where the value is at most the threshold."""
    left = int(tree.children_left[node])
    if left < 0:
        return {"double": float(tree.value[node, 0, 0])}
    return {
        "TreeNode": {
            "field": names[tree.feature[node]],
            "operator": "<=",
            "value": {"double": float(tree.threshold[node])},
            "pass": tagged(tree, names, left),
            "fail": tagged(tree, names, int(tree.children_right[node])),
        }
    }
