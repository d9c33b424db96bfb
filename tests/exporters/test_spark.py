import json
from functools import partial

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("pyspark")

import numpy as np
import pandas as pd
from pyspark.ml import (
    Pipeline,
    classification,
    clustering,
    evaluation,
    feature,
    regression,
    tuning,
)

import pfa
from exporters import ExportError, UnsupportedError, to_pfa
from exporters.__main__ import main
from exporters.spark.session import session
from tests.exporters.conftest import edges, on_stock, records, same


@pytest.fixture(scope="module")
def spark():
    found = session()
    yield found
    found.stop()


def framed(spark, rows):
    """A DataFrame of Spark's, in which NaN is one and None is null."""
    listed = [
        [None if value is pd.NA else value for value in row]
        for row in zip(*(rows[name].astype(object).tolist() for name in rows), strict=True)
    ]
    names = {"float64": "double", "int64": "bigint", "bool": "boolean"}
    schema = ", ".join(f"`{name}` {names.get(str(rows[name].dtype), 'string')}" for name in rows)
    return spark.createDataFrame(listed, schema)


def check(spark, document, model, rows, texts=None, near=1e-9):
    """Both engines say to these rows what Spark says."""
    found = model.transform(framed(spark, rows))
    record = isinstance(document["output"], dict) and document["output"]["type"] == "record"
    wanted = found.select("prediction", *(["probability"] if record else [])).collect()
    assert len(wanted) == len(rows)
    text = json.dumps(document, allow_nan=False)
    given = records(rows)
    compiled, reference = pfa.load(text), pfa.load(text, compiled=False)
    assert compiled.fallback is None
    answers = compiled.score_batch(given)
    for row, (answer, spoken) in enumerate(zip(answers, wanted, strict=True)):
        label = spoken[0] if texts is None else texts[int(spoken[0])]
        expected = label
        if record:
            values = spoken[1].tolist()
            names = [str(float(i)) for i in range(len(values))] if texts is None else texts
            expected = {"label": label, "probability": dict(zip(names, values, strict=True))}
        assert same(answer, expected, near), (row, given[row], answer, expected)
    for answer, other in zip(answers, reference.score_batch(given[:20]), strict=False):
        assert same(answer, other, 1e-11)
    on_stock(text, given[-20:], answers[-20:])


def assembled(names, *stages, **options):
    first = feature.VectorAssembler(inputCols=list(names), outputCol="features", **options)
    return Pipeline(stages=[first, *stages])


@pytest.fixture(scope="module")
def flowers(spark, iris):
    x, y = iris
    return x, framed(spark, x.assign(species=y, label=(y == "virginica") * 2.0 + (y == "setosa")))


@pytest.fixture(scope="module")
def tumours(spark, cancer):
    x, y = cancer[0].iloc[:, :5], cancer[1]
    return x, framed(spark, x.assign(label=y.astype(float)))


@pytest.fixture(scope="module")
def patients(spark, diabetes):
    x, y = diabetes[0].iloc[:200, :5], diabetes[1][:200]
    return x, framed(spark, x.assign(label=y, some=y.round() % 5, share=y / 400, rate=y / 100))


