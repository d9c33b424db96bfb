import pytest

pytest.importorskip("sklearn")

import numpy as np
import pandas as pd
from sklearn import neighbors

from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted

OPTIONS = [
    {},
    {"n_neighbors": 1},
    {"weights": "distance"},
    {"p": 1, "n_neighbors": 7},
    {"metric": "chebyshev", "algorithm": "brute"},
    {"p": 3, "weights": "distance", "algorithm": "ball_tree"},
    {"algorithm": "brute"},
]


def apart(frame, options):
    """So that no two points are equally far, which largest differences of coordinates often are."""
    noise = np.random.default_rng(5).normal(0, 1e-3, frame.shape) * frame.std().to_numpy()
    return frame + noise if options.get("metric") == "chebyshev" else frame


def moderate(frame):
    """Rows near the data: far from them all points are equally far."""
    rows = edges(frame)
    return rows[(rows.abs() < 1e4).all(axis=1)]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_regressor(options, diabetes):
    x, y = apart(diabetes[0], options), diabetes[1]
    model = fitted(neighbors.KNeighborsRegressor(**options), x[:120], y[:120])
    check(to_pfa(model, x[:120], name="m"), model, moderate(x[300:]))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_classifier(options, cancer):
    x, y = apart(cancer[0], options), cancer[1]
    model = fitted(neighbors.KNeighborsClassifier(**options), x[:120], y[:120])
    check(to_pfa(model, x[:120], name="m"), model, moderate(x[400:]))


def test_three_classes_and_points_that_are_there_already(iris):
    x, y = iris
    x = x.drop_duplicates()
    model = neighbors.KNeighborsClassifier(weights="distance", n_neighbors=3)
    model = fitted(model, x, y[x.index])
    check(to_pfa(model, x, name="m"), model, pd.concat([x, x + 0.03], ignore_index=True))


def test_what_cannot_be_exported(iris):
    x, y = iris
    for options, words in (({"metric": "cosine"}, "metric"), ({"weights": abs}, "weights")):
        model = fitted(neighbors.KNeighborsClassifier(**options), x, y)
        with pytest.raises(UnsupportedError, match=words):
            to_pfa(model, x, name="m")
