"""Hostile documents and records: a clear error in time, and the next request is answered."""

import time

import pytest

import pfa
from tests.pfa.hostile import LATE, TIMEOUT, Worker, document, function, kinds, nested


@pytest.fixture(scope="module")
def worker():
    made = Worker()
    yield made
    made.stop()


@pytest.fixture
def attack(worker):
    """Give what comes of a document and a record, after a look at what must always hold."""

    def run(hostile, record=1, timeout=TIMEOUT):
        got = worker.run(hostile, record, timeout)
        assert got["next"] == [2, 3, 4]
        assert got["seconds"] < LATE, got
        return got

    return run


ARRAY = {"type": "array", "items": "int"}
MAP = {"type": "map", "values": "int"}
STRINGS = {"type": "array", "items": "string"}
PAIR = {"type": ARRAY, "value": [1, 2]}
HUNDRED = {"type": ARRAY, "value": list(range(100))}
KEYS = {"type": MAP, "value": {f"k{i}": i for i in range(100)}}
FOREVER = {"while": True, "do": [None]}
CELL = {"c": {"type": "int", "init": 0}}
POOL = {"p": {"type": "int", "init": {}}}


def within(loop, names="abcdef"):
    """The loop in itself, over a hundred items each."""
    inner = None
    for name in names:
        inner = loop(name, inner)
    return inner


# --- time

