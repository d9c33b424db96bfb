import copy
import gc
import hashlib
import json
import logging
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import pfa
from pfa.deadline import DeadlineExceeded, deadline

HELLO: dict[str, Any] = {"input": "double", "output": "double", "action": {"+": ["input", 100]}}
PLUS_INPUT = {"params": [{"old": "int"}], "ret": "int", "do": {"+": ["old", "input"]}}
INT_LIST = {"type": "array", "items": "int"}
NODE = {
    "type": "record",
    "name": "Node",
    "fields": [{"name": "n", "type": "int"}, {"name": "next", "type": ["null", "Node"]}],
}
FOREVER = {"do": [{"while": True, "do": [{"+": [1, 1]}]}, 1]}


def document(action: Any, given: Any = "int", out: Any = "int", **more: Any) -> dict[str, Any]:
    return {"input": given, "output": out, "action": action, **more}


def counter(shared: bool = False) -> dict[str, Any]:
    """Adds its inputs up in a cell that begins with 10."""
    init = {"total": {"type": "int", "init": 10, "shared": shared}}
    return document({"cell": "total", "to": PLUS_INPUT}, cells=init)


def kinds(results: list[Any]) -> list[Any]:
    """Results with errors as the names of their classes."""
    return [type(r).__name__ if isinstance(r, pfa.PfaError) else r for r in results]


def test_hello():
    assert pfa.load(HELLO).score(3.14) == 103.14


def test_half_a_character_in_a_documents_own_words():
    """JSON can carry half of a surrogate pair; nothing can encode it."""
    error = {"error": "a\ud800b", "code": -1, "@": "line \udc00"}
    action: Any = {"if": {"<": ["input", 2]}, "then": error, "else": 0}
    with pytest.raises(pfa.ScoringError) as caught:
        pfa.load(document(action)).score(1)
    assert str(caught.value) == "a\ufffdb"
    assert "line \ufffd" in str(caught.value.position)
    action = {"a.max": {"type": INT_LIST, "new": []}, "@": "line \udc00" * 1000}
    with pytest.raises(pfa.ScoringError) as caught:
        pfa.load(document(action)).score(1)
    assert caught.value.position is not None
    assert len(caught.value.position.encode()) < 4000
    with pytest.raises(pfa.DocumentError) as refused:
        pfa.load(document({"no such \ud800": [], "@": "line \udc00"}))
    assert (str(refused.value) + str(refused.value.position)).encode()


