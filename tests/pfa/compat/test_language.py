"""Special forms, state, literals and what the reader says."""

import json
import math
import threading

import pytest

from pfa.compat import engine
from pfa.compat.loader import load

PFARuntimeException = load("titus.errors").PFARuntimeException
PFASyntaxException = load("titus.errors").PFASyntaxException
PFATimeoutException = load("titus.errors").PFATimeoutException

FOREVER = {"while": True, "do": [{"+": [1, 1]}]}


def run(action, value=None, given="null", output="int", options=None, **more):
    document = {"input": given, "output": output, "action": action, **more}
    return engine(document, options).action(value)


@pytest.mark.parametrize(
    ("filter_", "caught"),
    [
        (None, True),
        ([15000], False),
        (["no such"], False),
        ([15240], True),
        (["empty array"], True),
    ],
)
def test_try_filters_library_errors(filter_, caught):
    empty = {"a.max": [{"type": {"type": "array", "items": "int"}, "new": []}]}
    attempt = {"try": [empty], **({"filter": filter_} if filter_ else {})}
    action = [{"ifnotnull": {"x": attempt}, "then": ["x"], "else": [-1]}]
    if caught:
        assert run(action) == -1
    else:
        with pytest.raises(PFARuntimeException):
            run(action)


def test_try_filters_what_is_no_error_of_pfa():
    """titus asks every exception for its ``message``, and ends in an AttributeError."""
    square_root = {"pack": [{"byte": "input"}]}  # struct.error: 300 is no byte
    action = [
        {"ifnotnull": {"x": {"try": [square_root], "filter": [-1]}}, "then": [1], "else": [-1]}
    ]
    with pytest.raises(Exception, match="128"):
        run(action, 300, "int")
    action[0]["ifnotnull"]["x"] = {"try": [square_root]}
    assert run(action, 300, "int") == -1


def test_try_does_not_swallow_the_timeout():
    with pytest.raises(PFATimeoutException):
        run([{"try": [FOREVER, 1]}, 1], options={"timeout": 50})


def test_merge_has_a_timeout():
    document = {
        "input": "int",
        "output": "int",
        "method": "fold",
        "zero": 0,
        "action": [{"+": ["input", "tally"]}],
        "merge": [
            {"let": {"i": 0}},
            {"while": {"<": ["i", "tallyOne"]}, "do": [{"set": {"i": {"+": ["i", 1]}}}]},
            {"+": ["i", "tallyTwo"]},
        ],
    }
    assert engine(document).merge(3, 4) == 7
    document["merge"][1]["while"] = True
    with pytest.raises(PFATimeoutException):
        engine(document, {"timeout": 50}).merge(3, 4)


FAILS = {"params": [{"old": "int"}], "ret": "int", "do": [{"error": "no", "code": -7}]}


@pytest.mark.parametrize(
    ("state", "change"),
    [
        ({"cells": {"x": {"type": "int", "init": 0, "shared": True}}}, {"cell": "x", "to": FAILS}),
        (
            {"pools": {"x": {"type": "int", "init": {"a": 0}, "shared": True}}},
            {"pool": "x", "path": [{"string": "a"}], "to": FAILS, "init": 0},
        ),
    ],
)
def test_a_failed_update_releases_the_lock(state, change):
    made = engine({"input": "null", "output": "int", "action": [change, 1], **state})
    failures = []

    def twice():
        for _ in range(2):
            try:
                made.action(None)
            except Exception as error:
                failures.append(error.code)

    thread = threading.Thread(target=twice, daemon=True)
    thread.start()
    thread.join(10)
    assert failures == [-7, -7]


def test_shared_state_changes():
    to = {"params": [{"old": "int"}], "ret": "int", "do": [{"+": ["old", 1]}]}
    cells = {"x": {"type": "int", "init": 0, "shared": True}}
    pools = {"y": {"type": "int", "init": {}, "shared": True}}
    update = {"pool": "y", "path": [{"string": "k"}], "to": to, "init": 10}
    document = {"input": "null", "output": "int", "cells": cells, "pools": pools}
    made = engine({**document, "action": [{"+": [{"cell": "x", "to": to}, update]}]})
    assert [made.action(None), made.action(None)] == [12, 14]


RECORD = {
    "type": "record",
    "name": "R",
    "fields": [
        {"name": "x", "type": ["null", "double"], "default": None},
        {"name": "flag", "type": "boolean", "default": True},
        {"name": "other", "type": "boolean", "default": False},
        {"name": "far", "type": "double", "default": 1.0},
    ],
}


def test_schemas_with_json_words_are_no_python_names():
    """titus pastes a schema's JSON into Python, where null, true and false are unknown names."""
    record = {"x": None, "flag": True, "other": False, "far": 1.0}
    array = {"type": "array", "items": RECORD}
    assert run([{"a.len": ["input"]}], [record], array) == 1
    assert run([{"a.contains": ["input", {"attr": "input", "path": [0]}]}], [record], array,
               "boolean") is True  # fmt: skip
    cast = {
        "cast": "input",
        "cases": [{"as": "R", "named": "r", "do": ["r.flag"]}],
        "partial": True,
    }
    assert run([cast, 1], {"R": record}, ["null", RECORD]) == 1


@pytest.mark.parametrize(("text", "value"), [("1e999", math.inf), ("-1e999", -math.inf)])
def test_literals_beyond_double(text, value):
    document = '{"input": "null", "output": "double", "action": [%s]}'
    assert engine(document % f'{{"double": {text}}}').action(None) == value
    assert engine(document % f'{{"float": {text}}}').action(None) == value
    assert engine(document % f'{{"type": "double", "value": {text}}}').action(None) == value


