import json
import math
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import pfa
from gate import checks
from gate.checks import check_document
from gate.verdict import Limits
from pfa.deadline import DeadlineExceeded, deadline
from tests.gate.documents import body, document, example, examples

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted([*ROOT.glob("models/*.pfa"), *ROOT.glob("data/r_models/*.pfa")])


def finding(verdict, check):
    (found,) = [it for it in verdict.findings if it.check == check]
    return found


def failing(source, check, limits=Limits(), live=None):  # noqa: B008 - it is frozen
    """Check a document that fails at `check`, and return what is said of it."""
    verdict = check_document(source, limits, live)
    assert not verdict.passed
    assert verdict.artifact is None
    place = checks.NAMES.index(check)
    assert [it.check for it in verdict.findings] == list(checks.NAMES)
    statuses = [it.status for it in verdict.findings]
    assert set(statuses[:place]) <= {"passed", "warning"}, verdict.text()
    assert statuses[place] == "failed"
    assert set(statuses[place + 1 :]) <= {"skipped"}
    return verdict.findings[place].message


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_pass_against_themselves(path):
    source = path.read_bytes()
    live = pfa.load(source)
    verdict = check_document(source, Limits(), live)
    assert verdict.passed, verdict.text()
    assert [it.check for it in verdict.findings] == list(checks.NAMES)
    assert verdict.sha256 == live.sha256
    assert verdict.engine == pfa.VERSION
    assert pfa.load_artifact(verdict.artifact).sha256 == live.sha256
    count = len(json.loads(live.metadata.get("examples", "[]")))
    assert verdict.examples == count
    assert finding(verdict, "examples").status == ("passed" if count else "warning")


def test_first_upload_has_nothing_to_be_compared_with():
    verdict = check_document(body(), Limits())
    assert verdict.passed
    assert "no live version" in finding(verdict, "schema").message


def test_size():
    assert "more than 0.0001 MB" in failing(body(), "size", Limits(max_mb=0.0001))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"", "empty"),
        (b'{"a": 1,}', "JSON"),
        (b'{"input": "double", "input": "int"}', 'key "input" twice'),
        (b"[]", "not a PFA document"),
        (b'{"input": NaN}', "holds NaN"),
        (b'{"input": NA}', "NA is R's"),
        (b"{'input': 1}", "Python's print"),
        (b'{"input": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a": 1' + b"0" * 400 + b".5}", "too large for a double"),
    ],
)
def test_json(source, words):
    assert words in failing(source, "json")


def test_json_says_where():
    verdict = check_document(b'{"input": "double",\n "output" 3}', Limits())
    assert finding(verdict, "json").position == "line 2 column 11"
    assert "line 2 column 11" in verdict.text()


@pytest.mark.parametrize(
    ("changes", "words", "position"),
    [
        ({"action": {"no.such": ["input"]}}, 'unknown function "no.such"', "action"),
        ({"action": {"+": ["input", "x"]}}, 'unknown symbol "x"', "action -> + -> 1"),
        ({"output": "string"}, "output type", None),
        ({"more": 1}, "unexpected top-level field: more", None),
        ({"action": {"@": "R line 3", "no": ["input"]}}, "R line 3", "R line 3"),
    ],
)
def test_pfa(changes, words, position):
    source = body(**changes)
    assert words in failing(source, "pfa")
    where = finding(check_document(source, Limits()), "pfa").position
    assert position is None or position in where


def test_policy_reports_and_refuses():
    source = body(action={"+": ["input", {"rand.gaussian": [0.0, 1.0]}]}, metadata={})
    verdict = check_document(source, Limits())
    assert verdict.passed
    assert finding(verdict, "policy").status == "warning"
    assert "rand.gaussian in action" in finding(verdict, "policy").message
    message = failing(source, "policy", Limits(refuse=("randomness",)))
    assert "rand.gaussian in action" in message
    assert "GATE_REFUSE: randomness" in message
    assert "calls rand.gaussian" in failing(source, "policy", Limits(refuse=("rand.",)))
    assert check_document(source, Limits(refuse=("recursion", "model."))).passed


def test_what_is_not_compiled_is_a_warning(monkeypatch):
    real = pfa.load

    def load(*args, **kwargs):
        return real(*args, **{**kwargs, "compiled": False})

    monkeypatch.setattr(pfa, "load", load)
    verdict = check_document(body(), Limits())
    assert verdict.passed
    assert finding(verdict, "compile").status == "warning"
    assert "not asked for" in finding(verdict, "compile").message
    assert verdict.artifact


