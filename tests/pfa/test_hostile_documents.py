"""Hostile documents: loading one ends in time, with a model that answers or a clear error."""

import json

import pytest

from pfa.compat import engine
from tests.pfa.hostile import Worker, document, function, kinds, nested


@pytest.fixture(scope="module")
def worker():
    made = Worker()
    yield made
    made.stop()


ARRAY = {"type": "array", "items": "int"}
PAIR = {"type": ARRAY, "value": [1, 2]}
DEPTHS = (30, 90, 1000, 100_000)
LATE = 60  # seconds


def text(start, end, inner="1"):
    """Text of an action in which something is in itself: json.dumps cannot write it."""

    def make(depth):
        action = start * depth + inner + end * depth
        return f'{{"input": "int", "output": "int", "action": [{action}]}}'

    return make


def types_text(depth):
    of = '{"type": "array", "items": ' * depth + '"int"' + "}" * depth
    return f'{{"input": {of}, "output": "int", "action": 1}}'


NESTED = {
    "+": text('{"+": [', ", 1]}"),
    "+ from the right": text('{"+": [1, ', "]}"),
    "s.len": text('{"s.len": {"s.int": ', "}}"),
    "if": text('{"if": true, "then": ', ', "else": 1}'),
    "else": text('{"if": {"<": ["input", 0]}, "then": 1, "else": ', "}"),
    "condition": text('{"if": {"==": [', ', 1]}, "then": 1, "else": 2}'),
    "cond": text('{"cond": [{"if": true, "then": ', '}], "else": 1}'),
    "do": text('{"do": [', "]}"),
    "do of several": text('{"do": [1, ', "]}"),
    "try": text('{"ifnotnull": {"x": {"try": ', '}}, "then": 1, "else": 2}'),
    "while": text('{"do": [{"while": false, "do": ', "}, 1]}"),
    "until": text('{"do": [{"do": ', ', "until": true}, 1]}'),
    "let": text('{"do": [{"let": {"x": ', '}}, "x"]}'),
    "attr": text(
        '{"attr": {"type": {"type": "array", "items": "int"}, "value": [1]}, "path": [', "]}"
    ),
    "attr to": text(
        '{"attr": {"type": {"type": "array", "items": "int"}, "value": [1]}, "path": [0], "to": ',
        "}",
    ),
    "new": text('{"a.head": {"type": {"type": "array", "items": "int"}, "new": [', "]}}"),
    "a.map": text(
        '{"a.head": {"a.map": [{"type": {"type": "array", "items": "int"}, "value": [1]}, {"params": [{"x": "int"}],'  # noqa: E501
        ' "ret": "int", "do": ',
        "}]}}",
    ),
    "a.fold": text(
        '{"a.fold": [{"type": {"type": "array", "items": "int"}, "value": [1]}, 0, {"params": [{"x": "int"},'  # noqa: E501
        ' {"y": "int"}], "ret": "int", "do": ',
        "}]}",
    ),
    "user function": lambda depth: text('{"u.f": [', "]}")(depth).replace(
        '"action"', '"fcns": {"f": {"params": [{"x": "int"}], "ret": "int", "do": "x"}}, "action"'
    ),
    "upcast": text('{"upcast": ', ', "as": "int"}'),
    "cast": text(
        '{"cast": {"upcast": ',
        ', "as": ["int", "string"]}, "cases": [{"as": "int", "named": "x", "do": 1}, {"as": "string", "named": "y", "do": 2}]}',  # noqa: E501
    ),
    "type": types_text,
    "brackets": text("[", "]"),
    "objects": text('{"x": ', "}"),
    "cell": lambda depth: (
        '{"input": "int", "output": "int", "action": 1, "cells": {"c": {"type": {"type": "record",'
        ' "name": "R", "fields": [{"name": "r", "type": ["null", "R"]}]}, "init": '
        + '{"r": {"R": ' * depth
        + '{"r": null}'
        + "}}" * depth
        + "}}}"
    ),
    "metadata": lambda depth: (
        '{"input": "int", "output": "int", "action": 1, "options": '
        + '{"x": ' * depth
        + "1"
        + "}" * depth
        + "}"
    ),
}