def test_literals_that_are_no_number():
    document = '{"input": "null", "output": "double", "action": [{"double": NaN}]}'
    assert math.isnan(engine(document).action(None))


def test_a_log_namespace_stays_on_its_line(capsys):
    log = {"log": [{"string": "x"}], "namespace": "a\nERROR forged"}
    run([log, 1])
    assert capsys.readouterr().out.splitlines() == ['"a\\nERROR forged": "x"']
    run([{"log": [{"string": "x\ny"}], "namespace": "plain"}, 1])
    assert capsys.readouterr().out.splitlines() == ['plain: "x\\ny"']


def malformed(**more):
    return {"input": "null", "output": "int", "action": [1], **more}


@pytest.mark.parametrize(
    "document",
    [
        [],
        "[]",
        malformed(fcns={"f": {"params": [{"1x": "int"}], "ret": "int", "do": [1]}}),
        malformed(fcns={"f": {"params": ["x"], "ret": "int", "do": [1]}}),
        malformed(fcns={"f": []}),
        malformed(cells={"c": []}),
        malformed(action=[{"foreach": "1x", "in": "input", "do": [1]}]),
        malformed(action=[{"forkey": "1x", "forval": "y", "in": "input", "do": [1]}]),
        malformed(action=[{"forkey": "x", "forval": "1y", "in": "input", "do": [1]}]),
        malformed(action=[{"a.map": ["input", {"fcn": "1x"}]}]),
        malformed(action=[{"base64": "a"}]),
        malformed(action=[{"base64": 3}]),
        malformed(action=[{"pack": {"a": 1}}]),
        malformed(action=[{"cast": "input", "cases": [{"as": "int", "named": 3, "do": []}]}]),
        malformed(action=[{"let": 3}]),
        malformed(action=[{"double": 10**400}]),
        malformed(action=[{}]),
        malformed(action=[{"@": 3}]),
    ],
)
def test_a_malformed_document_is_a_syntax_error(document):
    with pytest.raises(PFASyntaxException) as caught:
        engine(json.dumps(document) if isinstance(document, dict) else document)
    assert len(str(caught.value)) < 300


def test_a_syntax_error_says_where():
    wrong = malformed(action=[{"a.map": ["input", {"fcn": "1x", "@": "line 12"}]}])
    with pytest.raises(PFASyntaxException, match=r'at line 12.*"1x" is not a valid function name'):
        engine(wrong)
    wrong = malformed(fcns={"f": {"params": [{"1x": "int"}], "ret": "int", "do": [1]}})
    with pytest.raises(PFASyntaxException, match=r'fcns -> f.*"1x" is not a valid symbol name'):
        engine(wrong)


def test_syntax_tree_nodes_compare_and_print():
    from titus.pfaast import LiteralInt, Ref

    assert LiteralInt(1) == LiteralInt(1, "elsewhere")
    assert LiteralInt(1) != LiteralInt(2)
    assert LiteralInt(1) != Ref("x")
    assert repr(Ref("x")) == "Ref('x')"
    assert Ref("x", "line 1").pos == "line 1"
    assert Ref("x", pos="line 1").pos == "line 1"
    with pytest.raises(TypeError):
        Ref()
    with pytest.raises(TypeError):
        Ref("x", "y", "z")
    with pytest.raises(PFASyntaxException):
        LiteralInt("text")


def test_functions_of_older_pfa_load_in_silence(capfd):
    model = {
        "type": "record",
        "name": "Chi",
        "fields": [
            {"name": "chi2", "type": "double"},
            {"name": "DOF", "type": "int"},
        ],
    }
    action = {"model.reg.reducedChi2": ["input"]}
    assert run(action, {"chi2": 4.0, "DOF": 2}, given=model, output="double") == 2.0
    assert capfd.readouterr() == ("", "")


def test_emit_as_a_function():
    ints = {"type": "array", "items": "int"}
    made = engine(
        {
            "input": ints,
            "output": "int",
            "method": "emit",
            "action": {"a.map": ["input", {"fcn": "emit"}]},
        }
    )
    emitted = []
    made.emit = emitted.append
    made.action([1, 2])
    assert emitted == [1, 2]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"cells": []}, "expected map of cells"),
        ({"pools": 1}, "expected map of pools"),
        ({"fcns": []}, "expected map of fcns"),
        ({"options": {"timeout": None}}, "timeout must be an integral number"),
        ({"options": {"timeout": True}}, "timeout must be an integral number"),
        (
            {"cells": {"a": {"type": "int", "init": 1}, "b": {"type": "int", "init": "x"}}},
            'cell "b": "x"',
        ),
        (
            {"cells": {"b": {"type": {"type": "array", "items": "int"}, "init": ["x"]}}},
            'cell "b": "x"',
        ),
        ({"pools": {"p": {"type": "int", "init": {"k": "x"}}}}, 'the init of pool "p": "x"'),
    ],
)
def test_what_is_wrong_is_named(more, words):
    with pytest.raises(Exception, match=words) as caught:
        engine({"input": "int", "output": "int", "action": "input", **more})
    assert type(caught.value).__module__ == "titus.errors"


@pytest.mark.parametrize(
    "name", ["la.add", "cast.int", "a.len", "map.keys", "model.tree.simpleTree"]
)
def test_a_reference_to_a_function_of_several_types(name):
    action = {
        "a.reduce": [
            {"type": {"type": "array", "items": {"type": "array", "items": "double"}}, "value": []},
            {"fcn": name},
        ]
    }
    with pytest.raises(Exception, match="only one-signature functions without generics") as caught:
        engine({"input": "null", "output": {"type": "array", "items": "double"}, "action": action})
    assert type(caught.value).__name__ == "PFASemanticException"
