"""The compiled engine answers to the bit what the reference does, on the models that we have."""

import json
import random
from pathlib import Path

import pytest

from pfa import compiler
from pfa.compat.loader import load
from scripts.sample import DATA, MODELS, examples
from tests.conformance import run, values
from tests.pfa import shadow

R_MODELS = sorted(path.stem for path in (DATA / "r_models").glob("*.pfa"))
# Cases of the models for which the reference needs 30 to 100 ms each: one of so many.
EVERY_CASE = {"iris_rf": 5, "pima_gbm": 20, "sonar_rf": 10}
EVERY = 8  # documents of the corpus: one of so many
genpy = load("titus.genpy")


@pytest.mark.parametrize("name", sorted(path.stem for path in MODELS.glob("*.pfa")))
def test_examples_of_the_sample_models(name):
    document = json.loads((MODELS / f"{name}.pfa").read_text("utf-8"))
    both = shadow.Shadow(document)
    for record, expected in examples(document):
        assert both.action(record) == expected


@pytest.mark.parametrize("name", R_MODELS)
def test_every_case_of_r(name):
    both = shadow.Shadow((DATA / "r_models" / f"{name}.pfa").read_text("utf-8"))
    inputs = json.loads((DATA / "r_models" / f"{name}.cases.json").read_text("utf-8"))["inputs"]
    for record in inputs[:: EVERY_CASE.get(name, 1)]:
        both.action(record)


@pytest.mark.parametrize("name", R_MODELS)
def test_odd_values_in_the_cases_of_r(name):
    """Values that are far away, not there, or of another type, one to three in a record."""
    chosen = random.Random(7)
    odd = [0, -1, 1e308, -1e308, 5e-324, float("nan"), float("inf"), None, "", "x", [], {}, True]
    both = shadow.Shadow((DATA / "r_models" / f"{name}.pfa").read_text("utf-8"))
    inputs = json.loads((DATA / "r_models" / f"{name}.cases.json").read_text("utf-8"))["inputs"]
    failed = 0
    for record in chosen.choices(inputs, k=20):
        changed = dict(record)
        for key in chosen.choices(list(record), k=chosen.randint(1, 3)):
            changed[key] = chosen.choice(odd)
        failed += both.outcome("action", changed)[0] == "error"
    assert 0 < failed < 20


def test_documents_of_the_corpus():
    """Its tests hold the answers; here also the messages of errors, and the state after them."""
    errors = answers = 0
    for number, entry in enumerate(run.corpus()):
        if number % EVERY and not entry["id"].startswith("u"):
            continue
        if number % 3 and entry["id"].startswith("u"):
            continue
        if entry["id"] == "f1_06749":  # sums of large numbers that cancel, in the order of a set
            continue
        try:
            both = shadow.Shadow(entry["pfa"])
        except shadow.Different:
            raise
        except Exception:
            assert "load_error" in entry
            continue
        both.outcome("begin")
        for trial in entry["trials"]:
            kind, _ = both.outcome("action", values.decoded(trial["in"]))
            errors += kind == "error"
            answers += kind == "value"
        both.outcome("end")
    assert errors > 3000
    assert answers > 6000


# --- the shadow itself


ADD = {"input": "double", "output": "double", "action": {"+": ["input", 1]}}
COUNT = {
    "input": "int",
    "output": "int",
    "cells": {"c": {"type": "int", "init": 0}},
    "action": {"cell": "c", "to": {"+": [{"cell": "c"}, "input"]}},
}


def spoiled(document, change):
    both = shadow.Shadow(document)
    change(both.engines[1])
    return both


def test_the_same_values():
    nan = float("nan")
    assert shadow.same({"a": [1, nan]}, {"a": [1, nan]})
    for a, b in [(1, 1.0), (1, True), (0.0, -0.0), ([1], (1,)), ([1], [1, 2]), (None, 0)]:
        assert not shadow.same(a, b)
    assert not shadow.same({"a": 1, "b": 2}, {"b": 2, "a": 1})


def test_another_answer_is_noticed():
    def change(engine):
        stock = engine.action
        engine.action = lambda x: int(stock(x))

    with pytest.raises(shadow.Different, match="action"):
        spoiled(ADD, change).action(1)


def test_another_state_is_noticed():
    def change(engine):
        engine.cells["c"].value = 5

    both = shadow.Shadow(COUNT)
    assert both.action(1) == 1
    both.engines[1].cells["c"] = genpy.Cell(0, False, False, "embedded")
    with pytest.raises(shadow.Different, match="action"):
        both.action(1)


def test_another_error_is_noticed():
    both = shadow.Shadow({**ADD, "action": [{"error": "x", "code": -1}, "input"]})
    with pytest.raises(shadow.Failed):
        both.action(1)

    def fail(_):
        raise ValueError("x")

    both.engines[1].action = fail
    with pytest.raises(shadow.Different):
        both.action(1)


def test_it_cannot_fall_back(monkeypatch):
    def fail(*_, **__):
        raise NotImplementedError

    monkeypatch.setattr(compiler, "compiled", fail)
    with pytest.raises(shadow.Different, match="to load"):
        shadow.Shadow(ADD)


def test_there_are_models():
    assert len(R_MODELS) == 9
    assert Path(MODELS).is_dir()
