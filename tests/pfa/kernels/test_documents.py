"""Whole documents on both engines: what the kernels answer is what titus answers."""

import json
import math
from pathlib import Path

import pytest

from pfa import compat, compiler
from tests.pfa.kernels.discriminants import DOCUMENT, INPUTS

MODELS = Path(__file__).parents[3] / "data" / "r_models"


@pytest.mark.parametrize("name", ["iris_kmeans", "sonar_nb", "sonar_nb_prob"])
def test_same(name):
    document = (MODELS / f"{name}.pfa").read_text()
    stock, compiled = compat.engine(document), compiler.engine(document)
    for value in json.loads((MODELS / f"{name}.cases.json").read_text())["inputs"]:
        assert repr(compiled.action(value)) == repr(stock.action(value))


@pytest.mark.parametrize("name", ["boston_lm", "pima_glm"])
def test_same_but_for_the_order_of_a_sum(name):
    document = (MODELS / f"{name}.pfa").read_text()
    stock, compiled = compat.engine(document), compiler.engine(document)
    for value in json.loads((MODELS / f"{name}.cases.json").read_text())["inputs"]:
        assert compiled.action(value) == pytest.approx(stock.action(value), rel=1e-12)


def test_linear_discriminants():
    stock, compiled = compat.engine(DOCUMENT), compiler.engine(DOCUMENT)
    assert compiled.fallback is None
    classes = []
    for value in INPUTS:
        answer = compiled.action(value)
        assert answer == pytest.approx(stock.action(value), rel=1e-12, abs=1e-300)
        assert math.isclose(sum(answer), 1.0)
        classes.append(answer.index(max(answer)))
    assert classes == [0, 1, 2, 2]
