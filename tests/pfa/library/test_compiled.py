"""Library functions inside each other, in documents: both engines give the same.

What a function writes here must stand wherever another one puts it: names that are assigned in an
expression, arguments that need statements first, functions within functions.
"""

import random
from typing import Any

import pytest

from pfa import compat, compiler
from tests.pfa.library.test_library import exact, value

DOUBLES = {"type": "array", "items": "double"}
INTS = {"type": "array", "items": "int"}
MAP = {"type": "map", "values": "double"}
RECORD = {
    "type": "record",
    "name": "In",
    "fields": [
        {"name": "x", "type": "double"},
        {"name": "y", "type": "double"},
        {"name": "i", "type": "int"},
        {"name": "j", "type": "int"},
        {"name": "a", "type": DOUBLES},
        {"name": "b", "type": INTS},
        {"name": "m", "type": MAP},
        {"name": "s", "type": "string"},
    ],
}


def of(params: dict[str, Any], ret: Any, *do: Any) -> dict[str, Any]:
    return {"params": [{name: t} for name, t in params.items()], "ret": ret, "do": list(do)}


def is_less(x: Any, y: Any) -> dict[str, Any]:
    return {"<": [x, y]}


VALUES = {"map.values": ["input.m"]}
TAIL = {"a.tail": ["input.a"]}
ROUNDED = {"m.round": [{"m.exp": ["x"]}]}
FUNCTIONS_WITHIN = {
    "a.map": [
        {"a.tail": [TAIL]},
        of(
            {"x": "double"},
            INTS,
            {"a.map": [{"a.init": ["input.b"]}, of({"x": "int"}, "int", {"+": ["x", "input.i"]})]},
        ),
    ]
}
WITH_STATEMENTS = {
    "a.filter": [
        "input.a",
        of(
            {"x": "double"},
            "boolean",
            {"let": {"y": {"m.sqrt": ["x"]}}},
            {"if": is_less("y", "input.x"), "then": True, "else": is_less("y", "input.y")},
        ),
    ]
}

LOW = of({"x": "double"}, "boolean", is_less({"m.ln": ["x"]}, "input.x"))

# the type of the answer, and the expression
EXPRESSIONS: list[tuple[Any, Any]] = [
    ("int", {"+": [{"*": ["input.i", "input.j"]}, {"-": ["input.i", {"u-": ["input.j"]}]}]}),
    ("int", {"*": [{"+": ["input.i", 1]}, {"%": ["input.i", {"//": ["input.j", 2]}]}]}),
    ("double", {"/": [{"/": ["input.x", "input.y"]}, {"/": ["input.y", {"m.ln": ["input.x"]}]}]}),
    ("double", {"max": [{"m.sqrt": ["input.x"]}, {"min": ["input.x", {"m.exp": ["input.y"]}]}]}),
    ("boolean", is_less({"+": ["input.x", 1]}, {"m.exp": [{"m.ln": ["input.y"]}]})),
    ("boolean", {"==": [is_less("input.x", "input.y"), is_less({"m.ln": ["input.x"]}, 0.5)]}),
    ("boolean", {">": [0.5, {"m.sin": ["input.x"]}]}),
    ("boolean", {"&&": [{">=": ["input.x", 1]}, {"a.contains": [{"a.sort": ["input.b"]}, 1]}]}),
    ({"type": "array", "items": INTS}, FUNCTIONS_WITHIN),
    (DOUBLES, WITH_STATEMENTS),
    (
        {"type": "array", "items": "long"},
        {"a.map": [TAIL, of({"x": "double"}, "long", ROUNDED)]},
    ),
    (
        "double",
        {
            "a.fold": [
                {"a.map": [TAIL, {"fcn": "m.exp"}]},
                {"a.head": ["input.a"]},
                of({"acc": "double", "x": "double"}, "double", {"max": ["acc", "x"]}),
            ]
        },
    ),
    ("double", {"a.reduce": ["input.a", {"fcn": "u.add"}]}),
    (
        MAP,
        {
            "map.map": [
                {"map.zipmap": ["input.m", "input.m", {"fcn": "u.add"}]},
                of({"x": "double"}, "double", {"/": ["x", {"a.sum": [VALUES]}]}),
            ]
        },
    ),
    (
        DOUBLES,
        {
            "a.zipmap": [
                {"a.tail": ["input.a"]},
                {"a.init": ["input.a"]},
                of({"x": "double", "y": "double"}, "double", {"-": ["x", "y"]}),
            ]
        },
    ),
    (
        {"type": "map", "values": DOUBLES},
        {
            "a.groupby": [
                "input.a",
                of(
                    {"x": "double"},
                    "string",
                    {"if": is_less("x", 1), "then": {"string": "low"}, "else": "input.s"},
                ),
            ]
        },
    ),
    ("string", {"map.argmax": [{"map.add": ["input.m", "input.s", {"m.abs": ["input.x"]}]}]}),
    (
        MAP,
        {
            "map.mapWithKey": [
                "input.m",
                of(
                    {"k": "string", "x_key": "double"}, "double", {"+": [{"s.len": ["k"]}, "x_key"]}
                ),
            ]
        },
    ),
    # an outer variable with the name of a key that is written out
    (
        {"type": "array", "items": MAP},
        {
            "a.map": [
                "input.a",
                of(
                    {"x_key": "double"},
                    MAP,
                    {"map.map": ["input.m", of({"x": "double"}, "double", {"-": ["x", "x_key"]})]},
                ),
            ]
        },
    ),
    # the same name for parameters of functions within each other
    (
        {"type": "array", "items": DOUBLES},
        {
            "a.map": [
                "input.a",
                of(
                    {"x": "double"},
                    DOUBLES,
                    {"a.map": ["input.a", of({"x": "double"}, "double", {"+": ["x", "x"]})]},
                ),
            ]
        },
    ),
    ("int", {"a.count": [TAIL, LOW]}),
    ("boolean", {"a.any": [TAIL, LOW]}),
    ("boolean", {"a.all": ["input.a", LOW]}),
    ("int", {"a.index": ["input.a", of({"x": "double"}, "boolean", is_less("x", "input.x"))]}),
    ("int", {"a.argmax": [{"a.map": ["input.a", {"fcn": "m.floor"}]}]}),
    ("double", {"a.mode": [{"a.concat": ["input.a", {"a.append": ["input.a", "input.x"]}]}]}),
    ("int", {"cast.int": [{"**": ["input.i", "input.j"]}]}),
]


