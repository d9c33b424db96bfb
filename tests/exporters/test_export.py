import json

import pytest

pytest.importorskip("sklearn")

import numpy as np
import pandas as pd
from sklearn import linear_model

import pfa
from exporters import ExportError, ParityError, to_pfa, write_pfa
from exporters.columns import avro_names, columns_of, records_of
from tests.exporters.conftest import fitted


def test_the_certificate(iris):
    x, y = iris
    model = fitted(linear_model.LogisticRegression(), x, y)
    made = to_pfa(model, x, name="iris", version=3, doc="Flowers.", examples=5)
    assert (made["name"], made["version"], made["doc"]) == ("iris", 3, "Flowers.")
    facts = made["metadata"]
    assert facts["source"].startswith("scikit-learn 1.")
    assert facts["source"].endswith(", LogisticRegression")
    assert json.loads(facts["columns"]) == list(x.columns)
    assert (facts["rows"], float(facts["tolerance"])) == ("150", 1e-9)
    assert 0.0 <= float(facts["largest-error"]) < 1e-9
    examples = json.loads(facts["examples"])
    assert [each["input"] for each in examples] == [
        x.iloc[i].to_dict() for i in (0, 37, 74, 112, 149)
    ]
    scored = pfa.load(made).score(examples[0]["input"])
    assert scored["label"] == examples[0]["expected"]["label"] == y[0]


def test_a_model_that_says_something_else_is_not_exported(iris):
    x, y = iris

    class LogisticRegression(linear_model.LogisticRegression):
        def predict_proba(self, data):
            found = super().predict_proba(data)
            found[7] = found[7][::-1]
            return found

    LogisticRegression.__module__ = "sklearn.linear_model"
    model = fitted(LogisticRegression(), x, y)
    with pytest.raises(ParityError, match=r"^Row 7: the document gives \{.*the model \{.*off by"):
        to_pfa(model, x, name="m")
    assert to_pfa(model, x, name="m", output="predict")["output"] == "string"


@pytest.mark.parametrize("output", ["auto", "predict", "predict_proba", "both"])
def test_outputs(output, iris, cancer):
    for x, y in (iris, cancer):
        model = fitted(linear_model.LogisticRegression(), x, y)
        made = to_pfa(model, x, name="m", output=output)
        answer = pfa.load(made).score(x.iloc[0].to_dict())
        label = model.predict(x[:1]).tolist()[0]
        names = {str(each) for each in model.classes_.tolist()}
        if output == "predict":
            assert answer == label
        elif output == "predict_proba":
            assert answer.keys() == names
        else:
            assert (answer["label"], answer["probability"].keys()) == (label, names)


def test_what_cannot_be_asked_for(diabetes):
    x, y = diabetes
    model = fitted(linear_model.Ridge(), x, y)
    for options, message in (
        ({"output": "both"}, "no probabilities"),
        ({"output": "proba"}, "output must be"),
        ({"name": "my model"}, "'my_model' is one"),
    ):
        with pytest.raises(ExportError, match=message):
            to_pfa(model, x, **{"name": "m", **options})
    with pytest.raises(ExportError, match="no rows"):
        to_pfa(model, x[:0], name="m")


def test_arrays_have_no_names(diabetes):
    x, y = diabetes
    model = fitted(linear_model.Ridge(), x.to_numpy(), y)
    made = to_pfa(model, x.to_numpy(), name="m")
    assert [field["name"] for field in made["input"]["fields"]] == [f"x{i}" for i in range(10)]


def test_truth_values_as_classes(iris):
    x, y = iris
    model = fitted(linear_model.LogisticRegression(), x, y == "setosa")
    answer = pfa.load(to_pfa(model, x, name="m")).score(x.iloc[0].to_dict())
    assert answer["label"] is True
    assert answer["probability"].keys() == {"false", "true"}


def test_names():
    names = ["a", "a b", "a.b", "a_b", "1", "", "é", "a_b_2"]
    found = avro_names(names)
    assert found == ["a", "a_b", "a_b_2", "a_b_3", "_1", "_", "__2", "a_b_2_2"]
    assert len(set(found)) == len(names)


def test_columns():
    frame = pd.DataFrame(
        {
            "double": [1.5, np.nan],
            "long": [1, 2],
            "boolean": [True, False],
            "text": ["a", None],
            "category": pd.Categorical(["x", "y"]),
            "whole": pd.array([1, None], dtype="Int64"),
            "object": pd.Series([1, 2.5], dtype=object),
        }
    )
    columns = columns_of(frame)
    assert [(each.name, each.type, each.nullable) for each in columns] == [
        ("double", "double", True),
        ("long", "long", False),
        ("boolean", "boolean", False),
        ("text", "string", True),
        ("category", "string", False),
        ("whole", "long", True),
        ("object", "double", False),
    ]
    first, second = records_of(frame, columns)
    assert first == {
        "double": 1.5,
        "long": 1,
        "boolean": True,
        "text": "a",
        "category": "x",
        "whole": 1,
        "object": 1.0,
    }
    assert [second[name] for name in ("double", "text", "whole")] == [None, None, None]
    with pytest.raises(ExportError, match="neither numbers"):
        columns_of(pd.DataFrame({"x": [1 + 2j]}))
    with pytest.raises(ExportError, match="two dimensions"):
        columns_of(np.zeros(3))


def test_whole_numbers_under_names_that_avro_refuses():
    rows = pd.DataFrame({"a b": range(20), "c": np.linspace(0, 1, 20)})
    model = fitted(linear_model.LinearRegression(), rows, rows["c"] ** 2)
    scorer = pfa.load(json.dumps(to_pfa(model, rows, name="m")))
    assert scorer.score({"a b": 3, "c": 0.5}) == pytest.approx(
        model.predict(pd.DataFrame({"a b": [3], "c": [0.5]}))[0]
    )
    with pytest.raises(pfa.ScoringError, match="must be of type long"):
        scorer.score({"a b": 3.5, "c": 0.5})


def test_the_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "m.pfa"
    write_pfa({"doc": "é", "action": 1}, path)
    assert json.loads(path.read_text("utf-8")) == {"doc": "é", "action": 1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_pfa({"action": float("nan")}, path)
    assert [each.name for each in tmp_path.iterdir()] == ["m.pfa"]
    assert json.loads(path.read_text("utf-8"))["action"] == 1
