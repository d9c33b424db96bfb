"""Cells are read in one pass, with the values and errors of titus's own routine."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pfa.compat import engine
from pfa.compat.loader import load
from scripts.make_forest import forest
from scripts.sample import DATA

datatype = load("titus.datatype")

NAMES = ("A", "B", "C")
NODE = {
    "type": "record",
    "name": "Node",
    "fields": [
        {"name": "cut", "type": "double"},
        {"name": "low", "type": ["Node", "double"]},
        {"name": "high", "type": ["Node", "double"], "default": {"double": 0.5}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["x", "y"]}},
        {"name": "note", "type": ["null", "string", {"type": "fixed", "name": "Id", "size": 2}]},
        {"name": "counts", "type": {"type": "map", "values": "int"}},
        {"name": "raw", "type": "bytes"},
        {"name": "gone", "type": "null"},
        {"name": "all", "type": {"type": "array", "items": ["boolean", "long", "float"]}},
    ],
}


def by_titus(avro_type, value):
    """titus's routine, calling itself and not ours."""
    module = titus_alone()
    return module["jsonDecoder"](avro_type, value)


def titus_alone() -> dict:
    """A namespace like titus.datatype's in which jsonDecoder is the stock one."""
    namespace = dict(vars(datatype))
    stock = next(
        cell.cell_contents
        for cell in datatype.jsonDecoder.__closure__[0].cell_contents.__closure__
        if getattr(cell.cell_contents, "__name__", "") == "jsonDecoder"
    )
    namespace["jsonDecoder"] = type(stock)(
        stock.__code__, namespace, "jsonDecoder", stock.__defaults__, stock.__closure__
    )
    return namespace


def outcome(decode, avro_type, value):
    try:
        return "value", repr(decode(avro_type, value))  # repr: 1 is not 1.0, and NaN is NaN
    except Exception as error:
        return type(error).__name__, str(error)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["x", "y", "ab", "", "12", "1.5", "nan", "é"]),
)
keys = st.sampled_from(
    [field["name"] for field in NODE["fields"]]
    + ["Node", "double", "string", "Id", "boolean", "long", "float", "null", "@", "more"]
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=9),
    max_leaves=25,
)


@st.composite
def nodes(draw, depth=0):
    """A value of NODE, now and then with a fault."""
    child = st.just({"double": 1.5}) if depth > 2 else nodes(depth + 1).map(lambda n: {"Node": n})
    good = {
        "cut": draw(st.floats(allow_nan=False) | st.integers(-9, 9)),
        "low": draw(child),
        "high": draw(child),
        "kind": draw(st.sampled_from(["x", "y"])),
        "note": draw(st.sampled_from([None, {"string": "s"}, {"Id": "ab"}, {"null": None}])),
        "counts": draw(st.dictionaries(st.text(max_size=2), st.integers(), max_size=2)),
        "raw": draw(st.text(max_size=2)),
        "gone": None,
        "all": draw(st.lists(st.sampled_from([{"long": 1}, {"float": 2}, {"boolean": True}]))),
    }
    fault = draw(st.integers(0, 30))
    if fault < 9:
        del good[draw(st.sampled_from(sorted(good)))]
    elif fault < 14:
        good[draw(st.sampled_from(sorted(good)))] = draw(values)
    return good


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(nodes(), values))
def test_values_and_errors_are_those_of_titus(value):
    avro_type = datatype.jsonNodeToAvroType(NODE)
    before = repr(value)
    ours = outcome(datatype.jsonDecoder, avro_type, value)
    assert ours == outcome(by_titus, avro_type, value)
    assert repr(value) == before


@pytest.mark.parametrize("schema", ["null", "boolean", "int", "long", "float", "double", "string"])
@pytest.mark.parametrize("value", [None, True, 1, 1.5, "1", "x", [], {}, 10**400])
def test_scalars_are_those_of_titus(schema, value):
    avro_type = datatype.jsonNodeToAvroType(schema)
    assert outcome(datatype.jsonDecoder, avro_type, value) == outcome(by_titus, avro_type, value)


