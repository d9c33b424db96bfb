"""Batches of documents without state: each answer is what one record gets, whatever is around."""

import random
from pathlib import Path
from typing import Any

import pytest

import pfa
from pfa import batch, direct
from pfa.columns import UnusualError, answers_writer, rows_of
from pfa.schema import from_json
from tests.pfa.test_fuzz_short import short, told

ROOT = Path(__file__).parents[2]
KINDS: list[Any] = [
    *("boolean", "int", "long", "float", "double", "double", "double", "string", "bytes", "null"),
    {"type": "enum", "name": "Colour", "symbols": ["red", "green"]},
    {"type": "fixed", "name": "Two", "size": 2},
    {"type": "array", "items": "double"},
    {"type": "map", "values": ["int", "null"]},
    ["null", "double"],
    ["null", "string"],
    ["double", "string"],
    ["null", "int", "double", "string", "boolean"],
]
DEFAULTS = {"int": 7, "double": 2.5, "string": "none", "null": None, "boolean": False}
VALUES: list[Any] = [
    *(
        True,
        False,
        None,
        0,
        1,
        -3,
        2**31,
        2**63,
        2**70,
        10**400,
        0.5,
        -0.0,
        1.0,
        1e300,
        1e308,
        -1e308,
    ),
    *(float("nan"), float("inf"), "", "red", "ab", "ä", "\ud800", "pink", [], [1.0, 2], ["x"], {}),
    *({"a": 1}, {"a": "x"}, {"double": 1.5}, {"string": "s"}, {"double": 1}, {"int": 4}, b"ab"),
]
RIGHT = {
    "boolean": [True, False],
    "int": [0, 5, -3],
    "long": [0, 2**40],
    "float": [0.5, 3],
    "double": [0.5, -0.0, 3, 7.25, 1e-300],
    "string": ["", "red", "ä"],
    "bytes": ["ab"],
    "null": [None],
    "enum": ["red", "green"],
    "fixed": ["ab"],
    "array": [[], [0.5, 2]],
    "map": [{}, {"a": 1, "b": None}],
}


def right(chosen: random.Random, kind: Any) -> Any:
    """A value of the type."""
    while isinstance(kind, list):
        kind = chosen.choice(kind)
    return chosen.choice(RIGHT[kind if isinstance(kind, str) else kind["type"]])


def record_type(chosen: random.Random, alike: bool) -> dict[str, Any]:
    """A record of scalars mostly, some with defaults; alike: of many fields of one type."""
    count = chosen.choice([1, 2, 3, 7, 17])
    some = chosen.choice(KINDS)
    named: set[str] = set()
    fields: list[dict[str, Any]] = []
    for number in range(count):
        kind = some if alike else chosen.choice(KINDS)
        if isinstance(kind, dict) and "name" in kind:
            again, name = kind["name"] in named, kind["name"]
            named.add(name)
            kind = name if again else kind
        fields.append({"name": f"f{number}", "type": kind})
        first = kind[0] if isinstance(kind, list) else kind
        if isinstance(first, str) and first in DEFAULTS and chosen.random() < 0.3:
            fields[-1]["default"] = DEFAULTS[first]
    return {"type": "record", "name": "In", "fields": fields}


def of_field(chosen: random.Random, kind: Any) -> Any:
    """The type of a field by its name, if it is that of another."""
    return (
        {"Colour": KINDS[10], "Two": KINDS[11]}.get(kind, kind) if isinstance(kind, str) else kind
    )


