import copy
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gate.compatible import compare, compare_types
from pfa.check import checker
from pfa.errors import InputError
from pfa.schema import from_json, to_avro
from tests.pfa.avro_types import avro, types, values


def record(*fields, name="R"):
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name, of, **more):
    return {"name": name, "type": of, **more}


A = record(field("x", "int"), name="A")
B = record(field("x", "int"), field("y", "int"), name="B")
ENUM = {"type": "enum", "name": "E", "symbols": ["a", "b"]}
SMALLER = {**ENUM, "symbols": ["a"]}
FIXED = {"type": "fixed", "name": "F", "size": 2}


def array(items):
    return {"type": "array", "items": items}


def mapped(of):
    return {"type": "map", "values": of}


BREAKS = [  # live, new, words
    ("double", "string", "input: was double, is string"),
    ("double", "int", "input: was double, is int (32-bit)"),
    ("long", "int", "input: was long"),
    ("double", "float", "input: was double"),
    ("string", "bytes", "input: was string, is bytes"),
    ("string", ENUM, "input: was string, is one of the symbols"),
    (array("int"), array("string"), "input, items: was int"),
    (mapped("int"), mapped("string"), "input, values: was int"),
    (mapped("int"), array("int"), "input: was map of int, is array of int"),
    (ENUM, SMALLER, 'input: the symbols "b" are gone'),
    (FIXED, {**FIXED, "size": 3}, "input: was fixed F (text of exactly 2"),
    (
        record(field("age", "double")),
        record(field("age", "string")),
        'input field "age": was double, is string',
    ),
    (record(), record(field("age", "int")), 'input field "age": is new and has no default'),
    (record(field("age", "int")), record(), 'input field "age": is gone'),
    (
        record(field("age", "int", default=1)),
        record(field("age", "int")),
        'input field "age": had a default and has none',
    ),
    (
        record(field("who", record(field("age", "int"), name="W"))),
        record(field("who", record(field("age", "string"), name="W"))),
        'input field "who.age": was int',
    ),
    (
        record(field("xs", array(A))),
        record(field("xs", array({**A, "fields": []}))),
        'input field "xs", items field "x": is gone',
    ),
    (["null", "int"], "int", "input: null was accepted, now it has to be int"),
    (["null", "string"], ["null", "int"], "input: string was accepted"),
    (["null", A], ["null", B], "input: record A was accepted"),
    (["int", "string"], ["int", ENUM], "input: string was accepted"),
    (["null", A], ["null", A, {**A, "name": "C"}], "cannot be told from record C, which is new"),
    (["null", A], ["null", A, mapped("int")], "cannot be told from map, which is new"),
    (ENUM, [ENUM, {**ENUM, "name": "G"}], "cannot be told from enum G"),
]
FINE = [
    ("int", "double"),
    ("int", "long"),
    ("long", "float"),
    ("float", "double"),
    ("bytes", "string"),
    (SMALLER, ENUM),
    (array("int"), array("double")),
    (record(field("a", "int")), record(field("a", "double"))),
    (record(field("a", "int")), record(field("b", "int", default=3), field("a", "int"))),
    ("double", ["null", "double"]),
    (A, ["null", A]),
    (A, [A, "string"]),
    (["null", "int"], ["null", "int", "string"]),
    (["int", "null"], ["null", "int"]),
    ([A, B], [B, A]),
    ([A, mapped("int")], [A, mapped("int")]),
]


@pytest.mark.parametrize(("live", "new", "words"), BREAKS)
def test_input_that_breaks(live, new, words):
    found = compare(live, new, "input")
    assert any(words in each for each in found.breaks), found.breaks


@pytest.mark.parametrize(("live", "new"), FINE)
def test_input_that_does_not(live, new):
    found = compare(live, new, "input")
    assert (found.breaks, found.notes) == ([], [])


@pytest.mark.parametrize(
    ("live", "new", "words"),
    [
        (["null", "int"], ["null", "double"], "input, branch int: values that are sent with"),
        (["int", "double"], "double", "input, branch double: values that are sent with this tag"),
        (A, {**A, "name": "Z"}, "input: the name was A, is Z"),
        (["null", ENUM], ["null", ENUM, "string"], "texts without a tag now mean string"),
    ],
)
def test_input_that_is_noted(live, new, words):
    found = compare(live, new, "input")
    assert found.breaks == []
    assert any(words in each for each in found.notes), found.notes


@pytest.mark.parametrize(
    ("live", "new", "words"),
    [
        ("double", "string", "output: was double, is string"),
        ("int", "double", "output: was int"),
        ("string", ["null", "string"], "answers now come with a tag"),
        (["null", "string"], "string", "answers now come without a tag"),
        (["null", "int"], ["null", "string"], "answers can be string, which is new"),
        (["null", "double"], ["null", "int"], "answers can be int, which is new"),
        (SMALLER, ENUM, 'output: the symbols "b" are new'),
        (A, record(name="A"), 'output field "x": is gone'),
    ],
)
def test_output_that_breaks(live, new, words):
    found = compare(live, new, "output")
    assert any(words in each for each in found.breaks), found.breaks


