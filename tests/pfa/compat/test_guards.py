"""Documents that would read files, or keep the loader busy."""

import builtins
import random
import socket
import threading

import pytest

from pfa import compat
from pfa.compat import guards
from pfa.compat.loader import load
from pfa.deadline import DeadlineExceeded, deadline

pfaast = load("titus.pfaast")
genpy = load("titus.genpy")
errors = load("titus.errors")
LOADING = 10  # seconds; each of these took minutes or had no end


def document(**parts):
    return {"input": "int", "output": "int", "action": ["input"], **parts}


@pytest.fixture
def nothing_opened(monkeypatch):
    """Fail the test when a file or a connection is opened."""
    opened = []

    def refuse(*args, **kwargs):
        if (
            threading.current_thread() is threading.main_thread()
        ):  # of another test there may be one
            opened.append(args)
        raise OSError("not in this test")

    yield_from = (builtins, "open"), (socket.socket, "connect"), (socket, "getaddrinfo")
    for where, name in yield_from:
        monkeypatch.setattr(where, name, refuse)
    yield
    assert opened == []


@pytest.mark.parametrize("source", ["json", "avro", "JSON", "", "embedded\n"])
@pytest.mark.parametrize(
    "init",
    [
        "/etc/hostname",
        "file:///etc/hostname",
        "http://127.0.0.1:9/",
        "ftp://127.0.0.1:9/",
        "data:application/json,1",
        1,
    ],
)
@pytest.mark.parametrize("kind", ["cells", "pools"])
def test_content_from_elsewhere_is_refused(nothing_opened, kind, init, source):
    content = {"x": init} if kind == "pools" else init
    for value in (content, init):
        parts = {kind: {"c": {"type": "int", "init": value, "source": source, "@": "line 7"}}}
        with pytest.raises(errors.PFASyntaxException, match="must be in the document") as caught:
            compat.engine(document(**parts))
        assert "line 7" in str(caught.value)


def test_embedded_content_is_taken(nothing_opened):
    engine = compat.engine(
        document(
            cells={"c": {"type": "int", "init": 3, "source": "embedded"}},
            pools={"p": {"type": "int", "init": {"x": 4}, "source": "embedded"}},
            action={"+": [{"cell": "c"}, {"pool": "p", "path": [["x"]]}]},
        )
    )
    assert engine.action(0) == 7


GOOD_SYMBOLS = ["a", "_", "A9", "_0_", "a" * 1000]
BAD_SYMBOLS = ["", "9", "a-b", "a b", "a\n", "\na", "é", "aé", "٣", "a.b", "a\x00", "self()", "ª"]


@pytest.mark.parametrize("name", GOOD_SYMBOLS)
def test_good_names(name):
    assert pfaast.validSymbolName(name)
    assert pfaast.validFunctionName(name)
    assert pfaast.validFunctionName("u." + name.lstrip("_0") + "b.c_9")


@pytest.mark.parametrize("name", BAD_SYMBOLS)
def test_bad_names(name):
    assert not pfaast.validSymbolName(name)
    if name != "a.b":
        assert not pfaast.validFunctionName(name)


@pytest.mark.parametrize("name", ["a.", ".a", "a..b", "a.9", "a._b", "a.b\n", "a.b."])
def test_bad_function_names(name):
    assert not pfaast.validFunctionName(name)


@pytest.mark.parametrize("again", [8, 1000, 100_000])
def test_function_names_are_checked_in_linear_time(again):
    name = "a" + ".bccccccccc" * again
    with deadline(LOADING):
        assert pfaast.validFunctionName(name)
        assert not pfaast.validFunctionName(name + "!")


# --- the call graph


def stock_called_by(graph, name, exclude=frozenset()):
    """What titus does, in fewer words: every path through the graph."""
    if name in exclude or name not in graph:
        return set()
    below = [stock_called_by(graph, callee, exclude | {name}) for callee in graph[name]]
    return set(graph[name]).union(*below)


def stock_call_depth(graph, name, exclude=frozenset(), start=0):
    if name in exclude:
        return float("inf")
    if name not in graph:
        return start
    below = [stock_call_depth(graph, callee, exclude | {name}, start + 1) for callee in graph[name]]
    return max([start, *below])


def graphs():
    make = random.Random(3)
    for _ in range(600):
        names = "abcdefg"[: make.randint(1, 7)]
        edges = make.randint(0, 10)
        graph = {name: set() for name in names if make.random() < 0.9}
        for _ in range(edges if graph else 0):
            graph[make.choice(sorted(graph))].add(make.choice(names + "xy"))
        exclude = set(make.choices(names, k=make.randint(0, 2)))
        yield graph, exclude