REGRESSORS = {
    "linear": partial(regression.LinearRegression, maxIter=5),
    "tree": partial(regression.DecisionTreeRegressor, maxDepth=4),
    "forest": partial(regression.RandomForestRegressor, numTrees=5, maxDepth=4, seed=1),
    "boosted": partial(regression.GBTRegressor, maxIter=4, maxDepth=3, seed=1),
}
CLASSIFIERS = {
    "logistic": partial(classification.LogisticRegression, maxIter=5, regParam=0.01),
    "threshold": partial(classification.LogisticRegression, maxIter=5, threshold=0.8),
    "softmax": partial(classification.LogisticRegression, maxIter=5, family="multinomial"),
    "vectors": partial(classification.LinearSVC, maxIter=5, threshold=0.1),
    "tree": partial(classification.DecisionTreeClassifier, maxDepth=4),
    "forest": partial(classification.RandomForestClassifier, numTrees=4, maxDepth=4, seed=1),
    "boosted": partial(classification.GBTClassifier, maxIter=4, maxDepth=3, seed=1),
    "boosted, thresholds": lambda: classification.GBTClassifier(maxIter=2, seed=1).setThresholds(
        [0.2, 0.8]
    ),
    "gaussian": partial(classification.NaiveBayes, modelType="gaussian"),
}
OF_MANY = {
    "softmax": partial(classification.LogisticRegression, maxIter=5),
    "thresholds": partial(classification.LogisticRegression, maxIter=5, thresholds=[0.2, 0.5, 0.3]),
    "tree": partial(classification.DecisionTreeClassifier, maxDepth=4),
    "forest": partial(classification.RandomForestClassifier, numTrees=4, maxDepth=4, seed=1),
    "gaussian": partial(classification.NaiveBayes, modelType="gaussian"),
    "perceptron": partial(
        classification.MultilayerPerceptronClassifier, layers=[4, 5, 3], seed=1, maxIter=20
    ),
}
MEANS = [
    ("gaussian", "identity", "label"),
    ("gaussian", "log", "label"),
    ("binomial", "logit", "share"),
    ("binomial", "probit", "share"),
    ("binomial", "cloglog", "share"),
    ("poisson", "log", "some"),
    ("poisson", "sqrt", "rate"),
    ("gamma", "log", "rate"),
    ("gamma", "inverse", "rate"),
]


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors(name, spark, patients):
    x, data = patients
    model = assembled(x.columns, REGRESSORS[name]()).fit(data)
    check(spark, to_pfa(model, x, name="m"), model, edges(x))


@pytest.mark.parametrize(("family", "link", "label"), MEANS)
def test_generalized(family, link, label, spark, patients):
    x, data = patients
    means = regression.GeneralizedLinearRegression(
        family=family, link=link, labelCol=label, maxIter=5, regParam=0.01
    )
    model = assembled(x.columns, means).fit(data)
    check(spark, to_pfa(model, x, name="m"), model, x + 0.01)


def test_tweedie(spark, patients):
    x, data = patients
    for options in ({"variancePower": 1.5}, {"variancePower": 1.2, "linkPower": 0.0}):
        means = regression.GeneralizedLinearRegression(
            family="tweedie", labelCol="rate", maxIter=5, regParam=0.01, **options
        )
        model = assembled(x.columns, means).fit(data)
        check(spark, to_pfa(model, x, name="m"), model, x)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_two_classes(name, spark, tumours):
    x, data = tumours
    model = assembled(x.columns, CLASSIFIERS[name]()).fit(data)
    check(spark, to_pfa(model, x, name="m"), model, edges(x))


@pytest.mark.parametrize("name", OF_MANY)
def test_several_classes(name, spark, flowers):
    x, data = flowers
    model = assembled(x.columns, OF_MANY[name]()).fit(data)
    check(spark, to_pfa(model, x, name="m"), model, edges(x))


@pytest.mark.parametrize("kind", ["multinomial", "complement", "bernoulli"])
def test_bayes_of_counts(kind, spark, flowers):
    x, data = flowers
    bayes = classification.NaiveBayes(modelType=kind)
    stages = [bayes]
    if kind == "bernoulli":
        bayes.setFeaturesCol("binary")
        stages.insert(0, feature.Binarizer(threshold=3.0, inputCol="features", outputCol="binary"))
    model = assembled(x.columns, *stages).fit(data)
    rows = edges(x)
    check(spark, to_pfa(model, x, name="m"), model, rows[(rows >= 0).all(axis=1)])


def test_clusters(spark, flowers):
    x, data = flowers
    model = assembled(x.columns, clustering.KMeans(k=4, seed=2)).fit(data)
    check(spark, to_pfa(model, x, name="m"), model, x + 0.03)
    cosine = assembled(x.columns, clustering.KMeans(k=2, distanceMeasure="cosine")).fit(data)
    with pytest.raises(UnsupportedError, match="distanceMeasure"):
        to_pfa(cosine, x, name="m")


