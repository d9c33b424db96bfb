"""model.cluster.closest and distances: what titus gives."""

import math
import random

import pytest

from tests.pfa.fake_site import FakeSite
from tests.pfa.kernels.check import DOUBLES, ODD, function, record, same

NAME = "model.cluster.closest"
CLUSTER = record(center=DOUBLES, id="string")
CLUSTERS = {"type": "array", "items": CLUSTER}
METRIC = function([DOUBLES, DOUBLES], "double")


def clusters(rng, number, size, draw):
    return [{"center": [draw(rng) for _ in range(size)], "id": str(i)} for i in range(number)]


DRAWS = {
    "usual": lambda rng: rng.gauss(0, 1),
    "ties": lambda rng: float(rng.randrange(3)),
    "nearly ties": lambda rng: 1.0 + rng.randrange(3) * 2.0**-52,
    "odd": lambda rng: rng.choice(ODD),
    "huge": lambda rng: rng.choice([1.0, -1.0]) * 10.0 ** rng.randrange(150, 308),
    "tiny": lambda rng: rng.random() * 10.0 ** -rng.randrange(140, 323),
}


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("kind", DRAWS)
def test_closest(kind, known):
    rng = random.Random(kind)
    draw = DRAWS[kind]
    for _ in range(150):
        size = rng.randrange(4)
        model = clusters(rng, rng.choice([0, 1, 2, 3, 4, 12, 13, 15]), size, draw)
        if rng.random() < 0.1 and model:
            model[-1]["center"].append(1.0)
        site = FakeSite(NAME, [DOUBLES, CLUSTERS], CLUSTER, known={1: model} if known else {})
        datum = [draw(rng) for _ in range(size + rng.choice([0, 0, 0, 1, -1]))]
        same(site, datum, model)


def test_by_metric():
    rng = random.Random(8)

    def metric(x, y):
        return x[0] * y[0]

    for _ in range(200):
        model = clusters(rng, rng.randrange(5), 1, DRAWS["odd"])
        site = FakeSite(NAME, [DOUBLES, CLUSTERS, METRIC], CLUSTER, functions={2: metric})
        same(site, [rng.choice(ODD)], model, metric)


def test_an_error_in_a_metric_comes_out():
    def metric(x, y):
        return 10.0**400

    model = [{"center": [1.0], "id": "a"}]
    site = FakeSite(NAME, [DOUBLES, CLUSTERS, METRIC], CLUSTER, functions={2: metric})
    same(site, [1.0], model, metric)


def test_distances():
    rng = random.Random(9)
    vectors = FakeSite("metric.simpleEuclidean", [DOUBLES, DOUBLES], "double")
    numbers = FakeSite("metric.absDiff", ["double", "double"], "double")
    for _ in range(500):
        x, y = ([rng.choice([rng.gauss(0, 1), rng.choice(ODD)]) for _ in range(2)] for _ in "xy")
        same(vectors, x, y)
        same(numbers, x[0], y[0])
    same(vectors, [1.0], [])
    same(vectors, [], [])
    assert vectors.specialised()([0.0, 3.0], [4.0, 0.0]) == 5.0
    assert math.isinf(vectors.specialised()([1e300], [-1e300]))
