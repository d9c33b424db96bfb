"""Random models: parameters, data, missing values, steps before; each is held to its library."""

import pytest

pytest.importorskip("sklearn")

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import ensemble, impute, linear_model, pipeline, preprocessing, tree

from exporters import to_pfa
from tests.exporters.conftest import check, edges, fitted, holes

DEPTHS = st.one_of(st.none(), st.integers(1, 6))
FEW = st.integers(1, 8)
TREES = st.one_of(
    st.builds(tree.DecisionTreeClassifier, max_depth=DEPTHS, min_samples_leaf=FEW),
    st.builds(
        ensemble.RandomForestClassifier,
        n_estimators=FEW,
        max_depth=DEPTHS,
        max_features=st.sampled_from(["sqrt", None]),
        class_weight=st.sampled_from([None, "balanced"]),
        bootstrap=st.booleans(),
    ),
    st.builds(ensemble.ExtraTreesClassifier, n_estimators=FEW, max_depth=DEPTHS),
    st.builds(
        ensemble.HistGradientBoostingClassifier,
        max_iter=FEW,
        learning_rate=st.sampled_from([0.01, 0.3, 1.0]),
        max_leaf_nodes=st.integers(2, 9),
        min_samples_leaf=FEW,
    ),
)
OTHERS = st.one_of(
    st.builds(
        ensemble.GradientBoostingClassifier,
        n_estimators=FEW,
        learning_rate=st.sampled_from([0.01, 0.5]),
        subsample=st.sampled_from([0.5, 1.0]),
        max_depth=st.integers(1, 4),
    ),
    st.builds(
        linear_model.LogisticRegression,
        C=st.sampled_from([1e-3, 1.0, 100.0]),
        fit_intercept=st.booleans(),
        class_weight=st.sampled_from([None, "balanced"]),
    ),
)
STEPS = st.lists(
    st.one_of(
        st.builds(preprocessing.StandardScaler, with_mean=st.booleans(), with_std=st.booleans()),
        st.builds(preprocessing.MinMaxScaler, clip=st.booleans()),
        st.builds(preprocessing.RobustScaler, with_centering=st.booleans()),
        st.builds(preprocessing.MaxAbsScaler),
        st.builds(preprocessing.PolynomialFeatures, include_bias=st.booleans()),
        st.builds(preprocessing.KBinsDiscretizer, n_bins=st.integers(2, 4)),
    ),
    max_size=2,
)
SLOW = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def data(seed: int, classes: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Ninety rows of three columns, some of them whole, some far from 0."""
    rng = np.random.default_rng(seed)
    columns = {
        "near": rng.normal(size=90),
        "far": rng.normal(1e5, 10.0, size=90),
        "whole": rng.integers(-3, 4, size=90).astype(float),
    }
    x = pd.DataFrame(columns)
    score = x["near"] + (x["far"] - 1e5) / 10 + x["whole"] + rng.normal(size=90)
    return x, np.digitize(score, np.quantile(score, np.arange(1, classes) / classes))


@given(model=TREES, seed=st.integers(0, 99), classes=st.integers(2, 4), missing=st.booleans())
@SLOW
def test_trees(model, seed, classes, missing):
    x, y = data(seed, classes)
    x = holes(x) if missing else x
    model.set_params(random_state=seed)
    fitted(model, x, y)
    rows = edges(x)
    check(to_pfa(model, x, name="m"), model, holes(rows) if missing else rows)


@given(
    model=st.one_of(TREES, OTHERS),
    steps=STEPS,
    seed=st.integers(0, 99),
    classes=st.integers(2, 4),
    missing=st.booleans(),
)
@SLOW
def test_pipelines(model, steps, seed, classes, missing):
    x, y = data(seed, classes)
    if missing:
        x = holes(x)
        steps = [impute.SimpleImputer(strategy="median"), *steps]
    whole = pipeline.make_pipeline(*steps, model.set_params(random_state=seed))
    fitted(whole, x, y)
    again, _ = data(seed + 1, classes)
    check(
        to_pfa(whole, x, name="m", tolerance=1e-7),
        whole,
        holes(again) if missing else again,
        tolerance=1e-6,
        floor=1e-9,
    )
