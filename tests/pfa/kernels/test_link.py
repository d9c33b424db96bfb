"""m.link.*: bit for bit what titus gives."""

import math
import random

import pytest

from pfa.kernels.link import LINKS
from tests.pfa.fake_site import FakeSite
from tests.pfa.kernels.check import DOUBLES, MAP, ODD, same

VALUES = [*ODD, 709.7, 709.8, -709.8, 710.0, -745.2, 1e-300, 36.7, -36.8, 5e-324]


@pytest.mark.parametrize("name", LINKS)
def test_links(name):
    rng = random.Random(name)
    values = VALUES + [rng.gauss(0, 10) for _ in range(200)]
    site = FakeSite(name, ["double"], "double")
    for value in values:
        same(site, value)
    same(FakeSite(name, [DOUBLES], DOUBLES), values)
    same(FakeSite(name, [DOUBLES], DOUBLES), [])
    same(FakeSite(name, [MAP], MAP), {str(i): value for i, value in enumerate(values)})


@pytest.mark.parametrize(("kind", "as_input"), [(DOUBLES, list), (MAP, None)])
def test_softmax(kind, as_input):
    rng = random.Random(1)
    site = FakeSite("m.link.softmax", [kind], kind)
    for _ in range(500):
        size = rng.randrange(5)
        values = [rng.choice([rng.gauss(0, 5), rng.choice(ODD), -1000.0]) for _ in range(size)]
        same(site, values if as_input else {str(i): x for i, x in enumerate(values)})
    assert math.fsum(site.specialised()([1.0, 2.0])) == 1.0 if as_input else True
