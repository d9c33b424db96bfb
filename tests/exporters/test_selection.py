import pytest

pytest.importorskip("sklearn")

from sklearn import ensemble, feature_selection, linear_model, pipeline, preprocessing

from exporters import to_pfa
from tests.exporters.conftest import check, edges, fitted

RIDGE = linear_model.Ridge()
SELECTORS = [
    feature_selection.SelectKBest(feature_selection.f_regression, k=3),
    feature_selection.SelectPercentile(feature_selection.f_regression, percentile=40),
    feature_selection.SelectFpr(feature_selection.f_regression),
    feature_selection.SelectFdr(feature_selection.f_regression),
    feature_selection.SelectFwe(feature_selection.f_regression),
    feature_selection.GenericUnivariateSelect(feature_selection.f_regression, param=50),
    feature_selection.VarianceThreshold(0.0022),
    feature_selection.SelectFromModel(RIDGE),
    feature_selection.RFE(RIDGE, n_features_to_select=4),
    feature_selection.RFECV(RIDGE),
    feature_selection.SequentialFeatureSelector(RIDGE, n_features_to_select=2),
]


@pytest.mark.parametrize("step", SELECTORS, ids=lambda step: type(step).__name__)
def test_selectors(step, diabetes):
    x, y = diabetes
    model = fitted(pipeline.make_pipeline(step, linear_model.Ridge()), x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, edges(x[300:]))


def test_selected_of_an_array_and_by_trees(diabetes):
    x, y = diabetes
    steps = (
        preprocessing.PolynomialFeatures(2),
        feature_selection.SelectKBest(feature_selection.f_regression, k=20),
        ensemble.RandomForestRegressor(10, random_state=0),
    )
    model = fitted(pipeline.make_pipeline(*steps), x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, x[300:])
    model = fitted(pipeline.make_pipeline(*steps[:2], linear_model.Ridge()), x[:300], y[:300])
    made = to_pfa(model, x[:300], name="m")
    check(made, model, x[300:])
    assert len(str(made["action"])) < 2500  # the 20 of 66 are in a cell
