import json
import math
from typing import Any

import pytest

import pfa
from pfa.output import writer
from tests.pfa.avro_types import avro
from tests.pfa.test_check import ENUM, FIXED, record

numpy = pytest.importorskip("numpy")
NAN, INF = math.nan, math.inf
SPACED = record(("x", "double"), namespace="com.x")


def write(schema: Any, value: Any) -> Any:
    return writer(avro(schema))(value, "")


@pytest.mark.parametrize(
    ("schema", "value", "text"),
    [
        ("null", None, "null"),
        ("boolean", True, "true"),
        ("int", 3, "3"),
        ("int", 3.0, "3"),
        ("int", numpy.int64(3), "3"),
        ("long", 2**62 + 1, str(2**62 + 1)),
        ("double", 3, "3.0"),
        ("double", numpy.float64(0.1), "0.1"),
        ("double", numpy.int32(3), "3.0"),
        ("double", 1e22, "1e+22"),
        ("float", 3, "3.0"),
        ("string", "é\n", r'"\u00e9\n"'),
        ("bytes", "\u00ff", r'"\u00ff"'),
        ("bytes", b"\xff\x00", r'"\u00ff\u0000"'),
        (FIXED, b"ab", '"ab"'),
        (ENUM, "red", '"red"'),
        ({"type": "array", "items": "double"}, (1, 2.5), "[1.0, 2.5]"),
        ({"type": "map", "values": "double"}, {"b": 1, "a": 2}, '{"b": 1.0, "a": 2.0}'),
        (record(("x", "int"), ("y", "double")), {"y": 1, "x": 2}, '{"x": 2, "y": 1.0}'),
        # unions: tagged by the engine with the short name, with the full one, or not at all
        (["null", "double"], None, "null"),
        (["null", "double"], {"double": 1}, '{"double": 1.0}'),
        (["null", "double"], 1, '{"double": 1.0}'),
        (["double", "int"], 1, '{"int": 1}'),
        (["int", "double"], 1.0, '{"double": 1.0}'),
        (["int", "string"], 1.0, '{"int": 1}'),
        (["float", "double"], 1.5, '{"double": 1.5}'),
        (["float", "double", "long", "int"], 1, '{"int": 1}'),
        (["null", "double"], {"int": 1}, '{"double": 1.0}'),
        (["null", "float", "long"], {"int": 1}, '{"long": 1}'),
        (["bytes", FIXED, ENUM, "string"], "red", '{"string": "red"}'),
        (["bytes", FIXED, ENUM], "red", f'{{"{ENUM["name"]}": "red"}}'),
        (["bytes", FIXED], b"ab", f'{{"{FIXED["name"]}": "ab"}}'),
        (["bytes", FIXED], b"abc", '{"bytes": "abc"}'),
        (["null", SPACED], {"Rec": {"x": 1}}, '{"com.x.Rec": {"x": 1.0}}'),
        (["null", SPACED], {"com.x.Rec": {"x": 1}}, '{"com.x.Rec": {"x": 1.0}}'),
        (["null", SPACED], {"x": 1}, '{"com.x.Rec": {"x": 1.0}}'),
        (["string", {"type": "map", "values": "int"}], {"a": 1}, '{"map": {"a": 1}}'),
        (["string", {"type": "map", "values": "int"}], {"string": 1}, '{"map": {"string": 1}}'),
        ([ENUM, "string"], "blue", '{"string": "blue"}'),
        (["int", "boolean"], True, '{"boolean": true}'),
    ],
)
def test_written(schema, value, text):
    assert json.dumps(write(schema, value)) == text


MAP = {"type": "map", "values": {"type": "array", "items": "double"}}


@pytest.mark.parametrize(
    ("schema", "value", "place"),
    [
        ("double", NAN, "itself"),
        ("double", numpy.float64(INF), "itself"),
        ("float", -INF, "itself"),
        (MAP, {"a/b": [1.0, NAN]}, "at /a~1b/1"),
        (record(("x", "double")), {"x": INF}, "at /x"),
        (["null", "double"], {"double": NAN}, "at /double"),
        (["null", "string", "double"], NAN, "itself"),
        (
            [MAP, record(("a", {"type": "array", "items": "double"}))],
            {"Rec": {"a": [NAN]}},
            "at /Rec/a/0",
        ),
    ],
)
def test_not_finite(schema, value, place):
    with pytest.raises(pfa.ScoringError) as caught:
        write(schema, value)
    assert str(caught.value) == (
        f"The model's answer {place} is not a finite number (NaN or Infinity), which JSON cannot"
        " carry."
    )
    assert caught.value.code is None


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ("null", 0),
        ("boolean", 1),
        ("int", True),
        ("int", "1"),
        ("int", 1.5),
        ("int", 2**31),
        ("int", NAN),
        ("long", 2**63),
        ("double", True),
        ("double", "1"),
        ("double", None),
        ("double", 1 + 2j),
        ("double", 10**400),
        ("string", b"x"),
        ("string", "\ud800"),
        ("bytes", "\u0100"),
        (FIXED, "abc"),
        (ENUM, "blue"),
        ({"type": "array", "items": "int"}, {"a": 1}),
        ({"type": "map", "values": "int"}, [1]),
        ({"type": "map", "values": "int"}, {1: 1}),
        (record(("x", "int")), {}),
        (record(("x", "int")), {"y": 1}),
        (record(("x", "int")), {"x": 1, "y": 1}),
        (["null", "int"], "1"),
        (["null", "int"], {"int": "1"}),
        (["int", "string"], None),
    ],
)
def test_an_answer_that_is_not_of_its_type(schema, value):
    with pytest.raises(pfa.ScoringError, match=r"^The model's answer .* is "):
        write(schema, value)


def test_nothing_is_shared():
    value = {"a": [1.0]}
    made = write(MAP, value)
    made["a"].append(2.0)
    assert value == {"a": [1.0]}


def test_recursive_types():
    tree = record(("n", "int"), ("next", ["null", "Rec"]))
    assert write(tree, {"n": 1, "next": {"n": 2, "next": None}}) == {
        "n": 1,
        "next": {"Rec": {"n": 2, "next": None}},
    }
    deep: Any = None
    for _ in range(5000):
        deep = {"n": 1, "next": deep}
    with pytest.raises(pfa.ScoringError, match="too deeply"):
        write(tree, deep)
