"""What the fuzzers caught, and deep nesting: each on both engines."""

import json

import pytest

from pfa import compat, compiler
from tests.pfa import shadow

MAKERS = (compat.engine, compiler.compiled)
INTS = {"type": "array", "items": "int"}
MAP = {"type": "map", "values": "int"}


def program(*action, output="int", given="int", **parts):
    return {"input": given, "output": output, "action": list(action), **parts}


def test_merge_writes_a_cell():
    """titus's search for nodes leaves merge out: the cell is no constant."""
    both = shadow.Shadow(
        program(
            {"cell": "n"},
            method="fold",
            zero=0,
            cells={"n": {"type": "int", "init": 0}},
            merge={"+": [{"cell": "n", "to": 5}, {"cell": "n"}]},
        )
    )
    assert both.merge(1, 2) == 10
    assert both.action(1) == 5


def test_begin_and_end_without_effect():
    both = shadow.Shadow(program("input", begin=["name"], end=[1, 2]))
    both.begin()
    assert both.action(3) == 3
    both.end()


@pytest.mark.parametrize("before", [[], [{"let": {"q": 0}}]])
def test_a_parameter_hides_another_argument(before):
    second = {"params": [{"z": "int"}, {"k": "int"}], "ret": "int", "do": [*before, "k"]}
    both = shadow.Shadow(
        program(
            {"let": {"z": "input"}},
            {"map.zipmap": ["z", "z", second]},
            given=MAP,
            output=MAP,
        )
    )
    assert both.action({"a": 1, "b": 2}) == {"a": 1, "b": 2}


def test_a_parameter_hides_what_a_function_in_another_argument_means():
    """A comprehension's variable and a function that reads the outer one of the same name."""
    inner = {
        "params": [{"a": "int"}],
        "ret": "int",
        "do": [{"let": {"c": {"cast.int": ["x"]}}}, {"+": ["a", "c"]}],
    }
    outer = {"params": [{"x": "int"}], "ret": "int", "do": {"*": ["x", 2]}}
    both = shadow.Shadow(
        program(
            {"let": {"x": {"a.len": ["input"]}}},
            {"a.map": [{"a.map": ["input", inner]}, outer]},
            given=INTS,
            output=INTS,
        )
    )
    assert both.action([1, 2]) == [6, 8]


@pytest.mark.parametrize("name", ["x", "y"])
def test_names_that_shadow_are_what_they_were_afterwards(name):
    of = ["null", "int"]
    body = [{"let": {"d": {"+": [name, 1]}}}, "d"]
    ifnotnull = {"ifnotnull": {name: "x"}, "then": body, "else": [0]}
    cases = [{"as": "int", "named": name, "do": body}, {"as": "null", "named": name, "do": [-1]}]
    both = shadow.Shadow(
        program(
            {"let": {"x": "input", "y": "input"}},
            {"let": {"a": ifnotnull}},
            {"let": {"b": {"cast": "x", "cases": cases}}},
            {"ifnotnull": {"x": "x", "y": "y"}, "then": {"+": ["a", {"+": ["b", "y"]}]}, "else": 7},
            given=of,
        )
    )
    assert both.action({"int": 3}) == 11
    assert both.action(None) == 7


@pytest.mark.parametrize("short_names", [False, True])
@pytest.mark.parametrize(
    "of, value",
    [
        ({"type": "record", "name": "T", "fields": [{"name": "x", "type": "int"}]}, {"x": 3}),
        ({"type": "enum", "name": "T", "symbols": ["a", "b"]}, "b"),
        ({"type": "fixed", "name": "T", "size": 2}, "ab"),
    ],
)
def test_ifnotnull_of_a_named_type(of, value, short_names):
    """It is compiled, by its short name or its full one: the shadow does not fall back."""
    action = {"ifnotnull": {"x": "input"}, "then": "x", "else": {"error": "null"}}
    document = program(action, given=["null", of], output="T")
    both = shadow.Shadow(document, short_names=short_names)
    assert both.action({"T": value}) == value


def test_a_null_of_a_union_in_cast():
    of = ["null", "string", "double"]
    cases = [
        {"as": "string", "named": "x", "do": [["text"]]},
        {"as": "double", "named": "x", "do": [["number"]]},
        {"as": "null", "named": "x", "do": [["null"]]},
    ]
    both = shadow.Shadow(program({"cast": "input", "cases": cases}, given=of, output="string"))
    answers = [both.action(value) for value in (None, {"string": "a"}, {"double": 1})]
    assert answers == ["null", "text", "number"]


