import pytest

pytest.importorskip("sklearn")

import numpy as np
import pandas as pd
from sklearn import ensemble

import pfa
from exporters import to_pfa
from tests.exporters.conftest import check, fitted, records

CITIES = ["a", "b b", "Córdoba", "d", "日本", *"fghij", "k", "l"]


@pytest.fixture(scope="module")
def flats():
    """Two numbers, two categories of which one is of numbers, some missing; and a rent."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.normal(70, 20, 500),
            "city": pd.Categorical(rng.choice(CITIES, 500), CITIES),
            "grade": pd.Categorical(rng.choice([10, 20, 30], 500)),
            "age": rng.integers(0, 100, 500),
        }
    )
    rent = frame["size"] + frame["city"].isin(["a", "d", "g", "k"]) * 30.0
    rent += (frame["grade"].astype(int) == 20) * 10.0
    frame.loc[::17, "city"] = None
    frame.loc[::13, "size"] = None
    return frame, rent.to_numpy()


def plain(frame):
    """Categories as a request has them."""
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in frame.astype({"city": object, "grade": object}).to_dict(orient="records")
    ]


def agree(model, frame, document, tolerance=1e-9, proba=False):
    expected = np.ravel(model.predict(frame)).tolist()
    for compiled in (True, False):
        rows = plain(frame) if compiled else plain(frame)[:60]
        answers = pfa.load(document, compiled=compiled).score_batch(rows)
        for answer, value in zip(answers, expected, strict=False):
            if proba:
                assert answer["label"] == value
            else:
                assert answer == pytest.approx(value, rel=tolerance)


def test_histogram_boosting(flats):
    x, y = flats
    model = ensemble.HistGradientBoostingRegressor(max_iter=20, categorical_features="from_dtype")
    model = fitted(model, x[:400], y[:400])
    document = to_pfa(model, x[:400], name="m")
    assert '"in"' in str(document).replace("'", '"')
    agree(model, x[400:], document)
    unknown = x[400:420].assign(city=pd.Categorical(["zz"] * 20))
    agree(model, unknown, document)
    label = np.where(y > 100, "dear", np.where(y > 70, "fair", "cheap"))
    model = ensemble.HistGradientBoostingClassifier(max_iter=8, categorical_features=["city"])
    given = x.astype({"grade": int, "city": object})
    model = fitted(model, given[:400], label[:400])
    agree(model, given[400:], to_pfa(model, given[:400], name="m"), proba=True)


def test_histogram_boosting_of_numbers(people):
    x, y = people[0][["income", "age", "member"]].astype(float), people[1]
    x["age"] = (x["age"] // 10).where(x["age"] < 80)
    model = ensemble.HistGradientBoostingClassifier(max_iter=20, categorical_features=[1])
    model = fitted(model, x[:300], y[:300])
    check(
        to_pfa(model, x[:300], name="m"), model, x[300:].assign(age=[1.0, 2.0, 50.0, np.nan] * 25)
    )


@pytest.mark.parametrize("onehot", [2, 100])
def test_xgboost(flats, onehot):
    xgboost = pytest.importorskip("xgboost")
    x, y = flats
    options = {"n_estimators": 20, "enable_categorical": True, "max_cat_to_onehot": onehot}
    model = fitted(xgboost.XGBRegressor(**options), x[:400], y[:400])
    document = to_pfa(model, x[:400], name="m")
    agree(model, x[400:], document, 1e-5)
    with pytest.raises(pfa.ScoringError) as caught:
        pfa.load(document).score(plain(x[:1])[0] | {"city": "zz"})
    assert caught.value.code == -3
    model = fitted(xgboost.XGBClassifier(**options), x[:400], (y[:400] > 80).astype(int))
    agree(model, x[400:], to_pfa(model, x[:400], name="m"), proba=True)


def test_xgboost_of_numbers(people):
    xgboost = pytest.importorskip("xgboost")
    x, y = people[0][["income", "age"]].assign(ten=people[0]["age"] // 10).to_numpy(), people[1]
    options = {"enable_categorical": True, "feature_types": ["float", "float", "c"]}
    model = fitted(xgboost.XGBClassifier(n_estimators=5, **options), x[:300], y[:300])
    document = to_pfa(model, x[:300], name="m")
    frame = pd.DataFrame(x[300:], columns=["x0", "x1", "x2"])
    answers = pfa.load(document).score_batch(records(frame))
    assert [answer["label"] for answer in answers] == model.predict(x[300:]).tolist()


def test_lightgbm(flats):
    lightgbm = pytest.importorskip("lightgbm")
    x, y = flats
    options = {"n_estimators": 20, "min_child_samples": 5, "min_data_per_group": 5, "verbose": -1}
    model = fitted(lightgbm.LGBMRegressor(**options), x[:400], y[:400])
    document = to_pfa(model, x[:400], name="m")
    agree(model, x[400:], document)
    unknown = x[400:420].assign(city=pd.Categorical(["zz"] * 20))
    agree(model, unknown, document)
    label = np.where(y > 100, "dear", np.where(y > 70, "fair", "cheap"))
    model = fitted(lightgbm.LGBMClassifier(**options), x[:400], label[:400])
    agree(model, x[400:], to_pfa(model, x[:400], name="m"), proba=True)


def test_lightgbm_of_numbers(people):
    lightgbm = pytest.importorskip("lightgbm")
    x, y = people[0][["income", "age"]].assign(ten=people[0]["age"] // 10), people[1]
    model = lightgbm.LGBMClassifier(n_estimators=20, min_data_per_group=5, verbose=-1)
    model = model.fit(x[:300], y[:300], categorical_feature=[2])
    other = x[300:].assign(ten=[0, 1, 5, 77] * 25)
    check(to_pfa(model, x[:300], name="m"), model, other)
    assert records(other)[3]["ten"] == 77
