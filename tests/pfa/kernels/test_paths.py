"""A model at a known place of a constant cell is as well known as a whole cell."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

import pfa
from tests.pfa.kernels.test_tree import FIELDS, VALUES, forest_of
from tests.pfa.test_fuzz_forests import one, types
from tests.pfa.test_fuzz_short import told

MODELS = Path(__file__).parents[3] / "models"
DENSITY = {
    "type": "record",
    "name": "Density",
    "fields": [{"name": "mean", "type": "double"}, {"name": "variance", "type": "double"}],
}
DENSITIES = {"type": "array", "items": DENSITY}
ARRAY = {"type": "array", "items": "double"}


def same(document: dict[str, Any], records: list[Any]) -> pfa.Model:
    model, reference = pfa.load(document), pfa.load(document, compiled=False)
    assert model.fallback is None
    expected = [told(answer) for answer in reference.score_batch(records)]
    assert [told(answer) for answer in model.score_batch(records)] == expected
    return model


def bayes(path: list[Any], kind: Any, init: Any) -> dict[str, Any]:
    model = {"cell": "model", "path": path}
    return {
        "input": ARRAY,
        "output": "double",
        "cells": {"model": {"type": kind, "init": init}},
        "action": {"model.naive.gaussian": ["input", model]},
    }


SOME = [{"mean": 0.5, "variance": 0.1}, {"mean": -1.0, "variance": 2.0}]
OF_RECORD = {"type": "record", "name": "Classes", "fields": [{"name": "yes", "type": DENSITIES}]}


@pytest.mark.parametrize(
    ("path", "kind", "init"),
    [
        ([["yes"]], {"type": "map", "values": DENSITIES}, {"yes": SOME, "no": []}),
        ([[1]], {"type": "array", "items": DENSITIES}, [[], SOME]),
        ([["yes"]], OF_RECORD, {"yes": SOME}),
        ([[0], ["yes"]], {"type": "array", "items": OF_RECORD}, [{"yes": SOME}]),
    ],
)
def test_known_paths(path, kind, init):
    steps = [{"string": each[0]} if isinstance(each[0], str) else each[0] for each in path]
    document = bayes(steps, kind, init)
    model = same(document, [[0.1, 2.5], [1e200, 3.0], [1.0]])
    assert "lib_model_naive" not in model.source
    assert pfa.load_artifact(model.to_artifact()).score([0.1, 2.5]) == model.score([0.1, 2.5])


@pytest.mark.parametrize("step", [2, -1, 2**31 - 1, {"+": [1, 0]}])
def test_paths_that_lead_nowhere_are_errors_of_the_record(step):
    document = bayes([step], {"type": "array", "items": DENSITIES}, [[], SOME])
    model = same(document, [[0.1, 2.5]])
    assert "lib_model_naive" in model.source


def test_a_key_that_is_not_there():
    kind = {"type": "map", "values": DENSITIES}
    same(bayes([{"string": "other"}], kind, {"yes": SOME}), [[0.1, 2.5]])


def test_a_cell_that_is_written_is_not_known():
    kind = {"type": "map", "values": DENSITIES}
    document = bayes([{"string": "yes"}], kind, {"yes": SOME})
    change = {"cell": "model", "to": {"type": kind, "value": {"yes": [SOME[1], SOME[0]]}}}
    document["action"] = [document["action"], change, document["action"]]
    same(document, [[0.1, 2.5]])


def test_trees_and_forests_of_classes():
    rng = random.Random(5)
    text = json.dumps({name: forest_of(rng, ["<="], False) for name in ("yes", "no")})
    forests = json.loads(text.replace("Infinity", "1.5"))
    of_input, node = types(["double"], VALUES, three_way=False)
    cells = {
        "forests": {"type": {"type": "map", "values": {"type": "array", "items": node}},
                    "init": forests}}  # fmt: skip

    def scores(name: str) -> Any:
        do = {"params": [{"t0": "TreeNode"}], "ret": "double", "do": one(False, "t0")}
        return {"a.map": [{"cell": "forests", "path": [{"string": name}]}, do]}

    tree = {"cell": "forests", "path": [{"string": "no"}, 0]}
    action = {"a.concat": [scores("yes"), {"a.append": [scores("no"), one(False, tree)]}]}
    document = {"input": of_input, "output": ARRAY, "cells": cells, "action": action}
    records = []
    for x in (-3.0, -1.0, 0.0, 0.4, 1.5, 8.0):
        given = {"double": 0.0, "float": 0.0, "int": 0, "long": 2, "string": "", "boolean": True}
        record = {name: given[of] if isinstance(of, str) else None for name, of in FIELDS.items()}
        records.append({**record, "e": "low", "x": x, "i": int(x)})
    model = same(document, records)
    assert model.source.count("_of_fields(") == 3


def test_the_sonar_model_calls_no_function_of_titus():
    assert "lib_" not in pfa.load((MODELS / "sonar.pfa").read_bytes()).source
