"""la.*: what titus gives, products but for their last digits."""

import math
import random

import pytest

from tests.pfa.fake_site import FakeSite
from tests.pfa.kernels.check import DOUBLES, MAP, MAPS, ODD, ROWS, function, nearly, same

NAMES = ["c", "a", "b"]


def vector(rng, size, odd=0.5):
    return [rng.choice(ODD) if rng.random() < odd else rng.gauss(0, 3) for _ in range(size)]


def rows(rng, odd=0.5, ragged=0.1):
    size = rng.randrange(4)
    return [vector(rng, size + (rng.random() < ragged), odd) for _ in range(rng.randrange(4))]


def by_name(rng):
    return {name: vector(rng, 1)[0] for name in rng.sample(NAMES, rng.randrange(4))}


def table(rng):
    return {name: by_name(rng) for name in rng.sample(NAMES, rng.randrange(4))}


SHAPES = [
    (DOUBLES, lambda rng: vector(rng, rng.randrange(3))),
    (ROWS, rows),
    (MAP, by_name),
    (MAPS, table),
]


@pytest.mark.parametrize("name", ["la.add", "la.sub"])
@pytest.mark.parametrize(("kind", "draw"), SHAPES)
def test_elementwise(name, kind, draw):
    rng = random.Random(name)
    site = FakeSite(name, [kind, kind], kind)
    for _ in range(200):
        x = draw(rng)
        same(site, x, draw(rng))
        same(site, x, x)


@pytest.mark.parametrize(("kind", "draw"), SHAPES)
def test_scale(kind, draw):
    rng = random.Random(1)
    site = FakeSite("la.scale", [kind, "double"], kind)
    for _ in range(100):
        same(site, draw(rng), rng.choice(ODD))


@pytest.mark.parametrize(("kind", "draw"), [SHAPES[1], SHAPES[3]])
def test_functions_of_elements(kind, draw):
    rng = random.Random(2)

    def half(x):
        return x / 2

    def less(x, y):
        return x - 2 * y

    one = FakeSite("la.map", [kind, function(["double"], "double")], kind, functions={1: half})
    two = FakeSite("la.zipmap", [kind, kind, function(["double", "double"], "double")], kind,
                   functions={2: less})  # fmt: skip
    for _ in range(100):
        x = draw(rng)
        same(one, x, half)
        same(FakeSite(one.name, one.schemas, kind, functions={1: half}, texts={1: "{0} / 2"}),
             x, half)  # fmt: skip
        same(two, x, draw(rng), less)
        same(two, x, x, less)


@pytest.mark.parametrize(("kind", "draw"), [SHAPES[1], SHAPES[3]])
def test_transpose(kind, draw):
    rng = random.Random(3)
    site = FakeSite("la.transpose", [kind], kind)
    for _ in range(200):
        value = draw(rng)
        same(site, value)
        same(FakeSite("la.transpose", [kind], kind, known={0: value}), value)
    for odd in ([], [[]], [[], [1.0]]) if kind == ROWS else ({}, {"a": {}}):
        same(site, odd)
        same(FakeSite("la.transpose", [kind], kind, known={0: odd}), odd)


def product(site, x, y):
    nearly(site, x, y, scale=1000.0)


def test_dot():
    rng = random.Random(4)
    with_vector = FakeSite("la.dot", [ROWS, DOUBLES], DOUBLES)
    with_matrix = FakeSite("la.dot", [ROWS, ROWS], ROWS)
    usual = 0
    for _ in range(600):
        x = rows(rng, odd=0.01)
        size = len(x[0]) if x else 1
        y = [vector(rng, rng.choice([2, 3]), 0.01)] * size
        product(with_vector, x, vector(rng, size, 0.02))
        product(with_vector, x, vector(rng, rng.randrange(4), 0.0))
        product(with_matrix, x, y)
        product(FakeSite("la.dot", [ROWS, ROWS], ROWS, known={1: y}), x, y)
        product(with_matrix, x, rows(rng, odd=0.05))
        usual += len(x) > 1 and size > 1
    assert usual > 100
    assert with_vector.specialised()([[1, 2], [3, 4.5]], [1, 1]) == [3.0, 7.5]
    assert type(with_vector.specialised()([[1, 2]], [1, 1])[0]) is float


def test_truncate():
    rng = random.Random(6)
    site = FakeSite("la.truncate", [ROWS, "int"], ROWS)
    for _ in range(100):
        same(site, rows(rng), rng.randrange(-2, 5))
    for odd in ([], [[]], [[], [1.0]], [[1.0], []]):
        same(site, odd, 1)


def test_dot_of_maps_is_left_to_titus():
    assert FakeSite("la.dot", [MAPS, MAP], MAP).specialised() is None
    assert FakeSite("la.dot", [MAPS, MAPS], MAPS).specialised() is None


def test_a_constant_factor_is_prepared():
    x, y = [[1, 2]], [[3, 4.0], [5, 6.0]]
    site = FakeSite("la.dot", [ROWS, ROWS], ROWS, known={1: y})
    same(site, x, y)
    assert site.specialised()(x, None) == [[13.0, 16.0]]
    site = FakeSite("la.dot", [ROWS, ROWS], ROWS, known={0: x, 1: y})
    assert site.specialised()(None, None) == [[13.0, 16.0]]
    for odd in ([], [[1.0]], [[1e308, 1e308]], [[math.inf, 0.0]]):
        same(FakeSite("la.dot", [ROWS, ROWS], ROWS, known={0: odd, 1: y}), odd, y)
    site = FakeSite("la.transpose", [ROWS], ROWS, known={0: y})
    assert site.specialised()(None) == [[3, 5], [4.0, 6.0]]