def variables(count):
    return document(
        {"let": {"x0": "input"}},
        *({"let": {f"x{i + 1}": {"+": [f"x{i}", 1]}}} for i in range(count)),
    )


def record_of(count):
    return {
        "type": "record",
        "name": "R",
        "fields": [{"name": f"field{i}", "type": "double"} for i in range(count)],
    }


def calls(fields, count):
    array = {"new": ["input"], "type": {"type": "array", "items": "R"}}
    lets = [{"let": {f"x{i}": {"a.head": [array]}}} for i in range(count)]
    return {"input": record_of(fields), "output": "int", "action": [*lets, 1]}


def chain(count):
    """Functions that call each other, the last one none."""
    fcns = {
        f"f{i}": function({"x": "int"}, "int", {f"u.f{i + 1}": ["x"]} if i < count - 1 else "x")
        for i in range(count)
    }
    return document({"u.f0": ["input"]}, fcns=fcns)


def layered(count):
    """Functions of which each calls the next one twice: 2 ** count calls."""
    fcns = {
        f"f{i}": function(
            {"x": "int"}, "int", {"+": [{f"u.f{i + 1}": ["x"]}] * 2} if i < count - 1 else "x"
        )
        for i in range(count)
    }
    return document({"u.f0": ["input"]}, fcns=fcns)


def halves(count, made=1):
    """A balanced expression of that many additions."""
    while count > 1:
        made, count = {"+": [made, made]}, count // 2
    return made


