"""Names of a document that get into generated code are names and nothing else."""

import pytest

import pfa
from pfa import compiler
from pfa.compiler.code import UnsupportedError, checked_name, variable

CODE = "X(__import__('sys').exit(3)): pass\nclass Y"
DOCUMENT = {"input": "int", "output": "int", "action": "input"}


@pytest.mark.parametrize("name", [CODE, "a b", "a\n", "", "1a", "é", "a.b", None, 3])
def test_what_is_no_name(name):
    for check in (checked_name, variable):
        with pytest.raises(UnsupportedError):
            check(name)


def test_the_name_of_the_engine():
    with pytest.raises(UnsupportedError):
        compiler.compiled({**DOCUMENT, "name": CODE})
    with pytest.raises(pfa.DocumentError, match="must be letters, digits and underscores"):
        pfa.load({**DOCUMENT, "name": CODE})


PLACES = [
    {"let": {CODE: 1}},
    {"set": {CODE: 1}},
    {"for": {CODE: 1}, "while": True, "step": {CODE: 1}, "do": ["input"]},
    {"foreach": CODE, "in": {"type": {"type": "array", "items": "int"}, "new": [1]}, "do": [1]},
    {
        "forkey": CODE,
        "forval": CODE,
        "in": {"type": {"type": "map", "values": "int"}, "new": {"a": 1}},
        "do": [1],
    },
    {"cast": "input", "cases": [{"as": "int", "named": CODE, "do": ["input"]}]},
    {"ifnotnull": {CODE: {"try": "input"}}, "then": ["input"], "else": ["input"]},
    {"unpack": {"base64": "AAA="}, "format": [{CODE: "byte"}], "then": [1], "else": [2]},
    {"u.f": ["input"]},
    CODE,
]


@pytest.mark.parametrize("action", PLACES, ids=lambda each: str(next(iter(each)))[:12])
def test_names_within(action):
    function = {"params": [{CODE: "int"}], "ret": "int", "do": [1]}
    document = {**DOCUMENT, "action": [action, "input"], "fcns": {"f": function}}
    with pytest.raises(pfa.DocumentError):
        pfa.load(document)


@pytest.mark.parametrize("part", ["fcns", "cells", "pools"])
def test_names_of_parts(part):
    function = {"params": [{"x": "int"}], "ret": "int", "do": [1]}
    value = function if part == "fcns" else {"type": "int", "init": 1 if part == "cells" else {}}
    with pytest.raises(pfa.DocumentError):
        pfa.load({**DOCUMENT, part: {CODE: value}})
