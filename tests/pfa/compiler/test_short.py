"""The short way of a record writes calls as expressions; its answers stay the reference's."""

import json
from typing import Any

import pytest

import pfa
from pfa import compat

ROW = {"type": "array", "items": "double"}
UNION = ["null", "string", "double"]
INPUT = {
    "type": "record",
    "name": "Input",
    "fields": [
        {"name": "rows", "type": {"type": "map", "values": UNION}},
        {"name": "keys", "type": {"type": "array", "items": "string"}},
        {"name": "some", "type": ["null", "double"]},
        {"name": "x", "type": "double"},
    ],
}
RECORD: dict[str, Any] = {
    "rows": {"a": 1.5, "b": None, "c": "k1_get_attr(a, b)"},
    "keys": ["a", "b", "c"],
    "some": 2.5,
    "x": 3.0,
}


def looked_up(*cases: tuple[str, Any]) -> dict[str, Any]:
    """A loop over keys with a cast of what is in the input under each."""
    chosen = [{"as": kind, "named": "y", "do": do} for kind, do in cases]
    cast = {"cast": {"attr": "input.rows", "path": ["key"]}, "cases": chosen}
    each = {"params": [{"key": "string"}], "ret": "double", "do": [{"let": {"z": cast}}, "z"]}
    return {"a.map": ["input.keys", each]}


TEXT_FIRST = looked_up(("string", {"s.len": ["y"]}), ("double", "y"), ("null", -1))
DOUBLE_FIRST = looked_up(("double", "y"), ("null", -1), ("string", {"s.len": ["y"]}))
SHADOWING = [
    {"let": {"y": {"attr": "input", "path": [["some"]]}}},
    {"let": {"z": {"ifnotnull": {"y": "y"}, "then": {"+": ["y", 1]}, "else": 0}}},
    {"let": {"u": {"cast": "y", "cases": [
        {"as": "null", "named": "y", "do": 0.5}, {"as": "double", "named": "y", "do": "y"}]}}},
    {"type": ROW, "new": ["z", "u", {"ifnotnull": {"w": "y"}, "then": "w", "else": 0}]},
]  # fmt: skip
OWN_INPUT = {"a.map": [
    {"type": {"type": "array", "items": UNION}, "new": [{"string": "double"}, {"double": 1}]},
    {"params": [{"input": UNION}], "ret": "double",
     "do": [{"let": {"z": {"cast": "input", "cases": [
        {"as": "string", "named": "y", "do": {"s.len": ["y"]}},
        {"as": "double", "named": "y", "do": "y"},
        {"as": "null", "named": "y", "do": 0}]}}}, "z"]},
]}  # fmt: skip
FUNCTION = {"type": ROW, "new": [{"u.f": ["input.x"]}, {"u.f": [{"u.f": ["input.x"]}]},
                                 {"**": ["input.x", 2]}, {"**": [-3, 2]}]}  # fmt: skip


def document(action: Any) -> dict[str, Any]:
    text = json.dumps(action)
    for name in ("rows", "some"):
        text = text.replace(f'["{name}"]', json.dumps({"string": name}))
    half = {"attr": {"type": {"type": "map", "values": "double"}, "new": {"{0}": "x"}},
            "path": [{"string": "{0}"}]}  # fmt: skip
    function = {"params": [{"x": "double"}], "ret": "double", "do": [{"+": ["x", half]}]}
    return {"input": INPUT, "output": ROW, "fcns": {"f": function}, "action": json.loads(text)}


@pytest.mark.parametrize("action", [TEXT_FIRST, DOUBLE_FIRST, SHADOWING, OWN_INPUT, FUNCTION])
@pytest.mark.parametrize("some", [2.5, None])
def test_the_short_way_answers_as_the_reference(action: Any, some: float | None) -> None:
    record = {**RECORD, "some": some}
    tagged = {k: None if v is None else {_tag(v): v} for k, v in record["rows"].items()}
    given = {**record, "rows": tagged, "some": None if some is None else {"double": some}}
    model = pfa.load(document(action))
    assert model._short is not None
    wanted = compat.engine(document(action)).action(given)
    assert repr(model._short(record)) == repr(model.score(record)) == repr([*map(float, wanted)])


def _tag(value: Any) -> str:
    return "double" if isinstance(value, float) else "string"


def test_what_fails_on_the_short_way_fails_with_the_reference_s_error() -> None:
    model = pfa.load(document(TEXT_FIRST))
    with pytest.raises(pfa.ScoringError) as caught:
        model.score({**RECORD, "keys": ["a", "none"]})
    assert caught.value.code == 2001


def test_an_error_that_the_document_catches_is_a_real_one() -> None:
    missing = {"try": {"attr": "input.rows", "path": [{"string": "none"}]}, "filter": [2001]}
    chosen = {"ifnotnull": {"f": "found"}, "then": 1.0, "else": 2.0}
    action = [{"let": {"found": missing}}, {"type": ROW, "new": [chosen]}]
    assert pfa.load(document(action)).score(RECORD) == [2.0]


MANY = {"type": "array", "items": "int"}


@pytest.mark.parametrize(
    "body",
    [
        12,
        {"if": "c", "then": "x", "else": 0},
        {"cond": [{"if": {"&&": ["c", {">": ["x", 0]}]}, "then": 1}], "else": 0},
        {"a.sum": [{"a.map": [{"type": MANY, "value": []},
                              {"params": [{"y": "int"}], "ret": "int", "do": {"+": ["x", "y"]}}]}]},
        {"s.len": [["{3}"]]},
    ],
)  # fmt: skip
def test_an_argument_that_a_user_function_has_no_use_for_fails_all_the_same(body: Any) -> None:
    function = {"params": [{"c": "boolean"}, {"x": "int"}], "ret": "int", "do": [body]}
    action = {"u.f": [{">": [{"a.len": "input"}, 1]}, {"a.head": "input"}]}
    model = pfa.load({"input": MANY, "output": "int", "fcns": {"f": function}, "action": action})
    assert model._short is not None
    model.score([1, 2])
    with pytest.raises(pfa.ScoringError) as caught:
        model.score([])
    assert caught.value.position == 'at PFA field "action -> u.f -> 1"'


@pytest.mark.parametrize("name", ["p", "q", "x"])
def test_an_argument_has_the_name_of_a_variable_within_the_function(name: str) -> None:
    ints = {"type": "array", "items": "int"}
    less = {"<": [{"%": ["p", "x"]}, {"%": ["q", "x"]}]}
    by = {"params": [{"p": "int"}, {"q": "int"}], "ret": "boolean", "do": less}
    function = {"params": [{"a": ints}, {"x": "int"}], "ret": "int", "do": {"a.maxLT": ["a", by]}}
    model = pfa.load({
        "input": ints, "output": "int", "fcns": {"f": function},
        "action": [{"let": {name: {"a.len": "input"}}}, {"u.f": ["input", name]}],
    })  # fmt: skip
    assert [model.score([3, 1, 2, 5, 7]), model.score([4, 9])] == [3, 9]


def test_thousands_of_calls_in_one_expression() -> None:
    action = {"type": ROW, "new": [{"attr": "input.rows", "path": [{"string": "a"}]}] * 3000}
    typed = json.loads(json.dumps(document(action)).replace(json.dumps(UNION), '"double"'))
    assert pfa.load(typed).score({**RECORD, "rows": {"a": 1.5}}) == [1.5] * 3000
