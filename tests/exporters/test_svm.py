import pytest

pytest.importorskip("sklearn")

import numpy as np
from sklearn import pipeline, preprocessing, svm

from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted

KERNELS = [
    {"kernel": "linear"},
    {"kernel": "rbf"},
    {"kernel": "rbf", "gamma": 0.3, "C": 10},
    {"kernel": "poly", "degree": 2, "coef0": 1.0},
    {"kernel": "poly", "gamma": "auto"},
    {"kernel": "sigmoid", "gamma": 0.05},
]


def scaled(model):
    return pipeline.make_pipeline(preprocessing.StandardScaler(), model)


def moderate(frame):
    rows = edges(frame)
    return rows[(rows.abs() < 1e5).all(axis=1)]


@pytest.mark.parametrize("options", KERNELS, ids=str)
def test_regressors(options, diabetes):
    x, y = diabetes
    for model in (svm.SVR(**options), svm.NuSVR(**options)):
        model = fitted(scaled(model), x[:200], y[:200])
        # libsvm's kernels have the digits of their largest part
        check(to_pfa(model, x[:200], name="m"), model, moderate(x[200:]), tolerance=1e-8)


@pytest.mark.parametrize("options", KERNELS, ids=str)
def test_classifiers(options, iris, cancer):
    for x, y in (iris, cancer):
        model = fitted(scaled(svm.SVC(**options)), x, y)
        check(to_pfa(model, x, name="m"), model, moderate(x))
    options = {name: value for name, value in options.items() if name != "C"}
    model = fitted(svm.NuSVC(nu=0.2, **options), *iris)
    check(to_pfa(model, iris[0], name="m"), model, moderate(iris[0]))


@pytest.mark.parametrize("options", KERNELS[1:], ids=str)
def test_many_support_vectors(options, diabetes, cancer, monkeypatch):
    """As products with all of them at once, whatever the size."""
    monkeypatch.setattr("exporters.scikit_learn.svm._MANY", 0)
    x, y = diabetes
    model = fitted(scaled(svm.SVR(**options)), x[:200], y[:200])
    document = to_pfa(model, x[:200], name="m")
    assert "model.svm.score" not in str(document)
    check(document, model, moderate(x[200:]), tolerance=1e-8)
    model = fitted(scaled(svm.SVC(**options)), *cancer)
    check(to_pfa(model, cancer[0], name="m"), model, moderate(cancer[0]))


def test_many_support_vectors_far_from_zero(iris, monkeypatch):
    monkeypatch.setattr("exporters.scikit_learn.svm._MANY", 0)
    x, y = iris
    far = x.add([1e3, -1e4, 1e5, 0.0])
    for model in (svm.SVC(gamma=2.0, C=0.01), svm.OneClassSVM(gamma=2.0, nu=0.9)):
        model = fitted(model, far, y)
        check(to_pfa(model, far, name="m"), model, far)


def test_many_classes_and_weights():
    from sklearn import datasets

    found = datasets.load_digits(as_frame=True)
    x, y = found.data, found.target.to_numpy()
    model = fitted(svm.SVC(class_weight="balanced"), x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, x[300:600])


def test_one_class(iris):
    x = iris[0]
    model = fitted(svm.OneClassSVM(nu=0.1), x[:50])
    check(to_pfa(model, x, name="m"), model, edges(x))
    assert set(model.predict(x)) == {1, -1}


def test_what_cannot_be_exported(iris):
    x, y = iris
    for options, words in (
        ({"kernel": lambda a, b: np.dot(a, b.T)}, "kernel"),
        ({"break_ties": True}, "break_ties"),
        ({"probability": True}, "probability"),
    ):
        with pytest.raises(UnsupportedError, match=words):
            to_pfa(fitted(svm.SVC(**options), x, y), x, name="m")