LOOPS = {
    "while": document(FOREVER),
    "while counting": document(
        {"let": {"d": 0.0}}, {"while": {">=": ["d", 0.0]}, "do": {"set": {"d": {"+": ["d", 1]}}}}
    ),
    "until": document({"do": [None], "until": False}),
    "for": document({"for": {"d": 0.0}, "while": True, "step": {"d": {"+": ["d", 1]}}, "do": None}),
    "foreach": document(within(lambda name, inner: {"foreach": name, "in": HUNDRED, "do": inner})),
    "forkey": document(
        within(lambda name, inner: {"forkey": name, "forval": name * 2, "in": KEYS, "do": inner})
    ),
    "in a function": document({"u.f": []}, fcns={"f": function({}, "null", FOREVER)}),
    "in an argument": document(
        {"a.map": [PAIR, function({"x": "int"}, "int", FOREVER, "x")]},
    ),
    "in a cell's update": document(
        {"cell": "c", "to": function({"x": "int"}, "int", FOREVER, "x")}, cells=CELL
    ),
    "in a pool's update": document(
        {
            "pool": "p",
            "path": [["k"]],
            "to": function({"x": "int"}, "int", FOREVER, "x"),
            "init": 1,
        },
        {
            "pool": "p",
            "path": [["k"]],
            "to": function({"x": "int"}, "int", FOREVER, "x"),
            "init": 1,
        },
        pools=POOL,
    ),
    "in begin": document(begin=FOREVER),
    "in end": document(end=FOREVER),
    "in a fold": document(FOREVER, method="fold", zero=0, merge="tallyOne"),
    "writing a cell": document(
        {"while": True, "do": {"cell": "c", "to": {"%": [{"+": [{"cell": "c"}, 1]}, 7]}}},
        cells=CELL,
    ),
    "try": document({"try": [FOREVER, 1]}),
    "try with a filter": document({"try": [FOREVER, 1], "filter": ["exceeded timeout"]}),
    "loop of try": document({"while": True, "do": {"try": [FOREVER, 1]}}),
    "loop of errors": document({"while": True, "do": {"try": {"error": "no"}}}),
    "loop of library errors": document({"while": True, "do": {"try": {"//": [1, 0]}}}),
    "log": document({"while": True, "do": {"log": [["x"]]}}),
    "emit": document({"while": True, "do": {"emit": "input"}}, method="emit"),
    "pack": document({"while": True, "do": {"pack": [{"int8": 1}]}}),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_is_stopped(attack, name):
    got = attack(LOOPS[name])
    assert got["answers"][-1]["error"] == "ScoringTimeout"
    assert kinds(got) == {"ScoringTimeout"} or name == "in end"  # which is the last record's


FIB = function(
    {"n": "int"},
    "int",
    {
        "if": {"<": ["n", 2]},
        "then": "n",
        "else": {"+": [{"u.fib": [{"-": ["n", 1]}]}, {"u.fib": [{"-": ["n", 2]}]}]},
    },
)
TRYING = function(
    {"n": "int"},
    "int",
    {"try": [{"u.f": [{"+": ["n", 1]}]}]},
    {"try": [{"u.f": [{"+": ["n", 1]}]}]},
    "n",
)


def through(name, body):
    return function({name: "int"}, "int", body, name)


SLOW = {
    "fib": document({"u.fib": [60]}, fcns={"fib": FIB}),
    "recursion in try": document({"u.f": ["input"]}, fcns={"f": TRYING}),
    "a.map": document(within(lambda name, body: {"a.map": [HUNDRED, through(name, body)]})),
    "map.map": document(within(lambda name, body: {"map.map": [KEYS, through(name, body)]})),
    "a.filter": document(
        within(
            lambda name, body: {
                "a.filter": [HUNDRED, function({name: "int"}, "boolean", body, True)]
            }
        )
    ),
    "a.fold": document(
        within(
            lambda name, body: {
                "a.fold": [HUNDRED, 0, function({name: "int", name * 2: "int"}, "int", body, name)]
            }
        )
    ),
    "a.sortLT": document(
        within(
            lambda name, body: {
                "a.sortLT": [
                    HUNDRED,
                    function(
                        {name: "int", name * 2: "int"}, "boolean", body, {"<": [name, name * 2]}
                    ),
                ]
            }
        )
    ),
    "a.permutations": document({"a.permutations": {"type": ARRAY, "value": list(range(12))}}),
    "a.combinations": document({"a.combinations": [{"type": ARRAY, "value": list(range(40))}, 20]}),
    "poissonQF": document({"prob.dist.poissonQF": [0.999, 1e15]}),
    "lognormalQF": document({"prob.dist.lognormalQF": [0.999, 0.0, 1e300]}),
    "negativeBinomialCDF": document({"prob.dist.negativeBinomialCDF": [2**31 - 1, 5, 0.5]}),
    "nChooseK": document({"m.special.nChooseK": [2**31 - 1, 2**30]}),
}


# --- depth


def recursive(*do):
    """A function u.f of an int, which calls itself in ``do``."""
    return document({"u.f": ["input"]}, fcns={"f": function({"n": "int"}, "int", *do)})


CALL = {"u.f": ["n"]}
BY_NAME = {"type": {"type": "enum", "name": "Name", "symbols": ["f"]}, "value": "f"}
DEEP = {
    "function": recursive(CALL),
    "function in arithmetic": recursive({"+": [1, CALL]}),
    "two functions": document(
        {"u.f": ["input"]},
        fcns={
            "f": function({"n": "int"}, "int", {"u.g": ["n"]}),
            "g": function({"n": "int"}, "int", {"u.f": ["n"]}),
        },
    ),
    "by name": recursive({"call": BY_NAME, "args": ["n"]}),
    "in a.map": recursive({"a.map": [PAIR, {"fcn": "u.f"}]}, "n"),
    "in an inline function of a.map": recursive(
        {"a.map": [PAIR, function({"x": "int"}, "int", {"u.f": ["x"]})]}, "n"
    ),
    "in a.fold": recursive(
        {"a.fold": [PAIR, 0, function({"x": "int", "y": "int"}, "int", {"u.f": ["x"]})]}
    ),
    "in a.reduce": recursive(
        {"a.reduce": [PAIR, function({"x": "int", "y": "int"}, "int", {"u.f": ["x"]})]}
    ),
    "in a.sortLT": recursive(
        {"a.sortLT": [PAIR, function({"x": "int", "y": "int"}, "boolean", {"u.f": ["x"]}, True)]},
        "n",
    ),
    "in map.map": recursive({"map.map": [KEYS, {"fcn": "u.f"}]}, "n"),
    "in a.maxLT": recursive(
        {"a.maxLT": [PAIR, function({"x": "int", "y": "int"}, "boolean", {"u.f": ["x"]}, True)]},
    ),
    "in while": recursive({"while": {"==": [CALL, 1]}, "do": None}, "n"),
    "in a path": recursive({"attr": PAIR, "path": [CALL]}),
    "in a try that lets it pass": recursive({"try": [CALL], "filter": ["no"]}, "n"),
}


LIST = {
    "type": "record",
    "name": "List",
    "fields": [{"name": "next", "type": ["null", "List"]}],
}
END = {"type": LIST, "value": {"next": None}}
LONG_LIST = [
    {"let": {"x": END}},
    {
        "for": {"i": 0},
        "while": {"<": ["i", 100_000]},
        "step": {"i": {"+": ["i", 1]}},
        "do": {"set": {"x": {"new": {"next": "x"}, "type": "List"}}},
    },
]
DEEP_VALUES = {
    "answer": {"input": "int", "output": LIST, "action": [*LONG_LIST, "x"]},
    "compared": document(
        *LONG_LIST, {"let": {"y": "x"}}, {"==": ["x", {"new": {"next": "y"}, "type": "List"}]}
    ),
    "searched": document(
        *LONG_LIST,
        {"let": {"y": "x"}},
        *LONG_LIST[1:],
        {"a.contains": [{"new": ["x"], "type": {"type": "array", "items": "List"}}, "y"]},
    ),
    "kept in a cell": document(
        *LONG_LIST, {"cell": "l", "to": "x"}, cells={"l": {"type": LIST, "init": {"next": None}}}
    ),
    "as text": document(*LONG_LIST, {"cast.json": "x"}),
    "logged": document(*LONG_LIST, {"log": ["x"]}),
}


# --- size


def growing(of, start, step):
    """A loop in which the variable x grows."""
    return document(
        {"let": {"x": {"type": of, "value": start}}}, {"while": True, "do": {"set": {"x": step}}}
    )


GROWING = {
    "array": growing(ARRAY, [1, 2], {"a.concat": ["x", "x"]}),
    "array by flatten": growing(
        ARRAY, [1, 2], {"a.flatten": {"new": ["x", "x"], "type": {"type": "array", "items": ARRAY}}}
    ),
    "array by flatMap": growing(
        ARRAY, [1, 2], {"a.flatMap": ["x", function({"y": "int"}, ARRAY, PAIR)]}
    ),
    "array in a.fold": document(
        {
            "a.fold": [
                {"type": {"type": "array", "items": ARRAY}, "value": [[1]] * 100},
                PAIR,
                function({"x": ARRAY, "y": ARRAY}, ARRAY, {"a.concat": ["x", "x"]}),
            ]
        }
    ),
    "array in functions": document(
        {"u.f": [PAIR]},
        fcns={"f": function({"x": ARRAY}, ARRAY, {"u.f": {"a.concat": ["x", "x"]}})},
    ),
    "array in a cell": document(
        {"while": True, "do": {"cell": "a", "to": {"a.concat": [{"cell": "a"}, {"cell": "a"}]}}},
        cells={"a": {"type": ARRAY, "init": [1]}},
    ),
    "array in a pool": document(
        {
            "while": True,
            "do": {
                "pool": "a",
                "path": [["k"]],
                "to": function({"x": ARRAY}, ARRAY, {"a.concat": ["x", "x"]}),
                "init": PAIR,
            },
        },
        pools={"a": {"type": ARRAY, "init": {}}},
    ),
    "text": growing("string", "xy", {"s.concat": ["x", "x"]}),
    "text by join": growing(
        "string", "xy", {"s.join": [{"new": ["x", "x"], "type": STRINGS}, [","]]}
    ),
    "text by replaceall": growing("string", "xy", {"s.replaceall": ["x", ["x"], "x"]}),
    "text by repeat": growing("string", "xy", {"s.repeat": ["x", 2]}),
    "text by re.replaceall": growing("string", "xy", {"re.replaceall": ["x", ["x"], "x"]}),
    "texts in an array": growing(
        STRINGS,
        ["x" * 1000],
        {
            "a.concat": [
                "x",
                {"a.map": ["x", function({"y": "string"}, "string", {"s.concat": ["y", "y"]})]},
            ]
        },
    ),
    "bytes": growing(
        "bytes",
        "xy",
        {"bytes.encodeUtf8": {"s.concat": [{"bytes.decodeUtf8": "x"}, {"bytes.decodeUtf8": "x"}]}},
    ),
    "map of texts": document(
        {"let": {"x": {"type": {"type": "map", "values": "string"}, "value": {}}}},
        {"let": {"n": 0}},
        {
            "while": True,
            "do": [
                {"set": {"n": {"+": ["n", 1]}}},
                {
                    "set": {
                        "x": {"map.add": ["x", {"s.int": "n"}, {"s.repeat": [["x"], 1_000_000]}]}
                    }
                },
            ],
        },
    ),
    "emitted": document(
        {"let": {"x": 0}},
        {"while": True, "do": [{"emit": {"s.repeat": [["x"], 1_000_000]}}]},
        method="emit",
        output="string",
    ),
    "number": growing("double", 2.0, {"*": ["x", "x"]}),
    "long": growing("long", 2, {"*": ["x", "x"]}),
}


# --- one call of C, which nothing interrupts

RECORD = {
    "type": "record",
    "name": "Texts",
    "fields": [{"name": "x", "type": "string"}, {"name": "y", "type": "string"}],
}
LONGS = {"type": "array", "items": "long"}


def of_texts(call, output="int"):
    return {"input": RECORD, "output": output, "action": call}


def array_of(call, item="long", output="int"):
    return {"input": {"type": "array", "items": item}, "output": output, "action": [call]}


N = 1_000_000
XY = ["input.x", "input.y"]
IN_C = {
    "product of long": (array_of({"a.product": "input"}, output="long"), [2**62] * (N // 4)),
    "product of int": (array_of({"a.product": "input"}, "int"), [2**30] * (N // 4)),
    "sum of long": (array_of({"a.sum": "input"}, output="long"), [2**62] * (N // 4)),
    "s.index": (of_texts({"s.index": XY}), {"x": "a" * 2 * N, "y": "b" + "a" * N}),
    "s.rindex": (of_texts({"s.rindex": XY}), {"x": "a" * 2 * N, "y": "b" + "a" * N}),
    "s.contains": (of_texts({"s.contains": XY}, "boolean"), {"x": "a" * 2 * N, "y": "a" * N + "b"}),
    "s.count": (of_texts({"s.count": XY}), {"x": "a" * 2 * N, "y": "a" * N + "b" + "a" * (N // 4)}),
    "s.strip": (of_texts({"s.strip": XY}, "string"), {"x": "a" * 2 * N, "y": "b" * N + "a"}),
    "s.rstrip": (of_texts({"s.rstrip": XY}, "string"), {"x": "a" * 2 * N, "y": "b" * N + "a"}),
    "s.lstrip": (of_texts({"s.lstrip": XY}, "string"), {"x": "a" * 2 * N, "y": "b" * N + "a"}),
    "s.translate": (
        of_texts({"s.translate": [*XY, ["c"]]}, "string"),
        {"x": "a" * 2 * N, "y": "b" * N + "a"},
    ),
    "s.split": (of_texts({"a.len": {"s.split": XY}}), {"x": "a" * 2 * N, "y": "b" + "a" * N}),
    "s.replaceall": (
        of_texts({"s.replaceall": [*XY, ["c"]]}, "string"),
        {"x": "a" * 2 * N, "y": "b" + "a" * N},
    ),
    "s.replacelast": (
        of_texts({"s.replacelast": [*XY, ["c"]]}, "string"),
        {"x": "a" * 2 * N, "y": "b" + "a" * N},
    ),
    "s.replacefirst": (
        of_texts({"s.replacefirst": [*XY, ["c"]]}, "string"),
        {"x": "a" * 2 * N, "y": "b" + "a" * N},
    ),
    "parse.int": (of_texts({"parse.long": ["input.x", 10]}, "long"), {"x": "1" * N, "y": ""}),
    "parse.int 7": (of_texts({"parse.long": ["input.x", 7]}, "long"), {"x": "1" * N, "y": ""}),
    "parse.int 16": (of_texts({"parse.long": ["input.x", 16]}, "long"), {"x": "1" * N, "y": ""}),
    "parse.double": (of_texts({"parse.double": ["input.x"]}, "double"), {"x": "1" * N, "y": ""}),
    "parse.double 2": (
        of_texts({"parse.double": ["input.x"]}, "double"),
        {"x": "0." + "1" * N, "y": ""},
    ),
    "a.sort": (array_of({"a.sort": "input"}, output=LONGS), list(range(N // 4))[::-1]),
    "a.median": (array_of({"a.median": "input"}, output="long"), list(range(N // 4))[::-1]),
    "a.mode": (array_of({"a.mode": "input"}, output="long"), list(range(N // 4))[::-1]),
    "a.distinct": (array_of({"a.distinct": "input"}, output=LONGS), list(range(N // 8))),
    "a.intersection": (
        array_of({"a.intersection": ["input", "input"]}, output=LONGS),
        list(range(N // 8)),
    ),
    "a.diff": (array_of({"a.diff": ["input", "input"]}, output=LONGS), list(range(N // 8))),
    "a.contains part": (
        array_of({"a.contains": ["input", "input"]}, output="boolean"),
        list(range(N // 8)),
    ),
    "m.special": document({"m.special.nChooseK": [10**6, 5 * 10**5]}),
    "**": document({"**": [2, 1000]}),
    "hash": (of_texts({"s.len": {"s.upper": "input.x"}}), {"x": "a" * 2 * N, "y": "b" * N + "a"}),
    "re quadratic": (
        of_texts({"re.contains": ["input.x", ["a.*b.*c"]]}, "boolean"),
        {"x": "a" * N, "y": ""},
    ),
    "re quadratic shorter": (
        of_texts({"re.contains": ["input.x", ["a.*b.*c"]]}, "boolean"),
        {"x": "a" * 28000, "y": ""},
    ),
    "re count": (of_texts({"re.count": ["input.x", ["x*"]]}), {"x": "a" * 100_000, "y": ""}),
    "re pattern of the record": (
        of_texts({"re.count": XY}),
        {"x": "a" * 1000, "y": "((a{1,200}){1,200}){1,200}"},
    ),
    "re split": (
        of_texts({"a.len": {"re.split": ["input.x", ["x*"]]}}),
        {"x": "a" * 100_000, "y": ""},
    ),
}


def shared(depth, name):
    """Statements that make a variable of an array in arrays, each twice the same: small, and deep."""  # noqa: E501
    of, out = ARRAY, [{"let": {f"{name}0": PAIR}}]
    for i in range(depth):
        of = {"type": "array", "items": of}
        out.append({"let": {f"{name}{i + 1}": {"new": [f"{name}{i}", f"{name}{i}"], "type": of}}})
    return out, of


X, DEEP_TYPE = shared(40, "x")
Y, _ = shared(40, "y")
SHARED = {
    "answered": {"input": "int", "output": DEEP_TYPE, "action": [*X, "x40"]},
    "compared": document(*X, *Y, {"==": ["x40", "y40"]}),
    "ordered": document(*X, *Y, {"<": ["x40", "y40"]}),
    "sorted": document(
        *X, *Y, {"a.sort": {"new": ["x40", "y40"], "type": {"type": "array", "items": DEEP_TYPE}}}
    ),
    "mode": document(
        *X, *Y, {"a.mode": {"new": ["x40", "y40"], "type": {"type": "array", "items": DEEP_TYPE}}}
    ),
    "counted": document(*X, *Y, {"a.count": ["x40", "y39"]}),
    "indexed": document(*X, *Y, {"a.index": ["x40", "y39"]}),
    "text": document(*X, {"cast.json": "x40"}),
    "avro": document(*X, {"cast.avro": "x40"}),
    "log": document(*X, {"log": ["x40"]}),
    "set": document(
        *X, {"map.toset": [{"new": ["x40"], "type": {"type": "array", "items": DEEP_TYPE}}]}
    ),
    "cell": document(*X, {"cell": "l", "to": "x40"}, cells={"l": {"type": DEEP_TYPE, "init": []}}),
    "rollback": document(
        *X,
        {"cell": "l", "to": "x40"},
        {"error": "x"},
        cells={"l": {"type": DEEP_TYPE, "init": [], "rollback": True}},
    ),
}
DEEPER = {"type": "array", "items": DEEP_TYPE}
MAP = {"type": "map", "values": DEEP_TYPE}
ONE_X, ONE_Y = ({"new": [each], "type": DEEPER} for each in ("x40", "y40"))
COMPARED = {
    "a.contains": ["x40", "y40"],
    "a.count": ["x40", "y40"],
    "a.diff": [ONE_X, ONE_Y],
    "a.disjoint": [ONE_X, ONE_Y],
    "a.distinct": [{"new": ["x40", "y40"], "type": DEEPER}],
    "a.endswith": ["x40", "y40"],
    "a.index": ["x40", "y40"],
    "a.intersection": [ONE_X, ONE_Y],
    "a.rindex": ["x40", "y40"],
    "a.seteq": [ONE_X, ONE_Y],
    "a.startswith": ["x40", "y40"],
    "a.subset": [ONE_X, ONE_Y],
    "a.symdiff": [ONE_X, ONE_Y],
    "a.union": [ONE_X, ONE_Y],
    "map.containsValue": [{"new": {"k": "x40"}, "type": MAP}, "y40"],
}


def fails(got, *allowed):
    """All answers are errors of these kinds."""
    assert kinds(got) <= set(allowed), got


@pytest.mark.parametrize("name", SLOW)
def test_slow_functions_are_stopped(attack, name):
    fails(attack(SLOW[name]), "ScoringTimeout", "ScoringError")


@pytest.mark.parametrize("name", DEEP)
def test_endless_recursion_is_an_error(attack, name):
    got = attack(DEEP[name], timeout=5)
    assert kinds(got) == {"ScoringError"}
    assert "too deeply" in got["answers"][0]["message"]


@pytest.mark.parametrize("name", DEEP_VALUES)
def test_deep_values(attack, name):
    fails(attack(DEEP_VALUES[name]), "", "ScoringTimeout", "ScoringError")


def test_deep_records(attack):
    reading = {"input": LIST, "output": "int", "action": 1}
    record = nested(400, lambda inner: {"next": {"List": inner}}, {"next": None})
    fails(attack(reading, record, timeout=5), "", "InputError", "ScoringError")


@pytest.mark.parametrize("name", GROWING)
def test_what_grows_is_stopped(attack, name):
    fails(attack(GROWING[name], timeout=2), "ScoringTimeout", "ScoringError")


@pytest.mark.parametrize("name", IN_C)
def test_large_records(attack, name):
    case = IN_C[name]
    hostile, record = case if isinstance(case, tuple) else (case, 1)
    fails(attack(hostile, record), "", "ScoringTimeout", "ScoringError")


@pytest.mark.parametrize("name", SHARED)
def test_small_values_that_are_endless_to_walk(attack, name):
    fails(attack(SHARED[name]), "", "ScoringTimeout", "ScoringError")


@pytest.mark.parametrize("name", COMPARED)
def test_small_values_that_are_endless_to_compare(attack, name):
    got = attack(document(*X, *Y, {name: COMPARED[name]}))
    fails(got, "ScoringError")
    assert "it would compare more than" in got["answers"][0]["message"]


def test_a_late_record_ends_the_batch():
    """Also where its error is looked for the long way."""
    step = {"let": {"x": {"//": [1, {"-": ["input", "input"]}]}}}
    slow = {"foreach": "y", "in": {"type": ARRAY, "value": list(range(20_000))}, "do": None}
    model = pfa.load(document(slow, step))
    began = time.monotonic()
    answers = model.score_batch([1] * 20_000, timeout=0.3)
    assert time.monotonic() - began < LATE
    assert len(answers) == 20_000
    assert str(answers[-1]) == "The model did not answer within its time (0.3 s)."
    assert {type(answer) for answer in answers} == {pfa.ScoringError, pfa.ScoringTimeout}


def test_a_failed_record_lets_go_of_what_it_made():
    model = pfa.load(GROWING["text"])
    (error,) = model.score_batch([1])
    assert error.__cause__.__traceback__ is None


def test_code_for_a_batch_is_made_before_the_clock_runs():
    model = pfa.load(document(*({"+": ["input", i]} for i in range(500))))
    model.score_batch([1] * 20, timeout=1e-6)
    assert "_batch_code" in vars(model)
    assert model.score_batch([1] * 20, timeout=10) == [1] * 20
