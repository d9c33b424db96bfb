import pytest

pytest.importorskip("sklearn")

import numpy as np
from sklearn import ensemble, linear_model, naive_bayes, neighbors, svm, tree

from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted, holes

TREE = tree.DecisionTreeRegressor(max_depth=3, random_state=0)
STUMP = tree.DecisionTreeClassifier(max_depth=1, random_state=0)
RIDGE = linear_model.Ridge()
LOGISTIC = linear_model.LogisticRegression(max_iter=3000)
FOREST = ensemble.RandomForestClassifier(8, max_depth=4, random_state=0)

REGRESSORS = [
    ensemble.BaggingRegressor(random_state=0),
    ensemble.BaggingRegressor(TREE, max_features=0.5, random_state=0),
    ensemble.BaggingRegressor(RIDGE, 5, max_features=0.5, max_samples=0.7, random_state=0),
    ensemble.AdaBoostRegressor(n_estimators=20, random_state=0),
    ensemble.AdaBoostRegressor(RIDGE, n_estimators=4, loss="square", random_state=0),
    ensemble.VotingRegressor([("a", TREE), ("b", RIDGE)]),
    ensemble.VotingRegressor([("a", TREE), ("b", RIDGE)], weights=[3, 1]),
]
CLASSIFIERS = [
    ensemble.BaggingClassifier(random_state=0),
    ensemble.BaggingClassifier(STUMP, 15, max_features=2, max_samples=5, random_state=0),
    ensemble.BaggingClassifier(LOGISTIC, 4, max_features=3, random_state=0),
    ensemble.BaggingClassifier(svm.LinearSVC(), 7, random_state=0),
    ensemble.BaggingClassifier(naive_bayes.GaussianNB(), 5, max_samples=0.5, random_state=1),
    ensemble.AdaBoostClassifier(n_estimators=20, random_state=0),
    ensemble.AdaBoostClassifier(FOREST, n_estimators=3, random_state=0),
    ensemble.AdaBoostClassifier(naive_bayes.GaussianNB(), n_estimators=4, random_state=0),
    ensemble.VotingClassifier([("a", LOGISTIC), ("b", FOREST), ("c", STUMP)]),
    ensemble.VotingClassifier([("a", LOGISTIC), ("b", FOREST)], voting="soft", weights=[1, 2]),
    ensemble.VotingClassifier([("a", svm.LinearSVC()), ("b", "drop"), ("c", STUMP)]),
]


def moderate(frame):
    rows = edges(frame)
    return rows[(rows.abs() < 1e5).all(axis=1)]


@pytest.mark.parametrize("model", REGRESSORS, ids=str)
def test_regressors(model, diabetes):
    x, y = diabetes
    model = fitted(model, x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, moderate(x[300:]))


@pytest.mark.parametrize("model", CLASSIFIERS, ids=str)
def test_classifiers_of_three(model, iris):
    x, y = iris
    model = fitted(model, x, y)
    check(to_pfa(model, x, name="m"), model, moderate(x))


@pytest.mark.parametrize("model", CLASSIFIERS, ids=str)
def test_classifiers_of_two(model, cancer):
    x, y = cancer[0][["mean_radius", "mean_texture", "mean_smoothness"]], cancer[1]
    model = fitted(model, x[:400], y[:400])
    check(to_pfa(model, x[:400], name="m"), model, moderate(x[400:]))


def test_bagged_trees_take_missing_values(diabetes):
    x, y = holes(diabetes[0]), diabetes[1]
    model = fitted(ensemble.BaggingRegressor(random_state=0), x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, x[300:])


@pytest.mark.parametrize("options", [{}, {"max_features": 0.5, "contamination": 0.1}], ids=str)
def test_isolation(options, iris):
    x = iris[0]
    model = fitted(ensemble.IsolationForest(n_estimators=30, random_state=0, **options), x)
    given = edges(x)
    check(to_pfa(model, x, name="m"), model, given)
    assert set(model.predict(given)) == {1, -1}


def test_what_cannot_be_exported(iris):
    x, y = iris
    radius = neighbors.RadiusNeighborsClassifier(100.0)
    model = fitted(ensemble.VotingClassifier([("a", STUMP), ("b", radius)]), x, y)
    with pytest.raises(UnsupportedError, match="RadiusNeighborsClassifier"):
        to_pfa(model, x, name="m")
    assert np.isfinite(model.predict(x) == y).all()


@pytest.mark.parametrize(
    "model",
    [
        ensemble.BaggingClassifier(n_estimators=5, max_features=3, random_state=0),
        ensemble.AdaBoostClassifier(n_estimators=10, random_state=0),
        ensemble.IsolationForest(n_estimators=10, max_features=2, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_exactly_at_a_split(model, iris):
    x, y = iris
    model = fitted(model, x, y)
    rows = []
    places = getattr(model, "estimators_features_", [range(4)] * len(model.estimators_))
    for each, at in zip(model.estimators_, places, strict=True):
        inner = each.tree_.feature >= 0
        for feature, threshold in zip(
            each.tree_.feature[inner], each.tree_.threshold[inner], strict=True
        ):
            near = float(np.float32(threshold))
            for value in (threshold, near, *(np.nextafter(near, end) for end in (-9, 99))):
                row = x.iloc[len(rows) % 150].to_dict()
                rows.append({**row, x.columns[at[feature]]: value})
    check(to_pfa(model, x, name="m"), model, x.iloc[:0].from_records(rows))


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_ties_of_weights(voting, iris):
    """0.1 and 0.2 are more than 0.3; as shares of 0.6 they are not."""
    x, y = iris
    parts = [(f"t{i}", tree.DecisionTreeClassifier(max_depth=i, random_state=0)) for i in (1, 2, 3)]
    model = ensemble.VotingClassifier(parts, voting=voting, weights=[0.1, 0.2, 0.3])
    model = fitted(model, x, y)
    check(to_pfa(model, x, name="m"), model, x)