LARGE = {
    "variables": variables(300),
    "variables in one let": document({"let": {f"x{i}": i for i in range(500)}}),
    "unused functions": document(
        fcns={f"f{i}": function({"x": "int"}, "int", {"+": ["x", 1]}) for i in range(500)}
    ),
    "chain of functions": chain(500),
    "layered functions": layered(60),
    "parameters": document(
        {"u.f": ["input"] * 3000},
        fcns={"f": {"params": [{f"x{i}": "int"} for i in range(500)], "ret": "int", "do": "x0"}},
    ),
    "cells": document(
        *({"cell": f"c{i}"} for i in range(500)),
        cells={f"c{i}": {"type": "int", "init": i} for i in range(500)},
    ),
    "cells that are written": document(
        *({"cell": f"c{i}", "to": "input"} for i in range(500)),
        cells={f"c{i}": {"type": "int", "init": i} for i in range(500)},
    ),
    "pools": document(pools={f"c{i}": {"type": "int", "init": {}} for i in range(500)}),
    "expressions": document(*({"+": ["input", i]} for i in range(500))),
    "balanced expression": document(halves(256)),
    "new array": document({"new": ["input"] * 10_000, "type": ARRAY}),
    "new map": document(
        {"new": {f"k{i}": "input" for i in range(500)}, "type": {"type": "map", "values": "int"}}
    ),
    "cond": document(
        {"cond": [{"if": {"==": ["input", -i]}, "then": i} for i in range(1, 300)], "else": 0}
    ),
    "enum": document(
        {
            "let": {
                "x": {
                    "type": {"type": "enum", "name": "E", "symbols": [f"s{i}" for i in range(500)]},
                    "value": "s1",
                }
            }
        }
    ),
    "union": {
        "input": [{"type": "record", "name": f"R{i}", "fields": []} for i in range(300)],
        "output": "int",
        "action": 1,
    },
    "fields": {"input": record_of(300), "output": "int", "action": 1},
    "fields that are read": {
        "input": record_of(300),
        "output": "double",
        "action": [*(f"input.field{i}" for i in range(300))],
    },
    "copy of the input": {
        "input": record_of(500),
        "output": "R",
        "action": [{"new": {f"field{i}": f"input.field{i}" for i in range(500)}, "type": "R"}],
    },
    "type in many calls": calls(1000, 200),
    "smaller type in many calls": calls(100, 200),
    "type in many casts": {
        "input": record_of(300),
        "output": "int",
        "action": [
            *(
                {
                    "cast": {"upcast": "input", "as": ["null", "R"]},
                    "cases": [{"as": "R", "named": "x", "do": 1}],
                    "partial": True,
                }
                for _ in range(50)
            ),
            1,
        ],
    },
    "literal": document({"let": {"x": {"type": ARRAY, "value": list(range(100_000))}}}),
    "long text": document({"let": {"x": ["x" * 5_000_000]}}),
    "long name": document({"let": {"x" * 1_000_000: 1}}),
    "long function name": document(fcns={"f" * 100_000: function({}, "int", 1)}),
    "function name": document(
        {"u.a(" + ".bccccccccc)*8!": []},
        fcns={"a(" + ".bccccccccc" * 1000 + ")*!": function({}, "int", 1)},
    ),
    "digits": document({"let": {"x": 10**4000}}),
    "more digits": json.dumps(document("DIGITS")).replace('"DIGITS"', "1" * 5000),
    "pack format": document({"pack": [{" " * 100_000 + "int": 1}]}),
    "doc": document(doc="x" * 5_000_000),
    "doubled inline functions": document(
        nested(
            16,
            lambda inner: {
                "+": [{"a.sum": {"a.map": [PAIR, function({"x": "int"}, "int", inner)]}}, 1]
            },
            1,
        )
    ),
    "inline functions of three arrays": document(
        {"let": {"x": {"type": {"type": "array", "items": ARRAY}, "value": [[1]]}}},
        nested(
            8,
            lambda inner: {"a.map": [PAIR, function({"x": "int"}, ARRAY, {"do": [inner, PAIR]})]},
            1,
        ),
    ),
    "maxima of maxima": document(nested(30, lambda inner: {"max": [inner, 1]}, "input")),
    "division of division": document(nested(9, lambda inner: {"/": [inner, inner]}, "input")),
    "errors": document(
        *({"if": {"<": ["input", 0]}, "then": {"error": "x" * 1000}} for _ in range(500))
    ),
    "tries": document(*({"try": {"error": "x"}} for _ in range(500))),
    "loops": document(*({"while": False, "do": None} for _ in range(500))),
    "foreachs": document(*({"foreach": "x", "in": PAIR, "do": None} for _ in range(500))),
    "a.maps": document(
        *(
            {"a.map": [PAIR, function({"x": "int"}, "int", {"+": ["x", "input"]})]}
            for _ in range(300)
        )
    ),
    "a.folds": document(
        *(
            {"a.fold": [PAIR, 0, function({"x": "int", "y": "int"}, "int", {"+": ["x", "y"]})]}
            for _ in range(300)
        )
    ),
    "begin": document(begin=[{"+": [1, i]} for i in range(300)]),
}


def answered_or_refused(got):
    assert got["next"] == [2, 3, 4]
    assert got["seconds"] < LATE, got
    found = kinds(got)
    assert found in ({""}, {"DocumentError"}, {"InputError"}, {"ScoringError"}), got
    return found


@pytest.mark.parametrize("name", NESTED)
def test_deep_documents_are_read_or_refused(worker, name):
    for depth in DEPTHS:
        found = answered_or_refused(worker.run(NESTED[name](depth), 1, LATE))
    assert found == {"DocumentError"}


def record_for(hostile):
    given = isinstance(hostile, dict) and hostile["input"]
    if not isinstance(given, dict):
        return 1
    return {field["name"]: 1.0 for field in given["fields"]}