def test_exactly_at_a_split(spark, flowers):
    x, data = flowers
    model = assembled(x.columns, OF_MANY["tree"]()).fit(data)
    document = to_pfa(model, x, name="m")
    rows = []
    waiting = list(document["cells"]["forest"]["init"])
    while waiting:
        node = next(iter(waiting.pop().values())) if "field" not in waiting[-1] else waiting.pop()
        if isinstance(node, dict):
            waiting += [node["pass"], node["fail"]]
            for value in (
                node["value"],
                np.nextafter(node["value"], 9),
                np.nextafter(node["value"], 0),
            ):
                row = x.iloc[len(rows)].copy()
                row[node["field"]] = value
                rows.append(row)
    assert len(rows) >= 9
    check(spark, document, model, pd.DataFrame(rows).reset_index(drop=True))


@pytest.fixture(scope="module")
def shops(people):
    """Numbers with holes, texts, whole numbers and truth values, and a label of text."""
    x, y = people
    frame = x.assign(city=x["city"].fillna("none").astype(object), sex=x["sex"].astype(object))
    return frame, np.where(y == 1, "yes", "no")


def prepared(model, **options):
    """A pipeline with one of each."""
    return Pipeline(
        stages=[
            feature.StringIndexer(inputCol="bought", outputCol="label"),
            feature.StringIndexer(
                inputCols=["sex", "city"], outputCols=["sex_", "city_"], handleInvalid="keep"
            ),
            feature.OneHotEncoder(inputCols=["city_"], outputCols=["place"], **options),
            feature.Imputer(inputCols=["income"], outputCols=["income_"], strategy="median"),
            feature.Bucketizer(
                splits=[-np.inf, 30.0, 50.0, 65.0, np.inf], inputCol="age", outputCol="decade"
            ),
            feature.Binarizer(threshold=50.0, inputCol="income_", outputCol="rich"),
            feature.VectorAssembler(inputCols=["age", "income_"], outputCol="numbers"),
            feature.StandardScaler(inputCol="numbers", outputCol="standard", withMean=True),
            feature.MinMaxScaler(inputCol="numbers", outputCol="between", max=2.0),
            feature.MaxAbsScaler(inputCol="numbers", outputCol="sized"),
            feature.VectorAssembler(
                inputCols=["standard", "between", "sized", "decade", "rich", "sex_", "place",
                           "member"],
                outputCol="features",
            ),
            model,
        ]
    )  # fmt: skip


def strange(x):
    """Rows with categories that are not known, and with missing numbers."""
    rows = x.iloc[:60].reset_index(drop=True)
    rows.loc[:9, "city"] = "Zürich"
    rows.loc[5:15, "sex"] = "?"
    rows.loc[10:20, "income"] = np.nan
    rows.loc[20:25, "age"] = [30, 50, 65, 0, 200, 29]
    return rows


@pytest.mark.parametrize("options", [{}, {"dropLast": False}, {"handleInvalid": "keep"}], ids=str)
def test_preparation(options, spark, shops):
    x, y = shops
    data = framed(spark, x.assign(bought=y))
    model = prepared(classification.LogisticRegression(maxIter=3), **options).fit(data)
    document = to_pfa(model, x, name="m")
    texts = model.stages[0].labels
    assert document["output"]["fields"][0] == {"name": "label", "type": "string"}
    check(spark, document, model, strange(x), texts)


def test_categorical_splits(spark, shops):
    x, y = shops
    whole = x["income"].notna()  # Spark fits no trees to missing numbers, but takes them later
    data = framed(spark, x.assign(bought=y)[whole])
    for place, kind in enumerate((classification.DecisionTreeClassifier(maxDepth=5, maxBins=16),
                 classification.GBTClassifier(maxIter=2, maxDepth=4))):  # fmt: skip
        model = Pipeline(
            stages=[
                feature.StringIndexer(inputCol="bought", outputCol="label"),
                feature.StringIndexer(inputCol="city", outputCol="city_", handleInvalid="keep"),
                feature.StringIndexer(inputCol="sex", outputCol="sex_", handleInvalid="keep"),
                feature.VectorAssembler(
                    inputCols=["age", "income", "sex_", "city_", "member"],
                    outputCol="features",
                    handleInvalid="keep",
                ),
                kind,
            ]
        ).fit(data)
        document = to_pfa(model, framed(spark, x) if place else x, name="m")
        assert '"operator": "in"' in json.dumps(document)
        check(spark, document, model, strange(x), model.stages[0].labels)


