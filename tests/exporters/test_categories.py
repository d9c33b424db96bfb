import pytest

pytest.importorskip("sklearn")

import numpy as np
import pandas as pd
from sklearn import compose, ensemble, linear_model, pipeline, preprocessing

import pfa
from exporters import ExportError, to_pfa
from tests.exporters.conftest import check, fitted, records

TEXTS = ["sex", "city"]


def encoded(step, last, names=TEXTS, rest="drop"):
    columns = compose.ColumnTransformer([("encoded", step, names)], remainder=rest)
    return pipeline.make_pipeline(columns, last)


def strange(frame):
    """Rows of categories that training did not have, and of missing ones."""
    other = frame[:6].copy()
    other["city"] = ["Zürich", "", None, "Aachen", "basel", "é" * 50]
    return pd.concat([frame, other], ignore_index=True)


def varied(frame):
    rng = np.random.default_rng(1)
    cities = rng.choice(
        ["A", "B", "C", "D", "E", None], len(frame), p=[0.5, 0.3, 0.1, 0.05, 0.03, 0.02]
    )
    return frame.assign(city=cities)


@pytest.mark.parametrize(
    "options",
    [
        {"handle_unknown": "ignore"},
        {"handle_unknown": "ignore", "min_frequency": 30},
        {"handle_unknown": "infrequent_if_exist", "min_frequency": 30},
        {"handle_unknown": "infrequent_if_exist"},
        {"handle_unknown": "infrequent_if_exist", "max_categories": 3},
        {"handle_unknown": "infrequent_if_exist", "max_categories": 3, "drop": "first"},
        {"handle_unknown": "warn", "min_frequency": 0.08, "drop": "if_binary"},
        {"handle_unknown": "ignore", "drop": ["f", "B"]},
    ],
    ids=str,
)
def test_one_hot(options, people):
    x, y = varied(people[0]), people[1]
    step = preprocessing.OneHotEncoder(sparse_output=False, **options)
    model = fitted(encoded(step, linear_model.LogisticRegression()), x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, strange(x[300:]))


def test_one_hot_of_numbers_and_truth_values(people):
    x, y = people[0].assign(grade=people[0]["income"].round(-1)), people[1]
    step = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    model = encoded(step, linear_model.LogisticRegression(), ["grade", "age", "member"])
    model = fitted(model, x[:300], y[:300])
    other = x[300:].assign(age=[17, 18, 200, -1] * 25, grade=[np.nan, 0.0, 50.0, 50.5] * 25)
    check(to_pfa(model, x[:300], name="m"), model, other)


@pytest.mark.parametrize(
    "options",
    [
        {"handle_unknown": "use_encoded_value", "unknown_value": -1},
        {"handle_unknown": "use_encoded_value", "unknown_value": np.nan},
        {"handle_unknown": "use_encoded_value", "unknown_value": 99, "encoded_missing_value": -2},
        {"handle_unknown": "use_encoded_value", "unknown_value": -1, "max_categories": 3},
    ],
    ids=str,
)
def test_ordinal(options, people):
    x, y = varied(people[0]), people[1]
    step = preprocessing.OrdinalEncoder(**options)
    last = ensemble.HistGradientBoostingClassifier(max_iter=10)
    model = fitted(encoded(step, last), x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, strange(x[300:]))


def test_target(people, iris):
    x, y = varied(people[0]), people[1]
    last = linear_model.LogisticRegression()
    step = preprocessing.TargetEncoder(random_state=0)
    model = fitted(encoded(step, last), x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, strange(x[300:]))
    three = np.where(x["city"].isna(), "none", np.where(x["city"] == "A", "yes", "no"))
    model = fitted(encoded(step, last), x[:300], three[:300])
    check(to_pfa(model, x[:300], name="m"), model, strange(x[300:]))
    number = x["age"] + (x["sex"] == "m") * 10.0
    model = fitted(encoded(step, linear_model.Ridge()), x[:300], number[:300])
    check(to_pfa(model, x[:300], name="m"), model, strange(x[300:]))


def test_a_category_that_must_be_known_is_an_error(people):
    x, y = varied(people[0]), people[1]
    for step in (preprocessing.OneHotEncoder(sparse_output=False), preprocessing.OrdinalEncoder()):
        last = ensemble.HistGradientBoostingClassifier(max_iter=10)
        model = fitted(encoded(step, last), x, y)
        document = to_pfa(model, x, name="m")
        row = records(x[:1])[0] | {"city": "Zürich"}
        for compiled in (True, False):
            with pytest.raises(pfa.ScoringError) as caught:
                pfa.load(document, compiled=compiled).score(row)
            assert caught.value.code == -3


def test_categories_of_another_type_are_refused(people):
    x, y = people
    step = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    model = fitted(encoded(step, linear_model.LogisticRegression()), x, y)
    with pytest.raises(ExportError, match="category"):
        to_pfa(model, x.assign(sex=(x["sex"] == "f").astype(int)), name="m")


@pytest.mark.parametrize("options", [{}, {"encoded_missing_value": -5}], ids=str)
def test_none_is_an_ordinal_category_like_others(options, people):
    x = people[0][["city"]].astype(object)
    x = x.where(x.notna(), None)
    step = preprocessing.OrdinalEncoder(**options)
    model = fitted(pipeline.make_pipeline(step, linear_model.LogisticRegression()), x, people[1])
    check(to_pfa(model, x, name="m"), model, x)