def test_schema():
    live = pfa.load(document(input="string", action={"s.len": ["input"]}, metadata={}))
    source = body()
    message = failing(source, "schema", live=live)
    assert "input: was string, is double" in message
    verdict = check_document(source, Limits(allow_breaking=True), live)
    assert verdict.passed
    assert finding(verdict, "schema").status == "warning"
    allowed = body(metadata={"breaking": "allow", "examples": examples(example())})
    verdict = check_document(allowed, Limits(), live)
    assert verdict.passed
    assert "metadata.breaking" in finding(verdict, "schema").message


def test_another_method_is_another_answer():
    emit = {"method": "emit", "action": {"emit": ["input"]}, "metadata": {}}
    message = failing(body(**emit), "schema", live=pfa.load(document()))
    assert "output: was double, is array of double" in message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{", "not JSON"),
        ("{}", "a list"),
        ("[NaN]", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ('[{"expected": 1}]', 'example 1 must be an object with "input"'),
        ('[{"input": 1}]', 'either "expected" or "error"'),
        ('[{"input": 1, "expected": 1, "error": {}}]', 'either "expected" or "error"'),
        ('[{"input": 1, "expected": 101, "tolerence": 1}]', 'unknown key "tolerence"'),
        ('[{"input": 1, "expected": 101, "tolerance": -1}]', "from 0 to below 1"),
        ('[{"input": 1, "expected": 101, "tolerance": true}]', "from 0 to below 1"),
        ('[{"input": 1, "error": 3}]', '"code", "message" and "pointer" only'),
        ('[{"input": 1, "expected": 101}, {"input": 2, "expected": 7}]', "Example 2 of 2"),
        ('[{"input": 1, "expected": 101.001}]', "relative error 9.9e-06, tolerance 1e-06"),
        ('[{"input": 1, "expected": "101"}]', 'expected "101", the answer is 101.0'),
        ('[{"input": 1, "expected": true}]', "expected true"),
        ('[{"input": "x", "expected": 101}]', "does not fit the input schema"),
        ('[{"input": 1, "error": {"code": 1}}]', "an error was expected, the answer is 101.0"),
    ],
)
def test_wrong_examples(given, words):
    assert words in failing(body(metadata={"examples": given}), "examples")


def test_tolerances():
    near = example(expected=103.141)
    assert not check_document(body(metadata={"examples": examples(near)}), Limits()).passed
    for metadata in (
        {"examples": examples({**near, "tolerance": 1e-4})},
        {"examples": examples(near), "tolerance": "1e-4"},
    ):
        verdict = check_document(body(metadata=metadata), Limits())
        assert verdict.passed, verdict.text()
        assert verdict.largest_error == pytest.approx(0.001 / 103.141, rel=1e-6)


def test_number_of_examples():
    assert "fewer than 2" in failing(body(), "examples", Limits(min_examples=2))
    none = body(metadata={})
    assert "fewer than 1" in failing(none, "examples", Limits(min_examples=1))
    verdict = check_document(none, Limits())
    assert verdict.passed
    assert "nothing proves its answers" in finding(verdict, "examples").message


def test_expected_errors():
    action = {"if": {"<": ["input", 0]}, "then": {"error": "negative", "code": -7}, "else": "input"}
    listed = [
        {"input": -1, "error": {"code": -7}},
        {"input": -1, "error": {"code": -7, "message": "negative"}},
        {"input": -1, "error": {}},
        {"input": "x", "error": {"pointer": ""}},
        {"input": 2, "expected": 2},
    ]

    def made(*these):
        return body(action=action, metadata={"examples": examples(*these)})

    verdict = check_document(made(*listed), Limits())
    assert verdict.passed, verdict.text()
    assert verdict.examples == 5
    for wrong, words in [
        ({"input": -1, "error": {"code": 7}}, "the code 7 was expected, it is -7"),
        ({"input": -1, "error": {"message": "x"}}, 'the message "x" was expected'),
        ({"input": -1, "error": {"pointer": "/a"}}, 'an error at "/a" was expected'),
        ({"input": "x", "error": {"code": -7}}, "an error of the model was expected"),
        ({"input": -1, "expected": 3}, "negative (code -7)"),
    ]:
        assert words in failing(made(wrong), "examples")


