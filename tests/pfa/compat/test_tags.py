"""A value that goes from a branch's type to a union is tagged with that branch."""

import pytest

import pfa

ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
TEXTS = {"type": "map", "values": "string"}
NUMBERS = {"type": "map", "values": "double"}
RECORD = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "double"}]}
SPACED = {**RECORD, "namespace": "x.y"}
INTS = {"type": "array", "items": "int"}
EITHER = ["int", "string"]
LARGE = {"if": {"<": ["input", 1]}, "then": "input", "else": {"s.int": "input"}}
TRY = {"try": [{"a.max": [{"type": INTS, "new": ["input"]}]}]}


def score(given, output, action, value, **more):
    return pfa.load({"input": given, "output": output, "action": action, **more}).score(value)


@pytest.mark.parametrize(
    ("given", "output", "action", "value", "answer"),
    [
        ("double", ["int", "double"], {"m.floor": "input"}, 3.0, {"double": 3.0}),
        ("string", [ENUM, "string"], "input", "A", {"string": "A"}),
        (ENUM, ["string", "E"], "input", "A", {"E": "A"}),
        ("string", ["bytes", "string"], "input", "A", {"string": "A"}),
        ("double", ["float", "double"], "input", 1.5, {"double": 1.5}),
        ("float", ["double", "float"], "input", 1.5, {"float": 1.5}),
        ("long", ["int", "long"], "input", 5, {"long": 5}),
        ("int", ["double", "long"], "input", 5, {"long": 5}),
        ("int", ["null", "double"], "input", 5, {"double": 5.0}),
        (TEXTS, ["string", TEXTS], "input", {"string": "x"}, {"map": {"string": "x"}}),
        (NUMBERS, [RECORD, NUMBERS], "input", {"a": 1.5}, {"map": {"a": 1.5}}),
        (SPACED, ["null", "x.y.R"], "input", {"a": 1}, {"x.y.R": {"a": 1.0}}),
        ("null", ["null", "int"], "input", None, None),
        # a union of types that differ by clause
        ("int", EITHER, LARGE, 0, {"int": 0}),
        ("int", EITHER, LARGE, 7, {"string": "7"}),
        ("int", ["string", "long"], LARGE, 0, {"long": 0}),
        ("int", EITHER, {"cond": [LARGE | {"else": None}], "else": "input"}, 5, {"int": 5}),
        ("int", ["null", "double"], TRY, 3, {"double": 3.0}),
    ],
)
def test_answers(given, output, action, value, answer):
    if isinstance(action, dict) and "cond" in action:
        del action["cond"][0]["else"]
    assert score(given, output, action, value) == answer


def test_what_is_emitted():
    action = [{"emit": "input"}, {"emit": {"u.f": "input"}}]
    function = {"params": [{"x": "string"}], "ret": [ENUM, "string"], "do": "x"}
    answers = score("string", ["E", "string"], action, "A", method="emit", fcns={"f": function})
    assert answers == [{"string": "A"}, {"string": "A"}]


def test_a_tally():
    action = {
        "cast": "tally",
        "cases": [
            {"as": "long", "named": "n", "do": {"+": ["n", "input"]}},
            {"as": "int", "named": "n", "do": 0},
        ],
    }
    more = {"method": "fold", "zero": {"long": 1}, "merge": "tallyOne"}
    model = pfa.load({"input": "long", "output": ["int", "long"], "action": action, **more})
    assert model.score_batch([2, 3]) == [{"long": 3}, {"long": 6}]


def test_parts_of_what_is_made():
    fields = [
        {"name": "one", "type": ["bytes", "string"]},
        {"name": "many", "type": {"type": "array", "items": [TEXTS, "string", "bytes"]}},
        {"name": "named", "type": {"type": "map", "values": ["float", "double"]}},
    ]
    output = {"type": "record", "name": "Out", "fields": fields}
    new = {
        "one": "input",
        "many": {
            "type": fields[1]["type"],
            "new": ["input", {"type": TEXTS, "new": {"string": "input"}}],
        },
        "named": {"type": fields[2]["type"], "new": {"k": 1.5}},
    }
    assert score("string", output, {"type": "Out", "new": new}, "é") == {
        "one": {"string": "é"},
        "many": [{"string": "é"}, {"map": {"string": "é"}}],
        "named": {"k": {"double": 1.5}},
    }


def test_cells_and_arguments():
    """What is put into a union, and read from there by ``cast`` and ``ifnotnull``."""
    cell = {"type": ["null", ENUM, "string"], "init": None}
    cases = [
        {"as": "null", "named": "x", "do": ["nothing"]},
        {"as": "E", "named": "x", "do": ["an enum"]},
        {"as": "string", "named": "x", "do": ["a string"]},
    ]
    function = {"params": [{"u": ["null", "E", "string"]}], "ret": "string"}
    function["do"] = {
        "cast": "u",
        "cases": [{**case, "do": {"string": case["do"][0]}} for case in cases],
    }
    more = {"cells": {"c": cell}, "fcns": {"f": function}}
    assert score("string", "string", {"u.f": "input"}, "A", **more) == "a string"
    action = [{"cell": "c", "to": "input"}, {"u.f": {"cell": "c"}}]
    assert score("string", "string", action, "A", **more) == "a string"


@pytest.mark.parametrize("record", [RECORD, SPACED])
def test_ifnotnull_takes_the_tag_off(record):
    action = {"ifnotnull": {"r": "input"}, "then": "r.a", "else": -1.0}
    model = pfa.load({"input": ["null", record], "output": "double", "action": action})
    assert model.score_batch([{"a": 2.5}, None]) == [2.5, -1.0]
    action = {
        "ifnotnull": {"x": {"upcast": TRY, "as": ["null", "double"]}},
        "then": "x",
        "else": -1.0,
    }
    assert score("int", "double", action, 3) == 3.0
