"""Data and models of all kinds: each gives the right document, or an error that says why not."""

from itertools import product

import pytest

pytest.importorskip("sklearn")

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn import (
    compose,
    decomposition,
    dummy,
    ensemble,
    feature_extraction,
    impute,
    linear_model,
    model_selection,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)

from exporters import ExportError, ParityError, to_pfa
from tests.exporters.conftest import check, fitted, holes

LOGISTIC = linear_model.LogisticRegression
SCALED = pipeline.make_pipeline(preprocessing.StandardScaler(), LOGISTIC())
FOREST = ensemble.RandomForestClassifier(5, max_depth=3, random_state=0)
BOOSTED = ensemble.HistGradientBoostingClassifier(max_iter=4)
IMPUTED = pipeline.make_pipeline(impute.SimpleImputer(add_indicator=True), SCALED)


def exported(model, x, y):
    return to_pfa(fitted(model, x, y), x, name="m")


NAMES = [
    ["größe", "a.b", "a b", "1x"],
    ['a"b', "new\nline", "nul\0", "emoji😀"],
    ["input", "row", "x", "features"],
    ["a", "a_or_small", "a_standard", "a_imputed"],
    ["a.b", "a_b", "a_b_2", "a b"],
    ["true", "null", "double", "string"],
]


@pytest.mark.parametrize("names", NAMES, ids=repr)
def test_names_of_columns(names, iris):
    x, y = iris[0].set_axis(names, axis=1), iris[1]
    for model, rows in (
        (SCALED, x),
        (FOREST, x),
        (FOREST, x.astype(int)),
        (BOOSTED, holes(x)),
        (IMPUTED, holes(x)),
    ):
        exported(model, rows, y)


@pytest.mark.parametrize("kind", ["Int64", "Float64", "boolean", "bool", "int8", "uint8", object])
def test_types_of_columns(kind, iris):
    x, y = iris[0].round().astype(int), iris[1]
    rows = (x > 3).astype(kind) if str(kind).startswith("bool") else x.astype(kind)
    for model in (LOGISTIC(), FOREST):
        exported(model, rows, y)
    if str(kind) in ("Int64", "boolean"):
        exported(BOOSTED, holes(rows), y)


@pytest.mark.parametrize(
    "model",
    [
        LOGISTIC(),
        FOREST,
        SCALED,
        neural_network.MLPClassifier((5,), max_iter=30, random_state=0),
        pipeline.make_pipeline(decomposition.PCA(2), LOGISTIC()),
    ],
    ids=str,
)
def test_single_precision(model, iris):
    x, y = iris[0].astype("float32"), iris[1]
    assert float(exported(model, x, y)["metadata"]["tolerance"]) == 1e-5
    exported(model, x.to_numpy(), y)


@pytest.mark.parametrize(
    "model",
    [
        LOGISTIC(),
        naive_bayes.GaussianNB(),
        neural_network.MLPClassifier((5,), max_iter=30, random_state=0),
    ],
    ids=str,
)
def test_single_precision_from_a_transformer(model):
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"a": rng.choice(list("xyz"), 80), "b": rng.choice(list("pq"), 80)})
    encoder = preprocessing.OneHotEncoder(dtype=np.float32, sparse_output=False)
    model = pipeline.make_pipeline(encoder, model)
    document = exported(model, rows, rng.integers(0, 2, 80))
    assert float(document["metadata"]["tolerance"]) == 1e-5
    check(document, model, rows, tolerance=1e-5)


