import pytest

pytest.importorskip("sklearn")

import re

import numpy as np
import pandas as pd
from sklearn import (
    compose,
    datasets,
    ensemble,
    feature_selection,
    linear_model,
    naive_bayes,
    pipeline,
    preprocessing,
    svm,
)
from sklearn.feature_extraction import text

import pfa
from exporters import ExportError, UnsupportedError, to_pfa
from tests.exporters.conftest import check, fitted, same

STRANGE = [
    "",
    " ",
    "a b c",
    "The THE the, the; the—the",
    "naïve café — ÉCOLE “quoted” ‘words’… d’accord",
    "x_y under_score 3.14 1,000 a1 ½ ² x²y",
    "ЁЛКА ёлка Straße STRASSE İstanbul",
    "日本語 テスト 漢字",
    "हिन्दी में लेख",
    "emoji 😀 smile😀smile \u200bzero\u200dwidth\xa0space\ttab\nline\r\x0b\x1f\x85end",
    "word " * 200,
]


@pytest.fixture(scope="module")
def sentences():
    """Sentences of the descriptions of scikit-learn's data, and which data each is about."""
    found, labels = [], []
    for load in (datasets.load_iris, datasets.load_wine, datasets.load_breast_cancer):
        for sentence in re.split(r"(?<=[.:])\s+", load().DESCR):
            found.append(sentence)
            labels.append(load.__name__)
    order = np.random.default_rng(0).permutation(len(found))
    return [found[i] for i in order], [labels[i] for i in order]


STEPS = [
    text.CountVectorizer(),
    text.CountVectorizer(binary=True, lowercase=False, token_pattern=r"(?u)\b\w+\b"),
    text.CountVectorizer(ngram_range=(1, 2), stop_words="english", min_df=2),
    text.CountVectorizer(ngram_range=(2, 3), max_features=200),
    text.TfidfVectorizer(),
    text.TfidfVectorizer(ngram_range=(1, 3), sublinear_tf=True, norm="l1", stop_words=["the"]),
    text.TfidfVectorizer(use_idf=False, norm=None, vocabulary=["class", "the", "width", "zz"]),
    pipeline.make_pipeline(text.CountVectorizer(), text.TfidfTransformer()),
]


def agree(model, given, document, name="text"):
    labels = model.predict(given).tolist()
    shares = model.predict_proba(given).tolist()
    for compiled in (True, False):
        engine = pfa.load(document, compiled=compiled)
        assert not compiled or engine.fallback is None
        rows = [{name: each} for each in given]
        for row, answer, label, share in zip(
            rows, engine.score_batch(rows), labels, shares, strict=True
        ):
            by_name = dict(zip(model.classes_.tolist(), share, strict=True))
            assert same(answer["probability"], by_name), row
            assert answer["label"] == label, row


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_steps(step, sentences):
    given, labels = sentences
    model = pipeline.make_pipeline(step, linear_model.LogisticRegression())
    model = fitted(model, given[:150], labels[:150])
    agree(model, [*given[150:180], *STRANGE], to_pfa(model, given[:150], name="m"))


@pytest.mark.parametrize(
    "last",
    [
        naive_bayes.MultinomialNB(),
        naive_bayes.BernoulliNB(),
        ensemble.RandomForestClassifier(5, random_state=0),
        pipeline.make_pipeline(
            feature_selection.SelectKBest(k=50), linear_model.LogisticRegression()
        ),
    ],
    ids=str,
)
def test_models_of_words(last, sentences):
    given, labels = sentences
    model = fitted(pipeline.make_pipeline(text.CountVectorizer(), last), given[:150], labels[:150])
    document = to_pfa(model, pd.Series(given[:150], name="sentence"), name="m")
    agree(model, given[150:180], document, "sentence")


def test_a_text_among_columns(sentences):
    given, labels = sentences
    frame = pd.DataFrame({"Text": given, "length": [float(len(each)) for each in given]})
    columns = compose.ColumnTransformer(
        [("t", text.TfidfVectorizer(), "Text"), ("n", preprocessing.StandardScaler(), ["length"])]
    )
    model = fitted(pipeline.make_pipeline(columns, svm.LinearSVC()), frame[:150], labels[:150])
    check(to_pfa(model, frame[:150], name="m"), model, frame[150:190].reset_index(drop=True))


@pytest.mark.parametrize(
    "options",
    [
        {"analyzer": "char"},
        {"tokenizer": str.split},
        {"strip_accents": "unicode"},
        {"token_pattern": "[a-z]+"},
    ],
    ids=str,
)
def test_what_cannot_be_exported(options, sentences):
    given, labels = sentences
    step = text.CountVectorizer(**options)
    model = fitted(pipeline.make_pipeline(step, linear_model.LogisticRegression()), given, labels)
    with pytest.raises(UnsupportedError, match=next(iter(options))):
        to_pfa(model, given, name="m")


def test_numbers_must_have_two_dimensions(iris):
    model = fitted(linear_model.LogisticRegression(), *iris)
    with pytest.raises(ExportError, match="two dimensions"):
        to_pfa(model, np.zeros(4), name="m")