def test_call_graph_gives_the_same_answers():
    endless = 0
    for graph, exclude in graphs():
        for name in [*graph, "x"]:
            called = stock_called_by(graph, name)
            assert guards.called_by(graph, name) == called
            assert guards.called_by(graph, name, exclude) == stock_called_by(graph, name, exclude)
            depth = stock_call_depth(graph, name)
            assert guards.call_depth(graph, name) == depth
            assert guards.call_depth(graph, name, exclude, 3) == stock_call_depth(
                graph, name, exclude, 3
            )
            endless += depth == float("inf")
            assert (name in guards.callers(graph, {"x", "y"})) == bool(called & {"x", "y"})
    assert endless > 100


def layered(layers, last):
    """Two functions per layer, each calling both of the next."""
    functions = {}
    for layer in range(layers):
        body = last
        if layer < layers - 1:
            body = [{f"u.f{layer + 1}{side}": ["x"]} for side in "ab"]
        for side in "ab":
            functions[f"f{layer}{side}"] = {"params": [{"x": "int"}], "ret": "int", "do": body}
    return functions


CELL = {"c": {"type": "int", "init": 5}}
INLINE = {"params": [{"x": "int"}], "ret": "int", "do": {"u.f0a": ["x"]}}


@pytest.mark.parametrize("to", [{"fcn": "u.f0a"}, INLINE], ids=["by name", "inline"])
def test_layered_calls_load(to):
    update = {"cell": "c", "to": to}
    with deadline(LOADING):
        engine = compat.engine(
            document(fcns=layered(60, ["x"]), cells=CELL, action=[update, "input"])
        )
        assert engine.callDepth("(action)") >= 60
        assert not engine.hasRecursive("(action)")
        assert not engine.isRecursive("u.f0a")
        assert "u.f59b" in engine.calledBy("u.f0a")
        with pytest.raises(errors.PFAInitializationException, match="side-effects"):
            compat.engine(
                document(
                    fcns=layered(60, [{"cell": "c", "to": 1}, "x"]),
                    cells=CELL,
                    action=[update, "input"],
                )
            )


def test_recursion_is_seen():
    recursive = {"params": [{"x": "int"}], "ret": "int", "do": {"u.f": ["x"]}}
    engine = compat.engine(document(fcns={"f": recursive}, action={"u.f": ["input"]}))
    assert engine.isRecursive("u.f")
    assert engine.hasRecursive("(action)")
    assert not engine.hasSideEffects("u.f")


# --- size


def many_calls(fields, calls):
    record = {
        "type": "record",
        "name": "R",
        "fields": [{"name": f"field{i}", "type": "double"} for i in range(fields)],
    }
    array = {"new": ["input"], "type": {"type": "array", "items": "R"}}
    lets = [{"let": {f"x{i}": {"a.head": [array]}}} for i in range(calls)]
    return document(input=record, output="R", action=[*lets, "input"])


def test_a_large_type_in_many_calls():
    compat.engine(many_calls(20, 100))
    with deadline(LOADING), pytest.raises(errors.PFAInitializationException, match="too much code"):
        compat.engine(many_calls(1000, 1000))


def literal(numbers):
    value = {"type": {"type": "array", "items": "int"}, "value": list(range(numbers))}
    return document(action=[{"let": {"x": value}}, "input"])


def test_large_literals():
    compat.engine(literal(10_000))
    with deadline(LOADING), pytest.raises(errors.PFAInitializationException, match="into cells"):
        compat.engine(literal(1_000_000))
    tree = {"type": {"type": "array", "items": "int"}, "init": list(range(1_000_000))}
    compat.engine(document(cells={"x": tree}))


def nested(times, wrap, inner):
    for _ in range(times):
        inner = wrap(inner)
    return inner


TREE = {"type": "record", "name": "T", "fields": [{"name": "t", "type": ["null", "T"]}]}
NESTED = {
    "if": lambda n: {"action": nested(n, lambda x: {"if": True, "then": [x], "else": [1]}, 1)},
    "do": lambda n: {"action": nested(n, lambda x: {"do": [x]}, 1)},
    "call": lambda n: {"action": nested(n, lambda x: {"+": [x, 1]}, 1)},
    "literal": lambda n: {
        "action": [{"let": {"x": {"type": TREE, "value": node(n)}}}, 1],
    },
    "cell": lambda n: {"cells": {"x": {"type": TREE, "init": node(n)}}},
    "type": lambda n: {"input": nested(n, lambda x: {"type": "array", "items": x}, "int")},
    "metadata": lambda n: {"options": nested(n, lambda x: {"x": x}, {})},
}


def node(n):
    return nested(n, lambda x: {"t": {"T": x}}, {"t": None})


@pytest.mark.parametrize("kind", NESTED)
def test_nesting(kind):
    loaded = document(**{"action": 1, **NESTED[kind](60)})
    compat.engine(loaded)
    for times in (300, 2000, 20_000):
        try:
            compat.engine(document(**{"action": 1, **NESTED[kind](times)}))
        except errors.PFAInitializationException as error:
            assert "nested too deeply" in str(error) or "too much code" in str(error)
        else:
            assert times < 2000


