import gzip
import json
import pickle
import random
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

import pfa
from gate import mistakes
from gate.checks import check_document
from gate.verdict import Limits
from tests.gate.documents import body, document, examples

ROOT = Path(__file__).resolve().parents[2]


def zipped():
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("model.ini", "x")
    return made.getvalue()


def said(source):
    """What is said of a document, by the check that failed."""
    verdict = check_document(source, Limits())
    (found,) = [it for it in verdict.findings if it.status == "failed"]
    return found.message


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (gzip.compress(body()), "gzip"),
        (pickle.dumps({"a": [1.0]}), "pickle"),
        (pickle.dumps([1], protocol=2), "pickle"),
        (zipped(), "zip file"),
        (b'<?xml version="1.0"?><PMML/>', "PMML"),
        (b'<PMML version="4.4"/>', "PMML"),
        (b"<html></html>", "XML or HTML"),
        (b"\x08\x08\x12\x07skl2onnx", "ONNX"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"RDX3\nX\n", "R workspace"),
        ("\ufeff{}".encode("utf-16"), "UTF-16"),
        ("\ufeff{}".encode(), "byte order mark"),
        (b"input: double\noutput: double\naction: input\n", "YAML"),
        (b"# a model\nname: x\n", "YAML"),
        (b"tree\nversion=v3\n", "LightGBM"),
        (b'{"learner": {}, "version": [1, 7, 6]}', "XGBoost's own JSON"),
        (b'{"x": Inf}', "Inf is R's"),
        (b'{"x": None}', "Python's print"),
    ],
)
def test_other_formats(source, words):
    assert words in said(source)


def test_documents_are_no_other_format():
    for path in [*ROOT.glob("models/*.pfa"), *ROOT.glob("data/r_models/*.pfa")]:
        source = path.read_bytes()
        assert mistakes.of_bytes(source) is None
        assert mistakes.of_document(json.loads(source)) == []


def cells(init, of="double"):
    return document(cells={"c": {"type": {"type": "array", "items": of}, "init": init}})


def numbers(count=500):
    draw = random.Random(7)
    return [draw.gauss(0, 10) for _ in range(count)]


def test_rounded_numbers():
    rounded = (
        [round(x, 8) for x in numbers()],
        [float(f"{x:.8g}") for x in numbers()],
        [round(x / 1e4, 8) for x in numbers()],
    )
    for made in rounded:
        assert mistakes.of_document(cells(made)) == [mistakes.ROUNDED]
    kept = (
        numbers(),
        [round(x, 2) for x in numbers()],
        [float(i) for i in range(500)],
        [i / 8 for i in range(500)],
        [round(x, 8) for x in numbers(10)],
        [round(x, 8) for x in numbers(10)] * 100,
    )
    for made in kept:
        assert mistakes.of_document(cells(made)) == []


def test_rounding_is_a_warning_and_named_where_it_shows():
    weights = [round(x, 8) for x in numbers()]
    parts = {
        "cells": {"w": {"type": {"type": "array", "items": "double"}, "init": weights}},
        "action": {"*": ["input", {"a.sum": {"cell": "w"}}]},
        "metadata": {"examples": examples({"input": 1.0, "expected": sum(weights) * (1 + 5e-6)})},
    }
    source = body(**parts)
    message = said(source)
    assert "Example 1" in message
    assert "digits = NA" in message
    parts["metadata"] = {"examples": examples({"input": 1.0, "expected": sum(weights)})}
    verdict = check_document(body(**parts), Limits())
    assert verdict.passed
    assert [it.check for it in verdict.findings if it.status == "warning"] == ["json"]


def test_numbers_that_are_texts():
    (words,) = mistakes.of_document(cells([1.0, "NaN", "Inf"]))
    assert 'cell "c" (2 in all)' in words
    assert mistakes.of_document(cells(["NA", "nine"], "string")) == []


def test_dotted_names():
    dotted = {"type": "record", "name": "R", "fields": [{"name": "Sepal.Length", "type": "double"}]}
    message = said(body(input=dotted, action={"attr": "input", "path": [["Sepal.Length"]]}))
    assert "Avro names cannot have dots" in message
    assert "Sepal_Length" in message


def test_dotted_columns_of_an_example():
    renamed = {"type": "record", "name": "R", "fields": [{"name": "a_b", "type": "double"}]}
    for record, words in [
        ({"a.b": 1.0}, 'R calls the column "a.b"'),
        ([1.0], "an object with its fields by name"),
        ({"c": 1.0}, "/c"),
        ({"a_b": [1.0]}, "auto_unbox = TRUE"),
    ]:
        listed = examples({"input": record, "expected": 1.0})
        source = body(input=renamed, action="input.a_b", metadata={"examples": listed})
        assert words in said(source)


def test_missing_tags_and_positions():
    bare = {"c": {"type": ["null", "double"], "init": 3.0}}
    assert 'a tag, {"double": 3.0}' in said(body(cells=bare))
    inner = {"type": "array", "items": ["double", "string"]}
    assert "a tag" in said(body(cells={"c": {"type": inner, "init": [3.0, "x"]}}))
    point = {"type": "record", "name": "P", "fields": [{"name": "x", "type": "double"}]}
    assert "fields by name" in said(body(cells={"c": {"type": point, "init": [3.0]}}))


def test_texts_of_other_formats_end_in_time():
    for source in (b"<" * 5_000_000, b"#" * 5_000_000, b"# \n" * 1_000_000, b" " * 5_000_000):
        assert not check_document(source, Limits()).passed


def test_what_the_engine_says_is_recognised():
    """The words are the engine's: if they change, so must the patterns."""
    with pytest.raises(pfa.DocumentError) as caught:
        pfa.load(document(cells={"c": {"type": ["null", "double"], "init": 3.0}}))
    assert "tag" in mistakes.of_load_error(str(caught.value))


def test_answers_as_r_writes_them():
    for expected, words in [([0.140051], "auto_unbox = TRUE"), (0.1401, "digits = NA")]:
        listed = examples({"input": -99.859949, "expected": expected})
        assert words in said(body(metadata={"examples": listed}))
    listed = examples({"input": 3.14, "expected": 103.2})
    assert "R's" not in said(body(metadata={"examples": listed}))


def test_answers_without_their_tags():
    listed = examples({"input": 3.14, "expected": 103.14})
    source = body(output=["null", "double"], metadata={"examples": listed})
    assert "comes with its type as a tag" in said(source)


def test_what_is_too_large_to_load(monkeypatch):
    source = body(cells={"x": {"type": {"type": "array", "items": "int"}, "init": [1] * 300_000}})
    with pytest.raises(pfa.DocumentError) as caught:
        pfa.load(source, timeout=0.001)
    assert "GATE_LOAD_SECONDS" in mistakes.of_load_error(str(caught.value))

    def read(_source):
        raise MemoryError

    monkeypatch.setattr(pfa.document, "read", read)
    with pytest.raises(pfa.DocumentError) as caught:
        pfa.load(source)
    assert "GATE_MEMORY_MB" in mistakes.of_load_error(str(caught.value))