def test_categories_of_numbers_and_missing_whole_numbers(spark):
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "floor": rng.integers(-1, 4, 80),
            "size": rng.choice([1.5, 2.0, 10.25], 80),
            "new": rng.random(80) < 0.5,
            "age": rng.integers(-1, 5, 80),
            "count": np.where(rng.random(80) < 0.2, None, rng.integers(0, 9, 80)),
        }
    )
    schema = "floor bigint, size double, new boolean, age bigint, count bigint, label double"
    listed = [(*row, float(i % 7)) for i, row in enumerate(rows.itertuples(index=False))]
    data = spark.createDataFrame(
        [tuple(v.item() if hasattr(v, "item") else v for v in row) for row in listed], schema
    )
    names = ["floor", "size"]
    model = Pipeline(
        stages=[
            feature.StringIndexer(inputCols=names, outputCols=[f"{each}_" for each in names]),
            feature.Imputer(missingValue=-1.0, inputCol="age", outputCol="age_"),
            feature.Imputer(inputCol="count", outputCol="count_", strategy="mean"),
            feature.VectorAssembler(
                inputCols=["floor_", "size_", "new", "age_", "count_"], outputCol="features"
            ),
            regression.LinearRegression(maxIter=3),
        ]
    ).fit(data)
    document = to_pfa(model, data, name="m")  # all rows are compared
    types = [each["type"] for each in document["input"]["fields"]]
    assert types == ["long", "double", "boolean", "long", ["null", "long"]]
    with pytest.raises(pfa.ScoringError, match="does not know"):
        pfa.load(json.dumps(document)).score(
            {"floor": 77, "size": 2.0, "new": True, "age": 1, "count": {"long": 1}}
        )


def test_index_to_string(spark, flowers):
    x, data = flowers
    indexer = feature.StringIndexer(inputCol="species", outputCol="number").fit(data)
    text = feature.IndexToString(inputCol="prediction", outputCol="said", labels=indexer.labels)
    tree = classification.DecisionTreeClassifier(maxDepth=3, labelCol="number")
    model = assembled(x.columns, indexer, tree, text).fit(data)
    document = to_pfa(model, data, name="m")
    check(spark, document, model, x, indexer.labels)
    examples = json.loads(document["metadata"]["examples"])
    assert examples[0]["expected"]["label"] == "setosa"


def test_bins_and_their_ends(spark, patients):
    x, data = patients
    stages = [
        feature.Bucketizer(
            splits=[-0.2, 0.0, 0.02, 0.3], inputCol="bmi", outputCol="b", handleInvalid="keep"
        ),
        feature.Binarizer(thresholds=[0.0], inputCols=["bp"], outputCols=["high"]),
        feature.VectorAssembler(inputCols=["b", "high"], outputCol="features"),
        regression.DecisionTreeRegressor(maxDepth=4),
    ]
    model = Pipeline(stages=stages).fit(data)
    rows = x[["bmi", "bp"]].iloc[:8].reset_index(drop=True)
    rows["bmi"] = [-0.2, 0.0, 0.02, 0.3, 0.1, np.nan, -0.1, 0.0199]
    document = to_pfa(model, rows, name="m")
    assert [each["name"] for each in document["input"]["fields"]] == ["bmi", "bp"]
    check(spark, document, model, rows)
    scorer = pfa.load(json.dumps(document))
    for outside in (-0.21, 0.31):
        with pytest.raises(pfa.ScoringError, match="none of the buckets"):
            scorer.score({"bmi": outside, "bp": 0.0})


