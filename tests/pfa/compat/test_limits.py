"""Library functions that would make too much in one call."""

import random

import pytest

import pfa
from pfa.compat import limits
from pfa.compat.loader import load

FunctionTable = load("titus.pfaast").FunctionTable
HUGE = 2**31 - 1
STATE = {
    "type": "record",
    "name": "State",
    "fields": [{"name": "level", "type": "double"}, {"name": "trend", "type": "double"}],
}
HISTOGRAM = {
    "type": "record",
    "name": "Histogram",
    "fields": [
        {"name": "low", "type": "double"},
        {"name": "binsize", "type": "double"},
        {"name": "values", "type": {"type": "array", "items": "double"}},
    ],
}
X_FIELD = {"name": "x", "type": "int"}
BINS = {"type": HISTOGRAM, "value": {"low": 0.0, "binsize": 2.0, "values": [1.0]}}
INTS = {"type": "array", "items": "int"}
ONE_TWO = {"type": INTS, "value": [1, 2]}
MILLION_X = {"s.repeat": [["x"], 1_000_000]}

# function, its arguments, the type of its result
TOO_MUCH = [
    ("s.repeat", [["x"], HUGE], "string"),
    ("s.repeat", [["x" * 100], 100_001], "string"),
    ("s.int", [1, HUGE, False], "string"),
    ("s.int", [1, -HUGE, False], "string"),
    ("s.int", [1, HUGE, True], "string"),
    ("s.hex", [1, HUGE, True], "string"),
    ("s.number", [1.5, HUGE, 3], "string"),
    ("s.number", [1.5, 3, HUGE], "string"),
    ("s.number", [1.5, None, HUGE], "string"),
    ("s.replaceall", [MILLION_X, ["x"], MILLION_X], "string"),
    ("s.replaceall", [MILLION_X, [""], MILLION_X], "string"),
    (
        "s.join",
        [
            {"type": {"type": "array", "items": "string"}, "value": ["a"] * 20},
            MILLION_X,
        ],
        "string",
    ),
    ("rand.string", [HUGE], "string"),
    ("rand.string", [HUGE, ["abc"]], "string"),
    ("rand.bytes", [HUGE], "bytes"),
    (
        "rand.choices",
        [HUGE, ONE_TWO],
        INTS,
    ),
    *(
        (f"cast.fanout{of}", [1, 0, HUGE, False], {"type": "array", "items": of.lower()})
        for of in ("Boolean", "Int", "Long", "Float", "Double")
    ),
    ("cast.fanoutInt", [1, -HUGE, 0, True], INTS),
    ("stat.sample.fillHistogram", [2_000_004.0, 1.0, BINS], "Histogram"),
    ("stat.sample.fillHistogram", [1e308, 1.0, BINS], "Histogram"),
    (
        "stat.sample.forecastHoltWinters",
        [HUGE, {"type": STATE, "value": {"level": 1.0, "trend": 2.0}}],
        {"type": "array", "items": "double"},
    ),
]


def model(function, args, output):
    action = [{"let": {"made": {function: args}}}, "made"]
    return pfa.load({"input": "null", "output": output, "action": action})


@pytest.mark.parametrize(("function", "args", "output"), TOO_MUCH)
def test_too_much(function, args, output):
    with pytest.raises(pfa.ScoringError, match=f"would have more than .* in {function}") as caught:
        model(function, args, output).score(None)
    assert caught.value.code is None


def test_every_limit_is_tested():
    limited = {
        name for table in (limits._TEXTS, limits._ITEMS) for of in table.values() for name in of
    }
    assert limited == {function for function, *_ in TOO_MUCH} | {"s.concat"}
    assert limited <= FunctionTable.blank().functions.keys()


def test_doubling_a_text_ends():
    double = {"while": True, "do": {"set": {"s": {"s.concat": ["s", "s"]}}}}
    document = {
        "input": "string",
        "output": "string",
        "action": [{"let": {"s": "input"}}, double, "s"],
    }
    with pytest.raises(pfa.ScoringError, match=r"s\.concat"):
        pfa.load(document).score("x")


@pytest.mark.parametrize(
    ("function", "args", "output", "result"),
    [
        ("s.repeat", [["ab"], 3], "string", "ababab"),
        ("s.repeat", [["ab"], -3], "string", ""),
        ("s.int", [7, 3, True], "string", "007"),
        ("s.int", [7], "string", "7"),
        ("s.hex", [255], "string", "ff"),
        ("s.number", [1.5, 8, 2], "string", "    1.50"),
        ("s.number", [1.5, None, None], "string", "1.5"),
        ("s.concat", [["a"], ["b"]], "string", "ab"),
        ("s.replaceall", [["aXbX"], ["X"], ["--"]], "string", "a--b--"),
        (
            "cast.fanoutInt",
            [1, 0, 3, False],
            INTS,
            [0, 1, 0],
        ),
        (
            "stat.sample.fillHistogram",
            [5.0, 3.0, BINS],
            "Histogram",
            {"low": 0.0, "binsize": 2.0, "values": [1.0, 0.0, 3.0]},
        ),
        ("a.combinations", [ONE_TWO, HUGE], {"type": "array", "items": INTS}, []),
        ("a.combinations", [ONE_TWO, 2], {"type": "array", "items": INTS}, [[1, 2]]),
    ],
)
def test_ordinary_use(function, args, output, result):
    assert model(function, args, output).score(None) == result


def test_values_are_counted_as_often_as_they_are_there():
    one = [1.0, {"a": 2, "b": [None]}]
    assert limits.values_in(one, {}) == 6
    assert limits.values_in([one, one, "text"], {}) == 14
    assert limits.values_in("text", {}) == 1


@pytest.mark.parametrize(
    ("function", "result"),
    [("a.contains", True), ("a.index", 1), ("a.count", 2)],
)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_values_in_values_are_compared(function, result, depth):
    def record_of(number):
        value, of = {"x": number}, {"type": "record", "name": "X", "fields": [X_FIELD]}
        for _ in range(depth):
            value, of = {"k": [value]}, {"type": "map", "values": {"type": "array", "items": of}}
        return value, of

    (one, of), (two, _) = record_of(1), record_of(2)
    items = {"type": {"type": "array", "items": of}, "value": [two, one, one]}
    item = {"attr": items, "path": [1]}
    made = model(function, [items, item], "boolean" if result is True else "int")
    assert made.fallback is None
    assert made.score(None) == result


@pytest.mark.parametrize("function", ["rindex", "strip", "lstrip", "rstrip"])
@pytest.mark.parametrize("length", [3, 99, 100, 101, 300])
def test_text_in_linear_time_is_the_same(function, length):
    make = random.Random(length)
    record = {
        "type": "record",
        "name": "Two",
        "fields": [{"name": n, "type": "string"} for n in "xy"],
    }
    output = "int" if function == "rindex" else "string"
    made = pfa.load(
        {"input": record, "output": output, "action": {f"s.{function}": ["input.x", "input.y"]}}
    )
    plain = str.rfind if function == "rindex" else getattr(str, function)
    for _ in range(50):
        y = "".join(make.choices("abc\u20ac", k=length))
        x = "".join(make.choices([y, y[: length // 2], "a", "cd", "d", ""], k=make.randint(0, 5)))
        assert made.score({"x": x, "y": y}) == plain(x, y)
