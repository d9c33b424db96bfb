import pytest

pytest.importorskip("sklearn")

import numpy as np
from sklearn import discriminant_analysis, linear_model, svm

from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted

REGRESSIONS = [
    linear_model.RidgeCV(),
    linear_model.LassoCV(cv=3),
    linear_model.ElasticNetCV(cv=3),
    linear_model.LinearRegression(),
    linear_model.LinearRegression(fit_intercept=False),
    linear_model.Ridge(),
    linear_model.Lasso(0.1),
    linear_model.ElasticNet(0.1),
    linear_model.SGDRegressor(random_state=0),
    linear_model.HuberRegressor(),
    svm.LinearSVR(random_state=0),
]
CLASSIFIERS = [
    linear_model.LogisticRegressionCV(Cs=3, cv=3),
    linear_model.LogisticRegression(),
    linear_model.LogisticRegression(fit_intercept=False),
    linear_model.SGDClassifier(loss="log_loss", random_state=0),
    linear_model.SGDClassifier(loss="modified_huber", random_state=0),
    linear_model.SGDClassifier(loss="modified_huber", alpha=10, random_state=0),
    linear_model.SGDClassifier(random_state=0),
    linear_model.RidgeClassifier(),
    linear_model.Perceptron(random_state=0),
    svm.LinearSVC(random_state=0),
    discriminant_analysis.LinearDiscriminantAnalysis(),
]


@pytest.mark.parametrize("model", REGRESSIONS, ids=str)
def test_regressions(model, diabetes):
    x, y = diabetes
    fitted(model, x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, edges(x[300:]))


@pytest.mark.parametrize("model", CLASSIFIERS, ids=str)
@pytest.mark.parametrize("data", ["iris", "cancer"])
def test_classifiers(model, data, request):
    x, y = request.getfixturevalue(data)
    fitted(model, x[::2], y[::2])
    check(to_pfa(model, x[::2], name="m"), model, x[1::2], tolerance=1e-7)


def test_solver_of_two_classes(cancer):
    x, y = cancer
    model = fitted(linear_model.LogisticRegression(solver="liblinear"), x, y)
    check(to_pfa(model, x, name="m"), model, edges(x)[:-3])


def test_what_is_not_supported(iris, diabetes):
    x, y = diabetes
    two = fitted(linear_model.LinearRegression(), x, np.column_stack([y, y]))
    with pytest.raises(UnsupportedError, match="several targets"):
        to_pfa(two, x, name="m")
    x, y = iris
    with pytest.raises(UnsupportedError, match=r"sklearn\.TheilSenRegressor cannot be exported"):
        to_pfa(fitted(linear_model.TheilSenRegressor(), *diabetes), diabetes[0], name="m")
