"""Types that took titus minutes, though the document is small."""

import itertools
import json

import pytest

from pfa import compat
from pfa.compat.avro_types import in_order
from pfa.compat.loader import load
from pfa.deadline import deadline

datatype = load("titus.datatype")
errors = load("titus.errors")
LOADING = 10  # seconds
ITEMS_OF_TREE = {"type": "array", "items": "Tree"}


def document(**parts):
    return {"input": "int", "output": "int", "action": ["input"], **parts}


def diamond(records):
    """Records, each with two fields of the next."""
    inner = "double"
    for i in range(records, 0, -1):
        second = f"R{i + 1}" if i < records else "double"
        fields = [{"name": "a", "type": inner}, {"name": "b", "type": second}]
        inner = {"type": "record", "name": f"R{i}", "fields": fields}
    return inner


def test_types_with_shared_parts_are_compared_once():
    with deadline(LOADING):
        compat.engine(document(input=diamond(40), output="R1"))
        with pytest.raises(errors.PFASemanticException, match="inferred output type"):
            compat.engine(document(input=diamond(40), output="R1", action=["input.b"]))


@pytest.mark.parametrize("method", ["map", "emit"])
def test_a_function_of_types_with_shared_parts(method):
    same = {"params": [{"x": "R1"}], "ret": "R1", "do": "x"}
    last = {"emit": {"u.f": "input"}} if method == "emit" else {"u.f": "input"}
    action = [{"attr": {"u.f": "input"}, "path": [["a"], ["b"]]}, last]
    with deadline(LOADING):
        compat.engine(
            document(input=diamond(40), output="R1", fcns={"f": same}, action=action, method=method)
        )


def test_a_function_of_a_recursive_type():
    """titus lost the fields of the inner type."""
    tree = {
        "type": "record",
        "name": "Tree",
        "fields": [{"name": "n", "type": "int"}, {"name": "more", "type": ITEMS_OF_TREE}],
    }
    same = {"params": [{"x": "Tree"}], "ret": "Tree", "do": "x"}
    deep = {"attr": {"u.f": "input"}, "path": [["more"], 0, ["n"]]}
    engine = compat.engine(document(input=tree, fcns={"f": same}, action=[deep]))
    assert engine.action({"n": 1, "more": [{"n": 2, "more": []}]}) == 2


def test_large_unions_that_do_not_match():
    numbers = [record(f"R{i}", "int") for i in range(20)]
    wanted = [*[f"R{i}" for i in range(19)], "string"]
    function = {"params": [{"x": wanted}], "ret": "int", "do": 1}
    parts = document(input=numbers, fcns={"f": function}, action=[{"u.f": "input"}])
    with deadline(LOADING), pytest.raises(errors.PFASemanticException):
        compat.engine(parts)
    function["params"] = [{"x": [f"R{i}" for i in reversed(range(20))]}]
    compat.engine(parts)


def record(name, *fields, **more):
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": f"f{i}", "type": of} for i, of in enumerate(fields)],
        **more,
    }


def test_a_record_type_accepts_itself_and_no_other():
    parse = datatype.jsonNodeToAvroType
    one, same = parse(record("R", "int")), parse(record("R", "int"))
    wider, other = parse(record("R", "double")), parse(record("S", "int"))
    assert one.accepts(one)
    assert one.accepts(same)
    assert same.accepts(one)
    assert wider.accepts(one)
    assert not one.accepts(wider)
    assert not one.accepts(other)
    assert not one.accepts(datatype.AvroInt())


def test_fields_are_those_of_the_schema():
    of = datatype.jsonNodeToAvroType(record("R", "int", "string"))
    assert [each.name for each in of.fields] == ["f0", "f1"]
    assert list(of.fieldsDict) == ["f0", "f1"]
    assert of.field("f1").avroType == datatype.AvroString()
    assert of.fields is of.fields
    with pytest.raises(KeyError):
        of.field("f2")


def test_many_fields_that_are_all_read():
    of = record("R", *["int"] * 4000)
    with deadline(LOADING):
        compat.engine(document(input=of, action=[f"input.f{i}" for i in range(4000)]))


