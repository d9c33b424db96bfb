import pytest

pytest.importorskip("sklearn")

import numpy as np
from sklearn import compose, impute, linear_model, pipeline, preprocessing

from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted, holes


@pytest.mark.parametrize(
    "options",
    [
        {"add_indicator": True},
        {"strategy": "constant", "fill_value": -7, "add_indicator": True},
        {"strategy": "median", "keep_empty_features": True},
    ],
    ids=str,
)
def test_imputer(options, diabetes):
    x, y = holes(diabetes[0]), diabetes[1]
    model = pipeline.make_pipeline(impute.SimpleImputer(**options), linear_model.Ridge())
    model = fitted(model, x, y)
    check(to_pfa(model, x, name="m"), model, holes(edges(x)))


def test_a_number_for_missing(diabetes):
    x, y = diabetes[0].mask(holes(diabetes[0]).isna(), -99.0), diabetes[1]
    steps = impute.SimpleImputer(missing_values=-99.0, add_indicator=True), linear_model.Ridge()
    model = fitted(pipeline.make_pipeline(*steps), x, y)
    check(to_pfa(model, x, name="m"), model, edges(x))


def test_a_text_for_missing(people):
    x, y = people[0].fillna({"city": "?"}), people[1]
    one_hot = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    for strategy in ("most_frequent", "constant"):
        step = impute.SimpleImputer(missing_values="?", strategy=strategy, fill_value="none")
        columns = compose.ColumnTransformer(
            [("c", pipeline.make_pipeline(step, one_hot), ["city"])]
        )
        model = pipeline.make_pipeline(columns, linear_model.LogisticRegression())
        model = fitted(model, x, y)
        check(to_pfa(model, x, name="m"), model, x[::3])


@pytest.mark.parametrize("features", ["missing-only", "all"])
def test_indicator(features, diabetes):
    x, y = diabetes[0].copy(), diabetes[1]
    x.iloc[::3, 2] = np.nan
    x.iloc[::7, 5] = np.nan
    both = pipeline.make_union(impute.SimpleImputer(), impute.MissingIndicator(features=features))
    model = fitted(pipeline.make_pipeline(both, linear_model.Ridge()), x, y)
    check(to_pfa(model, x, name="m"), model, x[::-1])


def test_a_column_without_values_is_left_out(diabetes):
    x, y = diabetes[0].assign(bmi=np.nan), diabetes[1]
    model = fitted(pipeline.make_pipeline(impute.SimpleImputer(), linear_model.Ridge()), x, y)
    check(to_pfa(model, x, name="m"), model, x[::2])


def test_none_that_is_a_value_to_the_imputer(people):
    x = people[0][["age"]].astype(object).mask(people[0][["age"]] > 20, None)
    x = x.where(x.notna(), None)
    steps = impute.SimpleImputer(strategy="most_frequent"), preprocessing.OneHotEncoder()
    model = pipeline.make_pipeline(*steps, linear_model.LogisticRegression())
    with pytest.raises(UnsupportedError, match="make it NaN in X"):
        to_pfa(fitted(model, x, people[1]), x, name="m")