def test_categories_of_all_types(iris):
    x, y = iris
    rng = np.random.default_rng(2)
    for values in (list("xyz"), [10, 20, 30], [True, False], [1.5, 2.5, np.nan]):
        rows = x.assign(kind=pd.Categorical(rng.choice(np.array(values), len(x))))
        model = ensemble.HistGradientBoostingClassifier(max_iter=4)
        check(exported(model, rows, y), model, rows)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, -1, 7]),
        np.array([2**40, 0, -(2**60)]),
        np.array([3.0, 1.0, 7.0]),
        np.array([True, False, True]),
        np.array(['a"b', "", "é😀"], dtype=object),
        np.array([1, 2, 3], dtype="int8"),
    ],
    ids=str,
)
def test_labels(labels, iris):
    x, y = iris
    for model in (LOGISTIC(), FOREST):
        exported(model, x, labels[pd.factorize(y)[0]])


@pytest.mark.parametrize(
    "model",
    [
        tree.DecisionTreeClassifier(),
        FOREST,
        naive_bayes.GaussianNB(),
        naive_bayes.BernoulliNB(),
        naive_bayes.CategoricalNB(),
        neighbors.KNeighborsClassifier(),
        dummy.DummyClassifier(),
        ensemble.BaggingClassifier(n_estimators=2),
    ],
    ids=str,
)
def test_one_class(model, iris):
    exported(model, iris[0], np.zeros(150, dtype=int))


def test_one_column_and_a_constant_one(iris):
    x, y = iris
    for model in (SCALED, FOREST, BOOSTED, naive_bayes.GaussianNB()):
        exported(model, x[["petal_width"]], y)
        exported(model, x.assign(constant=3.0), y)


def test_extremes(iris):
    x, y = iris
    exported(LOGISTIC(), x * 1e300, y)
    exported(FOREST, x * 1e30, y)
    exported(SCALED, x * 1e-300, y)
    exported(FOREST, (x * 2**58).astype("int64"), y)


def test_weights(iris):
    x, y = iris
    weights = np.random.default_rng(1).random(150)
    for model in (FOREST, LOGISTIC(), BOOSTED):
        to_pfa(model.fit(x, y, sample_weight=weights), x, name="m")
    exported(LOGISTIC(class_weight={"setosa": 5, "virginica": 1, "versicolor": 2}), x, y)


def test_slices_of_columns(iris):
    x, y = iris
    for columns in (slice("sepal_width", "petal_length"), slice(None, "sepal_width"), slice(1, 3)):
        step = compose.make_column_transformer(
            (preprocessing.StandardScaler(), columns), remainder=preprocessing.MinMaxScaler()
        )
        model = pipeline.make_pipeline(step, LOGISTIC())
        check(exported(model, x, y), model, x)


def test_searches(iris):
    x, y = iris
    for search in (
        model_selection.GridSearchCV(LOGISTIC(), {"C": [0.1, 1.0]}),
        model_selection.RandomizedSearchCV(FOREST, {"max_depth": [2, 3]}, n_iter=2),
    ):
        check(exported(search, x, y), search, x)


def test_a_list_of_texts():
    texts = pd.Series(["a b c", "hello world", "hello"] * 5, name="said")
    model = pipeline.make_pipeline(feature_extraction.text.CountVectorizer(), LOGISTIC())
    document = exported(model, texts, [0, 1, 1] * 5)
    assert [field["name"] for field in document["input"]["fields"]] == ["said"]


@pytest.mark.parametrize(
    "model",
    [
        svm.SVC(),
        svm.SVC(kernel="linear"),
        svm.NuSVR(kernel="poly"),
        svm.SVR(kernel="linear"),
        neighbors.KNeighborsClassifier(1),
        linear_model.Lasso(0.01),
    ],
    ids=str,
)
@pytest.mark.parametrize("classes", [2, 3])
def test_fitted_to_sparse_rows(model, classes):
    rng = np.random.default_rng(4)
    words = rng.permutation(["".join(letters) for letters in product("abcd", repeat=3)])
    texts = pd.DataFrame({"said": [" ".join(words[: 3 + i]) for i in range(40)]})
    vectors = compose.make_column_transformer((feature_extraction.text.TfidfVectorizer(), "said"))
    model = pipeline.make_pipeline(vectors, model)
    check(exported(model, texts, rng.integers(0, classes, 40)), model, texts[::-1])


