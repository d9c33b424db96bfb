import pytest

pytest.importorskip("sklearn")

from sklearn import dummy

from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted


@pytest.mark.parametrize("strategy", ["prior", "most_frequent", "constant"])
def test_dummy_classifier(strategy, iris):
    x, y = iris[0][20:], iris[1][20:]
    model = fitted(dummy.DummyClassifier(strategy=strategy, constant="virginica"), x, y)
    check(to_pfa(model, x, name="m"), model, edges(x))


@pytest.mark.parametrize("strategy", ["stratified", "uniform"])
def test_chance_is_refused(strategy, iris):
    model = fitted(dummy.DummyClassifier(strategy=strategy), *iris)
    with pytest.raises(UnsupportedError, match=strategy):
        to_pfa(model, iris[0], name="m")