def test_memory_that_is_still_too_little_while_an_error_is_made(monkeypatch):
    model, release, calls = pfa.load(HELLO), pfa.call.release, []

    def late(error: BaseException) -> None:
        calls.append(error)
        if len(calls) == 1:
            raise MemoryError
        release(error)

    def fails(*_args: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr("pfa.call.release", late)
    monkeypatch.setattr(model, "_short", None)
    model.check = fails
    results = model.score_batch([1.0, 2.0])
    assert kinds(results) == ["ScoringError"] * 2
    assert "more memory than it may have" in str(results[0])


def test_a_fault_of_ours_can_be_told_from_the_document_s(monkeypatch):
    def fails(*_args: Any, **_more: Any) -> Any:
        raise KeyError("a value of the document")

    monkeypatch.setattr("pfa.compiler.engine", fails)
    with pytest.raises(pfa.DocumentError, match=r"^The document is not valid PFA \(KeyError\)\.$"):
        pfa.load(HELLO)


@pytest.mark.parametrize("part", ["pfa.document.json.loads", "pfa.compiler.compiled"])
def test_a_document_that_needs_too_much_memory(part, monkeypatch):
    def fails(*_args: Any, **_more: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(part, fails)
    with pytest.raises(pfa.DocumentError, match="needs more memory than it may have"):
        pfa.load(b'{"input": "int", "output": "int", "action": "input"}')


def test_a_document_that_takes_too_long_to_load():
    long = json.dumps({"input": "int", "output": "int", "action": [{"+": ["input", 1]}] * 20_000})
    with pytest.raises(pfa.DocumentError, match=r"not be loaded within its time \(0\.05 s\)"):
        pfa.load(long, timeout=0.05)
    with pytest.raises(DeadlineExceeded), deadline(0.05):  # another's clock
        pfa.load(long)
    with pytest.raises(DeadlineExceeded), deadline(0.05):
        pfa.load(long, timeout=60)
    assert pfa.load(HELLO, timeout=60).score(1.0) == 101.0


def test_the_reference_gives_the_same_answers():
    reference = pfa.load(document({"+": ["input", 1]}), compiled=False)
    assert (reference.engine, reference.describe()["compiled"]) == ("titus2 1.2.0", False)
    assert reference.score(1) == 2
    assert kinds(reference.score_batch([1, "x", 2**31 - 1])) == [2, "InputError", "ScoringError"]
    with pytest.raises(pfa.DocumentError):
        pfa.load(document({"no such": []}), compiled=False)


class TestWhatItSays:
    def test_attributes(self):
        text = json.dumps({**HELLO, "name": "Hello", "doc": "Adds.", "version": 7}).encode()
        model = pfa.load(text)
        assert model.sha256 == hashlib.sha256(text).hexdigest()
        assert (model.name, model.method, model.doc, model.version) == ("Hello", "map", "Adds.", 7)
        assert model.engine == "titus2 1.2.0, compiled"
        assert (model.input_schema, model.output_schema) == ("double", "double")

    def test_a_document_as_text_and_as_values(self):
        text = json.dumps(HELLO, sort_keys=True, separators=(",", ":"))
        made = [pfa.load(text), pfa.load(text.encode()), pfa.load(HELLO)]
        assert {model.sha256 for model in made} == {hashlib.sha256(text.encode()).hexdigest()}

    def test_a_document_without_name_is_named_by_its_content(self):
        first, second = pfa.load(HELLO), pfa.load(HELLO)
        assert first.name == second.name == f"Engine_{first.sha256[:12]}"

    def test_the_callers_document_is_left_alone(self):
        mine = counter()
        before = copy.deepcopy(mine)
        model = pfa.load(mine)
        mine["cells"]["total"]["init"] = 99
        assert model.score(1) == 11
        mine["cells"]["total"]["init"] = 10
        assert mine == before

    def test_describe(self):
        given = {"type": "record", "name": "R", "namespace": "a.b", "doc": "what comes in"}
        given["fields"] = [{"name": "x", "type": ["null", "double"], "default": None}]
        metadata = {"author": "me", "examples": "[1,2,3]"}
        model = pfa.load(document(1, given, name="M", metadata=metadata))
        said = model.describe()
        assert json.loads(json.dumps(said)) == said
        assert said["metadata"] == {"author": "me"}
        assert model.metadata == metadata
        assert said["input"]["avro"] == given
        assert said["input"]["jsonSchema"]["$ref"] == "#/$defs/a.b.R"
        assert said["output"]["avro"] == "int"
        assert {k: said[k] for k in ("name", "method", "doc", "version", "engine", "compiled")} == {
            "name": "M",
            "method": "map",
            "doc": None,
            "version": None,
            "engine": "titus2 1.2.0, compiled",
            "compiled": True,
        }

    def test_schemas_are_complete_though_the_type_is_defined_elsewhere(self):
        kind = {"type": "record", "name": "K", "fields": [{"name": "x", "type": "int"}]}
        cells = {"c": {"type": kind, "init": {"x": 1}}}
        model = pfa.load(
            document("input", {"type": "array", "items": "K"}, "K", cells=cells)
            | {"action": {"cell": "c"}}
        )
        assert model.input_schema == {"type": "array", "items": kind}
        assert model.output_schema == kind
        assert model.score([{"x": 2}]) == {"x": 1}

    def test_emit_describes_a_list(self):
        out = pfa.load(document({"emit": "input"}, method="emit")).describe()["output"]
        assert out["avro"] == "int"
        assert out["jsonSchema"]["type"] == "array"
        assert out["jsonSchema"]["items"]["type"] == "integer"


class TestState:
    """Each call begins with the document's state; within a batch changes are seen."""

    @pytest.mark.parametrize("shared", [False, True])
    def test_map_with_a_cell(self, shared):
        model = pfa.load(counter(shared))
        assert [model.score(1), model.score(1)] == [11, 11]
        assert model.score_batch([1, 2, 3]) == [11, 13, 16]
        assert model.score(1) == 11

    @pytest.mark.parametrize("shared", [False, True])
    def test_map_with_a_pool(self, shared):
        plus = {"params": [{"old": "int"}], "ret": "int", "do": {"+": ["old", 1]}}
        pools = {"seen": {"type": "int", "init": {"a": 5}, "shared": shared}}
        model = pfa.load(
            document(
                {"pool": "seen", "path": ["input"], "to": plus, "init": 0}, "string", pools=pools
            )
        )
        assert model.score_batch(["a", "b", "a", "b"]) == [6, 1, 7, 2]
        assert model.score_batch(["a", "b"]) == [6, 1]

    def test_deleting_from_a_pool(self):
        pools = {"seen": {"type": "int", "init": {"a": 5}}}
        action = [{"pool": "seen", "del": "input"}, {"pool": "seen", "path": [["a"]]}]
        model = pfa.load(document(action, "string", pools=pools))
        assert kinds(model.score_batch(["b", "a"])) == [5, "ScoringError"]
        assert model.score("b") == 5

    def test_nested_content_of_a_cell(self):
        cells = {"c": {"type": {"type": "map", "values": INT_LIST}, "init": {"a": [1, 2]}}}
        to = {"params": [{"old": INT_LIST}], "ret": INT_LIST, "do": {"a.append": ["old", "input"]}}
        action = [{"cell": "c", "path": [{"string": "a"}], "to": to}, {"cell": "c"}]
        model = pfa.load(document(action, out={"type": "map", "values": INT_LIST}, cells=cells))
        assert model.score_batch([3, 4])[1] == {"a": [1, 2, 3, 4]}
        assert model.score(5) == {"a": [1, 2, 5]}

    def test_the_answer_is_not_the_models_own(self):
        cells = {"c": {"type": {"type": "map", "values": INT_LIST}, "init": {"a": [1]}}}
        model = pfa.load(document({"cell": "c"}, out=cells["c"]["type"], cells=cells))
        answer = model.score(0)
        answer["a"].append(2)
        answer["b"] = []
        assert model.score(0) == {"a": [1]}

    def test_a_record_is_not_changed(self):
        model = pfa.load(document({"attr": "input", "path": [0], "to": 9}, INT_LIST, INT_LIST))
        record = [1, 2]
        assert model.score(record) == [9, 2]
        assert record == [1, 2]

    def test_fold(self):
        model = pfa.load(
            document(
                {"+": ["tally", "input"]},
                method="fold",
                zero=100,
                merge={"+": ["tallyOne", "tallyTwo"]},
            )
        )
        assert model.method == "fold"
        assert model.score_batch([1, 2, 3]) == [101, 103, 106]
        assert model.score(1) == 101

    def test_emit(self):
        action = {
            "for": {"i": 0},
            "while": {"<": ["i", "input"]},
            "step": {"i": {"+": ["i", 1]}},
            "do": {"emit": "i"},
        }
        model = pfa.load(document(action, method="emit"))
        assert model.score(3) == [0, 1, 2]
        assert model.score_batch([0, 2, 1]) == [[], [0, 1], [0]]

    def test_emit_from_a_function(self):
        fcns = {
            "twice": {
                "params": [{"x": "int"}],
                "ret": "null",
                "do": [{"emit": "x"}, {"emit": {"u.again": ["x"]}}],
            },
            "again": {"params": [{"x": "int"}], "ret": "int", "do": {"*": ["x", 10]}},
        }
        model = pfa.load(document({"u.twice": ["input"]}, method="emit", fcns=fcns))
        assert model.score_batch([1, 2]) == [[1, 10], [2, 20]]

    def test_begin_and_end(self):
        model = pfa.load(
            document(
                {
                    "emit": {
                        "cell": "c",
                        "to": {"params": [{"o": "int"}], "ret": "int", "do": {"+": ["o", "input"]}},
                    }
                },
                method="emit",
                begin=[{"emit": {"cell": "c"}}, {"cell": "c", "to": 100}],
                end=[{"emit": {"cell": "c"}}, {"emit": -1}],
                cells={"c": {"type": "int", "init": 10}},
            )
        )
        assert model.score(1) == [10, 101, 101, -1]
        assert model.score_batch([1, 2]) == [[10, 101], [103, 103, -1]]
        assert model.score_batch([]) == []

    def test_begins_and_ends_output_counts_to_records_with_an_answer(self):
        model = pfa.load(
            document({"emit": "input"}, method="emit", begin={"emit": 1}, end={"emit": 9})
        )
        assert kinds(model.score_batch(["x", 5, 6, "y"])) == [
            "InputError",
            [1, 5],
            [6, 9],
            "InputError",
        ]
        assert kinds(model.score_batch(["x"])) == ["InputError"]

    def test_begin_and_end_of_map_and_fold(self):
        cells = {"c": {"type": "int", "init": 1}}
        double = {"params": [{"o": "int"}], "ret": "int", "do": {"*": ["o", 2]}}
        begin = {"cell": "c", "to": double}
        model = pfa.load(
            document({"+": ["input", {"cell": "c"}]}, begin=begin, end=begin, cells=cells)
        )
        assert [model.score(0), model.score(0)] == [2, 2]
        fold = document(
            {"+": ["tally", {"cell": "c"}]},
            method="fold",
            zero=0,
            begin=begin,
            merge="tallyOne",
            cells=cells,
            end={"cell": "c", "to": "tally"},
        )
        assert pfa.load(fold).score_batch([0, 0]) == [2, 4]

    def test_what_fails_in_begin_fails_every_record(self):
        model = pfa.load(document("input", begin={"error": "no", "code": -3}))
        results = model.score_batch([1, 2])
        assert [(type(r), r.code) for r in results] == [(pfa.ScoringError, -3)] * 2

    def test_what_fails_in_end_fails_the_last_answer(self):
        model = pfa.load(document("input", end={"error": "no"}))
        assert kinds(model.score_batch([1, 2, "x"])) == [1, "ScoringError", "InputError"]

    def test_counters_and_names_are_the_calls_own(self):
        out = {"type": "array", "items": "string"}
        parts = [
            {"s.int": ["actionsStarted"]},
            {"s.int": ["actionsFinished"]},
            "name",
            {"s.int": ["version"]},
            {"s.int": ["instance"]},
            {"attr": "metadata", "path": [{"string": "k"}]},
        ]
        model = pfa.load(
            document(
                {"type": out, "new": parts}, out=out, name="Me", version=3, metadata={"k": "v"}
            )
        )
        assert model.score(0) == ["1", "0", "Me", "3", "0", "v"]
        assert model.score(0) == ["1", "0", "Me", "3", "0", "v"]
        assert [r[:2] for r in model.score_batch([0, 0])] == [["1", "0"], ["2", "1"]]

    def test_a_seeded_generator_begins_anew(self):
        action = {"rand.long": [0, 1_000_000_000]}
        model = pfa.load(document(action, "null", "long", randseed=12345))
        first = model.score_batch([None] * 3)
        assert len(set(first)) == 3
        assert model.score_batch([None] * 3) == first
        unseeded = pfa.load(document(action, "null", "long"))
        assert unseeded.score(None) != unseeded.score(None)

    def test_an_error_keeps_the_batch_going(self):
        action = {
            "if": {"<": ["input", 0]},
            "then": {"error": "negative", "code": -7},
            "else": {"cell": "total", "to": PLUS_INPUT},
        }
        model = pfa.load({**counter(), "action": action})
        results = model.score_batch([1, "2", -1, 3])
        assert kinds(results) == [11, "InputError", "ScoringError", 14]
        assert (results[2].code, str(results[2])) == (-7, "negative")

    @pytest.mark.parametrize(("rollback", "last"), [(True, 12), (False, 17)])
    def test_rollback_of_a_failed_record(self, rollback, last):
        action = [
            {"cell": "total", "to": PLUS_INPUT},
            {"if": {"==": ["input", 5]}, "then": {"error": "five"}},
            {"cell": "total"},
        ]
        cells = {"total": {"type": "int", "init": 10, "rollback": rollback}}
        model = pfa.load(document(action, cells=cells))
        assert kinds(model.score_batch([1, 5, 1])) == [11, "ScoringError", last]

    @pytest.mark.parametrize("more", [{}, {"to": 7}])
    def test_a_pool_changed_inside_an_attr(self, more):
        """titus's call graph forgot what is called in there, and the change outlived the call."""
        record = {"type": "record", "name": "R", "fields": [{"name": "k", "type": "int"}]}
        add = {"params": [{"r": "R"}], "ret": "R"}
        add["do"] = {"type": "R", "new": {"k": {"+": ["r.k", 1]}}}
        init = {"type": "R", "value": {"k": 1}}
        change = {"pool": "p", "path": ["input"], "to": add, "init": init}
        attr = {"attr": change, "path": [["k"]], **more}
        action = [attr, {"attr": {"pool": "p", "path": ["input"]}, "path": [["k"]]}]
        model = pfa.load(document(action, "string", pools={"p": {"type": record, "init": {}}}))
        assert [model.score("a") for _ in range(3)] == [2, 2, 2]
        assert model.score_batch(["a", "a", "b"]) == [2, 3, 2]

    def test_a_library_function_that_changed_its_argument(self):
        """model.reg.updateChi2 wrote into the state that it is given."""
        state = {
            "type": "record",
            "name": "Chi",
            "fields": [{"name": "chi2", "type": "double"}, {"name": "DOF", "type": "int"}],
        }
        action = [{"model.reg.updateChi2": ["input", {"cell": "c"}]}]
        model = pfa.load(
            document(
                action, "double", "Chi", cells={"c": {"type": state, "init": {"chi2": 0, "DOF": 1}}}
            )
        )
        first = model.score(2.0)
        assert model.score(2.0) == first
        assert isinstance(first["DOF"], int)


class TestThreads:
    def test_each_call_has_its_own_state(self):
        model = pfa.load(counter())

        def run(seed: int) -> bool:
            numbers = [random.Random(seed).randrange(100) for _ in range(30)]
            sums = [10 + sum(numbers[: i + 1]) for i in range(len(numbers))]
            return model.score_batch(numbers) == sums

        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        try:
            with ThreadPoolExecutor(4) as pool:
                assert all(pool.map(run, range(80)))
        finally:
            sys.setswitchinterval(before)

    def test_loading_in_threads(self):
        def run(add: int) -> Any:
            return pfa.load(document({"+": ["input", add]})).score(1)

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(run, range(24))) == list(range(1, 25))


class TestMemory:
    def test_a_models_content_goes_with_it(self):
        """Without waiting for the garbage collector: a store may hold a model of many MB."""
        fcns = {"f": {"params": [{"x": "int"}], "ret": "int", "do": {"+": ["x", 1]}}}
        many = {"type": {"type": "array", "items": INT_LIST}, "init": [[i] for i in range(20_000)]}
        source = document({"emit": {"u.f": ["input"]}}, method="emit", fcns=fcns, cells={"c": many})
        pfa.load(source).score(1)
        gc.collect()
        gc.disable()
        try:
            before = len(gc.get_objects())
            model = pfa.load(source)
            assert model.score(1) == [2]
            assert len(gc.get_objects()) > before + 20_000
            del model
            assert len(gc.get_objects()) < before + 10_000
        finally:
            gc.enable()


class TestErrors:
    def test_a_code_of_the_library(self):
        model = pfa.load(document({"a.max": ["input"]}, INT_LIST))
        with pytest.raises(pfa.ScoringError) as caught:
            model.score([])
        assert caught.value.code == 15240
        assert str(caught.value) == "empty array in a.max"

    def test_the_documents_own_error_and_its_place(self):
        action = {"@": "line 12", "error": "too small", "code": -5}
        with pytest.raises(pfa.ScoringError, match=r"^too small$") as caught:
            pfa.load(document({"do": [action]}, out="null")).score(1)
        assert (caught.value.code, caught.value.position) == (
            -5,
            'at line 12 (PFA field "action -> do -> 0")',
        )
        with pytest.raises(pfa.ScoringError) as caught:
            pfa.load(document([{"error": "x" * 5000}, "input"])).score(1)
        assert (caught.value.code, len(str(caught.value))) == (None, 1000)

    def test_endless_recursion(self):
        fcns = {"f": {"params": [{"x": "int"}], "ret": "int", "do": {"u.f": [{"+": ["x", 1]}]}}}
        with pytest.raises(pfa.ScoringError) as caught:
            pfa.load(document({"u.f": ["input"]}, fcns=fcns)).score(0)
        told = str(caught.value)
        assert told == "The model's functions call each other too deeply for this record."
        assert isinstance(caught.value.__cause__, RecursionError)

    def test_what_escapes_the_library(self, monkeypatch):
        model = pfa.load(HELLO)

        def broken(*_: Any, **__: Any) -> Any:
            raise KeyError("SECRET")

        monkeypatch.setattr(model.engines.kind, "action", broken)
        monkeypatch.setattr(model, "_short", None)
        with pytest.raises(pfa.ScoringError) as caught:
            model.score(1)
        assert str(caught.value) == "The model's computation failed for this record."
        assert caught.value.code is None
        assert isinstance(caught.value.__cause__, KeyError)

    def test_an_interrupt_is_not_swallowed(self, monkeypatch):
        model = pfa.load(HELLO)

        def interrupted(*_: Any, **__: Any) -> Any:
            raise KeyboardInterrupt

        monkeypatch.setattr(model.engines.kind, "action", interrupted)
        monkeypatch.setattr(model, "_short", None)
        with pytest.raises(KeyboardInterrupt):
            model.score(1)

    @pytest.mark.parametrize("value", [[0.0, -1.0], [0.0], [-1.0]])
    def test_not_finite(self, value):
        doubles = {"type": "array", "items": "double"}
        action = {
            "a.map": ["input", {"params": [{"x": "double"}], "ret": "double", "do": {"m.ln": "x"}}]
        }
        with pytest.raises(pfa.ScoringError) as caught:
            pfa.load(document(action, doubles, doubles)).score([1.0, *value])
        assert caught.value.code is None
        assert "at /1 is not a finite number (NaN or Infinity)" in str(caught.value)

    def test_not_finite_in_what_is_emitted(self):
        model = pfa.load(
            document(
                [{"emit": 1.0}, {"emit": {"m.ln": "input"}}], "double", "double", method="emit"
            )
        )
        good, bad = model.score_batch([1.0, 0.0])
        assert good == [1.0, 0.0]
        assert "at /1 is" in str(bad)

    def test_an_int_out_of_a_double_is_a_double(self):
        model = pfa.load(document({"m.floor": "input"}, "double", "double"))
        assert repr(model.score(2.5)) == "2.0"

    def test_too_deep_for_python(self):
        value: Any = None
        for i in range(5000):
            value = {"n": i, "next": value}
        with pytest.raises(pfa.InputError):
            pfa.load(document("input", NODE, NODE)).score(value)


class TestTime:
    @pytest.mark.parametrize("where", ["begin", "action", "end"])
    def test_a_loop_that_never_ends(self, where):
        model = pfa.load(document("input") | {where: FOREVER})
        with pytest.raises(pfa.ScoringTimeout, match=r"within its time \(0\.2 s\)"):
            model.score(1, timeout=0.2)

    def test_without_a_loop_that_looks_at_the_clock(self):
        thousand = {"params": [{"x": "int"}], "ret": "int", "do": "x"}
        nested: Any = "x"
        for _ in range(5):
            thousand = {
                "params": [{"x": "int"}],
                "ret": "int",
                "do": {
                    "a.sum": {
                        "a.map": [
                            {"cell": "many"},
                            {"params": [{"x": "int"}], "ret": "int", "do": nested},
                        ]
                    }
                },
            }
            nested = thousand["do"]
        cells = {"many": {"type": INT_LIST, "init": list(range(100))}}
        model = pfa.load(
            document(nested, cells=cells) | {"action": [{"let": {"x": "input"}}, nested]}
        )
        with pytest.raises(pfa.ScoringTimeout):
            model.score(1, timeout=0.2)
        assert pfa.load(HELLO).score(1.0, timeout=5) == 101.0

    def test_the_documents_try_does_not_swallow_it(self):
        model = pfa.load(document({"ifnotnull": {"x": {"try": [FOREVER]}}, "then": "x", "else": 0}))
        with pytest.raises(pfa.ScoringTimeout):
            model.score(1, timeout=0.2)

    def test_a_batch_keeps_what_was_done(self):
        action = {"if": {"==": ["input", 3]}, "then": FOREVER, "else": "input"}
        model = pfa.load(document(action))
        assert kinds(model.score_batch([1, "x", 3, 4, 5], timeout=0.3)) == [
            1,
            "InputError",
            "ScoringTimeout",
            "ScoringTimeout",
            "ScoringTimeout",
        ]
        assert model.score_batch([1, 2]) == [1, 2]

    @pytest.mark.parametrize("in_thread", [False, True])
    def test_answers_that_were_done_are_kept_though_end_did_not_run(self, in_thread):
        action = {
            "if": {"==": ["input", 3]},
            "then": FOREVER,
            "else": {"do": [{"emit": "input"}, 1]},
        }
        model = pfa.load(document(action, method="emit", end={"emit": 9}))
        with ThreadPoolExecutor(1) as pool:
            score = (
                pool.submit(model.score_batch, [1, 3], 0.2).result
                if in_thread
                else (lambda: model.score_batch([1, 3], 0.2))
            )
            assert kinds(score()) == [[1], "ScoringTimeout"]
        assert model.score_batch([1, 2]) == [[1], [2, 9]]

    def test_an_answer_in_the_last_moment_counts(self, monkeypatch):
        """In a thread, where no alarm ends the wait: there is no ``end`` that needed time."""
        model = pfa.load(HELLO)
        model.write = lambda value, _: time.sleep(0.3) or value
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(model.score, 1.0, 0.2).result() == 101.0

    def test_no_time_at_all(self):
        assert kinds(pfa.load(HELLO).score_batch([1, 2], timeout=0)) == ["ScoringTimeout"] * 2

    def test_the_documents_own_limit_is_one_records(self):
        action = {"if": {"==": ["input", 3]}, "then": FOREVER, "else": "input"}
        model = pfa.load(document(action, options={"timeout": 100}))
        for timeout in (None, 20):
            results = model.score_batch([1, 3, 4], timeout)
            assert kinds(results) == [1, "ScoringTimeout", 4]
            assert str(results[1]) == "The document gives itself 0.1 s a record: not enough."

    def test_in_another_thread(self):
        """No alarm can interrupt there, but the engine looks at the clock in loops."""
        results: list[Any] = []
        action = {"if": {"==": ["input", 3]}, "then": FOREVER, "else": "input"}
        model = pfa.load(document(action))
        thread = threading.Thread(target=lambda: results.extend(model.score_batch([1, 3, 4], 0.2)))
        thread.start()
        thread.join(60)
        assert kinds(results) == [1, "ScoringTimeout", "ScoringTimeout"]

    def test_the_clock_of_a_record_is_what_the_batch_has_left(self):
        spin = {
            "do": [
                {
                    "for": {"i": 0},
                    "while": {"<": ["i", 50_000]},
                    "step": {"i": {"+": ["i", 1]}},
                    "do": [{"+": ["i", 1]}],
                },
                "input",
            ]
        }
        model = pfa.load(document(spin))
        results = model.score_batch([1] * 1000, timeout=0.5)
        done = kinds(results)
        late = done.count("ScoringTimeout")
        assert 0 < late < len(done)
        assert done[-late:] == ["ScoringTimeout"] * late


class TestLog:
    def test_goes_to_a_logger_on_one_line(self, caplog, capsys):
        action = [{"log": ["input", 1.5], "namespace": "a\nb"}, 0]
        with caplog.at_level(logging.INFO, "pfa.log"):
            assert pfa.load(document(action, "string")).score('x\ny"\u2028') == 0
        assert [r.getMessage() for r in caplog.records] == [r'a\nb: "x\ny\"\u2028" 1.5']
        assert capsys.readouterr() == ("", "")

    def test_is_bounded(self, caplog):
        spin = {
            "for": {"i": 0},
            "while": {"<": ["i", 1000]},
            "step": {"i": {"+": ["i", 1]}},
            "do": [{"log": ["input"]}],
        }
        with caplog.at_level(logging.INFO, "pfa.log"):
            pfa.load(document([spin, 0], "string")).score("x" * 10_000)
        lines = [r.getMessage() for r in caplog.records]
        assert len(lines) == 101
        assert max(map(len, lines)) == 2000
        assert lines[-1] == "the model logs no more in this call: 100 messages"
