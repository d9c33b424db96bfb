from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pfa
from pfa.schema import brief, expected, to_avro
from tests.pfa.avro_types import avro, types
from tests.pfa.test_check import ENUM, FIXED, record


@pytest.mark.parametrize(
    "json",
    [
        "double",
        {"type": "string", "logicalName": "kept"},
        ["null", "int"],
        {"type": "array", "items": {"type": "map", "values": "bytes"}},
        ENUM | {"doc": "a colour"},
        FIXED,
        record(("a", "int", 1), ("b", ["null", "string"], None), ("c", ENUM), doc="it's"),
        record(("n", "int"), ("next", ["null", "Rec"])),
        record(("n", ["null", "com.x.Rec"]), namespace="com.x"),
        record(("e", ENUM | {"namespace": "com.y"}), namespace="com.x"),
    ],
)
def test_avro_json_comes_back(json):
    assert to_avro(avro(json)) == json


def test_a_type_inside_a_namespaced_one_is_in_that_namespace():
    made = avro(record(("e", ENUM), namespace="com.x"))
    assert made.fields[0].type.full_name == "com.x.Colour"
    assert to_avro(made)["fields"][0]["type"]["namespace"] == "com.x"


@pytest.mark.parametrize(
    "branches",
    [
        [record(("x", "int"), namespace="com.x"), record(("y", "int"), namespace="com.y")],
        [ENUM | {"namespace": "com.x"}, "null", ENUM | {"namespace": "com.y"}],
        ["string", record(("x", "int"), name="string", namespace="com.x")],
    ],
)
def test_branches_that_the_engine_cannot_tell_apart(branches):
    with pytest.raises(pfa.DocumentError, match="cannot tell apart"):
        avro(branches)
    with pytest.raises(pfa.DocumentError, match="cannot tell apart"):
        pfa.load({"input": branches, "output": "int", "action": 1})


def test_one_without_namespace_stays_without():
    made = avro(record(("e", ENUM | {"namespace": ""}), namespace="com.x"))
    if made.fields[0].type.full_name == "Colour":
        assert to_avro(made)["fields"][0]["type"]["namespace"] == ""


@settings(max_examples=100, deadline=None, derandomize=True)
@given(types())
def test_avro_json_read_again_is_the_same(json: Any):
    written = to_avro(avro(json))
    assert to_avro(avro(written)) == written


@pytest.mark.parametrize("name", ["a.b", "a-b", "1a", "a b", "é", "a\n"])
def test_field_names(name):
    with pytest.raises(pfa.DocumentError, match="is not allowed: Avro names") as caught:
        avro(record((name, "int")))
    assert "\n" not in str(caught.value)
    assert ("cannot have dots" in str(caught.value)) == ("." in name)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(types(), st.integers(1, 400))
def test_texts_are_bounded(json: Any, times: int):
    node = avro(["null", *(record(name=f"{'R' * times}{i}") for i in range(times)), "string"])
    assert len(expected(node)) < 400
    assert len(brief(avro({"type": "array", "items": json}))) < 400
    assert len(expected(avro(json))) < 400