@pytest.mark.parametrize(
    ("live", "new"),
    [
        ("double", "int"),
        ("string", "bytes"),
        (A, record(field("x", "int"), field("y", "string"), name="A")),
        (ENUM, SMALLER),
        (["null", "int", "string"], ["int", "null"]),
        (["null", "int"], "null"),
    ],
)
def test_output_that_does_not(live, new):
    found = compare(live, new, "output")
    assert (found.breaks, found.notes) == ([], [])


def test_recursive_types():
    def tree(of):
        return record(field("v", of), field("left", ["null", "T"]), name="T")

    assert compare(tree("int"), tree("double"), "input").breaks == []
    found = compare(tree("int"), tree("string"), "input").breaks
    assert found == ['input field "v": was int (32-bit), is string']


def test_wide_types_take_no_longer():
    """40 levels, each used twice: what was compared is not compared again."""

    def levels(of):
        made: Any = record(field("v", of), name="L0")
        for i in range(1, 40):
            made = record(field("a", made), field("b", made["name"]), name=f"L{i}")
        return made

    assert len(compare(levels("int"), levels("string"), "input").breaks) == 1


@given(types(depth=3))
@settings(max_examples=100, deadline=None)
def test_a_schema_is_compatible_with_itself(json):
    schema = to_avro(avro(json))
    for side in ("input", "output"):
        found = compare(schema, copy.deepcopy(schema), side)
        assert (found.breaks, found.notes) == ([], [])


@st.composite
def mutations(draw, json):
    """A schema with one or two changes somewhere, that may or may not be compatible."""
    json = copy.deepcopy(json)
    for _ in range(draw(st.integers(1, 2))):
        places = [*_places(["root", json], [])]
        holder, key = draw(st.sampled_from([(None, None), *places]))
        old = json if holder is None else holder[key]
        made = draw(_changed(old))
        if holder is None:
            json = made
        else:
            holder[key] = made
    return json


def _places(node, found):
    """Where types stand within a type."""
    if isinstance(node, list):
        for i, each in enumerate(node):
            if i or node[0] != "root":
                found.append((node, i))
            _places(each, found)
    elif isinstance(node, dict):
        for key in ("items", "values"):
            if key in node:
                found.append((node, key))
                _places(node[key], found)
        for each in node.get("fields", ()):
            found.append((each, "type"))
            _places(each["type"], found)
    return found


@st.composite
def _changed(draw, old):
    wider = {"int": "long", "long": "double", "float": "double", "bytes": "string"}
    choices = [st.sampled_from(["int", "double", "string", "null", "bytes"])]
    if isinstance(old, str) and old in wider:
        choices += [st.just(wider[old])] * 3
    if isinstance(old, list):
        more = [it for it in ("string", "double", mapped("int"), "int") if it not in old]
        choices += [st.just([*old, it]) for it in more]
        choices += [st.just(old[1:] or old), st.just(old[::-1])]
        extra = record(field("a", "int", default=1), name="Extra")
        choices += [st.just([*old, extra])]
    else:
        choices += [st.just([old, "null"]), st.just(["string", old] if old != "string" else old)]
    if isinstance(old, dict) and "fields" in old:
        added = {**old, "fields": [*old["fields"], field("new", "int", default=7)]}
        needed = {**old, "fields": [*old["fields"], field("new", "int")]}
        choices += [st.just(added)] * 2 + [st.just(needed)]
        choices += [st.just({**old, "fields": old["fields"][1:]})]
        choices += [st.just({**old, "fields": old["fields"][::-1]})]
    if isinstance(old, dict) and "symbols" in old:
        choices += [st.just({**old, "symbols": [*old["symbols"], "more"]})] * 2
        choices += [st.just({**old, "symbols": old["symbols"][:-1] or ["other"]})]
    if isinstance(old, dict) and "size" in old:
        choices += [st.just({**old, "size": old["size"] + 1})]
    return draw(st.one_of(choices))


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_what_is_accepted_today_is_accepted_by_a_compatible_schema(data):
    before = data.draw(types(depth=2), label="live")
    after = data.draw(mutations(before), label="new")
    live = avro(before)
    try:
        new = avro(after)
        check = checker(new)
    except Exception:  # a type twice in a union, a name that is gone, a default that does not fit
        assume(False)
    found = compare_types(live, new, "input")
    assume(not found.breaks)
    value = data.draw(values(live), label="value")
    try:
        checker(live)(value)
    except InputError:
        assume(False)  # it would need a tag
    if any("tag" in note for note in found.notes):
        assume(not _is_tagged(value))
    check(value)


def _is_tagged(value):
    if isinstance(value, dict):
        return len(value) == 1 or any(map(_is_tagged, value.values()))
    return isinstance(value, list) and any(map(_is_tagged, value))


def test_types_are_read_as_the_model_tells_them():
    assert to_avro(from_json(to_avro(avro(record(field("a", [A, "null"])))))) == to_avro(
        avro(record(field("a", [A, "null"])))
    )