def test_sparse_coefficients(iris):
    x, y = iris
    model = fitted(LOGISTIC(C=0.01), x, y).sparsify()
    check(to_pfa(model, x, name="m"), model, x)


def test_many_columns_from_several_steps():
    rng = np.random.default_rng(4)
    words = [f"w{i}" for i in range(1500)]
    texts = pd.DataFrame({"said": [" ".join(rng.permutation(words)[:300]) for _ in range(20)]})
    vectors = compose.make_column_transformer(
        (feature_extraction.text.CountVectorizer(), "said"), remainder="passthrough"
    )
    model = pipeline.make_pipeline(vectors, LOGISTIC())
    exported(model, texts.assign(age=range(20)), [0, 1] * 10)


def test_numbers_of_numpy_in_columns_of_objects(iris):
    x, y = iris
    for kind in (np.int64, np.float32, np.bool):
        values = np.array([*map(kind, x["petal_width"] > 1), None], dtype=object)[:-1]
        exported(LOGISTIC(), x.assign(more=values), y)


def test_rounding_that_decides_between_two_classes():
    """A tie of 0.5 and 0.49999999999999994: the document has one, scikit-learn none."""
    x = pd.DataFrame({"a": np.repeat([0.0, 1.0], 30)})
    forest = ensemble.RandomForestClassifier(3, random_state=0, bootstrap=False)
    forest = fitted(forest, x, np.tile([0, 1, 1], 20))
    for tree_, shares in zip(forest.estimators_, ([0.6, 0.4], [0.7, 0.3], [0.2, 0.8]), strict=True):
        tree_.tree_.value[:] = shares
    assert forest.predict_proba(x)[0].tolist() == [0.49999999999999994, 0.5]
    to_pfa(forest, x, name="m")


class _Frame:
    columns = ("a", "b")


def test_errors_say_why(iris):
    x, y = iris
    model = fitted(LOGISTIC(), x, y)
    for rows, message in (
        (x.iloc[:, :3], "LogisticRegression fails at X: .*feature names"),
        (x[x.columns[::-1]], "feature names"),
        (x.assign(more=1.0), "feature names"),
        (holes(x), "'sepal_length' has missing values"),
        (x[:0], "no rows"),
        (x.iloc[0], "two dimensions"),
        (x.astype(str), "is text"),
        (sparse.csr_matrix(x), "X is sparse"),
        (x.assign(when=pd.Timestamp("2020-01-01")), "'when' holds neither .* leave it out"),
    ):
        with pytest.raises(ExportError, match=message):
            to_pfa(model, rows, name="m")
    for rows, message in (
        (x.set_axis(list("abca"), axis=1), "two columns 'a'"),
        (x.set_axis([1, "1", 2, 3], axis=1), "two columns '1'"),
        (_Frame(), "to_pandas"),
        (x.assign(when=np.array("2020-01-01", "datetime64[ns]")), "'when' holds neither"),
    ):
        with pytest.raises(ExportError, match=message):
            to_pfa(model, rows, name="m")
    with pytest.raises(ExportError, match="3 is no name"):
        to_pfa(model, x, name=3)
    with pytest.raises(ExportError, match="is it fitted"):
        to_pfa(LOGISTIC(), x, name="m")
    with pytest.raises(ExportError, match="infinity"):
        to_pfa(fitted(FOREST, x, y), x.replace(5.1, np.inf), name="m")
    with pytest.raises(ExportError, match="2 probabilities of 1 classes"):
        exported(BOOSTED, x, np.zeros(150, dtype=int))
    with pytest.raises(ParityError, match="equally far"):
        exported(neighbors.KNeighborsClassifier(), x, y)
    for several in (FOREST, neighbors.KNeighborsClassifier(), linear_model.Ridge()):
        with pytest.raises(ExportError, match=r"several (outputs|targets)"):
            exported(several, x, np.column_stack([x, x]).astype(int))
