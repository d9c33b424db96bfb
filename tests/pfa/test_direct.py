"""The module of the short way of a record."""

import json
from typing import Any

import pytest

import pfa
from pfa import direct


def linear(first: float, field: str = "x", doc: str = "") -> dict[str, Any]:
    """A document whose numbers are not in its code."""
    vector = {"type": "array", "items": "double"}
    fields = [{"name": "coeff", "type": vector}, {"name": "const", "type": "double"}]
    model = {"type": "record", "name": "Model", "fields": fields}
    given = {"type": "record", "name": "Given", "fields": [{"name": field, "type": vector}]}
    action = {"model.reg.linear": [f"input.{field}", {"cell": "m"}]}
    cells = {"m": {"type": model, "init": {"coeff": [first], "const": 0.5}}}
    return {"input": given, "output": "double", "action": action, "cells": cells, "doc": doc}


@pytest.fixture(autouse=True)
def kept():
    """What is kept of the code of modules; nothing at first."""
    direct._compiled.cache_clear()
    return direct._compiled.cache_info


def test_documents_of_one_form_are_compiled_once_and_share_nothing(kept):
    one, other = pfa.load(linear(2.0)), pfa.load(linear(3.0, doc="other numbers"))
    assert kept()[:2] == (1, 1)
    assert [one.score({"x": [1.0]}), other.score({"x": [1.0]})] == [2.5, 3.5]
    assert one.source == other.source
    assert one._code is not other._code
    assert one._code.co_consts[0] is not other._code.co_consts[0]
    del one
    assert other.score({"x": [2.0]}) == 6.5


def test_the_same_artifact_whether_or_not_it_was_compiled_before():
    first, again = (pfa.load(linear(2.0)).to_artifact() for _ in range(2))
    assert first == again


def test_code_of_few_and_small_modules_is_kept(kept):
    for number in range(100):
        pfa.load(linear(2.0, f"x{number}"))
    assert kept().currsize == 64
    misses = kept().misses
    texts = [[f"text {number}" for number in range(2000)]]
    large = {"input": "int", "output": "string", "action": {"cond": []}}
    large["action"] = {
        "cond": [{"if": {"==": ["input", i]}, "then": [[text]]} for i, text in enumerate(*texts)],
        "else": [["none"]],
    }
    model = pfa.load(json.dumps(large))
    assert len(model.source) > direct._SMALL
    assert model.score(1999) == "text 1999"
    assert kept().misses == misses
