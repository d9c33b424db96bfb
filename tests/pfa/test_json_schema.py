"""The JSON Schema says what the check accepts, and what the writer writes."""

import copy
import json
import math
from typing import Any

import jsonschema
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import pfa
from pfa.check import checker
from pfa.json_schema import input_schema, output_schema
from pfa.output import writer
from tests.pfa.avro_types import avro, json_values, types, values
from tests.pfa.test_check import ENUM, FIXED, record

SETTINGS = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
Validator = jsonschema.Draft202012Validator


def accepts(node: Any, value: Any) -> bool:
    try:
        checker(node)(value)
    except pfa.InputError:
        return False
    return True


@SETTINGS
@given(st.data())
def test_tagged_values_are_accepted_and_written_back(data):
    """A value with all its tags is right, means what it says, and both schemas agree."""
    node = avro(data.draw(types()))
    value = data.draw(values(node, tagged=True))
    made = checker(node)(value)
    schema = input_schema(node)
    Validator.check_schema(schema)
    Validator(schema).validate(value)
    written = writer(node)(made, "")
    Validator(output_schema(node)).validate(written)
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    again = checker(node)(written)  # the answer is an input of the same type, with the same tags
    assert writer(node)(again, "") == written


@SETTINGS
@given(st.data())
def test_accepted_values_are_valid(data):
    node = avro(data.draw(types()))
    value = data.draw(values(node) | json_values())
    assume(accepts(node, value))
    Validator(input_schema(node)).validate(value)


@SETTINGS
@given(st.data())
def test_valid_values_are_accepted(data):
    """All that JSON Schema can say about types whose unions are [null, X], it says."""
    node = avro(data.draw(types(optional=True)))
    value = mutant(data, data.draw(values(node)))
    assume(sayable(value))
    assert accepts(node, value) == Validator(input_schema(node)).is_valid(value)


@SETTINGS
@given(st.data())
def test_wrong_places_are_places_of_the_value(data):
    """Each pointer leads to a part of the value, or to a key that an object of it lacks."""
    node = avro(data.draw(types()))
    value = mutant(data, data.draw(values(node)))
    try:
        checker(node)(value)
    except pfa.InputError as error:
        assert error.count >= len(error.errors) > 0
        for place in error.errors:
            missing = place["detail"].startswith("missing")
            assert found(value, place["pointer"]) != missing, (place, value)


def found(value: Any, pointer: str) -> bool:
    assert pointer == "" or pointer[0] == "/"
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            value = value[int(key)]
            continue
        assert isinstance(value, dict)
        # a key with half of a surrogate pair is written with a replacement character
        keys = {k.encode("utf-16", "surrogatepass").decode("utf-16", "replace"): k for k in value}
        if key not in keys:
            return False
        value = value[keys[key]]
    return True


def sayable(value: Any) -> bool:
    """Whether the value holds nothing that the check refuses and JSON Schema cannot tell."""
    if isinstance(value, float):
        return math.isfinite(value) and (abs(value) < 2**53 or not value.is_integer())
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() == value
    if isinstance(value, dict):
        return all(sayable(k) and sayable(v) for k, v in value.items())
    return not isinstance(value, list) or all(map(sayable, value))


def mutant(data: st.DataObject, value: Any) -> Any:
    """The value with one place replaced by any JSON value, or one key added or dropped."""
    value = copy.deepcopy(value)
    parent: Any = [value]
    key: Any = 0
    while isinstance(parent[key], list | dict) and parent[key] and data.draw(st.booleans()):
        parent = parent[key]
        keys = list(parent) if isinstance(parent, dict) else range(len(parent))
        key = data.draw(st.sampled_from(list(keys)))
    how = data.draw(st.sampled_from(["replace", "drop", "add"]))
    inner = parent[key]
    if how == "drop" and isinstance(inner, dict) and inner:
        del inner[data.draw(st.sampled_from(list(inner)))]
    elif how == "add" and isinstance(inner, dict):
        inner["new"] = data.draw(json_values())
    else:
        parent[key] = data.draw(json_values())
        if inner is value:
            return parent[key]
    return value


def test_input():
    schema = record(
        ("a", "int"),
        ("b", ["null", "double"], None),
        ("c", ENUM),
        ("d", FIXED),
        ("e", {"type": "array", "items": "Rec"}),
        namespace="com.x",
        doc="What it is.",
    )
    schema["fields"][0]["doc"] = "How many."
    assert input_schema(avro(schema)) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": "#/$defs/com.x.Rec",
        "$defs": {
            "com.x.Rec": {
                "description": "What it is.",
                "type": "object",
                "properties": {
                    "a": {
                        "type": "integer",
                        "minimum": -(2**31),
                        "maximum": 2**31 - 1,
                        "description": "How many.",
                    },
                    "b": {
                        "anyOf": [
                            {"type": "null"},
                            tagged("null", {"type": "null"}),
                            number := {
                                "type": "number",
                                "minimum": -1.7976931348623157e308,
                                "maximum": 1.7976931348623157e308,
                            },
                            tagged("double", number),
                        ],
                        "default": None,
                    },
                    "c": {"$ref": "#/$defs/com.x.Colour"},
                    "d": {"$ref": "#/$defs/com.x.Two"},
                    "e": {"type": "array", "items": {"$ref": "#/$defs/com.x.Rec"}},
                },
                "additionalProperties": False,
                "required": ["a", "c", "d", "e"],
            },
            "com.x.Colour": {"enum": ["red", "green"]},
            "com.x.Two": {
                "type": "string",
                "pattern": "^[\\u0000-\\u00ff]*$",
                "minLength": 2,
                "maxLength": 2,
            },
        },
    }


def tagged(tag: str, inner: Any) -> Any:
    return {
        "type": "object",
        "properties": {tag: inner},
        "required": [tag],
        "additionalProperties": False,
    }


def test_output_unions_have_the_full_name():
    node = avro(["null", record(("x", "string", "y"), namespace="com.x")])
    schema = output_schema(node)
    assert schema["anyOf"] == [
        {"type": "null"},
        tagged("com.x.Rec", {"$ref": "#/$defs/com.x.Rec"}),
    ]
    assert schema["$defs"]["com.x.Rec"]["required"] == ["x"]  # an answer has its defaults too


def test_size_is_linear():
    json_type: Any = "int"
    for level in range(60):
        inner = (
            {"type": "array", "items": json_type}
            if level % 2
            else {"type": "map", "values": json_type}
        )
        json_type = ["null", inner]
    node = avro(record(("x", json_type, None)))
    for made in (input_schema(node), output_schema(node)):
        Validator.check_schema(made)
        assert len(json.dumps(made)) < 30_000
    assert checker(node)({}) == {"x": None}
