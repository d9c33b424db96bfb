import pytest

pytest.importorskip("sklearn")

from sklearn import (
    compose,
    ensemble,
    linear_model,
    metrics,
    model_selection,
    pipeline,
    preprocessing,
    svm,
)

from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted

LOGISTIC = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())


@pytest.mark.parametrize("positive", [None, 0, 1])
def test_a_fixed_threshold(positive, cancer):
    x, y = cancer
    model = model_selection.FixedThresholdClassifier(LOGISTIC, threshold=0.2, pos_label=positive)
    fitted(model, x, y)
    check(to_pfa(model, x, name="m"), model, edges(x)[:-3])


@pytest.mark.parametrize("positive", [0, 1, None])
def test_a_tuned_threshold(positive, cancer):
    x, y = cancer
    scorer = "balanced_accuracy"
    if positive is not None:
        scorer = metrics.make_scorer(metrics.fbeta_score, beta=3, pos_label=positive)
    model = fitted(model_selection.TunedThresholdClassifierCV(LOGISTIC, scoring=scorer), x, y)
    check(to_pfa(model, x, name="m"), model, x)


def test_a_threshold_on_no_probability(cancer):
    x, y = cancer
    model = fitted(model_selection.FixedThresholdClassifier(svm.LinearSVC(), threshold=1), x, y)
    with pytest.raises(UnsupportedError, match="on a probability only"):
        to_pfa(model, x, name="m")


def test_a_search_without_a_model(cancer):
    search = model_selection.GridSearchCV(LOGISTIC, {"memory": [None]}, refit=False)
    with pytest.raises(UnsupportedError, match="refit=False"):
        to_pfa(fitted(search, *cancer), cancer[0], name="m")


STANDARD = preprocessing.StandardScaler()
TWICE = compose.ColumnTransformer(
    [
        ("a", preprocessing.MinMaxScaler(), [0, 1]),
        ("b", "passthrough", [1, 2]),
        ("c", STANDARD, [0]),
    ]
)
WEIGHTED = compose.ColumnTransformer(
    [("a", STANDARD, [0, 1]), ("b", "passthrough", [2]), ("c", "drop", [3])],
    transformer_weights={"a": 0.5, "b": 3, "c": 7},
)
NAMED = compose.ColumnTransformer(
    [("first", STANDARD, ["sepal_width", "petal_width"])], remainder="passthrough"
).set_output(transform="pandas")
BY_NAME = compose.ColumnTransformer(
    [("b", "drop", ["first__petal_width"])], remainder=preprocessing.MaxAbsScaler()
)


@pytest.mark.parametrize(
    "steps",
    [
        (TWICE, STANDARD),
        (TWICE, preprocessing.PowerTransformer()),
        (WEIGHTED,),
        (NAMED, BY_NAME),
    ],
    ids=["names twice", "names twice, power", "weights", "names of its own"],
)
def test_columns_by_other_names(steps, iris):
    x, y = iris
    model = fitted(pipeline.make_pipeline(*steps, linear_model.LogisticRegression()), x, y)
    check(to_pfa(model, x, name="m"), model, x[::-1])


@pytest.mark.parametrize("columns", [[0, 2], slice(1, 3), ["petal_length"]], ids=str)
def test_columns_in_another_order_and_fewer(columns, iris):
    x, y = iris
    step = compose.ColumnTransformer([("a", STANDARD, columns)], remainder="passthrough")
    model = pipeline.make_pipeline(step, linear_model.LogisticRegression())
    model = fitted(model, x, y)
    other = x[x.columns[::-1]].assign(more=1.0)
    check(to_pfa(model, other, name="m"), model, other)
    few = compose.ColumnTransformer([("a", STANDARD, ["petal_length"])])
    model = fitted(pipeline.make_pipeline(few, linear_model.LogisticRegression()), x, y)
    check(to_pfa(model, x[["petal_length"]], name="m"), model, x[["petal_length"]])


def test_a_category_that_is_a_number_too(people):
    x, y = people[0][["age"]] % 7, people[1]
    twice = compose.ColumnTransformer([("a", "passthrough", [0]), ("b", "passthrough", [0])])
    model = ensemble.HistGradientBoostingClassifier(max_iter=5, categorical_features=[0])
    model = fitted(pipeline.make_pipeline(twice, model), x, y)
    check(to_pfa(model, x, name="m"), model, x)