def test_default_that_contains_itself():
    field = {"name": "r", "type": "R", "default": {}}
    cell = {"type": {"type": "record", "name": "R", "fields": [field]}, "init": {}}
    with pytest.raises(errors.AvroException, match="more than 10000 values"):
        compat.engine(document(cells={"c": cell}))


# --- time

FOREVER = {"while": True, "do": [None]}
TRIES = {
    "try": {"try": [FOREVER, 1]},
    "filter": {"try": [FOREVER, 1], "filter": ["exceeded timeout of 100 milliseconds"]},
    "in a loop": {"while": True, "do": [{"try": [FOREVER, 1]}]},
}


@pytest.mark.parametrize("name", TRIES)
def test_try_does_not_swallow_the_timeout(name):
    engine = compat.engine(document(action=[TRIES[name], "input"]), options={"timeout": 100})
    with deadline(LOADING), pytest.raises(errors.PFATimeoutException):
        engine.action(1)


@pytest.mark.parametrize("name", TRIES)
def test_try_does_not_swallow_a_deadline(name):
    engine = compat.engine(document(action=[TRIES[name], "input"]))
    with pytest.raises(DeadlineExceeded), deadline(0.1):
        engine.action(1)


FIB = {
    "params": [{"n": "int"}],
    "ret": "int",
    "do": {
        "if": {"<": ["n", 2]},
        "then": "n",
        "else": {"+": [{"u.fib": [{"-": ["n", 1]}]}, {"u.fib": [{"-": ["n", 2]}]}]},
    },
}
HUNDRED = {"type": {"type": "array", "items": "int"}, "value": list(range(100))}


def for_each(body):
    function = {"params": [{"x": "int"}], "ret": "int", "do": [body, "x"]}
    return {"a.map": [HUNDRED, function]}


# pure Python in library and user functions, in which titus looks at no clock
ENDLESS = {
    "fib": {"u.fib": [60]},
    "nested map": nested(5, for_each, 1),
    "poissonQF": {"prob.dist.poissonQF": [0.999, 1e15]},
    "loop of try": {"while": True, "do": [{"try": [{"/": [1, 0]}]}]},
    # these have a bare except
    "loop of bytes": {"while": True, "do": [{"bytes.encodeUtf16": [["x" * 10_000]]}]},
    "loop of spec": {"while": True, "do": [{"m.special.lnGamma": [1.5]}]},
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_deadline_stops(name):
    engine = compat.engine(document(fcns={"fib": FIB}, action=[ENDLESS[name], "input"]))
    with pytest.raises(DeadlineExceeded), deadline(0.2):
        engine.action(1)


class Interrupting(float):
    """A number on which the alarm goes off in the middle of what is done with it."""

    def interrupt(self, *_):
        raise DeadlineExceeded("now")

    __le__ = __sub__ = __rsub__ = __add__ = __eq__ = __lt__ = __gt__ = __ge__ = interrupt
    __hash__ = float.__hash__


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("m.special.nChooseK", [Interrupting(3), 2]),
        ("m.special.lnBeta", [Interrupting(3), 2.0]),
        ("m.special.lnGamma", [Interrupting(3)]),
        ("model.reg.residual", [[Interrupting(3)], [1.0]]),
        ("stat.test.mahalanobis", [{"a": Interrupting(3)}, {"a": 1.0}, {"a": {"a": 1.0}}]),
        ("model.reg.mahalanobis", [{"a": Interrupting(3)}, {"a": 1.0}, {"a": {"a": 1.0}}]),
    ],
)
def test_a_bare_except_lets_the_deadline_through(function, args):
    call = pfaast.FunctionTable.blank().functions[function]
    with pytest.raises(DeadlineExceeded):
        call(None, None, None, ["double", "double"], *args)


def test_a_domain_error_is_still_one():
    call = pfaast.FunctionTable.blank().functions["m.special.lnGamma"]
    with pytest.raises(errors.PFARuntimeException, match="domain error"):
        call(None, None, None, None, -1.0)


INCREMENT = {"params": [{"z": "int"}], "ret": "int", "do": [{"+": ["z", 1]}]}
ITEMS = {"type": "array", "items": "int"}
CHANGE = {"pool": "p", "path": [["k"]], "to": INCREMENT, "init": 0}


@pytest.mark.parametrize(
    "action",
    [
        {"attr": {"type": ITEMS, "new": [CHANGE]}, "path": [0]},
        {"attr": {"attr": {"type": ITEMS, "new": [CHANGE]}, "path": [0], "to": 1}, "path": [0]},
        {"pool": "q", "path": [["k"]], "to": INCREMENT, "init": CHANGE},
        {"ifnotnull": {"x": {"upcast": CHANGE, "as": ["null", "int"]}}, "then": 1, "else": 2},
    ],
)
def test_the_call_graph_knows_every_call(action):
    pools = {"p": {"type": "int", "init": {}}, "q": {"type": "int", "init": {}}}
    calls = compat.engine(document(action=[action], pools=pools)).callGraph["(action)"]
    assert {"pool-to", "+"} <= calls
