import pytest

import pfa
from gate import policy

DRAW = {"rand.uuid4": []}
F = {"params": [{"x": "double"}], "ret": "double", "do": "x"}


def graph_of(**parts):
    model = pfa.load({"input": "double", "output": "double", "action": "input", **parts})
    return model.engines.start(lambda _: None).callGraph


def words(graph, *refuse, seeded=False):
    return [it.words for it in policy.found(graph, seeded, refuse)]


def test_nothing():
    assert words(graph_of(action={"+": ["input", {"m.exp": "input"}]})) == []
    assert not policy.is_random(graph_of())


HIDDEN = {
    "action": {"action": [DRAW, "input"]},
    "begin": {"begin": [DRAW]},
    "end": {"end": [DRAW]},
    "function": {"fcns": {"f": {**F, "do": [DRAW, "x"]}}},
    "inline function": {
        "action": {
            "a.max": {
                "a.map": [
                    {"type": {"type": "array", "items": "double"}, "value": [1.0]},
                    {**F, "do": [DRAW, "x"]},
                ]
            }
        }
    },
    "cell's function": {
        "cells": {"c": {"type": "double", "init": 0.0}},
        "action": {"cell": "c", "to": {**F, "do": [DRAW, "x"]}},
    },
    "condition": {"action": {"if": {"==": [DRAW, ["a"]]}, "then": "input", "else": 1.0}},
    "path": {
        "cells": {"c": {"type": {"type": "map", "values": "double"}, "init": {}}},
        "action": {"cell": "c", "path": [DRAW]},
    },
    "ifnotnull": {
        "input": ["null", "double"],
        "action": {"ifnotnull": {"x": "input"}, "then": {"do": [DRAW, "x"]}, "else": 0.0},
    },
    "cast": {
        "input": ["string", "double"],
        "action": {
            "cast": "input",
            "cases": [
                {"as": "string", "named": "s", "do": [DRAW, 1.0]},
                {"as": "double", "named": "d", "do": "d"},
            ],
        },
    },
    "try": {"action": {"ifnotnull": {"x": {"try": {"do": [DRAW, 1.0]}}}, "then": "x", "else": 1.0}},
    "merge": {
        "method": "fold",
        "zero": 0.0,
        "merge": [DRAW, {"+": ["tallyOne", "tallyTwo"]}],
    },
}


@pytest.mark.parametrize("parts", HIDDEN.values(), ids=HIDDEN)
def test_calls_are_found_wherever_they_are(parts):
    graph = graph_of(**parts)
    assert policy.is_random(graph)
    found = policy.found(graph, False, ["randomness"])[0]
    assert "rand.uuid4" in found.words
    assert "without" in found.words
    assert found.refused == ("randomness",)


@pytest.mark.parametrize(
    "action",
    [
        [{"let": {"rand": ["rand.gaussian"]}}, "input"],
        [{"let": {"x": {"type": {"type": "map", "values": "int"}, "value": {"log": 1}}}}, "input"],
        [{"doc": "rand.gaussian, log and while"}, "input"],
    ],
)
def test_literals_are_no_calls(action):
    assert words(graph_of(action=action), *policy.KINDS, "rand.", "log") == []


def test_shuffling_draws():
    array = {"type": {"type": "array", "items": "double"}, "value": [1.0, 2.0]}
    graph = graph_of(action={"a.head": {"a.shuffle": [array]}}, randseed=1)
    assert words(graph, seeded=True) == [
        "draws random numbers from its randseed, the same in each call (a.shuffle in action)"
    ]


def test_log_state_and_loops():
    step = {"i": {"+": ["i", 1]}}
    graph = graph_of(
        cells={"c": {"type": "double", "init": 0.0}},
        pools={"p": {"type": "double", "init": {}}},
        action=[
            {"log": ["input"]},
            {"cell": "c", "to": "input"},
            {"pool": "p", "path": [["k"]], "to": "input", "init": "input"},
            {"while": False, "do": "input"},
            {"do": "input", "until": True},
            {"for": {"i": 0}, "while": {"<": ["i", 3]}, "step": step, "do": "i"},
            {
                "foreach": "x",
                "in": {"type": {"type": "array", "items": "int"}, "value": []},
                "do": 1,
            },
            "input",
        ],
    )
    assert words(graph) == [
        "writes to the log (log in action), records perhaps",
        "changes cells or pools (cell-to in action, pool-to in action), which each call begins"
        " anew",
        "has loops without a bound (do-until in action, for in action, while in action)",
    ]
    found = policy.found(graph, False, ["side-effects", "loops"])
    assert [it.refused for it in found] == [("side-effects",), (), ("loops",)]


def test_recursion():
    def calling(*names):
        return {**F, "do": [*({f"u.{name}": ["x"]} for name in names), "x"]}

    fcns = {
        "self": calling("self"),
        "a": calling("b"),
        "b": calling("c", "leaf"),
        "c": calling("a"),
        "into": calling("a", "self"),
        "leaf": calling(),
        "by_reference": {
            **F,
            "do": {
                "a.max": {
                    "a.map": [
                        {"type": {"type": "array", "items": "double"}, "value": [1.0]},
                        {"fcn": "u.by_reference"},
                    ]
                }
            },
        },
    }
    graph = graph_of(fcns=fcns)
    assert policy.recursive(graph) == ["u.a", "u.b", "u.by_reference", "u.c", "u.self"]
    (found,) = policy.found(graph, False, ["recursion"])
    assert found.refused == ("recursion",)


def test_a_function_that_is_called_by_the_symbol_of_an_enum():
    enum = {"type": "enum", "name": "E", "symbols": ["f"]}
    call = {"call": {"type": enum, "value": "f"}, "args": ["x"]}
    assert policy.recursive(graph_of(fcns={"f": {**F, "do": call}})) == ["u.f"]


def test_long_chains():
    graph = {f"u.f{i}": {f"u.f{i + 1}"} for i in range(20_000)}
    assert policy.recursive(graph) == []
    graph["u.f20000"] = {"u.f19990"}
    assert len(policy.recursive(graph)) == 11


def test_beginnings_of_functions():
    graph = graph_of(action={"m.exp": {"m.ln": {"u.f": ["input"]}}}, fcns={"f": F})
    assert words(graph, "m.e") == ["calls m.exp in action"]
    assert words(graph, "u.") == ["calls u.f in action"]
    (found,) = policy.found(graph, False, ["m."])
    assert found == ("calls m.exp in action, m.ln in action", ("m.",))
