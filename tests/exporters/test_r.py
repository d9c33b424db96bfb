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


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of the documents, and what R printed."""
    folder = tmp_path_factory.mktemp("r")
    command = ["Rscript", "--vanilla", str(HERE / "models.R"), str(EXPORT), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def examples(document):
    return json.loads(document["metadata"]["examples"])


@pytest.mark.parametrize("name", NAMES)
def test_both_engines_say_what_r_says(name, written):
    text = (written[0] / f"{name}.pfa").read_text("utf-8")
    document = json.loads(text)
    assert document["name"] == name
    assert document["metadata"]["source"].startswith("R ")
    shown = examples(document)
    assert len(shown) >= 60
    given = [each["input"] for each in shown]
    compiled, reference = pfa.load(text), pfa.load(text, compiled=False)
    assert compiled.fallback is None
    for each, answer in zip(shown, compiled.score_batch(given), strict=True):
        assert same(answer, each["expected"]), (each, answer)
    part = given[::7]
    for answer, other in zip(reference.score_batch(part), compiled.score_batch(part), strict=True):
        assert same(answer, other, 1e-11)
    on_stock(text, part, compiled.score_batch(part))


@pytest.mark.parametrize("name", NAMES)
def test_verify_fills_in_the_errors(name, written, tmp_path, capsys):
    path = tmp_path / "m.pfa"
    path.write_bytes((written[0] / f"{name}.pfa").read_bytes())
    before = json.loads(path.read_text("utf-8"))
    assert "rows" not in before["metadata"]
    assert main(["verify", str(path)]) == 0
    after = json.loads(path.read_text("utf-8"))
    facts = after["metadata"]
    assert int(facts["rows"]) == len(examples(before))
    assert 0.0 <= float(facts["largest-error"]) <= 1e-9
    assert float(facts["absolute-error"]) >= 0.0
    assert {**after, "metadata": None} == {**before, "metadata": None}
    assert f"largest relative difference {facts['largest-error']}" in capsys.readouterr().out


def test_each_was_written(written):
    assert sorted(path.stem for path in written[0].glob("*.pfa")) == sorted(NAMES)


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


def test_categorical_splits_are_there(written):
    for name in ("rpart_numbers", "rpart_labels", "forest_numbers", "gbm_bernoulli"):
        assert '"operator":"in"' in (written[0] / f"{name}.pfa").read_text("utf-8")


def test_numbers_have_all_digits(written):
    document = json.loads((written[0] / "lm.pfa").read_text("utf-8"))
    weights = document["cells"]["regression"]["init"]["coeff"]
    assert any(len(repr(abs(value)).replace(".", "").lstrip("0")) >= 16 for value in weights)


def test_what_cannot_be_exported(written):
    lines = written[1].splitlines()
    for line, words in zip(
        lines,
        (
            "a model of class loess cannot be exported. What can: cv.glmnet, glmnet, rpart",
            "no name is no name for a document",
            "data has no column wt",
            "the column wt has missing values",
            "offset",
            "poly() in a formula cannot be exported",
            "the link cauchit cannot be exported",
            "rpart.control(maxsurrogate = 0)",
        ),
        strict=True,
    ):
        assert words in line
    assert not (written[0] / "none").exists()
