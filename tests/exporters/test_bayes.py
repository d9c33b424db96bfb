import pytest

pytest.importorskip("sklearn")

import numpy as np
import pandas as pd
from sklearn import datasets, naive_bayes, pipeline, preprocessing

from exporters import to_pfa
from tests.exporters.conftest import check, edges, fitted


@pytest.fixture(scope="module")
def digits():
    """600 pictures of 64 pixels from 0 to 16, ten classes."""
    found = datasets.load_digits(as_frame=True)
    return found.data[:600], found.target[:600].to_numpy()


@pytest.mark.parametrize(
    "model",
    [
        naive_bayes.MultinomialNB(),
        naive_bayes.MultinomialNB(alpha=0.1, fit_prior=False),
        naive_bayes.ComplementNB(),
        naive_bayes.ComplementNB(norm=True),
        naive_bayes.BernoulliNB(),
        naive_bayes.BernoulliNB(binarize=8.0),
        pipeline.make_pipeline(preprocessing.Binarizer(), naive_bayes.BernoulliNB(binarize=None)),
    ],
    ids=str,
)
def test_counts(model, digits):
    x, y = digits
    model = fitted(model, x[:400], y[:400])
    zeros = pd.DataFrame([[0.0] * 64, [8.0] * 64, list(range(64))], columns=x.columns)
    check(to_pfa(model, x[:400], name="m"), model, pd.concat([x[400:], zeros], ignore_index=True))


@pytest.mark.parametrize(
    "model", [naive_bayes.MultinomialNB(), naive_bayes.BernoulliNB(binarize=5)]
)
def test_two_classes(model, cancer):
    x, y = cancer
    model = fitted(model, x, np.where(y == 1, "benign", "malignant"))
    check(to_pfa(model, x, name="m"), model, edges(x)[:-2].abs())


def test_categories(digits):
    x, y = digits
    model = fitted(naive_bayes.CategoricalNB(min_categories=17), x.astype(int), y)
    check(to_pfa(model, x.astype(int), name="m"), model, x.astype(int)[::-2])
