"""Batches that walk side by side down their forests: each answer is that of a record alone."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pfa
from pfa import direct, steps
from tests.pfa.kernels.test_tree import forest_of
from tests.pfa.test_fuzz_forests import types
from tests.pfa.test_fuzz_short import short, told

ROOT = Path(__file__).parents[2]
RECORD = {
    "type": "record",
    "name": "Input",
    "fields": [
        {"name": "x", "type": "double"},
        {"name": "n", "type": "long"},
        {"name": "i", "type": "int", "default": 1},
    ],
}
FOREST = {
    "a.map": [
        {"cell": "forest"},
        {
            "params": [{"tree": "TreeNode"}],
            "ret": "double",
            "do": {"model.tree.simpleTree": ["input", "tree"]},
        },
    ]
}


def document(action: Any, output: Any = "double", **more: Any) -> dict[str, Any]:
    """A document with a forest."""
    made_trees = forest_of(random.Random(3), ["<=", ">"], three_way=False, integers=True)
    trees = json.loads(
        json.dumps(made_trees).replace("Infinity", "1.5").replace(str(2**53 + 1), "1")
    )
    _, node = types(["double"], ["double", "int"], three_way=False)
    for each in node["fields"]:
        if each["name"] == "field":
            each["type"]["symbols"] = ["x", "n", "i"]
    cell = {"type": {"type": "array", "items": node}, "init": trees}
    made = {"input": RECORD, "output": output, "cells": {"forest": cell}, "action": action}
    return {**made, **more}


def records_of(count: int, odd: float) -> list[Any]:
    chosen = random.Random(count)
    made: list[Any] = []
    for _ in range(count):
        record: Any = {
            "x": chosen.uniform(-2, 2), "n": chosen.randint(-3, 3), "i": chosen.randint(-3, 3)
        }  # fmt: skip
        if chosen.random() < odd:
            less = dict(record)
            less.pop(chosen.choice([*record]))
            wrong = {**record, chosen.choice([*record]): chosen.choice(["?", None, True, 2**70])}
            large = {**record, "n": 2**53 + 1}
            five = {**record, "i": 5}
            nothing: list[Any] = [None, "?", {}, [], {**record, "more": 1}]
            record = chosen.choice([less, wrong, wrong, large, five, *nothing])
        made.append(record)
    return made


@pytest.fixture
def ready(monkeypatch):
    """As if many trees had been walked."""
    monkeypatch.setattr(steps, "ENOUGH", 0)


ACTIONS: dict[str, tuple[Any, int]] = {
    "as it is": ([{"a.sum": FOREST}], 1),
    "variable": ([{"let": {"scores": FOREST}}, {"a.mean": "scores"}], 1),
    "twice": ([{"-": [{"a.sum": FOREST}, {"a.mean": FOREST}]}], 2),
    "an error before": (
        [{"if": {"==": ["input.i", 5]}, "then": {"error": "five"}}, {"a.sum": FOREST}],
        1,
    ),
    "an error after": (
        [
            {"let": {"sum": {"a.sum": FOREST}}},
            {"if": {"==": ["input.i", 5]}, "then": {"error": "five", "code": -5}},
            {"/": ["sum", {"+": ["input.i", 0]}]},
        ],
        1,
    ),
    "not always": (
        [{"if": {"==": ["input.i", 2]}, "then": 0.5, "else": {"a.sum": FOREST}}],
        0,
    ),
    "one of two": (
        [
            {"let": {"sum": {"a.sum": FOREST}}},
            {"cond": [{"if": {"==": ["input.i", 2]}, "then": {"a.mean": FOREST}}], "else": "sum"},
        ],
        1,
    ),
    "in a loop": (
        [
            {"let": {"sum": 0.0}},
            {"foreach": "k", "in": {"type": {"type": "array", "items": "int"}, "value": [1, 2]},
             "do": {"set": {"sum": {"+": ["sum", {"a.sum": FOREST}]}}}, "seq": True},
            "sum",
        ],
        0,
    ),
    "it may be caught": ([{"try": {"a.sum": FOREST}}, 1.5], 0),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("odd", [0.0, 0.05, 0.6])
def test_answers_are_those_of_each_alone(name, odd, ready):
    action, stops = ACTIONS[name]
    model = pfa.load(document(action))
    loaded = pfa.load_artifact(model.to_artifact())
    records = records_of(450, odd)
    expected = [told(short(model, record)) for record in records]
    for each in (model, loaded):
        for timeout in (None, 60):
            assert [*map(told, each.score_batch(records, timeout))] == expected
        together = each._batch_code.together
        assert (0 if together is None else len(together._forests)) == stops
    assert sum("Error" in each[0].__name__ for each in expected if isinstance(each, tuple)) >= odd


@pytest.mark.parametrize("most", [1, 150, 60 * 70])
def test_no_more_answers_of_trees_at_once_than_there_is_memory_for(most, ready, monkeypatch):
    monkeypatch.setattr(steps, "MOST", most)
    model = pfa.load(document([{"a.sum": FOREST}]))
    records = records_of(450, 0.05)
    expected = [told(short(model, record)) for record in records]
    assert [*map(told, model.score_batch(records))] == expected


def test_outputs_that_are_not_checked_together(ready):
    """Of a union: each answer is written by the generated code."""
    action = [{"a.sum": FOREST}]
    model = pfa.load(document(action, ["null", "double"]))
    records = records_of(300, 0.1)
    assert model._batch_code.write is None
    expected = [told(short(model, record)) for record in records]
    assert [*map(told, model.score_batch(records))] == expected


@pytest.mark.parametrize("name", ["sonar_rf", "pima_gbm", "iris_rf"])
def test_real_models(name, ready):
    model = pfa.load((ROOT / f"data/r_models/{name}.pfa").read_bytes())
    inputs = json.loads((ROOT / f"data/r_models/{name}.cases.json").read_text())["inputs"]
    bare = [{key: value for key, value in each.items() if value is not None} for each in inputs]
    for records in (inputs * 2, [*inputs[:50], *bare[:50], "?", *inputs]):
        expected = [told(short(model, record)) for record in records]
        assert [*map(told, model.score_batch(records))] == expected
    assert model._batch_code.together is not None


def test_numpy_is_imported_when_it_is_worth_it():
    program = """
