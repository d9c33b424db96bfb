"""Boosted trees with a branch for missing values, too large to commit."""

from __future__ import annotations

import random
from typing import Any

from scripts.make_forest import COLUMNS, round_digits, rows
from scripts.sample import Document

RATE = 0.01  # of learning: what gbm calls shrinkage
DEPTH = 4
BRANCHES = ("pass", "fail", "missing")


def boosting(trees: int = 1000, seed: int = 1) -> Document:
    """Boosted regression trees with a branch for missing values, written as R's gbm is.

    Friedman, *Greedy function approximation: a gradient boosting machine*, Annals of Statistics
    29, 2001, with the squared error: each tree is grown on what the trees before it left over, its
    cuts at random as in scripts/make_forest.py.
    """
    rng = random.Random(seed)
    homes = rows()
    mean = sum(price for _, price in homes) / len(homes)
    left = [price - mean for _, price in homes]
    grown = []
    for _ in range(trees):
        told = [0.0] * len(homes)
        tree = grow([home for home, _ in homes], list(range(len(homes))), left, told, DEPTH, rng)
        left = [rest - step for rest, step in zip(left, told, strict=True)]
        grown.append(tree["TreeNode"])
    node_type = {
        "type": "record",
        "name": "TreeNode",
        "fields": [
            {
                "name": "field",
                "type": {"type": "enum", "name": "Column", "symbols": list(COLUMNS.values())},
            },
            {"name": "operator", "type": "string"},
            {"name": "value", "type": ["double"]},
            *({"name": name, "type": ["TreeNode", "double"]} for name in BRANCHES),
        ],
    }
    home_type = {
        "type": "record",
        "name": "Home",
        "fields": [{"name": name, "type": ["null", "double"]} for name in COLUMNS.values()],
    }
    test = {
        "params": [{"d": home_type}, {"t": "TreeNode"}],
        "ret": ["null", "boolean"],
        "do": {"model.tree.missingTest": ["d", "t"]},
    }
    walk = {
        "params": [{"tree": "TreeNode"}],
        "ret": "double",
        "do": {"model.tree.missingWalk": ["input", "tree", test]},
    }
    return {
        "name": "boosting",
        "input": "Home",
        "output": "double",
        "cells": {"ensemble": {"type": {"type": "array", "items": node_type}, "init": grown}},
        "action": [
            {"let": {"tree_scores": {"a.map": [{"cell": "ensemble"}, walk]}}},
            {"+": [mean, {"a.sum": ["tree_scores"]}]},
        ],
    }


def grow(
    homes: list[dict[str, float]],
    here: list[int],
    left: list[float],
    told: list[float],
    depth: int,
    rng: random.Random,
) -> dict[str, Any]:
    """A tagged split or leaf over the rows `here`; writes what it says of each into `told`."""
    leaf = round_digits(RATE * sum(left[row] for row in here) / len(here))
    name = rng.choice(list(COLUMNS.values()))
    values = [homes[row][name] for row in here]
    low, high = min(values), max(values)
    cut = round_digits(rng.uniform(low, high))
    if not (depth and low < cut <= high):
        for row in here:
            told[row] = leaf
        return {"double": leaf}
    sides = (
        [row for row in here if homes[row][name] < cut],
        [row for row in here if not homes[row][name] < cut],
    )
    below, above = (grow(homes, side, left, told, depth - 1, rng) for side in sides)
    node = {"field": name, "operator": "<", "value": {"double": cut}}
    branches = zip(BRANCHES, (below, above, {"double": leaf}), strict=True)
    return {"TreeNode": node | dict(branches)}


def records() -> list[dict[str, float | None]]:
    """Homes of which every fifth lacks a value."""
    rng = random.Random(2)
    homes: list[dict[str, float | None]] = [dict(home) for home, _ in rows()]
    for home in homes[::5]:
        home[rng.choice(list(home))] = None
    return homes
