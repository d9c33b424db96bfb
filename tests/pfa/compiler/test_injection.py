"""No text of a document is run by the compiling engine, by how it is quoted alone."""

import ast
import builtins
import json

import pytest

from pfa import compat, compiler
from tests.pfa import shadow
from tests.pfa.compat import probes


@pytest.fixture
def ran(monkeypatch):
    """Make code in a probe visible: gives a list that grows when any is run."""
    seen = []
    monkeypatch.setattr(builtins, "pfa_probe", lambda: seen.append("ran"), raising=False)
    return seen


def outcome(document, record):
    """What a document comes to: the error of loading it, or of scoring, or the answer."""
    try:
        engine = compiler.compiled(document)
    except Exception as error:
        return "refused", error
    calls_no_probe(type(engine).program.module.source)
    try:
        engine.begin()
        answer = engine.action(record)
        engine.end()
    except Exception as error:
        return "failed", error
    return "answered", answer


def calls_no_probe(source: str) -> None:
    """The probe's name is in strings and comments, never in code."""
    for node in ast.walk(ast.parse(source)):
        names = [getattr(node, key, None) for key in ("id", "name", "attr", "arg")]
        assert "pfa_probe" not in names


@pytest.mark.parametrize("payload", probes.PAYLOADS, ids=ascii)
def test_text_of_a_document_is_not_run(ran, payload):
    for where, document, record, expected in probes.slots(payload):
        result, answer = outcome(document, record)
        assert ran == [], where
        if expected is probes.REFUSED:
            assert result == "refused", (where, answer)
        elif expected is not None:
            assert (result, answer) == ("answered", expected), where


@pytest.mark.parametrize("payload", probes.FEW, ids=ascii)
def test_both_engines_do_the_same_with_it(payload):
    for _, document, record, _ in probes.slots(payload):
        try:
            compat.engine(document)
        except Exception as error:
            with pytest.raises(type(error)):  # it asks the reference when it has no way
                compiler.engine(document)
            continue
        both = shadow.Shadow(document)
        both.outcome("begin")
        both.outcome("action", record)
        both.outcome("end")


def test_names_that_mean_something_in_python():
    for name in ("self", "state", "None", "class", "lambda", "t1", "v_x", "caught", "PFAEngine"):
        document = {
            "name": name,
            "input": "int",
            "output": "int",
            "cells": {name: {"type": "int", "init": 1}},
            "pools": {name: {"type": "int", "init": {name: 1}}},
            "fcns": {name: {"params": [{name: "int"}], "ret": "int", "do": {"+": [name, 1]}}},
            "action": [
                {"let": {name: {"u." + name: "input"}}},
                {"set": {name: {"+": [name, {"cell": name}]}}},
                {"pool": name, "path": [[name]], "to": name, "init": name},
                {"+": [{"pool": name, "path": [[name]]}, name]},
            ],
        }
        assert shadow.Shadow(json.loads(json.dumps(document))).action(1) == 6


def test_the_check_can_fail(ran):
    with pytest.raises(AssertionError):
        calls_no_probe(f"x = 'a' + {probes.CODE}")
    builtins.pfa_probe()
    assert ran == ["ran"]