@pytest.mark.parametrize("order", [1, -1])
def test_types_may_come_in_any_order(order):
    cells = {}
    for i in range(100)[::order]:
        of = record(f"R{i}", f"R{i + 1}" if i < 99 else "int")
        cells[f"c{i}"] = {"type": {"type": "array", "items": of}, "init": []}
    with deadline(LOADING):
        compat.engine(document(cells=cells))


def test_a_long_chain_of_types_is_quick_or_refused():
    cells = {
        f"c{i}": {"type": record(f"R{i}", f"R{i + 1}" if i < 1999 else "int"), "init": {}}
        for i in range(2000)
    }
    with deadline(LOADING), pytest.raises(errors.PFAInitializationException, match="too deeply"):
        compat.engine(document(cells=cells))


def test_order():
    schemas = [
        record("a.A", "B", {"type": "array", "items": "b.C"}),
        record("B", {"type": "map", "values": ["null", "D"]}),
        record("b.C", {"type": "enum", "name": "D", "symbols": ["x"]}),
        {"type": "fixed", "name": "F", "size": 2},
        "a.A",
        "int",
    ]
    for shuffled in itertools.permutations(map(json.dumps, schemas)):
        ordered = in_order(shuffled)
        assert sorted(ordered) == sorted(shuffled)
        where = {json.dumps(schema): i for i, schema in enumerate(schemas)}
        found = [where[text] for text in ordered]
        for first, then in ((2, 1), (1, 0), (2, 0), (0, 4)):
            assert found.index(first) < found.index(then)


@pytest.mark.parametrize(
    "schema",
    [
        record("A", "A"),
        ["A", "B"],
        {"type": "record", "name": 1, "fields": {"x": 1}},
        {"type": {"type": {"type": "A"}}},
        {"type": "record"},
        [[[]]],
        None,
        {"fields": [1, None, {}]},
    ],
)
def test_order_of_what_is_no_schema(schema):
    texts = [json.dumps(schema), json.dumps(record("A", "B")), json.dumps(record("B", "A"))]
    assert sorted(in_order(texts)) == sorted(texts)


def with_defaults(records, default):
    """Records, each with two fields of the next; both have a default."""
    made = diamond(records)
    inner = made
    while isinstance(inner, dict):
        for field in inner["fields"]:
            field["default"] = 1.5 if field["type"] == "double" else default
        inner = inner["fields"][0]["type"]
    return made


@pytest.mark.parametrize(
    "parts",
    [
        {"input": with_defaults(40, {})},
        {"cells": {"c": {"type": with_defaults(40, {}), "init": {}}}},
        {"pools": {"p": {"type": with_defaults(40, {}), "init": {"k": {}}}}},
        {"action": [{"type": with_defaults(40, {}), "value": {}}, "input"]},
        {"input": record("R", "R") | {"fields": [{"name": "r", "type": "R", "default": {}}]}},
        {"input": {"type": "array", "items": with_defaults(14, {})}},
        {"input": [with_defaults(14, {"a": {}, "b": {"b": {}}}), "null"]},
    ],
)
def test_defaults_that_make_too_many_values(parts):
    with deadline(LOADING), pytest.raises(errors.AvroException, match="more than 10000 values"):
        compat.engine(document(**parts))


def test_defaults_inside_defaults():
    made = compat.engine(document(cells={"c": {"type": with_defaults(12, {}), "init": {}}}))
    value, depth = made.cells["c"].value, 0
    while value != 1.5:
        value, depth = value["b"], depth + 1
    assert depth == 12
    many = record("R") | {"fields": [{"name": "x", "default": [1.5] * 30_000}]}
    many["fields"][0]["type"] = {"type": "array", "items": "double"}
    compat.engine(document(input=many, action=[1]))


def test_cast_to_a_map():
    of = {"type": "map", "values": "int"}
    cases = [
        {"as": of, "named": "x", "do": {"attr": "x", "path": [["k"]]}},
        {"as": "null", "named": "x", "do": -1},
    ]
    engine = compat.engine(document(input=["null", of], action=[{"cast": "input", "cases": cases}]))
    assert engine.action({"map": {"k": 4}}) == 4
    assert engine.action(None) == -1
