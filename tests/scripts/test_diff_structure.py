"""What is told of the documents themselves, and of their types."""

import json
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from scripts.diff import report, schema, structure
from scripts.local_cloud import ROOT

FOREST = ROOT / "data/r_models/iris_rf.pfa"


def compare(old: Any, new: Any) -> structure.Structure:
    return structure.compare(json.dumps(old).encode(), json.dumps(new).encode())


@pytest.fixture
def document() -> dict[str, Any]:
    return {
        "name": "m",
        "input": "double",
        "output": "double",
        "action": [{"let": {"x": "input"}}, {"+": ["x", {"cell": "line", "path": [[["a"]]]}]}],
        "cells": {"line": {"type": {"type": "map", "values": "double"}, "init": {"a": 1, "b": 2}}},
        "fcns": {"f": {"params": [], "ret": "int", "do": 1}},
        "metadata": {"examples": "[1, 2]"},
    }


def test_nothing_changes(document: dict[str, Any]) -> None:
    found = compare(document, document)
    assert not (found.facts or found.functions or found.metadata or found.stores["cells"])
    assert found.expressions == {"action": False}


def test_each_part(document: dict[str, Any]) -> None:
    new = deepcopy(document)
    new["name"] = "n"
    new["begin"] = 1
    new["action"][0] = {"let": {"x": 1.0}}
    new["fcns"] = {"g": {"params": [], "ret": "int", "do": 1}}
    new["cells"]["line"]["init"] = {"a": 1.5, "c": 3}
    new["cells"]["line"]["shared"] = True
    new["cells"]["more"] = {"type": "int", "init": 1}
    new["pools"] = {"p": {"type": "int", "init": {}}}
    new["metadata"] = {"examples": "[1]", "author": "x"}
    found = compare(document, new)
    assert found.facts == {"name": ("m", "n")}
    assert found.expressions == {"begin": True, "action": True}
    assert found.functions == structure.Names(added=["g"], removed=["f"])
    assert found.stores["cells"] == structure.Names(added=["more"], changed=["line"])
    assert found.stores["pools"] == structure.Names(added=["p"])
    assert found.metadata == structure.Names(added=["author"], changed=["examples"])
    assert found.examples == (2, 1)
    (line,) = found.changes["cells"]
    assert line.what == ["flags", "value"]
    assert (line.numbers, line.numbers_changed) == (1, 1)
    assert line.largest == [("/a", 1, 1.5)]
    assert (line.places_gone, line.places_new) == (1, 1)


def test_the_largest_changes_of_many_numbers(document: dict[str, Any]) -> None:
    new = deepcopy(document)
    document["cells"]["line"]["init"] = {f"k{i}": 0.0 for i in range(50)}
    new["cells"]["line"]["init"] = {f"k{i}": float(i) for i in range(50)}
    (line,) = compare(document, new).changes["cells"]
    assert line.numbers_changed == 49
    assert [place for place, _, _ in line.largest] == [f"/k{i}" for i in range(49, 39, -1)]


def test_marks_of_where_a_part_comes_from_mean_nothing(document: dict[str, Any]) -> None:
    new = deepcopy(document)
    new["action"][0]["@"] = "line 7"
    new["cells"]["line"]["@"] = "line 9"
    new["@"] = "all of it"
    found = compare(document, new)
    assert found.expressions == {"action": False}
    assert not found.stores["cells"]
    new["cells"]["line"]["init"]["@"] = 3  # a key like others
    assert compare(document, new).changes["cells"][0].places_new == 1


def test_one_expression_is_a_list_of_one(document: dict[str, Any]) -> None:
    old, new = deepcopy(document), deepcopy(document)
    old["action"], new["action"] = "input", ["input"]
    assert compare(old, new).expressions == {"action": False}


def test_state() -> None:
    document = {"action": {"cell": "c", "to": 1}, "cells": {"c": {"type": "int", "init": 0}}}
    assert compare(document, document).stateful
    assert compare({"method": "fold", "action": 1}, {"action": 1}).stateful
    assert not compare({"action": {"cell": "c"}}, {"action": 1}).stateful


