import pytest

pytest.importorskip("sklearn")

import json
import statistics

import numpy as np
import pandas as pd
from sklearn import linear_model, pipeline, preprocessing

import pfa
from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted, holes

STEPS = [
    preprocessing.KBinsDiscretizer(5, encode="ordinal"),
    preprocessing.KBinsDiscretizer(4, encode="onehot-dense", strategy="uniform"),
    preprocessing.KBinsDiscretizer(3, strategy="kmeans"),
    preprocessing.PolynomialFeatures(2),
    preprocessing.PolynomialFeatures((2, 3), interaction_only=True, include_bias=False),
    preprocessing.Normalizer(),
    preprocessing.Normalizer("l1"),
    preprocessing.Normalizer("max"),
    preprocessing.PowerTransformer(),
    preprocessing.PowerTransformer(standardize=False),
    preprocessing.QuantileTransformer(n_quantiles=100),
    preprocessing.QuantileTransformer(n_quantiles=300, output_distribution="normal"),
]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_steps(step, diabetes):
    x, y = diabetes
    model = fitted(pipeline.make_pipeline(step, linear_model.Ridge()), x[:300], y[:300])
    given = edges(x[300:])
    if "Power" in str(step):  # of a million it makes more than a double holds
        given = given[(given.abs() < 10).all(axis=1)]
    if "Polynomial" in str(step):
        given = given[(given.abs() < 1e6).all(axis=1)]
    check(to_pfa(model, x[:300], name="m"), model, given)


def test_exactly_at_an_edge(iris):
    x, y = iris[0], pd.factorize(iris[1])[0]
    for step in (
        preprocessing.KBinsDiscretizer(4, encode="ordinal", strategy="quantile"),
        preprocessing.QuantileTransformer(n_quantiles=20),
        preprocessing.QuantileTransformer(n_quantiles=150, output_distribution="normal"),
    ):
        model = fitted(pipeline.make_pipeline(step, linear_model.Ridge()), x, y)
        made = to_pfa(model, x, name="m")
        found = getattr(step, "bin_edges_", None)
        values = np.array(list(found)) if found is not None else step.quantiles_.T
        rows = pd.DataFrame(values.T, columns=x.columns)
        near = [rows, np.nextafter(rows, 9e9), np.nextafter(rows, -9e9), rows + 2e-7, rows - 5e-8]
        check(made, model, pd.concat(near, ignore_index=True))


def test_box_cox(cancer):
    x, y = cancer[0].iloc[:, :5], cancer[1]
    step = preprocessing.PowerTransformer(method="box-cox")
    model = fitted(pipeline.make_pipeline(step, linear_model.LogisticRegression()), x, y)
    made = to_pfa(model, x, name="m")
    check(made, model, pd.DataFrame({name: x[name].to_numpy()[::-1] for name in x}))
    with pytest.raises(pfa.ScoringError, match="positive"):
        pfa.load(made).score(dict.fromkeys(x.columns, 0.0))


def test_powers_without_a_power(diabetes):
    x, y = diabetes[0].iloc[:, :3], diabetes[1]
    step = preprocessing.PowerTransformer(standardize=False)
    model = fitted(pipeline.make_pipeline(step, linear_model.Ridge()), x, y)
    step.lambdas_ = np.array([0.0, 2.0, 1.0])
    check(to_pfa(model, x, name="m"), model, edges(x)[:-9])


def test_the_normal_quantile(diabetes):
    x, y = diabetes[0][["bmi"]], diabetes[1]
    step = preprocessing.QuantileTransformer(n_quantiles=2, output_distribution="normal")
    model = fitted(pipeline.make_pipeline(step, linear_model.LinearRegression()), x, y)
    made = json.loads(json.dumps(to_pfa(model, x, name="m")))
    made["input"], made["output"], made["action"] = (
        "double",
        "double",
        {"u.normalQuantile": "input"},
    )
    made["metadata"] = {}
    engine = pfa.load(made)
    normal = statistics.NormalDist()
    for p in np.concatenate([np.linspace(0.001, 0.999, 200), [1e-6, 1e-4, 0.075, 0.925, 1 - 1e-6]]):
        assert engine.score(float(p)) == pytest.approx(normal.inv_cdf(p), rel=1e-14, abs=1e-15)
    assert engine.score(0.0) == pytest.approx(normal.inv_cdf(1e-7), rel=1e-6)
    assert engine.score(1.0) == pytest.approx(-engine.score(0.0), rel=1e-9)


def test_missing_values_are_refused(diabetes):
    x, y = holes(diabetes[0]), diabetes[1]
    steps = preprocessing.PowerTransformer(), linear_model.Ridge()
    model = pipeline.make_pipeline(*steps)
    fitted(model, diabetes[0], y)
    with pytest.raises(UnsupportedError, match="imputer"):
        to_pfa(model, x, name="m")


def test_bins_in_single_precision(iris):
    step = preprocessing.KBinsDiscretizer(3, dtype=np.float32)
    model = fitted(pipeline.make_pipeline(step, linear_model.LogisticRegression()), *iris)
    with pytest.raises(UnsupportedError, match="dtype"):
        to_pfa(model, iris[0], name="m")