import json, sys, pfa
model = pfa.load(open("data/r_models/iris_rf.pfa").read())
inputs = json.load(open("data/r_models/iris_rf.cases.json"))["inputs"]
for count in (11, 3980, 20):
    batch = [*inputs * 100][:count]
    alone = [model.score(each) for each in batch]
    assert model.score_batch(batch, memory=500 << 20) == alone
    print("numpy" in sys.modules)
    if count == 20:
        assert model.score_batch(batch) == alone
        print("numpy" in sys.modules)
"""
    env = {"PYTHONPATH": "functions"}
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert (ran.stderr, ran.stdout.split()) == ("", ["False", "False", "False", "True"])


@pytest.mark.parametrize("how", ["batch", "alone"])
def test_numpy_for_many_trees(how):
    """Each record walks with it: in a batch after 400,000 trees, alone after a million."""
    program = """
import json, sys, pfa
model = pfa.load(open("data/r_models/pima_gbm.pfa").read())  # of 500 trees
inputs = json.load(open("data/r_models/pima_gbm.cases.json"))["inputs"][:200]
alone = [*map(model.score, inputs)]
if sys.argv[1] == "batch":
    for count in (780, 20):
        assert model.score_batch([*inputs * 4][:count]) == [*alone * 4][:count]
        print("numpy" in sys.modules)
    assert model.score_batch(inputs) == alone
    assert model._batch_code.together is not None and not model._batch_code.together._many
else:
    for count in (1799, 1):
        assert [*map(model.score, [*inputs * 9][:count])] == [*alone * 9][:count]
        print("numpy" in sys.modules)
    assert [*map(model.score, inputs)] == alone
"""
    ran = subprocess.run(
        [sys.executable, "-c", program, how],
        cwd=ROOT,
        env={"PYTHONPATH": "functions"},
        capture_output=True,
        text=True,
    )
    assert (ran.stderr, ran.stdout.split()) == ("", ["False", "True"])


def test_without_numpy_or_memory_for_it(ready, monkeypatch):
    model = pfa.load(document([{"a.sum": FOREST}]))
    records = records_of(50, 0.1)
    expected = [told(short(model, record)) for record in records]
    for error in (ImportError, MemoryError):

        def fail(*_args: Any, error: Any = error) -> Any:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(steps.many, "Many", fail)
            assert [*map(told, model.score_batch(records))] == expected
        together = model._batch_code.together
        assert not together.is_ready(10**9)
        together._walked = 0.0
    model.score_batch(records)
    with monkeypatch.context() as patch:
        patch.setattr(steps.many.Many, "__call__", fail)
        assert [*map(told, model.score_batch(records))] == expected


def test_time_that_is_up(ready):
    loop = {"for": {"k": 0}, "while": {"<": ["k", "input.n"]}, "step": {"k": {"+": ["k", 1]}}}
    model = pfa.load(document([{**loop, "do": [0]}, {"a.sum": FOREST}]))
    records = records_of(450, 0.0)
    late = [*records[:350], {**records[0], "n": 2**40}, *records[:50]]
    answers = model.score_batch(late, timeout=0.5)
    assert answers[:200] == model.score_batch(records)[:200]
    assert {type(each) for each in answers[350:]} == {pfa.ScoringTimeout}
    assert len(answers) == len(late)


def test_source_without_a_forest_is_left_alone():
    model = pfa.load((ROOT / "models/hello.pfa").read_bytes())
    loop = direct.Loop(model.source, model._input)
    assert steps.of_loop(loop.source(False), model._names) is None
    assert model._batch_code.together is None