def test_the_best_of_several(spark, tumours):
    x, data = tumours
    logistic = classification.LogisticRegression(maxIter=2)
    grid = tuning.ParamGridBuilder().addGrid(logistic.regParam, [0.0, 0.1]).build()
    judge = evaluation.BinaryClassificationEvaluator()
    pipeline = assembled(x.columns, logistic)
    chosen = tuning.TrainValidationSplit(
        estimator=pipeline, estimatorParamMaps=grid, evaluator=judge
    ).fit(data)
    check(spark, to_pfa(chosen, x, name="m"), chosen, x.iloc[:40])


def test_an_unknown_label_is_a_class_and_rows_are_not_skipped(spark, flowers):
    x, data = flowers
    label = feature.StringIndexer(inputCol="species", outputCol="number", handleInvalid="keep")
    tree = classification.DecisionTreeClassifier(maxDepth=3, labelCol="number")
    model = assembled(x.columns, label, tree).fit(data)
    document = to_pfa(model, x, name="m")
    texts = model.stages[1].labels
    assert document["cells"]["classes"]["init"] == [*texts, "__unknown"]
    check(spark, document, model, x.iloc[:40], [*texts, "__unknown"])
    few = x.assign(size=["small", "large"] * 75)
    index = feature.StringIndexer(inputCol="size", outputCol="size_", handleInvalid="skip")
    vector = feature.VectorAssembler(inputCols=["size_"], outputCol="features")
    linear = regression.LinearRegression(maxIter=2, labelCol="sepal_length")
    model = Pipeline(stages=[index, vector, linear]).fit(framed(spark, few))
    with pytest.raises(UnsupportedError, match="skip"):
        to_pfa(model, few.assign(size=["huge", "large"] * 75), name="m")
    model.stages[0].setHandleInvalid("error")
    with pytest.raises(ExportError, match="Spark fails at a row of X"):
        to_pfa(model, few.assign(size=["huge", "large"] * 75), name="m")


def test_a_model_alone(spark, tumours):
    x, data = tumours
    vectors = feature.VectorAssembler(inputCols=list(x.columns), outputCol="features")
    model = classification.LogisticRegression(maxIter=3).fit(vectors.transform(data))
    document = to_pfa(model, data.drop("label"), name="m")
    assert document["metadata"]["source"].startswith("pyspark ")
    check(spark, document, Pipeline(stages=[vectors, model]).fit(data), edges(x))


def test_a_saved_folder(spark, flowers, tmp_path, capsys):
    x, data = flowers
    model = assembled(x.columns, OF_MANY["tree"]()).fit(data)
    model.save((tmp_path / "flowers").as_uri())
    x.to_csv(tmp_path / "train.csv", index=False)
    given = [str(tmp_path / "flowers"), "--data", str(tmp_path / "train.csv")]
    assert main([*given, "--out", str(tmp_path / "flowers.pfa")]) == 0
    assert "PipelineModel of flowers" in capsys.readouterr().err
    check(spark, json.loads((tmp_path / "flowers.pfa").read_text("utf-8")), model, x)
    (tmp_path / "empty").mkdir()
    given[0] = str(tmp_path / "empty")
    assert main([*given, "--out", str(tmp_path / "flowers.pfa")]) == 2


def test_what_cannot_be_exported(spark, flowers):
    x, data = flowers
    first = x.columns[0]
    pca = feature.PCA(k=2, inputCol="features", outputCol="two")
    tree = classification.DecisionTreeClassifier(maxDepth=2, featuresCol="two")
    with pytest.raises(UnsupportedError, match=r"pyspark\.PCAModel cannot be exported"):
        to_pfa(assembled(x.columns, pca, tree).fit(data), x, name="m")
    model = assembled(x.columns, OF_MANY["tree"]()).fit(data)
    with pytest.raises(ExportError, match=first):
        to_pfa(model, x.drop(columns=first), name="m")
    with pytest.raises(UnsupportedError, match="put an Imputer"):
        to_pfa(model, x.assign(**{first: np.nan}), name="m")