def test_each_example_begins_anew():
    counting = {
        "cells": {"n": {"type": "double", "init": 0.0}},
        "action": {
            "cell": "n",
            "to": {"params": [{"x": "double"}], "ret": "double", "do": {"+": ["x", "input"]}},
        },
    }
    listed = examples(example(1.0, 1.0), example(2.0, 2.0), example(1.0, 1.0))
    verdict = check_document(body(**counting, metadata={"examples": listed}), Limits())
    assert verdict.passed, verdict.text()
    assert "cell-to in action" in finding(verdict, "policy").message


def test_emit_and_fold():
    emit = {"method": "emit", "action": [{"emit": ["input"]}, {"emit": [{"u-": ["input"]}]}]}
    listed = examples(example(1.0, [1.0, -1.0]))
    assert check_document(body(**emit, metadata={"examples": listed}), Limits()).passed
    fold = {
        "method": "fold",
        "zero": 10.0,
        "action": {"+": ["tally", "input"]},
        "merge": {"+": ["tallyOne", "tallyTwo"]},
    }
    listed = examples(example(1.0, 11.0), example(2.0, 12.0))
    assert check_document(body(**fold, metadata={"examples": listed}), Limits()).passed


def test_random_numbers_with_a_seed_are_compared():
    action = {"+": ["input", {"rand.gaussian": [0.0, 1.0]}]}
    given = document(action=action, randseed=5, metadata={})
    answer = pfa.load(given).score(1.0)
    given["metadata"] = {"examples": examples(example(1.0, answer))}
    verdict = check_document(json.dumps(given).encode(), Limits())
    assert verdict.passed, verdict.text()
    assert "on titus2's own engine" in finding(verdict, "examples").message
    del given["randseed"]
    message = failing(json.dumps(given).encode(), "examples")
    assert "without a randseed" in message
    given["action"] = [given["action"], "input"]  # it draws, but the answer does not depend on it
    given["metadata"] = {"examples": examples(example(1.0, 1.0))}
    verdict = check_document(json.dumps(given).encode(), Limits())
    assert verdict.passed, verdict.text()
    assert "compiled only" in finding(verdict, "examples").message


def test_engines_are_held_to_each_other(monkeypatch):
    real = pfa.load

    def load(source, *args, **kwargs):
        if kwargs.get("compiled") is False:
            source = source.replace(b"100.0", b"100.0000010")
        return real(source, *args, **kwargs)

    monkeypatch.setattr(pfa, "load", load)
    message = failing(body(), "examples")
    assert "titus2's own engine gives 103.140001" in message
    assert "engine is at fault" in message


def test_artifact_is_held_to_the_document(monkeypatch):
    other = pfa.load(document(action={"+": ["input", 99.0]}))
    monkeypatch.setattr(pfa, "load_artifact", lambda _: other)
    assert "compiled ahead of time gives 102.14" in failing(body(), "examples")


LONG = {
    "action": [
        {"let": {"i": 0}},
        {"while": {"<": ["i", 100_000_000]}, "do": {"set": {"i": {"+": ["i", 1]}}}},
        "input",
    ]
}


def test_slow_examples_are_stopped():
    source = body(**LONG, metadata={"examples": examples(example())})
    message = failing(source, "examples", Limits(example_seconds=0.2))
    assert "no time left for titus2 1.2.0, compiled after 0 of 1 examples" in message


def test_time_budget():
    message = failing(body(), "budget", Limits(p99_ms=1e-9))
    assert "too slow" in message
    assert "GATE_P99_MS" in message
    assert finding(check_document(body(), Limits()), "budget").message.startswith("p99 ")


def test_memory_budget(monkeypatch):
    monkeypatch.setattr(checks, "resident_bytes", iter([0, 2_000_000_000]).__next__)
    assert "GATE_MEMORY_MB" in failing(body(), "budget")


def test_memory_to_load():
    large = body(cells={"x": {"type": {"type": "array", "items": "int"}, "init": [1] * 10_000_000}})
    verdict = check_document(large, Limits(memory_mb=8))
    assert not verdict.passed
    (failed,) = [it for it in verdict.findings if it.status == "failed"]
    assert failed.check in ("json", "pfa")
    assert "memory" in failed.message


