"""Records with unions that only trees look at are read without tags."""

import random
from typing import Any

import pytest

import pfa
from pfa.direct import Loop
from pfa.errors import PfaError
from pfa.schema import from_json

KINDS = [["null", "double"], ["double", "null"], ["null", "int"], ["null", "string"], "double"]
VALUES = {"double": 0.25, "int": 1, "string": "b", "boolean": True}
ODD: list[Any] = [None, 0.5, -0.0, 1, 2**60 + 1, 10**400, float("nan"), "b", "é", True, [], {}]
ODD += [{"double": 0.5}, {"double": 1}, {"int": 2}, {"string": "a"}, {"double": "a"}, {"a": 1.0}]


def node(field: str, kind: str, below: list[Any]) -> dict[str, Any]:
    operator = "==" if kind in ("string", "boolean") else "<"
    test = {"field": field, "operator": operator, "value": {kind: VALUES[kind]}}
    ways = dict(zip(("pass", "fail", "missing"), below, strict=True))
    return {**test, **ways}


def document(kinds: list[Any], rng: random.Random, more: list[Any]) -> dict[str, Any]:
    fields = [{"name": f"x{i}", "type": kind} for i, kind in enumerate(kinds)]
    row = {"type": "record", "name": "Row", "fields": fields}
    child = ["double", "Node"]
    parts = {"field": {"type": "enum", "name": "Field", "symbols": [f["name"] for f in fields]}}
    parts |= {"operator": "string", "value": ["double", "int", "string"]}
    parts |= {"pass": child, "fail": child, "missing": child}
    of_node = [{"name": name, "type": kind} for name, kind in parts.items()]
    tree = {"type": "record", "name": "Node", "fields": of_node}

    def grown(levels: int) -> dict[str, Any]:
        i = rng.randrange(len(kinds))
        (kind,) = [x for x in [*kinds[i]] if x != "null"] if type(kinds[i]) is list else [kinds[i]]
        leaf = {"double": round(rng.random(), 3)}
        ways = [{"Node": grown(levels - 1)} if levels and rng.random() < 0.7 else leaf] * 3
        return node(f"x{i}", kind, ways)

    trees = [grown(3) for _ in range(3)]
    test = {"model.tree.missingTest": ["d", "t"]}
    asked = {"params": [{"d": "Row"}, {"t": "Node"}], "ret": ["null", "boolean"], "do": test}
    walks = {"model.tree.missingWalk": ["input", "t", asked]}
    walk = {"params": [{"t": "Node"}], "ret": "double", "do": walks}
    answers = {"let": {"answers": {"a.map": [{"cell": "trees"}, walk]}}}
    return {
        "input": row,
        "output": "double",
        "cells": {"trees": {"type": {"type": "array", "items": tree}, "init": trees}},
        "action": [answers, *more, {"a.sum": "answers"}],
    }


def told(answer: Any) -> Any:
    return (type(answer), str(answer)) if isinstance(answer, PfaError) else repr(answer)


@pytest.mark.parametrize("seed", range(40))
def test_answers_are_those_of_titus(seed: int) -> None:
    rng = random.Random(seed)
    kinds = [rng.choice(KINDS) for _ in range(rng.randrange(1, 5))]
    made = document(kinds, rng, [])
    compiled, reference = pfa.load(made), pfa.load(made, compiled=False)
    assert compiled.fallback is None
    records = [{f"x{i}": rng.choice(ODD) for i in range(len(kinds))} for _ in range(60)]
    records += [{}, {"y": 1}, *[{f"x{i}": None for i in range(len(kinds))}] * 2]
    expected = [told(answer) for answer in reference.score_batch(records)]
    assert [told(answer) for answer in compiled.score_batch(records)] == expected
    alone = [told(compiled.score_batch([record])[0]) for record in records]
    assert alone == expected


@pytest.mark.parametrize("is_used", [False, True])
def test_tags_are_there_where_something_else_looks(is_used: bool) -> None:
    use = {"let": {"it": {"ifnotnull": {"v": "input.x0"}, "then": "v", "else": 0.0}}}
    made = document([["null", "double"]], random.Random(1), [use] * is_used)
    model = pfa.load(made)
    batch = Loop(model.source, from_json(model.describe()["input"]["avro"])).source(True)
    for source in (model.source, batch):
        assert ("{'double': " in source) == is_used
