"""model.neural.*, model.svm.* and their kernels: bit for bit what titus gives."""

import math
import random
from itertools import pairwise

import pytest

from pfa.kernels import network, prepared
from tests.pfa.fake_site import FakeSite
from tests.pfa.kernels.check import DOUBLES, ODD, ROWS, function, record, same

LAYERS = {"type": "array", "items": record(weights=ROWS, bias=DOUBLES)}
VECTOR = {**record(supVec=DOUBLES, coeff="double"), "name": "V"}
SVM = record(const="double", posClass={"type": "array", "items": VECTOR},
             negClass={"type": "array", "items": "V"})  # fmt: skip


def numbers(rng, size):
    return [rng.choice([rng.gauss(0, 1)] * 5 + [rng.choice(ODD)]) for _ in range(size)]


@pytest.mark.parametrize("seed", range(100))
def test_layers(seed):
    rng = random.Random(seed)
    calls = []

    def activation(x):
        calls.append(x)
        return math.tanh(x)

    sizes = [rng.randrange(4) for _ in range(rng.randrange(1, 5))]
    model = [
        {
            "weights": [numbers(rng, before + (rng.random() < 0.02)) for _ in range(after)],
            "bias": numbers(rng, after + (rng.random() < 0.02)),
        }
        for before, after in pairwise(sizes)
    ]
    site = FakeSite("model.neural.simpleLayers", [DOUBLES, LAYERS, function(["double"], "double")],
                    DOUBLES, functions={2: activation})  # fmt: skip
    datum = numbers(rng, sizes[0])
    same(site, datum, model, activation)
    assert not calls or [*map(repr, calls)] == [*map(repr, calls[: len(calls) // 3] * 3)]


@pytest.mark.parametrize("seed", range(100))
def test_large_layers_that_do_not_change(seed, monkeypatch):
    """With numpy, though these are small."""
    monkeypatch.setattr(prepared, "_ENOUGH", 1)
    monkeypatch.setattr(prepared, "MANY", 0)
    monkeypatch.setattr(network, "_BLOCK", 1 + seed)
    rng = random.Random(seed)
    odd = rng.choice([0.0, 0.0, 0.02])

    def number(exponent=9):
        usual = rng.gauss(0, 1) * 10.0 ** rng.randint(-exponent, exponent)
        return float(rng.choice(ODD)) if rng.random() < odd else usual

    sizes = [rng.randrange(1, 30) for _ in range(rng.randrange(2, 5))]
    model = [
        {
            "weights": [[number() for _ in range(before)] for _ in range(after)],
            "bias": [number() for _ in range(after)],
        }
        for before, after in pairwise(sizes)
    ]
    if rng.random() < 0.1:
        rng.choice(model)["weights"][0][0] = 3
    calls = []

    def activation(x):
        calls.append(repr(x))
        return math.tanh(x)

    site = FakeSite("model.neural.simpleLayers", [DOUBLES, LAYERS, function(["double"], "double")],
                    DOUBLES, functions={2: activation}, known={1: model})  # fmt: skip
    for _ in range(5):
        datum = [number() for _ in range(sizes[0] + (rng.random() < 0.05))]
        datum[0] = rng.choice([datum[0], 2, 2**60 + 1, 10**400])
        calls.clear()
        same(site, datum, model, activation)
        assert calls == calls[: len(calls) // 3] * 3


def test_small_layers_do_without_numpy(monkeypatch):
    monkeypatch.setattr(network, "_with_numpy", None)
    layer = {"weights": [[0.5] * 20] * 20, "bias": [1.0] * 20}
    site = FakeSite("model.neural.simpleLayers", [DOUBLES, LAYERS, function(["double"], "double")],
                    DOUBLES, functions={2: abs}, known={1: [layer, layer]})  # fmt: skip
    assert site.specialised()([1.0] * 20, [layer, layer], abs) == [111.0] * 20


@pytest.mark.parametrize("seed", range(60))
def test_svm(seed):
    rng = random.Random(seed)

    def kernel(x, y):
        return sum(a * b for a, b in zip(x, y, strict=True))

    def vectors():
        return [
            {"supVec": numbers(rng, 2 + (rng.random() < 0.05)), "coeff": rng.gauss(0, 1)}
            for _ in range(rng.randrange(3))
        ]

    site = FakeSite("model.svm.score", [DOUBLES, SVM, function([DOUBLES, DOUBLES], "double")],
                    "double", functions={2: kernel})  # fmt: skip
    model = {"const": 0.5, "posClass": vectors(), "negClass": vectors()}
    same(site, numbers(rng, 2), model, kernel)


@pytest.mark.parametrize(
    ("name", "more"), [("linear", 0), ("rbf", 1), ("sigmoid", 2), ("poly", 3)]
)  # fmt: skip
def test_kernels(name, more):
    rng = random.Random(name)
    site = FakeSite(f"m.kernel.{name}", [DOUBLES, DOUBLES, *["double"] * more], "double")
    for _ in range(200):
        size = rng.randrange(4)
        x, y = numbers(rng, size), numbers(rng, size + (rng.random() < 0.1))
        same(site, x, y, *(rng.choice([rng.gauss(0, 1), rng.choice(ODD)]) for _ in range(more)))
        if name == "poly":
            same(site, x, y, rng.gauss(0, 1), rng.gauss(0, 1), float(rng.randrange(-3, 5)))


def test_rbf_of_large_integers():
    """Their squares, and the sum of these, are exact."""
    integers = {"type": "array", "items": "int"}
    site = FakeSite("m.kernel.rbf", [integers, integers, "double"], "double")
    same(site, [1366426728, -2147483648], [-4, -1], 1e-18)
