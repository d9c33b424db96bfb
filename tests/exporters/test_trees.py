import pytest

pytest.importorskip("sklearn")

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from sklearn import ensemble, tree

from exporters import UnsupportedError, to_pfa
from exporters.forests import below, under
from tests.exporters.conftest import check, edges, fitted, holes

REGRESSORS = [
    tree.DecisionTreeRegressor(random_state=0),
    tree.DecisionTreeRegressor(max_depth=1),
    tree.ExtraTreeRegressor(random_state=0),
    ensemble.RandomForestRegressor(20, random_state=0),
    ensemble.ExtraTreesRegressor(20, random_state=0),
    ensemble.GradientBoostingRegressor(n_estimators=30, random_state=0),
    ensemble.GradientBoostingRegressor(n_estimators=5, loss="huber", init="zero"),
    ensemble.HistGradientBoostingRegressor(max_iter=20),
]
CLASSIFIERS = [
    tree.DecisionTreeClassifier(random_state=0),
    tree.ExtraTreeClassifier(random_state=0),
    ensemble.RandomForestClassifier(20, random_state=0),
    ensemble.RandomForestClassifier(20, class_weight="balanced", random_state=0),
    ensemble.ExtraTreesClassifier(20, random_state=0),
    ensemble.GradientBoostingClassifier(n_estimators=10, random_state=0),
    ensemble.HistGradientBoostingClassifier(max_iter=10),
]
WITH_MISSING = [
    tree.DecisionTreeClassifier(random_state=0),
    ensemble.RandomForestClassifier(20, random_state=0),
    ensemble.ExtraTreesClassifier(20, random_state=0),
    ensemble.HistGradientBoostingClassifier(max_iter=20),
]


@pytest.mark.parametrize("model", REGRESSORS, ids=str)
def test_regressors(model, diabetes):
    x, y = diabetes
    fitted(model, x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, edges(x[300:]))


def test_links_of_histogram_boosting(diabetes):
    x, y = diabetes
    for loss in ("poisson", "gamma"):
        model = fitted(ensemble.HistGradientBoostingRegressor(loss=loss, max_iter=10), x, y)
        check(to_pfa(model, x, name="m"), model, edges(x))


@pytest.mark.parametrize("model", CLASSIFIERS, ids=str)
@pytest.mark.parametrize("data", ["iris", "cancer"])
def test_classifiers(model, data, request):
    x, y = request.getfixturevalue(data)
    fitted(model, x[::2], y[::2])
    check(to_pfa(model, x[::2], name="m"), model, edges(x[1::2]))


@pytest.mark.parametrize("model", WITH_MISSING, ids=str)
def test_missing_values(model, cancer):
    x, y = holes(cancer[0]), cancer[1]
    fitted(model, x[::2], y[::2])
    check(to_pfa(model, x[::2], name="m"), model, holes(edges(x[1::2])))


def test_exactly_at_a_split(iris):
    """What is compared is rounded to single precision: the doubles about each threshold."""
    x, y = iris
    model = fitted(ensemble.RandomForestClassifier(10, random_state=0), x, y)
    rows = []
    for each in model.estimators_:
        for feature, threshold in zip(each.tree_.feature, each.tree_.threshold, strict=True):
            if feature >= 0:
                near = [threshold, below(threshold)]
                near += [np.nextafter(value, side) for value in near for side in (-9e9, 9e9)]
                for value in near:
                    row = x.iloc[len(rows) % len(x)].copy()
                    row.iloc[feature] = value
                    rows.append(row)
    check(to_pfa(model, x, name="m"), model, pd.DataFrame(rows).reset_index(drop=True))


FINITE = st.floats(-1e30, 1e30)


@given(FINITE, FINITE)
def test_thresholds_of_single_precision(threshold, x):
    single = float(np.float32(threshold))
    edges = below(threshold), under(single)
    near = [np.nextafter(edge, side) for edge in edges for side in (-np.inf, np.inf)]
    for value in (x, *edges, *near):
        rounded = float(np.float32(value))
        assert (value <= below(threshold)) == (rounded <= threshold)
        assert (value <= under(single)) == (rounded < single)


def test_what_is_not_supported(diabetes):
    x, y = diabetes
    with pytest.raises(UnsupportedError, match="several outputs"):
        to_pfa(fitted(tree.DecisionTreeRegressor(), x, np.column_stack([y, y])), x, name="m")


def test_exponential_loss(cancer):
    x, y = cancer
    model = ensemble.GradientBoostingClassifier(loss="exponential", n_estimators=20)
    check(to_pfa(fitted(model, x[:400], y[:400]), x[:400], name="m"), model, edges(x[400:]))
