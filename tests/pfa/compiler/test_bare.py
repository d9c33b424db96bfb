"""Maps of unions that are read without tags."""

import json
from typing import Any

import pytest

import pfa
from pfa import compat
from pfa.check import checker
from pfa.errors import PfaError
from pfa.schema import from_avro

DOUBLE = {"as": "double", "named": "y", "do": {"+": ["y", 0.5]}}
STRING = {"as": "string", "named": "y", "do": [{"let": {"n": {"s.len": "y"}}}, "n"]}
BOOLEAN = {"as": "boolean", "named": "y", "do": {"if": "y", "then": 1.5, "else": -1.5}}
NULL = {"as": "null", "named": "y", "do": [0.25]}


def document(kinds: list[str], cases: list[Any], **more: Any) -> dict[str, Any]:
    cast = {"cast": {"attr": "input", "path": ["k"]}, "cases": cases, "partial": False}
    each = {"params": [{"k": "string"}], "ret": "double", "do": cast}
    return {
        "name": "Bare",
        "input": {"type": "map", "values": kinds},
        "output": {"type": "array", "items": "double"},
        "action": [{"let": {"names": {"map.keys": "input"}}}, {"a.map": ["names", each]}],
        **more,
    }


class Text(str):
    """What is no str exactly."""


RECORDS: list[Any] = [
    {},
    {"a": 1.5, "b": "text", "c": None},
    {"a": {"double": 2.5}, "b": {"string": "ü"}, "c": 3, "d": {"double": 2}},
    {"a": 2**53 + 1, "b": -(10**400)},
    {"a": True, "b": False},
    {"a": float("nan")},
    {"\ud800": 1.0},
    {Text("a"): 1.0},
    {"a": {"long": 3}},
    {"a": {"string": 3}},
    {"a": []},
    [],
    {f"k{n}": n / 7 for n in range(40)},
    {f"k{n}": n if n % 3 else n / 7 for n in range(40)},
    {f"ü{n}": n / 7 for n in range(40)},
    {**{f"k{n}": n / 7 for n in range(40)}, "x": 10**400},
    {**{f"k{n}": n / 7 for n in range(40)}, "x": True},
    {**{f"k{n}": n / 7 for n in range(40)}, "x": "text"},
    {**{f"k{n}": n / 7 for n in range(40)}, "x": float("inf")},
    {**{f"k{n}": n / 7 for n in range(40)}, Text("x"): 1.0},
    {f"k{n}": 1e308 for n in range(40)},
]


def answer(score: Any, record: Any) -> str:
    try:
        return repr(score(record))
    except PfaError as error:
        return repr(error)


@pytest.mark.parametrize(
    ("kinds", "cases"),
    [
        (["null", "string", "double"], [STRING, DOUBLE, NULL]),
        (["null", "double", "string"], [DOUBLE, NULL, STRING]),
        (["double", "string", "boolean"], [BOOLEAN, DOUBLE, STRING]),
        (["double", "boolean", "null", "string"], [NULL, BOOLEAN, STRING, DOUBLE]),
        (["double"], [DOUBLE]),
        (["null", "double"], [NULL, DOUBLE]),
    ],
)
def test_answers_are_as_with_tags(kinds: list[str], cases: list[Any]) -> None:
    text = json.dumps(document(kinds, cases))
    model = pfa.load(text)
    engine = compat.engine(json.loads(text))
    check = checker(from_avro(engine.config.input.schema))
    assert "in_bare" in model.source
    for record in RECORDS:
        try:
            expected = repr(model.write(engine.action(check(record))))
        except PfaError as error:
            expected = repr(error)
        assert answer(model.score, record) == expected, record
        assert answer(lambda x: model.score_batch([x, x])[1], record) == expected, record


@pytest.mark.parametrize(
    "action",
    [
        ["input"],
        [{"let": {"x": {"attr": "input", "path": [["a"]]}}}, {"new": {"a": "x"}}],
    ],
)
def test_what_uses_values_otherwise_keeps_the_tags(action: list[Any]) -> None:
    kinds = ["null", "string", "double"]
    of_map = {"type": "map", "values": kinds}
    if "new" in action[-1]:
        action[-1]["type"] = of_map
    model = pfa.load(document(kinds, [], output=of_map, action=action))
    assert "in_bare" not in model.source
    assert model.score({"a": 1.5}) == {"a": {"double": 1.5}}


def test_keys_that_change_are_not_taken_for_those_of_the_input() -> None:
    made = document(["null", "double"], [NULL, DOUBLE])
    names, mapped = made["action"]
    made["action"] = [names, {"set": {"names": {"a.tail": "names"}}}, mapped]
    model = pfa.load(made)
    assert "in_bare" in model.source
    assert model.score({"a": 1.0, "b": 2.0, "c": None}) == [2.5, 0.25]
