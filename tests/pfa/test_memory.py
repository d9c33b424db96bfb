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


def run(documents, process=PROCESS):
    done = subprocess.run(
        [sys.executable, "-c", process],
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


BUDGET = """
import json, resource, sys, threading
import pfa
from pfa.memory import memory_budget

def limit():
    return resource.getrlimit(resource.RLIMIT_DATA)[0]

def told(make):
    try:
        return make()
    except pfa.PfaError as error:
        return f"{type(error).__name__}: {error}"

hungry = json.load(sys.stdin)
before = limit()
doubling = pfa.load(hungry[0])
plain = pfa.load({"input": "int", "output": "int", "action": "input"})
answers = [
    told(lambda: doubling.score(1, memory=50 << 20)),
    str(doubling.score_batch([1, 2], memory=50 << 20)[1]),
    told(lambda: plain.score(1, memory=50 << 20)),
    told(lambda: pfa.load(hungry[1], memory=50 << 20)),
    told(lambda: doubling.score(1, timeout=0.05, memory=8 << 30)),  # the time is up first
    plain.score_batch([3, 4], memory=0),  # of what Python has in reserve
]
with memory_budget(50 << 20):
    inside = limit()
    with memory_budget(200 << 20):  # no more than what is around it allows
        assert limit() == inside != before
assert limit() == before

def in_a_thread():
    with memory_budget(50 << 20):
        answers.append(limit() == before)

thread = threading.Thread(target=in_a_thread)
thread.start()
thread.join()
for each in answers:
    print(json.dumps(each))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory otherwise")
def test_budget_of_a_call():
    answers = run([HUNGRY["array doubled"], HUNGRY["defaults in a cell"]], BUDGET)
    no_memory = "needs more memory than it may have"
    assert answers[0] == f"ScoringError: The model's computation {no_memory}."
    assert answers[1] == f"The model's computation {no_memory}."
    assert answers[2] == 1
    assert answers[3] == f"DocumentError: The document {no_memory}."
    assert answers[4].startswith("ScoringTimeout: ")
    assert answers[5] == [3, 4]
    assert answers[6] is True


INVERSE = """
import json, sys
import pfa
from pfa.memory import _RESERVE, _in_use, limit_memory

model = pfa.load(json.load(sys.stdin)[0])
assert limit_memory(_in_use() + _RESERVE + (30 << 20))
assert "numpy" not in sys.modules
for memory in (10 << 20, None, 10 << 20):
    print(json.dumps(model.score([[2.0]], memory=memory)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory otherwise")
def test_numpy_takes_what_it_needs_though_there_is_a_limit():
    """Its OpenBLAS ends the process if it does not get it."""
    matrix = {"type": "array", "items": {"type": "array", "items": "double"}}
    inverse = {"input": matrix, "output": matrix, "action": {"la.inverse": "input"}}
    assert run([inverse], INVERSE) == [[[0.5]]] * 3
