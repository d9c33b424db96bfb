"""How untagged values find their branch; the rule is in pfa/check.py's docstring."""

import itertools
import json
from typing import Any

import pytest

from tests.pfa.test_check import ENUM, FIXED, check, record, wrong

A = record(("x", "double"), name="A")
B = record(("x", "double"), ("y", "double", 0), name="B")
C = record(("x", "double"), ("y", "double"), name="C")
SPACED = record(("x", "double"), name="Rec", namespace="com.x")
DOUBLES = {"type": "map", "values": "double"}
INTS = {"type": "array", "items": "int"}
COLOUR_2 = {"type": "enum", "name": "Colour2", "symbols": ["red", "blue"]}


@pytest.mark.parametrize(
    ("schema", "value", "made"),
    [
        (["null", "double"], None, None),
        (["null", "double"], {"null": None}, None),
        (["null", "double"], 1, {"double": 1.0}),
        (["null", "double"], {"double": 1}, {"double": 1.0}),
        (["null", "boolean", "int"], True, {"boolean": True}),
        (["null", "string", "double"], 0.02, {"double": 0.02}),
        (["null", "string", "double"], "null", {"string": "null"}),
        (["null", "int", "string"], "1", {"string": "1"}),
        # numbers: by how they are written, then by what holds them
        (["double", "float", "long", "int"], 5, {"int": 5}),
        (["double", "float", "long", "int"], 2**31, {"long": 2**31}),
        (["double", "float", "long", "int"], 2**63, {"double": 2.0**63}),
        (["int", "long", "float", "double"], 5.0, {"double": 5.0}),
        (["float", "double"], 5, {"double": 5.0}),
        (["int", "float"], 0.5, {"float": 0.5}),
        (["null", "int"], 5.0, {"int": 5}),
        (["null", "int", "long"], 2.0**40, {"long": 2**40}),
        (["int", "long"], {"long": 5}, {"long": 5}),
        # text: the string branch if there is one
        ([ENUM, "bytes", FIXED, "string"], "red", {"string": "red"}),
        ([ENUM, "string"], {"Colour": "red"}, {"Colour": "red"}),
        (["null", ENUM], "red", {"Colour": "red"}),
        (["null", "bytes"], "red", {"bytes": "red"}),
        ([ENUM, FIXED], "ab", {"Two": "ab"}),
        ([ENUM, COLOUR_2], "green", {"Colour": "green"}),
        # objects: one-key ones too
        (["null", DOUBLES], {"V1": 0.02}, {"map": {"V1": 0.02}}),
        (["null", DOUBLES], {}, {"map": {}}),
        (["null", DOUBLES], {"map": {"V1": 1}}, {"map": {"V1": 1.0}}),
        (["null", DOUBLES], {"map": 1}, {"map": {"map": 1.0}}),
        (["null", A], {"x": 1}, {"A": {"x": 1.0}}),
        (["null", A], {"A": {"x": 1}}, {"A": {"x": 1.0}}),
        ([A, C], {"x": 1, "y": 2}, {"C": {"x": 1.0, "y": 2.0}}),
        ([C, A], {"x": 1}, {"A": {"x": 1.0}}),
        ([A, {"type": "map", "values": "string"}], {"x": "1"}, {"map": {"x": "1"}}),
        (["null", SPACED], {"x": 1}, {"Rec": {"x": 1.0}}),
        (["null", SPACED], {"Rec": {"x": 1}}, {"Rec": {"x": 1.0}}),
        (["null", SPACED], {"com.x.Rec": {"x": 1}}, {"Rec": {"x": 1.0}}),
        (["null", INTS], [1, 2], {"array": [1, 2]}),
        (["null", INTS], {"array": [1, 2]}, {"array": [1, 2]}),
        # a tag that fits is a tag; one that does not may be a key
        (["double", DOUBLES], {"double": 1}, {"double": 1.0}),
        (
            ["double", {"type": "map", "values": "string"}],
            {"double": "1"},
            {"map": {"double": "1"}},
        ),
        (["string", {"type": "map", "values": "string"}], {"string": "a"}, {"string": "a"}),
        (
            ["double", record(("double", "string"), name="R")],
            {"double": "a"},
            {"R": {"double": "a"}},
        ),
        (["null", "int"], {"int": 1.0}, {"int": 1}),
        (["float", "double"], {"float": 1}, {"float": 1.0}),
    ],
)
def test_reading(schema, value, made):
    for order in itertools.permutations(schema):
        got = check(list(order), value)
        assert json.dumps(got) == json.dumps(made)