def outcome(engine: Any, record: Any) -> Any:
    try:
        return exact(engine.action(record))
    except Exception as error:
        return type(error).__name__, str(error), getattr(error, "code", None)


@pytest.mark.parametrize("number", range(len(EXPRESSIONS)))
def test_both_engines_give_the_same(number: int) -> None:
    output, expression = EXPRESSIONS[number]
    document = {
        "input": RECORD,
        "output": output,
        "fcns": {"add": of({"x": "double", "y": "double"}, "double", {"+": ["x", "y"]})},
        "action": [expression],
    }
    stock, made = compat.engine(document), compiler.engine(document)
    assert made.fallback is None
    rng = random.Random(number)
    answers = 0
    for _ in range(100):
        record = value(RECORD, rng)
        for name in ("i", "j"):
            record[name] = max(-(2**31), min(record[name], 2**31 - 1))
        record["b"] = [max(-(2**31), min(x, 2**31 - 1)) for x in record["b"]]
        got, due = outcome(made, record), outcome(stock, record)
        assert got == due, (record, got, due)
        answers += not isinstance(due[0], str)
    assert answers


ARRAYS = {"type": "array", "items": DOUBLES}
ADD = of({"x": DOUBLES, "y": DOUBLES}, DOUBLES, {"la.add": ["x", "y"]})
TURNED = of({"x": DOUBLES, "y": DOUBLES}, DOUBLES, {"la.add": ["y", "x"]})
TWICE = of({"x": DOUBLES, "y": DOUBLES}, DOUBLES, {"la.add": ["y", "y"]})
MATRICES = {"type": "array", "items": ARRAYS}
OF_MATRICES = of({"x": ARRAYS, "y": ARRAYS}, ARRAYS, {"la.add": ["x", "y"]})


@pytest.mark.parametrize(
    ("given", "expression"),
    [
        (ARRAYS, {"a.reduce": ["input", ADD]}),
        (ARRAYS, {"a.reduce": ["input", TURNED]}),
        (ARRAYS, {"a.reduce": ["input", TWICE]}),
        (ARRAYS, {"a.fold": ["input", {"type": DOUBLES, "value": [1, 0.5]}, ADD]}),
        (ARRAYS, {"a.fold": ["input", {"a.last": ["input"]}, TURNED]}),
        (MATRICES, {"a.reduce": ["input", OF_MATRICES]}),
    ],
)
def test_sums_of_arrays(given: Any, expression: Any) -> None:
    output = ARRAYS if given == MATRICES else DOUBLES
    document = {"input": given, "output": output, "action": [expression]}
    stock, made = compat.engine(document), compiler.engine(document)
    assert made.fallback is None
    rng = random.Random(str(expression))

    def drawn(schema: Any, sizes: list[int]) -> Any:
        if schema == "double":
            return value("double", rng)
        size = sizes[0] if rng.random() < 0.97 else rng.randrange(4)
        return [drawn(schema["items"], sizes[1:]) for _ in range(size)]

    answers = 0
    for _ in range(300):
        record = drawn(given, [rng.choice([0, 1, 2, 5, 40]), 2, 2])
        got, due = outcome(made, record), outcome(stock, record)
        assert got == due, (record, got, due)
        answers += not isinstance(due[0], str)
    assert 100 < answers < 300
