"""Documents that take all memory, in a process of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pfa import memory

FUNCTIONS = Path(memory.__file__).parents[1]

PROCESS = """
import json, logging, sys
import pfa
from pfa.memory import limit_memory
assert not limit_memory(1 << 20)  # below what is in use
assert limit_memory(200 << 20)
assert limit_memory(400 << 20)  # does not raise it again
for document in json.load(sys.stdin):
    try:
        answer = pfa.load(document).score(1)
    except pfa.PfaError as error:
        answer = str(error)
    print(json.dumps(answer))
"""
ARRAY = {"type": "array", "items": "int"}
FIELDS = [{"name": f"f{i}", "type": "int", "default": i} for i in range(1000)]


def document(*action, **parts):
    return {"input": "int", "output": "int", "action": [*action, "input"], **parts}


def endless(variable, start, step):
    return document({"let": {variable: start}}, {"while": True, "do": {"set": {variable: step}}})


HUNGRY = {
    "array doubled": endless("x", {"new": [1], "type": ARRAY}, {"a.concat": ["x", "x"]}),
    "map of maps": document(
        {"let": {"x": {"new": {}, "type": {"type": "map", "values": "string"}}}},
        {"let": {"n": 0}},
        {
            "while": True,
            "do": [
                {"set": {"n": {"+": ["n", 1]}}},
                {
                    "set": {
                        "x": {"map.add": ["x", {"s.int": ["n"]}, {"s.repeat": [["x"], 1000000]}]}
                    }
                },
            ],
        },
    ),
    "permutations": document(
        {"let": {"x": {"a.permutations": {"type": ARRAY, "value": list(range(12))}}}}
    ),
    "defaults in a cell": document(
        cells={
            "c": {
                "type": {
                    "type": "array",
                    "items": {"type": "record", "name": "R", "fields": FIELDS},
                },
                "init": [{}] * 20_000,
            }
        }
    ),
}


def run(documents):
    done = subprocess.run(
        [sys.executable, "-c", PROCESS],
        input=json.dumps(documents),
        env={"PYTHONPATH": str(FUNCTIONS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory otherwise")
def test_process_survives_and_goes_on():
    plain = document()
    answers = run([plain, *(each for hungry in HUNGRY.values() for each in (hungry, plain))])
    assert answers[::2] == [1] * (len(HUNGRY) + 1)
    assert len(answers) == 2 * len(HUNGRY) + 1
    for answer in answers[1::2]:
        assert "memory" in str(answer)