@pytest.mark.parametrize(
    ("schema", "value", "places"),
    [
        (["null", "double"], "1", {"": "expected null or double"}),
        (["null", "double"], True, {"": "expected null or double"}),
        (["null", "double"], {}, {"": "expected null or double"}),
        (["null", "double"], {"string": "a"}, {"": "expected null or double"}),
        (["null", "double"], {"double": 1, "x": 2}, {"": "expected null or double"}),
        (["null", "double"], {"double": "1"}, {"/double": "expected double"}),
        (["null", "double"], {"null": 1}, {"/null": "expected null"}),
        (["null", "double"], {"double": None}, {"/double": "expected double"}),
        (["int", "string"], 1.5, {"": "expected int or string"}),
        (["int", "string"], 2**31, {"": "expected int or string"}),
        (["null", A], {"y": 1}, {"/x": "missing field of type double", "/y": "unknown field"}),
        (["null", A], {"A": {"x": "1"}}, {"/A/x": "expected double"}),
        (["null", SPACED], {"com.x.Rec": {}}, {"/com.x.Rec/x": "missing field of type double"}),
        (["null", SPACED], {"com.y.Rec": {"x": 1}}, None),
        (["null", DOUBLES], {"a": 1, "b": "2"}, {"/b": "expected double"}),
        ([A, C], {"x": 1, "y": "2"}, {"/y": "expected double"}),
        ([A, C], {"z": 1}, {"/x": "missing field of type double", "/z": "unknown field"}),
        ([ENUM, FIXED], "abc", {"": "expected enum Colour or fixed Two"}),
        (
            ["null", "string"],
            "\udc00",
            {"": "expected null or string; the text holds half of a surrogate pair"},
        ),
    ],
)
def test_refused(schema, value, places):
    got = wrong(schema, value)
    assert got == places if places is not None else got


@pytest.mark.parametrize(
    ("schema", "value", "names"),
    [
        ([A, B], {"x": 1}, "record A and record B"),
        ([A, DOUBLES], {"x": 1}, "record A and map"),
        ([ENUM, COLOUR_2], "red", "enum Colour and enum Colour2"),
        ([ENUM, "bytes"], "red", "enum Colour and bytes"),
        (["bytes", FIXED], "ab", "bytes and fixed Two"),
    ],
)
def test_ambiguous(schema, value, names):
    (detail,) = wrong(schema, value).values()
    assert detail.startswith('expected a tag, {"')
    assert detail.endswith(f"for example: the value fits {names}")


def test_a_full_name_that_is_also_a_short_one():
    """The full name of one branch wins over the short name of another."""
    other = record(("x", "double"), name="Rec2", namespace="com.y")
    assert check([SPACED, other], {"com.y.Rec2": {"x": 1}}) == {"Rec2": {"x": 1.0}}


def nested_pair(depth: int, bottom: Any) -> tuple[Any, Any]:
    one = record(("v", ["null", "One", "Other"]), name="One")
    other = record(("v", ["null", "One", "Other"]), name="Other")
    value = bottom
    for _ in range(depth):
        value = {"v": value}
    return [record(("v", ["null", "One", other]), name="One"), "Other"] if one else other, value


@pytest.mark.parametrize("bottom", [None, 1])
def test_nested_unions_take_linear_time(bottom):
    """Two records that fit alike at every level: 2**60 readings, were each tried by itself."""
    schema, value = nested_pair(60, bottom)
    assert len(wrong(schema, value)) == 1


def test_tags_that_are_fields_take_linear_time():
    schema = ["null", record(("A", ["null", "A"]), name="A")]
    value: Any = 1
    for _ in range(60):
        value = {"A": value}
    assert len(wrong(schema, value)) == 1