def document(chosen: random.Random) -> dict[str, Any]:
    """A document that answers a part of its input, and fails for some."""
    given = chosen.choice([*KINDS, "record", "record", "record", "record"])
    if given == "record":
        given = record_type(chosen, chosen.random() < 0.3)
        field = chosen.choice(given["fields"])
        out, action = field["type"], [f"input.{field['name']}"]
        if isinstance(out, dict) and "name" in out:
            out = out["name"]
        doubles = [f"input.{each['name']}" for each in given["fields"] if each["type"] == "double"]
        if chosen.random() < 0.3:
            out, action = "In", ["input"]
        elif doubles and chosen.random() < 0.8:
            total: Any = doubles[0]
            for name in doubles[1:]:
                total = {"+": [total, name]}
            fails = {"if": {">": [doubles[0], 7]}, "then": {"error": "too large", "code": -3}}
            result = {"m.sqrt": [total]}  # NaN below zero
            out = {"type": "record", "name": "Out", "fields": [{"name": "x", "type": "double"}]}
            new: Any = {"new": {"x": result}, "type": out}
            form = chosen.choice(["double", "record", "map", "nested"])
            if form == "nested":
                each = {"type": "map", "values": "double"}
                fields = [{"name": "label", "type": "string"}, {"name": "each", "type": each}]
                out = {"type": "record", "name": "Out", "fields": fields}
                within = {"new": {"b": result, "a": total}, "type": each}
                label = {"string": chosen.choice(["a", "é"])}
                new = {"new": {"label": label, "each": within}, "type": out}
            elif form == "map":
                out = {"type": "map", "values": "double"}
                new = {"new": {"b": result, "a": total}, "type": out}
            elif form == "double":
                out, new = "double", result
            action = [fails, new]
    elif given == {"type": "map", "values": ["int", "null"]}:
        out = ["int", "null"]
        action = [chosen.choice(["input.a", {"attr": "input", "path": [["a"]]}])]
    else:
        out, action = given, ["input"]
        if isinstance(out, dict) and "name" in out:
            out = out["name"]
    return {"input": given, "output": out, "action": action}


def records_of(chosen: random.Random, given: Any, count: int, odd: float) -> list[Any]:
    """Records of the type, some of them odd."""
    records: list[Any] = []
    for _ in range(count):
        if not isinstance(given, dict) or given["type"] != "record":
            value = chosen.choice(VALUES) if chosen.random() < odd else right(chosen, given)
            records.append(value)
            continue
        record = {}
        for field in given["fields"]:
            if "default" in field and chosen.random() < odd:
                continue
            record[field["name"]] = right(chosen, of_field(chosen, field["type"]))
        if chosen.random() < odd:
            kind = chosen.randrange(4)
            name = chosen.choice([*record, "f0"])
            if kind == 0:
                record.pop(name, None)
            elif kind == 1:
                record["more"] = 1
            elif kind == 2:
                record[name] = chosen.choice(VALUES)
            else:
                record = chosen.choice(VALUES)
        elif chosen.random() < 0.3:
            record = dict(reversed(record.items()))
        records.append(record)
    return records


@pytest.mark.parametrize("seed", range(120))
def test_random_schemas(seed: int) -> None:
    chosen = random.Random(seed)
    made = document(chosen)
    model = pfa.load(made)
    assert model._short is not None
    count = chosen.choice([2, 11, 60, batch.CHUNK + 1])
    records = records_of(chosen, made["input"], count, chosen.choice([0.0, 0.05, 0.5]))
    expected = [told(short(model, record)) for record in records]
    assert expected[:20] == [told(model._long(record)) for record in records[:20]]
    loaded = pfa.load_artifact(model.to_artifact())
    for each in (model, loaded):
        for timeout in (None, 60):
            assert [*map(told, each.score_batch(records, timeout))] == expected
    assert [*map(told, model.score_batch(tuple(records)))] == expected


LINEAR = {
    "input": {
        "type": "record",
        "name": "In",
        "fields": [{"name": "x", "type": "double"}, {"name": "y", "type": "int", "default": 2}],
    },
    "output": "double",
    "action": [
        {"if": {"==": ["input.y", 5]}, "then": {"error": "five"}},
        {"/": ["input.x", "input.y"]},  # NaN of 0 / 0
    ],
}


