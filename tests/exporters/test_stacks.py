import pytest

pytest.importorskip("sklearn")

from sklearn import (
    calibration,
    discriminant_analysis,
    ensemble,
    frozen,
    linear_model,
    naive_bayes,
    pipeline,
    preprocessing,
    svm,
    tree,
)

from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted

TREE = tree.DecisionTreeRegressor(max_depth=3, random_state=0)
RIDGE = linear_model.Ridge()
LOGISTIC = linear_model.LogisticRegression(max_iter=3000)
FOREST = ensemble.RandomForestClassifier(8, max_depth=4, random_state=0)
SCALED = pipeline.make_pipeline(preprocessing.StandardScaler(), svm.SVC(gamma=0.2))
BAYES = naive_bayes.GaussianNB()


def moderate(frame):
    rows = edges(frame)
    return rows[(rows.abs() < 1e5).all(axis=1)]


@pytest.mark.parametrize("passthrough", [False, True])
def test_stacked_regressors(passthrough, diabetes):
    x, y = diabetes
    parts = [("a", TREE), ("b", RIDGE), ("c", "drop")]
    model = ensemble.StackingRegressor(parts, passthrough=passthrough)
    model = fitted(model, x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, moderate(x[300:]))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"passthrough": True, "final_estimator": FOREST},
        {"stack_method": "predict"},
        {"cv": 3, "final_estimator": ensemble.GradientBoostingClassifier(n_estimators=5)},
    ],
    ids=str,
)
def test_stacked_classifiers(options, iris, cancer):
    for x, y in (iris, (cancer[0].iloc[:, :4], cancer[1])):
        parts = [("a", LOGISTIC), ("b", FOREST), ("c", SCALED), ("d", svm.LinearSVC())]
        model = fitted(ensemble.StackingClassifier(parts, **options), x, y)
        check(to_pfa(model, x, name="m"), model, moderate(x)[::2])


def test_calibrated_margins_of_all_kinds(iris, cancer):
    for inner in (
        discriminant_analysis.QuadraticDiscriminantAnalysis(),
        discriminant_analysis.LinearDiscriminantAnalysis(),
        ensemble.AdaBoostClassifier(n_estimators=5),
        ensemble.GradientBoostingClassifier(n_estimators=4),
        ensemble.HistGradientBoostingClassifier(max_iter=4),
    ):
        for x, y in (iris, (cancer[0].iloc[:, :4], cancer[1])):
            model = fitted(calibration.CalibratedClassifierCV(inner, cv=2), x, y)
            check(to_pfa(model, x, name="m"), model, x[::3])


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize("inner", [svm.LinearSVC(), FOREST, SCALED, BAYES, LOGISTIC], ids=str)
def test_calibrated(inner, method, iris, cancer):
    for x, y in (iris, (cancer[0].iloc[:, :4], cancer[1])):
        model = calibration.CalibratedClassifierCV(inner, method=method, cv=3)
        model = fitted(model, x, y)
        # Between two thresholds that are nearly the same the last digits of a score count.
        near = 1e-7 if method == "isotonic" else 1e-9
        made = to_pfa(model, x, name="m", tolerance=near)
        check(made, model, moderate(x)[::2], tolerance=near)


def test_calibrated_without_parts(iris):
    x, y = iris
    model = calibration.CalibratedClassifierCV(svm.LinearSVC(), ensemble=False)
    model = fitted(model, x, y)
    check(to_pfa(model, x, name="m"), model, moderate(x))
    model = fitted(BAYES, x, y)
    model = calibration.CalibratedClassifierCV(frozen.FrozenEstimator(model))
    model = fitted(model, x, y)
    check(to_pfa(model, x, name="m"), model, moderate(x))


def test_a_part_that_cannot_be_exported_is_named(iris):
    x, y = iris
    part = ensemble.StackingClassifier([("a", svm.SVC(decision_function_shape="ovo"))])
    with pytest.raises(UnsupportedError, match=r"SVC\.decision_function"):
        to_pfa(fitted(part, x, y), x, name="m")
