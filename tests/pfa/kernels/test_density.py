"""prob.dist.gaussianLL: bit for bit what titus gives."""

import random

import pytest

from tests.pfa.fake_site import FakeSite
from tests.pfa.kernels.check import ODD, outcome, record, same

NAME = "prob.dist.gaussianLL"
PARAMS = record(mean="double", variance="double")
THREE = record(mean="double", variance="double", more="double")


def cases(count=400):
    rng = random.Random(7)

    def number():
        return rng.choice([rng.gauss(0, 2), abs(rng.gauss(0, 2)), rng.choice(ODD)])

    return [(number(), number(), number()) for _ in range(count)]


def test_numbers():
    site = FakeSite(NAME, ["double", "double", "double"], "double")
    for case in cases():
        same(site, *case)


@pytest.mark.parametrize("known", [False, True])
def test_records(known):
    for x, mean, variance in cases():
        params = {"mean": mean, "variance": variance}
        site = FakeSite(NAME, ["double", PARAMS], "double", known={1: params} if known else {})
        same(site, x, params)


def test_one_of_a_constant_map():
    table = {
        str(i): {"mean": mean, "variance": variance, "more": 1.0}
        for i, (_, mean, variance) in enumerate(cases())
    }
    site = FakeSite(NAME, ["double", THREE], "double", containers={1: (table, "key")})
    site.args = ["x0", "table[key]"]
    made = site.specialised()
    for i, (x, _, _) in enumerate(cases()):
        site.names.update(table=table, key=str(i))
        assert outcome(made, x, None) == outcome(site.stock, x, table[str(i)])
    site.names["key"] = "none"
    assert outcome(made, 1.0, None)[0] == "KeyError"