def leaves(node: Any) -> list[Any]:
    """The branches of a tree that end it, found in another way than the code does."""
    if isinstance(node, dict) and "pass" in node:
        return [leaf for branch in ("pass", "fail") for leaf in leaves(node[branch])]
    return leaves(node["TreeNode"]) if isinstance(node, dict) and "TreeNode" in node else [node]


def test_forests() -> None:
    old = json.loads(FOREST.read_text())
    new = deepcopy(old)
    trees = new["cells"]["forest"]["init"]
    assert isinstance(trees, list)
    del trees[-1]
    trees[0]["value"] = {"double": 0.7}
    (change,) = compare(old, new).changes["cells"]
    assert change.forests is not None
    before, after = change.forests
    every = old["cells"]["forest"]["init"]
    assert before.trees == len(every) == after.trees + 1
    assert before.leaves == sum(len(leaves(tree)) for tree in every)
    assert before.splits == before.leaves - before.trees  # each has two branches
    assert before.depth > before.mean_depth > 1
    assert change.same_trees == len(every) - 2
    assert set(before.fields) <= {"Sepal_Length", "Sepal_Width", "Petal_Length", "Petal_Width"}
    assert change.numbers == 0  # what is in trees is not listed number by number


def test_a_forest_under_another_name() -> None:
    old = json.loads(FOREST.read_text())
    new = deepcopy(old)
    new["cells"]["trees"] = new["cells"].pop("forest")
    gone, come = compare(old, new).changes["cells"]
    assert (gone.name, gone.what, come.name, come.what) == (
        "forest",
        ["removed"],
        "trees",
        ["added"],
    )
    assert gone.forests is not None and come.forests is not None
    assert gone.forests[0] == come.forests[1]
    assert gone.forests[1].trees == come.forests[0].trees == 0


def test_a_tree_as_deep_as_can_be_read() -> None:
    tree: Any = {"field": "x", "operator": "<", "value": 1, "pass": 1.0, "fail": 2.0}
    for _ in range(300):
        tree = {"field": "y", "operator": "<", "value": 1, "pass": {"T": tree}, "fail": 2.0}
    old = {"action": 1, "cells": {"tree": {"type": "T", "init": tree}}}
    (change,) = compare(old, {"action": 1, "cells": {"tree": {"type": "T", "init": 1.0}}}).changes[
        "cells"
    ]
    assert change.forests is not None
    assert [it.depth for it in change.forests] == [301, 0]


def test_types_by_their_places() -> None:
    node = {
        "type": "record",
        "name": "Node",
        "namespace": "a.b",
        "fields": [
            {"name": "next", "type": ["null", "Node"], "default": None},
            {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["x", "y"]}},
            {"name": "sizes", "type": {"type": "array", "items": {"type": "map", "values": "int"}}},
            {"name": "id", "type": {"type": "fixed", "name": "Id", "size": 4}},
        ],
    }
    node["fields"][0]["type"] = ["null", "a.b.Node"]  # type: ignore[index]
    assert schema.changes("input", node, node) == []
    new = deepcopy(node)
    new["fields"][1]["type"]["symbols"].append("z")  # type: ignore[index]
    new["fields"][2]["type"]["items"]["values"] = "long"  # type: ignore[index]
    new["fields"][3] = {"name": "other", "type": "double", "default": 0.5}  # type: ignore[index]
    told = [(c.place, c.old, c.new) for c in schema.changes("output", node, new)]
    assert told == [
        ("/kind", "enum a.b.Kind: x, y", "enum a.b.Kind: x, y, z"),
        ("/sizes/*/*", "int", "long"),
        ("/other", None, "double, default 0.5"),
        ("/id", "fixed a.b.Id of 4 bytes", None),
    ]


def test_shares_say_none_and_all_of_none_and_all_only() -> None:
    assert report.percent(0, 10) == "0 %"
    assert report.percent(1, 1_000_000) == "< 0.01 %"
    assert report.percent(999_999, 1_000_000) == "> 99.99 %"
    assert report.percent(10, 10) == "100 %"
    assert report.percent(1, 3) == "33.33 %"


def test_all_sample_documents_can_be_told(tmp_path: Path) -> None:
    every = [*ROOT.glob("models/*.pfa"), *ROOT.glob("data/r_models/*.pfa")]
    assert len(every) > 8
    for old, new in pairwise(every):
        assert structure.compare(old.read_bytes(), new.read_bytes()).expressions
