"""What the kernels share."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json, sys, pfa
many = {"type": "array", "items": "double"}
machine = {"type": "record", "name": "M", "fields": [
    {"name": "coeff", "type": {"type": "array", "items": many}}, {"name": "const", "type": many}]}
init = {"coeff": [[0.1 * i + j for j in range(100)] for i in range(20)], "const": [0.5] * 20}
model = pfa.load({"input": many, "output": many, "cells": {"m": {"type": machine, "init": init}},
                  "action": {"model.reg.linear": ["input", {"cell": "m"}]}})
record = [0.3 * j for j in range(100)]
expected = model.score(record)
for memory in (500 << 20, 500 << 20, None, None):
    for _ in range(500):
        assert model.score(record, memory=memory) == expected
    print("numpy" in sys.modules)
"""
SCARCE = """
from pfa.memory import limit_memory, _RESERVE, _in_use
assert limit_memory(_in_use() + _RESERVE + (40 << 20))
"""


def test_numpy_is_imported_when_it_is_worth_it_and_not_within_a_budget_of_memory():
    """Each score makes 2,000 products; 2,000,000 are worth the import."""
    assert output(PROGRAM) == ["False", "False", "False", "True"]


def test_numpy_is_not_imported_when_the_time_is_nearly_up():
    assert output(PROGRAM.replace("memory", "timeout").replace("500 << 20", "0.9")) == [
        "False",
        "False",
        "False",
        "True",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory otherwise")
def test_numpy_is_not_imported_where_it_would_take_the_last_of_the_memory():
    """Its OpenBLAS ends the process then."""
    program = PROGRAM.replace("for memory in", f"{SCARCE}for memory in")
    assert output(program) == ["False"] * 4


def output(program):
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": "functions"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    return ran.stdout.split()
