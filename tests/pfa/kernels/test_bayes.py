"""model.naive.*: bit for bit what titus gives."""

import math
import random

import pytest

from tests.pfa.fake_site import FakeSite
from tests.pfa.kernels.check import DOUBLES, MAP, ODD, record, same

CLASS = record(mean="double", variance="double")
NAMES = ["a", "b", "c", "d", "e"]


def number(rng):
    return rng.choice([rng.gauss(0, 3), rng.gauss(0, 3), rng.choice(ODD)])


@pytest.mark.parametrize("seed", range(60))
def test_gaussian(seed):
    rng = random.Random(seed)
    features = [
        {"mean": float(number(rng)) if seed % 3 else 1.5, "variance": abs(float(number(rng))) + 0.1}
        for _ in range(rng.randrange(5))
    ]
    arrays = {"type": "array", "items": CLASS}
    maps = {"type": "map", "values": CLASS}
    for _ in range(10):
        size = len(features) + rng.choice([0, 0, 0, 1, -1])
        datum = [number(rng) for _ in range(max(size, 0))]
        same(FakeSite("model.naive.gaussian", [DOUBLES, arrays], "double", known={1: features}),
             datum, features)  # fmt: skip
        model = dict(zip(NAMES, features, strict=False))
        keys = rng.sample(NAMES, rng.randrange(6)) if rng.random() < 0.2 else [*model]
        rng.shuffle(keys)
        same(FakeSite("model.naive.gaussian", [MAP, maps], "double", known={1: model}),
             {key: number(rng) for key in keys}, model)  # fmt: skip


@pytest.mark.parametrize("size", [1, 63, 64, 65, 200, 501])
def test_gaussian_of_many_features(size):
    """With means and variances near the ends of what is written as one division."""
    rng = random.Random(size)
    arrays = {"type": "array", "items": CLASS}
    ends = [0.0, -0.0, 1e-100, 1.1e-100, -1e-99, 9e99, 1e100, 1e-308, 5e-324]
    for _ in range(20):
        means = [rng.choice([rng.gauss(0, 3), *ends]) for _ in range(size)]
        variances = [rng.choice([rng.random(), 1e-60, 1.1e-60, 9e59, 1e60]) for _ in means]
        features = [
            {"mean": mean, "variance": variance}
            for mean, variance in zip(means, variances, strict=True)
        ]
        large = rng.random() < 0.3
        datum = [
            rng.choice([mean, math.nextafter(mean, 9), rng.gauss(0, 3), *[1e150, 1e120] * large])
            for mean in means
        ]
        same(FakeSite("model.naive.gaussian", [DOUBLES, arrays], "double", known={1: features}),
             datum, features)  # fmt: skip


def test_a_variance_that_is_none_is_left_to_titus():
    arrays = {"type": "array", "items": CLASS}
    for variance in (0.0, -1.0):
        model = [{"mean": 1.0, "variance": variance}]
        site = FakeSite("model.naive.gaussian", [DOUBLES, arrays], "double", known={1: model})
        assert site.specialised() is None


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_multinomial(seed, wrapped):
    rng = random.Random(seed)
    weights = [rng.choice([rng.random(), 3.0, 1e308, math.inf]) for _ in range(1 + seed % 5)]
    by_name = dict(zip(NAMES, weights, strict=False))
    for kind, values, data in (
        (
            DOUBLES,
            weights,
            [[number(rng) for _ in range(size)] for size in (*[len(weights)] * 5, 6)],
        ),
        (MAP, by_name, [dict.fromkeys(reversed(by_name), 2.5), {}, {**by_name, "z": 1.0}]),
    ):
        model = {"values": values} if wrapped else values
        model_type = record(values=kind) if wrapped else kind
        site = FakeSite("model.naive.multinomial", [kind, model_type], "double", known={1: model})
        for datum in data:
            same(site, datum, model)
            same(FakeSite(site.name, site.schemas, "double", known=site.known), datum, model)


@pytest.mark.parametrize("model", [[], [1.0, 0.0], [-1.0]])
def test_weights_that_are_none_are_left_to_titus(model):
    site = FakeSite("model.naive.multinomial", [DOUBLES, DOUBLES], "double", known={1: model})
    assert site.specialised() is None


def test_bernoulli():
    rng = random.Random(4)
    strings = {"type": "array", "items": "string"}
    for _ in range(100):
        chosen = rng.sample(NAMES, rng.randrange(5))
        model = {name: rng.choice([rng.random(), 1e-300, math.nan]) for name in chosen}
        datum = [rng.choice(NAMES) for _ in range(rng.randrange(8))]
        same(FakeSite("model.naive.bernoulli", [strings, MAP], "double", known={1: model}),
             datum, model)  # fmt: skip
        wrapped = {"values": model}
        same(FakeSite("model.naive.bernoulli", [strings, record(values=MAP)], "double",
                      known={1: wrapped}), datum, wrapped)  # fmt: skip
    site = FakeSite("model.naive.bernoulli", [strings, MAP], "double", known={1: {"a": 1.0}})
    assert site.specialised() is None