@pytest.mark.parametrize("count", [batch.FEW, batch.FEW + 1, 199, 200, 201, 999, 1000, 1001])
def test_borders_of_chunks(count: int) -> None:
    model = pfa.load(LINEAR)
    records: list[Any] = [{"x": float(i), "y": 3} for i in range(count)]
    alone = {0: {"x": 0, "y": 0}, count - 1: {"x": "?", "y": 1}, count // 2: {"x": 1.5, "y": 5}}
    sets: list[dict[int, Any]] = [{}, alone, {count - 2: 5, count - 1: {"x": 8}}]
    sets += [{min(place, count - 1): {"y": 1} for place in (198, 199, 200, 399, 400)}]
    for odd in sets:
        mixed = [odd.get(place, record) for place, record in enumerate(records)]
        expected = [told(short(model, record)) for record in mixed]
        assert [*map(told, model.score_batch(mixed))] == expected
        assert [*map(told, model.score_batch(mixed, timeout=60))] == expected


def test_answers_share_nothing() -> None:
    """Neither with each other, nor with what was given, nor with the model."""
    kind = {"type": "map", "values": "double"}
    cells = {"c": {"type": kind, "init": {"a": 1.0}}}
    for action in ("input", {"cell": "c"}, {"let": {"x": {"cell": "c"}}}):
        do = [action, "x"] if isinstance(action, dict) and "let" in action else [action]
        made = pfa.load({"input": kind, "output": kind, "cells": cells, "action": do})
        given = [{"a": 1.0} for _ in range(30)]
        answers = made.score_batch(given)
        for answer in answers:
            assert answer == {"a": 1.0}
            answer["a"] = 2.0
        assert given == [{"a": 1.0}] * 30
        assert made.score_batch(given) == [{"a": 1.0}] * 30


def test_maps_with_other_keys() -> None:
    model = pfa.load((ROOT / "models/credit.pfa").read_bytes())
    usual = {
        "Status.of.existing.checking.account": "A11",
        "Duration.in.month": 6,
        "Credit.history": "A34",
        "Savings.account.bonds": "A65",
    }
    odd: list[Any] = [{**usual, "more": 1.0}, {}, {**usual, "Credit.history": 4}, None, {1: 2}]
    odd += [{**usual, "Duration.in.month": {"double": 6.5}}, {**usual, "Duration.in.month": 2**70}]
    odd += [{**usual, "Duration.in.month": 10**400}, {**usual, "Credit.history": "ä"}]
    for bad in odd:
        records = [*[usual] * 250, bad, *[usual] * 20]
        expected = [told(short(model, record)) for record in records]
        assert [*map(told, model.score_batch(records))] == expected
    loop = direct.Loop(model.source, model._input)
    assert loop.keys == [*usual]
    assert loop.answer_keys() == {"default.probability": {}}


def test_keys_of_answers_in_answers() -> None:
    model = pfa.load((ROOT / "models/kdd99.pfa").read_bytes())
    loop = direct.Loop(model.source, model._input)
    assert loop.answer_keys() == {"label": {}, "probability": {"attack": {}, "normal": {}}}
    write = answers_writer(model._output, loop.answer_keys())
    assert write is not None
    good = {"label": "attack", "probability": {"attack": 0.25, "normal": 0.75}}
    write([good, good])
    for odd in (float("nan"), 1, None):
        with pytest.raises((UnusualError, TypeError)):
            write([good, {**good, "probability": {"attack": 0.25, "normal": odd}}])


def test_when_the_time_is_up() -> None:
    """What is done is kept, of the chunk that was under way, too."""
    loop = {"for": {"i": 0}, "while": {"<": ["i", "input"]}, "step": {"i": {"+": ["i", 1]}}}
    answer = {"/": ["input", 2]}
    model = pfa.load({"input": "int", "output": "double", "action": [{**loop, "do": [0]}, answer]})
    for before in (0, 1, 30, 230):
        records = [*[3] * before, 2**31 - 1, *[4] * 30]
        results = model.score_batch(records, timeout=0.3)
        assert results[:before] == [1.5] * before
        assert all(isinstance(each, pfa.ScoringTimeout) for each in results[before:])
        assert len(results) == len(records)


def test_rows() -> None:
    kind = from_json(LINEAR["input"])
    given: list[Any] = [{"x": 1.0, "y": 2}, {"x": 3.0}, {"x": 1, "z": 2}, 5, {"x": 4.0, "y": 5}]
    for singly, values in ((False, lambda x, y: (x, y)), (True, lambda x, y: {"y": y, "x": x})):
        found = rows_of(kind, ["x", "y"], singly)(given)
        assert found is not None
        assert [next(found), next(found)] == [values(1.0, 2), values(3.0, 2)]
        if not singly:
            with pytest.raises(KeyError):
                next(found)
        else:
            assert next(found) == {"x": 1, "z": 2}  # of which the loop says that there is no y
        with pytest.raises(KeyError):
            next(found)
        assert [*found] == [values(4.0, 5)]


def test_answers() -> None:
    write = answers_writer(from_json("long"), {})
    assert write is not None
    write([0, -(2**63), 2**63 - 1])
    for odd in ([True], [2**63], [1.0], [None], [-(2**63) - 1]):
        with pytest.raises(UnusualError):
            write([0, *odd])
    assert answers_writer(from_json({"type": "map", "values": "int"}), {}) is None
    assert answers_writer(from_json({"type": "map", "values": ["int", "null"]}), {"a": {}}) is None
    assert answers_writer(from_json(["int", "null"]), {}) is None