@pytest.mark.parametrize("name", LARGE)
def test_large_documents_are_read_or_refused(worker, name):
    slow = {"layered functions"}  # 2 ** 60 calls
    got = worker.run(LARGE[name], record_for(LARGE[name]), 1 if name in slow else LATE)
    if name in slow:
        assert kinds(got) == {"ScoringTimeout"}
    else:
        answered_or_refused(got)


ONE = {"type": ARRAY, "value": [1]}
MAPPED = {
    "a.map": lambda body: {"a.head": {"a.map": [ONE, function({"x": "int"}, "int", body)]}},
    "a.any": lambda body: {
        "if": {"a.any": [ONE, function({"x": "int"}, "boolean", {"==": [body, 1]})]},
        "then": 1,
        "else": 0,
    },
    "a.zipmap": lambda body: {
        "a.head": {"a.zipmap": [ONE, ONE, function({"x": "int", "y": "int"}, "int", body)]}
    },
}


def attempt(body):
    return {"ifnotnull": {"z": {"try": body}}, "then": "z", "else": 2}


@pytest.mark.parametrize("name", MAPPED)
@pytest.mark.parametrize("tries", [0, 6, 19])
def test_comprehensions_in_each_other(worker, name, tries):
    """More than 20 handlers of errors in each other would end the process."""
    for depth in (11, 12, 30):
        hostile = document(nested(tries, attempt, nested(depth, MAPPED[name], "input")))
        answered_or_refused(worker.run(hostile, 1, LATE))


# what generated code calls its own things
OWN_NAMES = """
    v_x t1 f_t1 k0_types c0_cell u1_f in_x1 out_x1 x0 self state record result score append pos _v
    error PFAEngine NO_MATCH class if None lambda import __class__ __init__ __builtins__ _
"""


@pytest.mark.parametrize("name", OWN_NAMES.split())
def test_names_of_generated_code(worker, name):
    record = {"type": "record", "name": f"R_{name}", "fields": [{"name": name, "type": "int"}]}
    enum = {"type": "enum", "name": f"E_{name}", "symbols": [name, "other"]}
    own = name if name[0] != "_" else f"f{name}"  # no part of a function's name begins so
    called = f"u.{own}"
    hostile = {
        "name": name,
        "input": record,
        "output": {"type": "array", "items": "int"},
        "cells": {name: {"type": "int", "init": 10}},
        "pools": {name: {"type": "int", "init": {}}},
        "fcns": {
            own: function({name: "int"}, "int", {"+": [name, 1]}),
            "h": function({"y": "int", name: "int"}, "int", {"+": ["y", name]}),
            "g": function({"x": "int"}, "int", {"let": {name: "x"}}, {called: [name]}),
        },
        "action": [
            {"let": {name: {"attr": "input", "path": [[name]]}}},
            {"let": {"symbol": {"type": enum, "value": name}}},
            {"let": {"again": {"new": {name: name}, "type": f"R_{name}"}}},
            {"cell": name, "to": function({name: "int"}, "int", {"+": [name, 1]})},
            {"pool": name, "path": [[name]], "to": 5, "init": 5},
            {
                "new": [
                    {called: [name]},
                    {"u.g": [name]},
                    {"cell": name},
                    {"pool": name, "path": [[name]]},
                    {"attr": "again", "path": [[name]]},
                    {
                        "if": {"==": ["symbol", {"type": f"E_{name}", "value": name}]},
                        "then": 1,
                        "else": 0,
                    },
                    {"a.sum": {"a.map": [PAIR, {"fcn": called}]}},
                    {"a.sum": {"a.map": [PAIR, {"fcn": "u.h", "fill": {name: 10}}]}},
                ],
                "type": {"type": "array", "items": "int"},
            },
        ],
    }
    got = worker.run(hostile, {name: 1}, LATE)
    assert got["answers"][0] == {"answer": engine(hostile).action({name: 1})}
    assert got["answers"][0] == {"answer": [2, 2, 11, 5, 1, 1, 5, 23]}
    assert got["fallback"] is None