@pytest.mark.parametrize("path", sorted((DATA / "r_models").glob("*.pfa")), ids=lambda p: p.stem)
def test_cells_of_r_s_models_are_those_of_titus(path):
    document = {"name": "a", **json.loads(path.read_text("utf-8"))}
    made = engine(document)
    for name, cell in made.cells.items():
        avro_type = made.config.cells[name].avroType
        expected = by_titus(avro_type, document["cells"][name]["init"])
        assert repr(cell.value) == repr(expected)


def test_no_cell_value_is_shared_with_the_document():
    document = forest(trees=2)
    kept = copy.deepcopy(document)
    made = engine(document)
    made.cells["forest"].value[0]["field"] = "changed"
    assert document == kept


def with_cell(avro_type, init, **more) -> dict:
    return {
        "name": "a",
        "input": "null",
        "output": avro_type,
        "cells": {"c": {"type": avro_type, "init": init, **more}},
        "action": {"cell": "c"},
    }


def test_locator_marks_are_left_out_wherever_they_stand():
    table = {"type": "map", "values": {"type": "map", "values": ["null", "int"]}}
    init = {"a": {"@": "line 3", "x": {"@": "line 4", "int": 1}}, "@": "line 2"}
    assert engine(with_cell(table, init)).action(None) == {"a": {"x": {"int": 1}}}


@pytest.mark.parametrize("init", [None, 0, "", [], {}, False])
def test_a_cell_may_begin_with_anything_empty(init):
    kinds = {dict: {"type": "map", "values": "int"}, list: {"type": "array", "items": "int"}}
    names = {type(None): "null", int: "int", str: "string", bool: "boolean"}
    assert engine(with_cell(kinds.get(type(init)) or names[type(init)], init)).action(None) == init


@pytest.mark.parametrize("missing", ["type", "init"])
def test_a_cell_without_its_parts_is_refused(missing):
    document = with_cell({"type": "array", "items": "int"}, [1])
    del document["cells"]["c"][missing]
    with pytest.raises(Exception, match="wrong set of fields for a cell"):
        engine(document)


def test_a_wrong_value_is_refused_with_its_schema():
    with pytest.raises(Exception, match="does not match schema int"):
        engine(with_cell({"type": "array", "items": "int"}, [1, "one"]))


def test_the_text_of_a_cell_can_be_had_before_and_after_it_is_decoded():
    reader = load("titus.reader")
    document = with_cell({"type": "array", "items": "double"}, [1.5, 2.5])
    cell = reader.jsonToAst(document).cells["c"]
    assert (cell.init, cell.initJsonNode) == ("[1.5, 2.5]", [1.5, 2.5])
    assert reader.jsonToAst(document).cells["c"] == cell
    loaded = engine(document).config.cells["c"]
    assert (loaded.init, loaded.initJsonNode) == ("[1.5, 2.5]", [1.5, 2.5])


def test_shared_cells_begin_alike():
    made = engine(with_cell({"type": "array", "items": "int"}, [1, 2], shared=True))
    assert made.action(None) == [1, 2]


def test_the_engine_holds_one_copy_of_a_large_value():
    made = engine(forest(trees=2))
    assert vars(made.config.cells["forest"])["_parsed"] is made.cells["forest"].value


@pytest.mark.parametrize(
    ("of", "default", "made"),
    [
        ("int", 3, 3),
        (["null", "int"], None, None),
        (["int", "null"], 3, {"int": 3}),
        (["int", "null"], {"int": 3}, {"int": 3}),
        ({"type": "array", "items": "int"}, [1], [1]),
        ("null", None, None),
    ],
)
def test_defaults_of_fields(of, default, made):
    field = {"name": "x", "type": of, "default": default}
    cell_type = {"type": "record", "name": "R", "fields": [{"name": "y", "type": "int"}, field]}
    document = {"input": "int", "output": "int", "action": "input"}
    document["cells"] = {"c": {"type": cell_type, "init": {"y": 1}}}
    assert engine(document).cells["c"].value == {"y": 1, "x": made}
