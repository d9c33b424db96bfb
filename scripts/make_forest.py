"""forest: 500 trees, 8 MB, the kind of document that makes loading slow.

Totally randomised trees (Geurts, Ernst and Wehenkel, *Extremely randomized trees*, Machine
Learning 63, 2006, with K = 1): each node cuts one column, drawn at random, at a point drawn
evenly between the smallest and the largest value that it sees there. Written the way R's
exporter writes a randomForest regression. Too large to commit: the tests and the benchmarks make
it, and `python -m scripts.make_forest` writes it to .build/forest.pfa.
"""

from __future__ import annotations

import csv
import json
import math
import random
from typing import Any

from scripts.sample import DATA, ROOT, Document, metadata

COLUMNS = {
    "transaction date": "transaction_date",  # year, with its months as a fraction
    "house age": "house_age",  # years
    "distance to the nearest MRT station": "distance",  # metres
    "number of convenience stores": "stores",
    "latitude": "latitude",  # degrees
    "longitude": "longitude",  # degrees
}
PRICE = "house price of unit area"  # 10,000 New Taiwan dollars per ping (3.3 m²)
SMALLEST_SPLIT = 6  # rows that a node must have to be split; with 6, 500 trees make 8 MB
DIGITS = 8  # what R's exporter writes by default

Node = dict[str, Any]


def rows() -> list[tuple[dict[str, float], float]]:
    """Record and price of each home in the data."""
    with (DATA / "real_estate/real_estate.csv").open(encoding="utf-8") as file:
        return [
            ({name: float(row[column]) for column, name in COLUMNS.items()}, float(row[PRICE]))
            for row in csv.DictReader(file)
        ]


def grow(homes: list[tuple[dict[str, float], float]], rng: random.Random) -> Node:
    """A tree over `homes`: a tagged split, or a tagged leaf with their mean price."""
    if len(homes) >= SMALLEST_SPLIT and any(price != homes[0][1] for _, price in homes):
        names = list(COLUMNS.values())
        for name in rng.sample(names, len(names)):  # the first that is not constant
            values = [home[name] for home, _ in homes]
            low, high = min(values), max(values)
            cut = round_digits(rng.uniform(low, high))
            if low <= cut < high:
                return {
                    "TreeNode": {
                        "field": name,
                        "operator": "<=",
                        "value": {"double": cut},
                        "pass": grow([row for row in homes if row[0][name] <= cut], rng),
                        "fail": grow([row for row in homes if row[0][name] > cut], rng),
                    }
                }
    return {"double": round_digits(math.fsum(price for _, price in homes) / len(homes))}


def round_digits(value: float) -> float:
    """`value` as it is read back from DIGITS decimal digits."""
    return float(f"{value:.{DIGITS}g}")


def predict(trees: list[Node], record: dict[str, float]) -> float:
    """The mean of what the trees say of `record`: the answer that the document must give."""
    answers: list[float] = []
    for tree in trees:
        node: Node = {"TreeNode": tree}
        while "TreeNode" in node:
            split = node["TreeNode"]
            below = record[split["field"]] <= split["value"]["double"]
            node = split["pass" if below else "fail"]
        answers.append(node["double"])
    return math.fsum(answers) / len(answers)


def forest(trees: int = 500, seed: int = 1) -> Document:
    """A regression forest over the real estate data; the same seed gives the same document.

    Args:
        trees: how many; 500 make 8 MB.
    """
    rng = random.Random(seed)
    data = rows()
    grown = [grow(data, rng)["TreeNode"] for _ in range(trees)]
    symbols = list(COLUMNS.values())
    node_type = {
        "type": "record",
        "name": "TreeNode",
        "fields": [
            {"name": "field", "type": {"type": "enum", "name": "Column", "symbols": symbols}},
            {"name": "operator", "type": "string"},
            {"name": "value", "type": ["double"]},
            {"name": "pass", "type": ["TreeNode", "double"]},
            {"name": "fail", "type": ["TreeNode", "double"]},
        ],
    }
    return {
        "name": "forest",
        "doc": "Price of a home, in 10,000 New Taiwan dollars per ping (3.3 m²).",
        "version": 1,
        "metadata": metadata(
            f"{trees} totally randomised trees on UCI's real estate valuation data, seed {seed}.",
            [(home, predict(grown, home)) for home, _ in data[:5]],
        ),
        "input": {
            "type": "record",
            "name": "Home",
            "fields": [{"name": name, "type": "double"} for name in symbols],
        },
        "output": "double",
        "cells": {"forest": {"type": {"type": "array", "items": node_type}, "init": grown}},
        "action": [
            {
                "let": {
                    "tree_scores": {
                        "a.map": [
                            {"cell": "forest"},
                            {
                                "params": [{"tree": "TreeNode"}],
                                "ret": "double",
                                "do": {"model.tree.simpleTree": ["input", "tree"]},
                            },
                        ]
                    }
                }
            },
            {"a.mean": ["tree_scores"]},
        ],
    }


def main() -> None:
    """Write .build/forest.pfa."""
    path = ROOT / ".build/forest.pfa"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(forest(), separators=(",", ":"), ensure_ascii=False), "utf-8")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
