import pytest

pytest.importorskip("sklearn")

from sklearn import cross_decomposition, linear_model

from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted


@pytest.mark.parametrize("scale", [True, False])
def test_partial_least_squares(scale, diabetes):
    x, y = diabetes
    model = fitted(cross_decomposition.PLSRegression(3, scale=scale), x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, edges(x[300:]))


def test_several_targets_are_refused(diabetes):
    x = diabetes[0]
    model = fitted(cross_decomposition.PLSRegression(2), x, x.iloc[:, :2])
    with pytest.raises(UnsupportedError, match="targets"):
        to_pfa(model, x, name="m")


@pytest.mark.parametrize(
    "model",
    [
        linear_model.PoissonRegressor(),
        linear_model.GammaRegressor(alpha=0.01),
        linear_model.TweedieRegressor(power=1.5),
        linear_model.TweedieRegressor(power=0),
        linear_model.TweedieRegressor(link="log"),
        linear_model.BayesianRidge(),
        linear_model.ARDRegression(),
    ],
    ids=str,
)
def test_distributions(model, diabetes):
    x, y = diabetes
    model = fitted(model, x[:300], y[:300])
    rows = edges(x[300:])
    check(to_pfa(model, x[:300], name="m"), model, rows[(rows.abs() < 10).all(axis=1)])