def test_a_fault_of_a_check_is_a_finding(monkeypatch):
    def broken(*_args):
        raise KeyError("secret")

    monkeypatch.setattr(checks.policy, "found", broken)
    message = failing(body(), "policy")
    assert "KeyError" in message
    assert "secret" not in message


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_what_a_document_does_to_a_check_is_a_finding(monkeypatch, error):
    def broken(*_args):
        raise error

    monkeypatch.setattr(checks.policy, "found", broken)
    assert failing(body(), "policy")


def test_a_check_ends_in_its_time(monkeypatch):
    def endless(*_args):
        while True:
            pass

    monkeypatch.setattr(checks.policy, "found", endless)
    monkeypatch.setattr(checks, "LIGHT_SECONDS", 0.2)
    assert "within its time (0.2 s)" in failing(body(), "policy")


def test_a_deadline_of_who_calls_goes_through(monkeypatch):
    def endless(*_args):
        while True:
            pass

    monkeypatch.setattr(checks.policy, "found", endless)
    with pytest.raises(DeadlineExceeded), deadline(0.2):
        check_document(body(), Limits())


def test_texts_of_a_document_stay_on_one_line():
    verdict = check_document(body(action={"no\nsuch\x1b[31m": ["input"]}), Limits())
    assert len(verdict.text().splitlines()) == len(checks.NAMES) + 1
    assert "\x1b" not in verdict.text()
    hostile = [{"input": 1, "expected": "\u2028\ud800\x07"}]
    verdict = check_document(body(metadata={"examples": json.dumps(hostile)}), Limits())
    assert verdict.text().isprintable() or verdict.text().replace("\n", "").isprintable()
    verdict.text().encode()
    json.dumps(verdict.to_json()).encode()


def test_report():
    verdict = check_document(body(), Limits())
    report = verdict.to_json()
    assert set(report) == {"passed", "findings", "sha256", "engine", "examples", "largestError"}
    lines = verdict.text().splitlines()
    assert lines[-1] == "PASSED"
    for line, told in zip(lines, report["findings"], strict=False):
        assert line.startswith(told["status"])
        assert told["message"] in line
    assert "artifact" not in repr(replace(verdict, artifact=b"artifact"))


def test_what_the_reference_cannot_load_is_not_proven(monkeypatch):
    real = pfa.load

    def load(*args, **kwargs):
        if kwargs.get("compiled") is False:
            raise pfa.DocumentError("too much code", "action")
        return real(*args, **kwargs)

    monkeypatch.setattr(pfa, "load", load)
    message = failing(body(), "examples")
    assert "which proves the answers, does not load it: too much code" in message


def test_what_the_reference_cannot_answer_is_not_proven(monkeypatch):
    real = pfa.load
    one = {"params": [{"x": "double"}], "ret": "double", "do": {"u.f": ["x"]}}
    endless = body(fcns={"f": one}, action={"u.f": ["input"]})

    def load(source, *args, **kwargs):
        return real(endless if kwargs.get("compiled") is False else source, *args, **kwargs)

    monkeypatch.setattr(pfa, "load", load)
    message = failing(body(), "examples")
    assert "call each other too deeply for this record. So nothing proves the answer" in message


def test_checks_know_nothing_of_aws():
    code = "import sys, gate.checks; print(*sys.modules)"
    functions = Path(pfa.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=functions, capture_output=True, text=True, check=True
    )
    assert not {"boto3", "botocore", "bucket", "aws_lambda_powertools"} & set(done.stdout.split())


def test_sums_that_numpy_adds_in_another_order():
    """Of 41 products the last digits are not the same on both engines: docs/semantics.md."""
    doubles = {"type": "array", "items": "double"}
    fields = [{"name": "const", "type": "double"}, {"name": "coeff", "type": doubles}]
    rng = random.Random(1)
    records = [[rng.gauss(0, 1) for _ in range(41)] for _ in range(60)]
    coeff = [rng.gauss(0, 1) for _ in range(41)]
    found = [math.sumprod(coeff, record) for record in records]
    listed = [{"input": x, "expected": y} for x, y in zip(records, found, strict=True)]
    document = {
        "input": doubles,
        "output": "double",
        "cells": {
            "model": {
                "type": {"type": "record", "name": "Model", "fields": fields},
                "init": {"const": 0.0, "coeff": coeff},
            }
        },
        "action": {"model.reg.linear": ["input", {"cell": "model"}]},
        "metadata": {"examples": json.dumps(listed), "tolerance": "1e-9"},
    }
    verdict = check_document(json.dumps(document).encode(), Limits())
    assert verdict.passed, verdict.text()
    assert verdict.largest_error < 1e-9
