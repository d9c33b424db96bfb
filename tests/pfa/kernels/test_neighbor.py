"""model.neighbor.nearestK: what titus gives, whether it measures every distance or not."""

import json
import math
import random

import numpy
import pytest

import pfa
from pfa.kernels import neighbor, prepared
from tests.pfa.fake_site import FakeSite
from tests.pfa.kernels.check import DOUBLES, ODD, function, record, same

NAME = "model.neighbor.nearestK"
POINT = record(point=DOUBLES, id="int")
POINTS = {"type": "array", "items": POINT}
SITE = [NAME, ["int", DOUBLES, POINTS, function([DOUBLES, POINT], "double")], POINTS]
DRAWS = {
    "usual": lambda rng: rng.gauss(0, 1),
    "ties": lambda rng: float(rng.randrange(3)),
    "nearly ties": lambda rng: 1.0 + rng.randrange(3) * 2.0**-52,
    "odd": lambda rng: rng.choice(ODD),
    "huge": lambda rng: rng.choice([1.0, -1.0]) * 10.0 ** rng.randrange(130, 308),
    "tiny": lambda rng: rng.random() * 10.0 ** -rng.randrange(130, 323),
}


def points(rng, number, size, draw):
    return [{"point": [draw(rng) for _ in range(size)], "id": i} for i in range(number)]


@pytest.mark.parametrize("kind", DRAWS)
def test_any_metric(kind):
    rng = random.Random(kind)

    def metric(x, y):
        return x[0] * y["point"][0]

    for _ in range(200):
        codebook = points(rng, rng.randrange(9), 1, DRAWS[kind])
        same(
            FakeSite(*SITE, functions={3: metric}),
            rng.randrange(-1, 10),
            [DRAWS[kind](rng)],
            codebook,
            metric,
        )


def document(codebook, vector=DOUBLES):
    metric = {
        "params": [{"x": vector}, {"it": "Point"}],
        "ret": "double",
        "do": {"metric.simpleEuclidean": ["x", "it.point"]},
    }
    kind = {**record(point=vector, id="int"), "name": "Point"}
    return {
        "input": {
            "type": "record",
            "name": "Input",
            "fields": [{"name": "k", "type": "int"}, {"name": "x", "type": vector}],
        },
        "output": {"type": "array", "items": "int"},
        "cells": {"points": {"type": {"type": "array", "items": kind}, "init": codebook}},
        "action": [
            {"let": {"near": {NAME: ["input.k", "input.x", {"cell": "points"}, metric]}}},
            {"a.map": ["near", {"params": [{"it": "Point"}], "ret": "int", "do": "it.id"}]},
        ],
    }


def told(answer):
    return (str(answer), getattr(answer, "code", None)) if isinstance(answer, Exception) else answer


@pytest.mark.parametrize("many", [0, 10**9])
@pytest.mark.parametrize("kind", DRAWS)
def test_of_known_points(kind, many, monkeypatch):
    monkeypatch.setattr(prepared, "MANY", many)  # with numpy, and without
    monkeypatch.setattr(prepared, "_ENOUGH", 1)
    rng = random.Random(kind)
    for _ in range(25):
        size = rng.randrange(1, 4)
        draw = DRAWS[kind]
        codebook = points(rng, rng.choice([0, 1, 2, 40]), size, draw)
        for each in codebook:
            each["point"] = [x if math.isfinite(x) else 0.0 for x in each["point"]]
        text = json.dumps(document(codebook))
        compiled, reference = pfa.load(text), pfa.load(text, compiled=False)
        assert compiled.fallback is None
        given = []
        for _ in range(12):
            datum = [draw(rng) for _ in range(size + rng.choice([0, 0, 0, 0, 1]))]
            datum = [x if math.isfinite(x) else -1.0 for x in datum]
            if rng.random() < 0.2 and codebook:
                datum = rng.choice(codebook)["point"]
            given.append({"k": rng.choice([-1, 0, 1, 1, 2, 5, 41]), "x": datum})
        ours, theirs = compiled.score_batch(given), reference.score_batch(given)
        assert list(map(told, ours)) == list(map(told, theirs))


def test_differences_of_large_integers_are_exact():
    """As doubles, the first point would be the nearest."""
    at, far = 2**60, 2**60 + 385
    codebook = [{"point": [at + 383] * 2, "id": 0}, {"point": [far, at], "id": 1}]
    text = json.dumps(document(codebook, {"type": "array", "items": "long"}))
    for compiled in (False, True):
        model = pfa.load(text, compiled=compiled)
        assert model.score({"k": 1, "x": [at, at]}) == [1]


@pytest.mark.parametrize("many", [0, 10**9])
def test_few_distances_are_measured_as_the_document_has_it(many, monkeypatch):
    monkeypatch.setattr(prepared, "MANY", many)
    monkeypatch.setattr(prepared, "_ENOUGH", 1)
    codebook = points(random.Random(1), 100, 3, DRAWS["usual"])
    call = NAME, None, "[]"
    nearest = neighbor.of_points([tuple(each["point"]) for each in codebook], call)
    asked = []

    def metric(x, y):
        asked.append(y["id"])
        return math.dist(x, y["point"])

    found = nearest(4, [0.0, 0.0, 0.0], codebook, metric)
    assert len(found) == 4
    assert sorted(asked) == sorted(each["id"] for each in found)


def test_with_numpy_and_without_the_same_points_may_be_near():
    rng = random.Random(7)
    for kind, draw in DRAWS.items():
        table = [tuple(draw(rng) for _ in range(5)) for _ in range(60)]
        table = [tuple(x if math.isfinite(x) else 0.0 for x in each) for each in table]
        for _ in range(30):
            datum = [float(x) for x in rng.choice(table)] if kind != "odd" else [1.0, 3, 0.0, 2, 2]
            datum[0] += draw(rng)
            k = rng.randrange(1, 61)
            found = neighbor._in_turn(table)(k, datum), neighbor._at_once(numpy, table)(k, datum)
            if None not in found:
                assert found[0] == found[1]
            elif kind in ("usual", "ties", "nearly ties"):
                assert found == (None, None)  # a distance of 0
