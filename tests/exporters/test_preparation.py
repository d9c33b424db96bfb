import pytest

pytest.importorskip("sklearn")

import json

import numpy as np
from sklearn import compose, decomposition, ensemble, impute, linear_model, pipeline, preprocessing

import pfa
from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted, holes, records

NUMBERS = [
    preprocessing.StandardScaler(),
    preprocessing.StandardScaler(with_mean=False),
    preprocessing.StandardScaler(with_std=False),
    preprocessing.MinMaxScaler(),
    preprocessing.MinMaxScaler((-1, 2), clip=True),
    preprocessing.MaxAbsScaler(),
    preprocessing.MaxAbsScaler(clip=True),
    preprocessing.RobustScaler(),
    preprocessing.RobustScaler(with_centering=False),
    preprocessing.Binarizer(threshold=0.01),
    preprocessing.FunctionTransformer(np.exp),
    preprocessing.FunctionTransformer(np.absolute),
    preprocessing.FunctionTransformer(),
    decomposition.PCA(4),
    pipeline.make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(3)),
    pipeline.make_union(preprocessing.StandardScaler(), preprocessing.MinMaxScaler()),
    "passthrough",
]


@pytest.mark.parametrize("step", NUMBERS, ids=str)
def test_numbers(step, diabetes):
    x, y = diabetes
    model = fitted(pipeline.make_pipeline(step, linear_model.Ridge()), x[:300], y[:300])
    given = x[300:] if "exp" in str(step) else edges(x[300:])
    check(to_pfa(model, x[:300], name="m"), model, given)


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
def test_imputer(strategy, diabetes):
    x, y = holes(diabetes[0]), diabetes[1]
    steps = impute.SimpleImputer(strategy=strategy), linear_model.Ridge()
    model = fitted(pipeline.make_pipeline(*steps), x, y)
    check(to_pfa(model, x, name="m"), model, holes(edges(x)))


def mixed(last, **options):
    numbers = pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler())
    texts = pipeline.make_pipeline(
        impute.SimpleImputer(strategy="most_frequent"), preprocessing.OneHotEncoder(**options)
    )
    columns = compose.ColumnTransformer(
        [("numbers", numbers, ["age", "income"]), ("texts", texts, ["sex", "city"])],
        remainder="passthrough",
    )
    return pipeline.make_pipeline(columns, last)


@pytest.mark.parametrize(
    "options", [{"handle_unknown": "ignore"}, {"drop": "first"}, {"drop": "if_binary"}, {}]
)
@pytest.mark.parametrize(
    "last",
    [linear_model.LogisticRegression(), ensemble.RandomForestClassifier(10, random_state=0)],
    ids=str,
)
def test_columns_of_all_kinds(options, last, people):
    x, y = people
    model = fitted(mixed(last, sparse_output=False, **options), x[:300], y[:300])
    made = to_pfa(model, x[:300], name="m")
    check(made, model, x[300:])
    row = records(x[:1])[0]
    answer = pfa.load(made).score_batch([row | {"sex": "x"}])[0]
    if options.get("handle_unknown") == "ignore":
        other = x[:1].assign(sex="x")
        assert answer["label"] == model.predict(other)[0]
    else:
        assert (answer.code, "category" in str(answer)) == (-3, True)


def test_names_that_avro_refuses(people):
    x, y = people
    named = {"age": "Age (years)", "income": "income.k€", "sex": "2 sex", "city": "Age:years)"}
    columns = compose.ColumnTransformer(
        [
            ("n", impute.SimpleImputer(), ["Age (years)", "income.k€"]),
            ("t", preprocessing.OneHotEncoder(handle_unknown="ignore"), ["2 sex"]),
        ]
    )
    x = x.rename(columns=named).drop(columns="Age:years)")
    model = fitted(pipeline.make_pipeline(columns, linear_model.LogisticRegression()), x, y)
    made = to_pfa(model, x, name="m")
    check(made, model, x)
    score = pfa.load(made).score_batch
    row = records(x[:1])[0]
    less = {name: value for name, value in row.items() if name != "2 sex"}
    for wrong, code in (
        (less, -1),
        (row | {"2 sex": 1.5}, -2),
        (row | {"2 sex": None}, -2),
        (row | {"sex": "f"}, -4),
    ):
        assert score([wrong])[0].code == code
    assert "Age (years)" in json.loads(made["metadata"]["columns"])


def test_ordinal_encoder(people):
    x, y = people
    x = x[["age", "sex", "city"]].dropna()
    y = y[x.index]
    x = x.reset_index(drop=True)
    encoder = preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = compose.make_column_transformer((encoder, ["sex", "city"]), remainder="passthrough")
    last = ensemble.RandomForestClassifier(10, random_state=0)
    model = fitted(pipeline.make_pipeline(columns, last), x, y)
    check(to_pfa(model, x, name="m"), model, x.assign(city="elsewhere"))


@pytest.mark.parametrize(
    "step",
    [
        decomposition.PCA(2, whiten=True),
        pipeline.FeatureUnion(
            [("a", preprocessing.StandardScaler()), ("b", "passthrough"), ("c", "drop")],
            transformer_weights={"a": 2.0, "b": 0.5},
        ),
    ],
    ids=str,
)
def test_whitened_and_weighted(step, diabetes):
    x, y = diabetes
    model = fitted(pipeline.make_pipeline(step, linear_model.Ridge()), x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, edges(x[300:])[:-3], tolerance=1e-8)


@pytest.mark.parametrize(
    ("step", "what"),
    [
        (preprocessing.FunctionTransformer(np.tanh), "FunctionTransformer"),
        (preprocessing.SplineTransformer(), r"sklearn\.SplineTransformer"),
    ],
    ids=str,
)
def test_what_is_not_supported(step, what, diabetes):
    x, y = diabetes
    model = fitted(pipeline.make_pipeline(step, linear_model.Ridge()), x, y)
    with pytest.raises(UnsupportedError, match=what):
        to_pfa(model, x, name="m")


def test_missing_values_and_texts_need_preparation(people):
    x, y = people
    from sklearn.tree import DecisionTreeClassifier

    model = fitted(linear_model.LogisticRegression(), x[["age"]].astype(float), y)
    with pytest.raises(UnsupportedError, match="put an imputer before"):
        to_pfa(model, x[["income"]], name="m")
    model = fitted(DecisionTreeClassifier(), x[["age"]], y)
    with pytest.raises(UnsupportedError, match="encode it before"):
        to_pfa(model, x[["sex"]], name="m")


@pytest.mark.parametrize(("function", "least"), [(np.log, 0.0), (np.sqrt, 0.0), (np.log1p, -1.0)])
def test_what_has_no_logarithm_is_an_error(function, least, iris):
    """Trees would take what numpy makes of it for a missing value."""
    x, y = iris
    steps = preprocessing.FunctionTransformer(function), ensemble.HistGradientBoostingClassifier()
    model = fitted(pipeline.make_pipeline(*steps), x, y)
    document = to_pfa(model, x, name="m")
    check(document, model, x.assign(petal_width=np.linspace(least, 9, len(x))))
    with pytest.raises(pfa.ScoringError, match="of this petal_width"):
        pfa.load(document).score(x.iloc[0].to_dict() | {"petal_width": least - 0.1})