def test_try_keeps_what_was_done_before_the_error():
    count = {"cell": "n", "to": {"params": [{"x": "int"}], "ret": "int", "do": {"+": ["x", 1]}}}
    body = [count, {"error": "stop", "code": -1}, count]
    both = shadow.Shadow(
        program(
            {"try": [{"do": body}, 1]},
            {"cell": "n"},
            cells={"n": {"type": "int", "init": 0}},
        )
    )
    assert [both.action(1), both.action(1)] == [1, 2]


def test_arguments_in_order_with_their_errors():
    def step(value):
        count = {"cell": "n", "to": {"+": [{"*": [{"cell": "n"}, 10]}, value]}}
        return {"do": [count, {"if": {"==": ["input", value]}, "then": {"error": "e"}}, value]}

    array = {"new": [step(1), step(2), step(3)], "type": INTS}
    both = shadow.Shadow(
        program({"a.len": [array]}, cells={"n": {"type": "int", "init": 0, "rollback": False}})
    )
    assert both.outcome("action", 2)[0] == "error"
    assert both.engines[0].cells["n"].value == 12
    assert both.action(9) == 3


def test_set_of_variables_from_different_blocks():
    """titus looks for all of them in one block, and raises an error without a text."""
    inside = [{"let": {"b": 2}}, {"set": {"a": "input", "b": "input"}}, {"+": ["a", "b"]}]
    document = program({"let": {"a": 1}}, {"if": True, "then": inside, "else": [0]})
    with pytest.raises(RuntimeError, match=r"^$"):
        compat.engine(document).action(5)
    assert compiler.compiled(document).action(5) == 10


def test_a_function_of_other_parameters_than_the_library_gives():
    """titus's type checker takes a.foldRight's (tally, item) although it calls (item, tally)."""
    function = {
        "params": [{"tally": "double"}, {"item": "string"}],
        "ret": "double",
        "do": {"if": {"<": ["item", ["b"]]}, "then": "tally", "else": 0.0},
    }
    texts = {"type": {"type": "array", "items": "string"}, "value": ["a"]}
    document = program({"a.foldRight": [texts, 1.5, function]}, "input")
    reference, compiled = (shadow.outcome(make(document).action, 1) for make in MAKERS)
    assert reference[0] == "error"
    assert compiled[0] in ("error", "value")


def nested(levels, wrap, inmost="input"):
    for level in range(levels):
        inmost = wrap(inmost, level)
    return inmost


WRAPS = {
    "if": lambda x, n: {"if": {">": ["input", n]}, "then": x, "else": n},
    "if in else": lambda x, n: {"if": {">": ["input", n]}, "then": n, "else": x},
    "if with statements": lambda x, n: {
        "if": {">": ["input", n]},
        "then": [{"let": {f"v{n}": n}}, x],
        "else": [n],
    },
    "call": lambda x, n: {"+": [x, 1]},
    "user function": lambda x, n: {"u.f": [x]},
    "do": lambda x, n: {"do": [{"let": {f"v{n}": n}}, x]},
    "array": lambda x, n: {"a.head": [{"new": [x, n], "type": INTS}]},
    "inline function": lambda x, n: {
        "a.head": [{"a.map": [{"new": [n], "type": INTS},
                              {"params": [{"z": "int"}], "ret": "int", "do": x}]}]
    },
    "try": lambda x, n: {"ifnotnull": {"y": {"try": [x]}}, "then": "y", "else": n},
    "foreach": lambda x, n: {
        "do": [{"foreach": f"w{n}", "in": {"new": [1], "type": INTS}, "do": [x]}, n]
    },
}  # fmt: skip
# The reference's own limit of brackets is lower for some.
LEVELS = {"inline function": (10, 20), "try": (2, 4), "foreach": (10, 18), "array": (10, 40)}


@pytest.mark.parametrize("name", WRAPS)
def test_deep_nesting(name):
    function = {"params": [{"x": "int"}], "ret": "int", "do": {"*": ["x", 1]}}
    for levels in LEVELS.get(name, (10, 30, 60, 90)):
        document = program(nested(levels, WRAPS[name]), fcns={"f": function})
        both = shadow.Shadow(json.loads(json.dumps(document)))
        for value in (0, 5, levels - 1, levels + 5):
            both.action(value)


@pytest.mark.parametrize("name", ["try", "foreach"])
def test_deeper_than_python_nests_blocks(name):
    """It may be left to the reference; it answers in any case."""
    document = program(nested(30, WRAPS[name]), fcns={})
    engine, reference = compiler.engine(document), compat.engine(document)
    for value in (0, 5, 29, 40):
        assert engine.action(value) == reference.action(value)
