import pytest

pytest.importorskip("sklearn")

import numpy as np
from sklearn import discriminant_analysis, mixture, pipeline, preprocessing

import pfa
from exporters import to_pfa
from tests.exporters.conftest import check, edges, fitted, records, same


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
def test_gaussian_mixture(kind, iris):
    x = iris[0]
    model = fitted(mixture.GaussianMixture(3, covariance_type=kind, random_state=0), x)
    made = to_pfa(model, x, name="m")
    rows = edges(x)[:-3]  # without 1e6 and its like, at which scikit-learn keeps few digits
    labels, shares = model.predict(rows).tolist(), model.predict_proba(rows).tolist()
    for compiled in (True, False):
        answers = pfa.load(made, compiled=compiled).score_batch(records(rows))
        for answer, label, share in zip(answers, labels, shares, strict=True):
            assert answer["label"] == label
            by_name = {str(i): value for i, value in enumerate(share)}
            assert same(answer["probability"], by_name, 1e-7, 1e-9)


@pytest.mark.parametrize(
    "model",
    [
        discriminant_analysis.QuadraticDiscriminantAnalysis(),
        discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=0.2, priors=[0.2, 0.3, 0.5]),
        pipeline.make_pipeline(
            preprocessing.StandardScaler(),
            discriminant_analysis.QuadraticDiscriminantAnalysis(),
        ),
    ],
    ids=str,
)
def test_quadratic(model, iris):
    x, y = iris
    model = fitted(model, x, y)
    check(to_pfa(model, x, name="m"), model, edges(x)[:-3])


def test_quadratic_of_two_classes(cancer):
    x, y = cancer
    model = fitted(
        discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=0.01), x[:400], y[:400]
    )
    check(to_pfa(model, x[:400], name="m"), model, x[400:], tolerance=1e-8)
    assert np.isfinite(model.decision_function(x)).all()


def test_probabilities_near_none(iris):
    """1 - p of a p that is 1 but for rounding would be 0."""
    x, y = iris
    model = fitted(discriminant_analysis.QuadraticDiscriminantAnalysis(), x, y != "setosa")
    assert 0.0 < model.predict_proba(x[-1:])[0, 0] < 1e-30
    to_pfa(model, x[-1:], name="m")
