import contextlib
import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pfa
from pfa import document
from tests.pfa.test_model import HELLO

TEXT = json.dumps(HELLO)


def refused(source: Any) -> pfa.DocumentError:
    with pytest.raises(pfa.DocumentError) as caught:
        pfa.load(source)
    message = str(caught.value)
    assert len(message) < 1500
    assert not any(
        word in message for word in ("Error", "Exception", "<class", "object at", "NoneType")
    )
    return caught.value


@pytest.mark.parametrize(
    ("source", "message", "position"),
    [
        (b"", "The document is empty.", None),
        (b" \n", "The document is empty.", None),
        (
            b"\xef\xbb\xbf" + TEXT.encode(),
            "The document begins with a byte order mark: save it as UTF-8 without one.",
            None,
        ),
        (TEXT.encode("utf-16"), "The document is UTF-16: save it as UTF-8.", None),
        (
            b"\x1f\x8b\x08\x00rest",
            "The document is compressed (gzip): store it uncompressed.",
            None,
        ),
        (b'{"doc": "\xe9"}', "The document is not UTF-8.", "byte 9"),
        (
            TEXT[:-1],
            "The document is not JSON: Expecting ',' delimiter.",
            f"line 1 column {len(TEXT)}",
        ),
        (
            "input: double\noutput: double\n",
            "The document is not JSON: Expecting value.",
            "line 1 column 1",
        ),
        (b"\x00\x01", "The document is not JSON: Expecting value.", "line 1 column 1"),
        ("[" * 100_000, "The document is nested too deeply.", None),
        ('{"a": ' * 100_000, "The document is nested too deeply.", None),
    ],
)
def test_what_is_not_json(source, message, position):
    error = refused(source)
    assert (str(error), error.position) == (message, position)


@pytest.mark.parametrize("source", ["[]", "1", "null", '"x"', b"[1, 2]"])
def test_what_is_no_object(source):
    assert "is not a PFA document: that is a JSON object with" in str(refused(source))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_json_does_not_have(number):
    assert f"The document holds {number}, which is not JSON" in str(
        refused(TEXT.replace("100", number))
    )


@pytest.mark.parametrize("number", ["1e999", "-1E+0400", "1" * 400 + ".0", "1" * 400 + "e1"])
def test_too_large_a_number(number):
    assert "too large for a double" in str(refused(TEXT.replace("100", number)))


@pytest.mark.parametrize("number", ["1e100", "1e-999", "1e308"])
def test_large_and_small_numbers(number):
    assert pfa.load(TEXT.replace("100", number)).score(0) == float(number)


def test_a_number_of_too_many_digits():
    assert "too many digits" in str(refused(TEXT.replace("100", "1" * 5000)))


def test_a_key_twice():
    source = '{"input": "double", "output": "double", "action": "input", "input": "int"}'
    assert str(refused(source)) == 'An object of the document has the key "input" twice.'


def test_values_that_are_no_json():
    assert "cannot be written as JSON" in str(refused({**HELLO, "doc": object()}))
    assert "cannot be written as JSON" in str(refused({**HELLO, "action": float("nan")}))
    endless: dict[str, Any] = {}
    endless["a"] = endless
    assert "cannot be written as JSON" in str(refused(endless))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"action": None}, "null"),
        ({"input": "no such type"}, "no such type"),
        ({"action": {"no.such.function": ["input"]}}, "no.such.function"),
        ({"action": {"s.len": ["input"]}}, "s.len"),
        ({"action": "unknown"}, "unknown"),
        ({"surprise": 1}, "surprise"),
        ({"method": "transform"}, "transform"),
        ({"name": "X(PFAEngine):\n    import os\nclass Y"}, ""),
        ({"cells": {"c": {"type": "int", "init": "/etc/passwd", "source": "json"}}}, "embedded"),
        ({"output": {"type": "fixed", "name": "F", "size": "large"}}, ""),
        ({"input": {"type": "record", "name": "R"}}, ""),
        ({"cells": []}, ""),
        ({"cells": {"c": 1}}, ""),
        ({"options": 1}, ""),
        ({"version": "1"}, ""),
    ],
)
def test_what_is_not_pfa(changes, message):
    assert message in str(refused({**HELLO, **changes}))


def test_missing_fields():
    assert "output" in str(refused({"input": "double"}))


@pytest.mark.parametrize("depth", [500, 2000])
def test_expressions_within_expressions(depth):
    action: Any = "input"
    for _ in range(depth):
        action = {"+": [action, 1]}
    assert "too deep" in str(refused({**HELLO, "action": action}))


DOTS = "Avro names cannot have dots"


