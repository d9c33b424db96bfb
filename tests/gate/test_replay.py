import math

import pytest
from hypothesis import given, settings

import pfa
from gate import replay
from tests.pfa.avro_types import json_values

ONE_MORE = math.nextafter(1.0, 2.0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1.0, ONE_MORE),
        (1, 1.0),
        (True, 1),
        (1e-300, 0.0),
        ("a", "b"),
        ({"a": 1}, {"a": 1, "b": None}),
        ({"a": [1.0]}, {"a": [ONE_MORE]}),
        ([1, 2], [2, 1]),
        ([], [None]),
        (None, False),
        (pfa.ScoringError("x", 1), pfa.ScoringError("x", 2)),
        (pfa.ScoringError("x", 1), pfa.ScoringError("y", 1)),
        (pfa.ScoringError("x"), pfa.ScoringTimeout("x")),
        (pfa.ScoringError("x"), 1.0),
        (
            pfa.InputError([{"pointer": "/a", "detail": "x"}]),
            pfa.InputError([{"pointer": "/b", "detail": "x"}]),
        ),
    ],
)
def test_answers_that_are_not_the_same(one, other):
    assert not replay.same(one, other)
    assert not replay.same(other, one)


def test_errors_that_are_the_same():
    assert replay.same(pfa.ScoringError("x", 1), pfa.ScoringError("x", 1))


@given(json_values().filter(lambda value: "nan" not in repr(value)))
@settings(max_examples=200, deadline=None)
def test_an_answer_is_the_same_as_itself(value):
    assert replay.same(value, value)
    example = replay.Example(None, value, None, 0.0)
    assert replay.judge(example, value) == (None, 0.0)


@pytest.mark.parametrize(
    ("expected", "answer", "error"),
    [
        (1.0, 1.0, 0.0),
        (0.0, 1e-13, 0.0),
        (0.0, 1e-3, 1.0),
        (100.0, 101.0, 1 / 101),
        (-1.0, 1.0, 2.0),
        (1e308, -1e308, 1.0),
        (10**400, 1.0, 1.0),
        (3, 3.0, 0.0),
        (math.inf, math.inf, 0.0),
        (math.inf, 1.0, 1.0),
    ],
)
def test_relative_error(expected, answer, error):
    assert replay.relative_error(expected, answer) == pytest.approx(error)


def test_where_answers_differ():
    expected = {"a": [{"b/c": 1.0}], "n": 2}
    example = replay.Example(None, expected, None, 1e-6)
    words, error = replay.judge(example, {"a": [{"b/c": 1.5}], "n": 2})
    assert words.startswith("at /a/0/b~1c: expected 1.0, the answer is 1.5 (relative error 0.33")
    assert error == pytest.approx(1 / 3)
    assert replay.judge(example, {"a": [], "n": 2})[0] == (
        "at /a: expected 1 items, the answer has 0"
    )
    assert replay.judge(example, {"a": [{"b/c": 1.0}], "n": 3})[0].startswith("at /n: expected 2")
    assert replay.judge(example, {"a": []})[0] == 'the answer lacks ["n"]'
    assert replay.judge(example, {**expected, "z": 1})[0] == 'the answer also has ["z"]'


def test_whole_numbers_are_exact():
    example = replay.Example(None, 1_000_000_000, None, 0.1)
    assert replay.judge(example, 1_000_000_001)[0]
    assert replay.judge(replay.Example(None, 3.0, None, 0.1), 3)[0]
    assert replay.judge(replay.Example(None, True, None, 0.1), 1.0)[0]
    assert replay.judge(replay.Example(None, 1, None, 0.1), True)[0]


def test_long_values_are_cut():
    assert len(replay.shown("x" * 1000)) < 130
    assert len(replay.shown(list(range(1000)))) < 130
