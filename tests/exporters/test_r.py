"""Models of R: one run of Rscript fits and writes all of them, with R's answers as examples."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import pfa
from exporters.__main__ import main
from tests.exporters.conftest import on_stock, same

if shutil.which("Rscript") is None:
    pytest.skip("R is not installed: make test-r", allow_module_level=True)

HERE = Path(__file__).resolve().parent
EXPORT = HERE.parents[1] / "exporters" / "r" / "export.R"
NAMES = [
    *("lm", "lm_terms", "lm_texts", "lm_without_intercept", "lm_left_out"),
    *("glm_label", "glm_probit", "glm_cloglog", "glm_poisson", "glm_gaussian", "glm_gamma"),
    *("glm_inverse", "rpart", "rpart_numbers", "rpart_labels", "rpart_counts", "rpart_root"),
    *(
        "rpart_plain",
        "rpart_ordered",
        "forest_numbers",
        "forest_labels",
        "forest_two",
        "gbm_gaussian",
    ),
    *("gbm_laplace", "gbm_bernoulli", "gbm_adaboost", "gbm_poisson", "gbm_multinomial"),
    *("gbm_fewer", "bayes", "bayes_texts", "kmeans", "glmnet", "glmnet_cv", "glmnet_two"),
    *("glmnet_labels", "glmnet_counts"),
]
XGBOOST = [
    *("xgb_squared", "xgb_holes", "xgb_absolute", "xgb_share", "xgb_poisson", "xgb_gamma"),
    *("xgb_tweedie", "xgb_logistic", "xgb_raw", "xgb_softprob", "xgb_softmax", "xgb_forest"),
    *("xgb_root", "xgb_row", "xgb_rank", "xgb_unnamed", "xgb_stopped", "xgb_dart"),
]
REFUSED_BY_XGBOOST = [
    "xgboost's booster gblinear cannot be exported. What can: gbtree, dart",
    "xgboost's objective survival:cox cannot be exported. What can: reg:squarederror, ",
    "data has no column age",
    "the column age is text",
    "the model was fitted to 4 columns, and data has 6",
]
XGBOOST_3 = ["xgb_levels", "xgb_onehot", "xgb_two", "xgb_labels", "xgb_number"]  # of version 3
ALL = [*NAMES, *XGBOOST, *XGBOOST_3]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of the documents, and what R printed."""
    folder = tmp_path_factory.mktemp("r")
    command = ["Rscript", "--vanilla", str(HERE / "models.R"), str(EXPORT), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def text_of(name, written):
    """The document's text; the test is skipped where R has no xgboost, or an old one."""
    path = written[0] / f"{name}.pfa"
    if name in (*XGBOOST, *XGBOOST_3) and not path.exists():
        if "no xgboost" in written[1]:
            pytest.skip("R's xgboost is not installed")
        assert name in XGBOOST_3
        pytest.skip("R's xgboost is older than version 3")
    return path.read_text("utf-8")


def examples(document):
    return json.loads(document["metadata"]["examples"])


@pytest.mark.parametrize("name", ALL)
def test_both_engines_say_what_r_says(name, written):
    text = text_of(name, written)
    document = json.loads(text)
    assert document["name"] == name
    assert document["metadata"]["source"].startswith("R ")
    shown = examples(document)
    assert len(shown) >= 60
    given = [each["input"] for each in shown]
    compiled, reference = pfa.load(text), pfa.load(text, compiled=False)
    assert compiled.fallback is None
    tolerance = float(document["metadata"]["tolerance"])
    assert tolerance == (1e-5 if name.startswith("xgb") else 1e-9)
    for each, answer in zip(shown, compiled.score_batch(given), strict=True):
        own = each.get("tolerance", tolerance)
        assert same(answer, each["expected"], own), (each, answer)
    part = given[::7]
    for answer, other in zip(reference.score_batch(part), compiled.score_batch(part), strict=True):
        assert same(answer, other, 1e-11)
    on_stock(text, part, compiled.score_batch(part))


@pytest.mark.parametrize("name", ALL)
def test_verify_fills_in_the_errors(name, written, tmp_path, capsys):
    path = tmp_path / "m.pfa"
    path.write_text(text_of(name, written), "utf-8")
    before = json.loads(path.read_text("utf-8"))
    assert "rows" not in before["metadata"]
    assert main(["verify", str(path)]) == 0
    after = json.loads(path.read_text("utf-8"))
    facts = after["metadata"]
    assert int(facts["rows"]) == len(examples(before))
    assert 0.0 <= float(facts["largest-error"]) <= float(facts["tolerance"])
    assert float(facts["absolute-error"]) >= 0.0
    assert {**after, "metadata": None} == {**before, "metadata": None}
    assert f"largest relative difference {facts['largest-error']}" in capsys.readouterr().out


def test_each_was_written(written):
    found = {path.stem for path in written[0].glob("*.pfa")}
    assert found in (set(NAMES), {*NAMES, *XGBOOST}, set(ALL))


def test_names_and_errors_of_a_record(written):
    model = pfa.load((written[0] / "rpart_labels.pfa").read_text("utf-8"))
    right = {
        "age": 40,
        "income.k": 50.5,
        "city": "Córdoba",
        "sex": "f",
        "size": "S",
        "member": True,
    }
    assert sorted(model.score(right)["probability"]) == ["blue", "green", "red"]
    for change, code in (
        ({"city": "Zug"}, -3),
        ({"age": "old"}, -2),
        ({"age": None}, None),
        ({"income_k": 1.0}, -4),
    ):
        with pytest.raises((pfa.ScoringError, pfa.InputError)) as caught:
            model.score({**right, **change})
        assert getattr(caught.value, "code", None) == code
    del right["income.k"]
    with pytest.raises(pfa.ScoringError) as caught:
        model.score(right)
    assert caught.value.code == -1


def test_missing_and_unknown_values_of_xgboost(written):
    text = text_of("xgb_levels", written)
    model = pfa.load(text)
    rows = [each["input"] for each in examples(json.loads(text))]
    full = next(row for row in rows if None not in row.values())
    for name in ("score", "city"):
        left_out = {key: value for key, value in full.items() if key != name}
        assert model.score(left_out) == model.score({**full, name: None})
    for change, code in (({"city": "Zug"}, -3), ({"member": None}, -2), ({"score": "high"}, -2)):
        with pytest.raises(pfa.ScoringError) as caught:
            model.score({**full, **change})
        assert caught.value.code == code


def test_categorical_splits_are_there(written):
    for name in ("rpart_numbers", "rpart_labels", "forest_numbers", "gbm_bernoulli"):
        assert '"operator":"in"' in (written[0] / f"{name}.pfa").read_text("utf-8")


def test_numbers_have_all_digits(written):
    document = json.loads((written[0] / "lm.pfa").read_text("utf-8"))
    weights = document["cells"]["regression"]["init"]["coeff"]
    assert any(len(repr(abs(value)).replace(".", "").lstrip("0")) >= 16 for value in weights)


def test_a_document_is_called_as_its_file(written):
    text = (written[0] / "unnamed" / "no name.pfa").read_text("utf-8")
    assert json.loads(text)["name"] == "no_name"


def test_what_cannot_be_exported(written):
    lines = written[1].splitlines()
    for line, words in zip(
        lines,
        [
            "a model of class loess cannot be exported. What can: cv.glmnet, glmnet, rpart",
            "no name is no name for a document",
            "data has no column wt",
            "the column wt has missing values",
            "offset",
            "poly() in a formula cannot be exported",
            "the link cauchit cannot be exported",
            "rpart.control(maxsurrogate = 0)",
            *(["no xgboost"] if "no xgboost" in lines else REFUSED_BY_XGBOOST),
        ],
        strict=True,
    ):
        assert words in line
    assert not (written[0] / "none").exists()


def test_a_file_of_xgboost_for_r(written, tmp_path):
    """xgb.save, and the command for files."""
    pytest.importorskip("xgboost", reason="Python's xgboost is not installed")
    if "no xgboost" in written[1]:
        pytest.skip("R's xgboost is not installed")
    model, rows = written[0] / "of_r.json", written[0] / "of_r.csv"
    out = tmp_path / "m.pfa"
    command = [str(model), "--data", str(rows), "--drop", "said", "--out", str(out)]
    assert main([*command, "--examples", "300"]) == 0
    said = [float(line.rpartition(",")[2]) for line in rows.read_text("utf-8").splitlines()[1:]]
    shown = examples(json.loads(out.read_text("utf-8")))
    assert len(shown) == len(said)
    for each, expected in zip(shown, said, strict=True):
        assert same(each["expected"]["probability"]["1"], expected, 1e-5)


PYTHONS = {
    "regression": {"objective": "reg:squarederror"},
    "two": {"objective": "binary:logistic"},
    "several": {"objective": "multi:softprob", "num_class": 3},
    "counts": {"objective": "count:poisson"},
    "levels": {"objective": "reg:squarederror", "max_cat_to_onehot": 1},
    "few_levels": {"objective": "binary:logistic", "max_cat_to_onehot": 99},
}


@pytest.fixture(scope="module")
def of_python(tmp_path_factory):
    """Documents of models of Python's xgboost by both exporters: Python's and R's."""
    xgboost = pytest.importorskip("xgboost", reason="Python's xgboost is not installed")
    pd = pytest.importorskip("pandas")
    import numpy as np

    from exporters import to_pfa

    rng = np.random.default_rng(5)
    data = pd.DataFrame({f"x {i}": rng.normal(size=200) for i in range(3)})
    data = data.mask(rng.random(data.shape) < 0.1).assign(whole=rng.integers(0, 9, 200))
    target = data["whole"] + np.nan_to_num(data["x 1"]) * 4
    folder = tmp_path_factory.mktemp("of_python")
    made = {}
    for name, options in PYTHONS.items():
        rows = data.copy()
        levels = {}
        if "max_cat_to_onehot" in options:
            levels = {"city": [f"c{k}" for k in range(12)]}
            codes = rng.integers(0, 12, 200)
            rows["city"] = pd.Categorical.from_codes(codes, levels["city"])
            rows.loc[::9, "city"] = None
        y = target.rank(pct=True).mul(options.get("num_class", 2)).sub(1e-9).astype(int)
        matrix = xgboost.DMatrix(rows, y, enable_categorical=True)
        model = xgboost.train({**options, "max_depth": 4}, matrix, 6)
        made[name] = to_pfa(model, rows, name="m", examples=len(rows))
        told = {
            "json": model.save_raw("json").decode(),
            "margin": model.predict(matrix, output_margin=True).reshape(200, -1).tolist(),
            "response": model.predict(matrix).reshape(200, -1).tolist(),
            "leaf": model.predict(matrix, pred_leaf=True).astype(int).tolist(),
            "levels": levels,
            "rows": {
                column: [None if pd.isna(value) else value for value in rows[column].tolist()]
                for column in rows
            },
        }
        (folder / f"{name}.json").write_text(json.dumps(told), "utf-8")
    script = HERE / "xgboost_of_python.R"
    command = ["Rscript", "--vanilla", str(script), str(EXPORT), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {
        name: (document, json.loads((folder / f"{name}.pfa").read_text("utf-8")))
        for name, document in made.items()
    }


@pytest.mark.parametrize("name", PYTHONS)
def test_r_reads_xgboost_as_python_does(name, of_python):
    theirs, ours = of_python[name]
    assert trees(ours) == trees(theirs)  # to the last bit
    assert ours["input"] == theirs["input"]
    assert ours["output"] == theirs["output"]
    given = [each["input"] for each in examples(theirs)]
    assert [each["input"] for each in examples(ours)] == given
    answers = pfa.load(theirs).score_batch(given)
    for answer, other in zip(answers, pfa.load(ours).score_batch(given), strict=True):
        assert same(other, answer, 1e-8)  # Python's exporter does not round where the sums begin


def trees(document):
    return [cell["init"] for name, cell in document["cells"].items() if name.startswith("forest")]