@pytest.mark.parametrize("name", ["Sepal.Length", "a b", "1st", "", "naïve"])
def test_field_names(name):
    fields = [{"name": name, "type": "double"}]
    message = str(
        refused(
            {**HELLO, "input": {"type": "record", "name": "R", "fields": fields}, "action": 1.0}
        )
    )
    if name:
        assert name.encode("unicode_escape").decode() in message
    assert (DOTS in message) == ("." in name)


def test_a_forest_with_dots_as_rs_exporter_writes_it():
    fields = [{"name": "Sepal.Length", "type": "double"}]
    node = {
        "type": "record",
        "name": "TreeNode",
        "fields": [
            {"name": "field", "type": {"type": "enum", "name": "F", "symbols": ["Sepal.Length"]}},
            {"name": "operator", "type": "string"},
            {"name": "value", "type": "double"},
            {"name": "pass", "type": ["TreeNode", "string"]},
            {"name": "fail", "type": ["TreeNode", "string"]},
        ],
    }
    tree = {
        "field": "Sepal.Length",
        "operator": "<",
        "value": 2.5,
        "pass": {"string": "a"},
        "fail": {"string": "b"},
    }
    source = {
        "input": {"type": "record", "name": "Input", "fields": fields},
        "output": "string",
        "cells": {"tree": {"type": node, "init": tree}},
        "action": {"model.tree.simpleTree": ["input", {"cell": "tree"}]},
    }
    assert DOTS in str(refused(source))


def test_the_garbage_collector_is_back_on():
    for source in (TEXT, "[", "{}"):
        gc.enable()
        with contextlib.suppress(pfa.DocumentError):
            pfa.load(source)
        assert gc.isenabled()


def test_the_position_is_the_documents_own():
    error = refused({**HELLO, "action": {"@": "line 7", "s.len": ["input"]}})
    assert error.position is not None
    assert "line 7" in error.position


def test_parse_gives_what_json_gives():
    source = json.dumps({"a": [1, 2.5, "x", None, True, {"b": {}}], "c": "1e999"})
    assert document.parse(source) == json.loads(source)


def test_the_order_of_keys_is_kept():
    new = {"type": {"type": "map", "values": "int"}, "new": {"z": 1, "a": 2}}
    keys = {"type": "array", "items": "string"}
    made = pfa.load({**HELLO, "output": keys, "action": {"map.keys": [new]}})
    assert made.score(0) == ["z", "a"]


class TestLargeDocuments:
    """Where keys are counted: no object may have one twice there either."""

    @staticmethod
    def document(init: str, more: str = "") -> str:
        node = {"type": "record", "name": "N", "fields": [{"name": "x", "type": "string"}]}
        cell = f'{{"type": {json.dumps(node)}, "init": {init}}}'
        return (
            '{"input": "null", "output": "string", "action": {"cell": "c", "path": [{"string":'
            f' "x"}}]}}, "cells": {{"c": {cell}}}{more}}}'
        )

    @pytest.mark.parametrize("text", ['say \\": \\\\', "a : b", "ends in \\\\", "plain"])
    def test_read(self, text):
        init = json.dumps({"x": "y" * 600_000})
        read = self.document(init, f', "doc": "{text}"')
        assert pfa.load(read).score(None) == "y" * 600_000

    @pytest.mark.parametrize(
        "twice", ['"x": "a", "x"', '"x": "a" , "x" ', '"\\\\": 1, "\\\\": "a", "x"']
    )
    def test_refused(self, twice):
        text = self.document(f'{{{twice}: "{"y" * 600_000}"}}')
        with pytest.raises(pfa.DocumentError, match=r"has the key .* twice"):
            pfa.load(text)

    @pytest.mark.parametrize("name", ["sonar_rf", "pima_gbm", "iris_rf"])
    def test_refused_in_a_forest(self, name):
        """Of whose objects the kernel counts the keys."""
        path = Path(__file__).parents[2] / f"data/r_models/{name}.pfa"
        text = json.dumps({**json.loads(path.read_text("utf-8")), "doc": "x" * 600_000})
        read = document.read(text)
        document.check_keys(read, {}, text)
        pfa.load(text)
        for key in ("pass", "fail", "operator", "field", "value"):
            with pytest.raises(pfa.DocumentError, match=f'has the key "{key}" twice'):
                pfa.load(text.replace(f'"{key}":', f'"{key}": 1, "{key}":', 1))


def test_a_process_that_only_loads_does_not_grow() -> None:
    program = """
import gc
import pfa
text = open("models/real_estate.pfa").read()
counts = []
for _ in range(4):
    for _ in range(40):
        pfa.load(text)
    counts.append(len(gc.get_objects()))
print(max(counts) - counts[0])
"""
    command = [sys.executable, "-c", program]
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        command, cwd=root, env={"PYTHONPATH": "functions"}, capture_output=True, check=True
    )
    assert int(ran.stdout) < 6_000  # each load makes 170 that only the collector frees
