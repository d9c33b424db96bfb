"""Documents with random trees and forests answer alike on both engines.

Every operator, values of other types than the field's, missing values, odd numbers; trees in
constant cells, in cells that the document writes, and in pools.
"""

import json
import random
from typing import Any

import pytest

from tests.pfa import shadow
from tests.pfa.kernels.test_tree import FIELDS, VALUES, forest_of, random_tree, record

SEEDS = range(36)  # 9 s
WAYS = ["pass", "fail", "missing"]


def types(leaves: list[Any], values: list[Any], three_way: bool) -> tuple[Any, Any]:
    """The types of the input and of a node."""
    fields = [{"name": name, "type": of} for name, of in FIELDS.items()]
    node = [
        {"name": "field", "type": {"type": "enum", "name": "Field", "symbols": list(FIELDS)}},
        {"name": "operator", "type": "string"},
        {"name": "value", "type": values},
        *({"name": way, "type": ["TreeNode", *leaves]} for way in WAYS[: 2 + three_way]),
    ]
    return (
        {"type": "record", "name": "Input", "fields": fields},
        {"type": "record", "name": "TreeNode", "fields": node},
    )


def one(three_way: bool, tree: str) -> Any:
    """The answer of a tree."""
    if not three_way:
        return {"model.tree.simpleTree": ["input", tree]}
    test = {"model.tree.missingTest": ["d", "t"]}
    params = [{"d": "Input"}, {"t": "TreeNode"}]
    walk = {"params": params, "ret": ["null", "boolean"], "do": test}
    return {"model.tree.missingWalk": ["input", tree, walk]}


def with_texts(node: Any) -> Any:
    """The same tree with texts for leaves."""
    if "field" not in node:
        ((_, leaf),) = node.items()
        return {"string": str(leaf)}
    inner = {w: node[w].get("TreeNode", node[w]) for w in WAYS if w in node}
    below = {w: with_texts(n) for w, n in inner.items()}
    return {**node, **{w: {"TreeNode": n} if "field" in n else n for w, n in below.items()}}


def document(rng: random.Random) -> dict[str, Any]:
    """A document with trees."""
    three_way = rng.random() < 0.35
    numeric = rng.random() < 0.3
    answer = "double" if numeric else "string"
    if numeric:
        operators = rng.sample(["<=", "<", ">", ">="], rng.randint(1, 3))
        trees = forest_of(rng, operators, three_way, rng.random() < 0.5)[: rng.choice([3, 40])]
    else:
        names = rng.sample(list(FIELDS), rng.randint(1, 4))
        made_trees = [random_tree(rng, names, WAYS[: 2 + three_way]) for _ in range(4)]
        trees = [with_texts(tree) for tree in made_trees[: rng.randint(1, 4)]]
    of_input, node = types([answer], VALUES, three_way)
    tree: Any = {"params": [{"t0": "TreeNode"}], "ret": answer, "do": one(three_way, "t0")}
    mapped: Any = {"a.map": [{"cell": "forest"}, tree]}
    cells = {"forest": {"type": {"type": "array", "items": node}, "init": trees}}
    made = {"input": of_input, "output": {"type": "array", "items": answer}, "cells": cells}
    made["action"] = [mapped]
    if numeric and rng.random() < 0.6:
        made["output"] = "double"
        made["action"] = [{rng.choice(["a.mean", "a.sum", "a.max"]): [mapped]}]
    kind = rng.random()
    if kind < 0.2:  # the cell is written
        rotated = {"a.concat": [{"a.subseq": [{"cell": "forest"}, 1, 99]},
                                {"a.subseq": [{"cell": "forest"}, 0, 1]}]}  # fmt: skip
        made["action"].insert(0, {"cell": "forest", "to": rotated})
    elif kind < 0.4:  # one tree
        made["output"] = answer
        made["action"] = [{"let": {"t0": {"cell": "forest", "path": [0]}}}, tree["do"]]
    elif kind < 0.6:
        made["output"] = answer
        made["pools"] = {"p": {"type": "TreeNode", "init": {"a": trees[0]}}}
        made["action"] = [{"let": {"t0": {"pool": "p", "path": [["a"]]}}}, tree["do"]]
    return made


def run(seed: int) -> tuple[int, int]:
    """Score records by a random document; give how many answers and errors there were."""
    rng = random.Random(seed)
    made = document(rng)
    both = shadow.Shadow(made, short_names=seed % 2 == 0)  # as pfa.load does
    kinds = []
    for _ in range(6):
        datum = record(rng)
        for name, of in (("mx", "double"), ("ms", "string"), ("mi", "int")):
            if datum[name] is not None and not isinstance(datum[name], dict):
                datum[name] = {of: datum[name]}
        kinds.append(both.outcome("action", datum)[0])
    return kinds.count("value"), kinds.count("error")


@pytest.mark.parametrize("chunk", range(3))
def test_forests(chunk):
    answers = errors = 0
    for seed in SEEDS[chunk::3]:
        try:
            counts = run(seed)
        except shadow.Different as different:
            pytest.fail(f"seed {seed}: {different}\n{json.dumps(different.document)[:5000]}")
        answers += counts[0]
        errors += counts[1]
    assert answers > 20
    assert errors > 3
