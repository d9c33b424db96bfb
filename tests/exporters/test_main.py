import json

import pytest

pytest.importorskip("sklearn")

import joblib
from sklearn import linear_model

from exporters.__main__ import main
from tests.exporters.conftest import check, fitted


@pytest.fixture
def data(cancer, tmp_path):
    x, y = cancer
    x.assign(sick=y).to_csv(tmp_path / "train.csv", index=False)
    return x, y


def run(tmp_path, name, *more):
    given = [str(tmp_path / name), "--data", str(tmp_path / "train.csv"), "--drop", "sick"]
    return main([*given, "--out", str(tmp_path / "sick.pfa"), *more])


def test_joblib(data, tmp_path, capsys):
    x, y = data
    model = fitted(linear_model.LogisticRegression(), x, y)
    joblib.dump(model, tmp_path / "model.joblib")
    assert run(tmp_path, "model.joblib", "--version", "4", "--doc", "Sick?") == 0
    said = capsys.readouterr().err
    assert "only do so with a file that you trust" in said
    assert "scored 569 rows: largest relative difference" in said
    made = json.loads((tmp_path / "sick.pfa").read_text("utf-8"))
    assert (made["name"], made["version"], made["doc"]) == ("sick", 4, "Sick?")
    check(made, model, x)
    assert run(tmp_path, "model.joblib", "--out", str(tmp_path / "sick-2.pfa")) == 0
    assert json.loads((tmp_path / "sick-2.pfa").read_text("utf-8"))["name"] == "sick_2"


def test_xgboost(data, tmp_path):
    xgboost = pytest.importorskip("xgboost")
    x, y = data
    model = fitted(xgboost.XGBClassifier(n_estimators=5), x, y)
    for name in ("model.json", "model.ubj"):
        model.save_model(tmp_path / name)
        assert run(tmp_path, name) == 0
        made = json.loads((tmp_path / "sick.pfa").read_text("utf-8"))
        check(made, model, x, tolerance=1e-5, floor=1e-6)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_lightgbm(kind, data, tmp_path):
    lightgbm = pytest.importorskip("lightgbm")
    x, y = data
    wanted = y if kind != "multiclass" else y + (x["mean_radius"] > 15)
    made = lightgbm.LGBMRegressor if kind == "regression" else lightgbm.LGBMClassifier
    model = fitted(made(n_estimators=5, verbose=-1), x, wanted)
    model.booster_.save_model(tmp_path / "model.txt")
    assert run(tmp_path, "model.txt") == 0
    check(json.loads((tmp_path / "sick.pfa").read_text("utf-8")), model, x)


def test_verify(data, tmp_path, capsys):
    x, y = data
    joblib.dump(fitted(linear_model.LogisticRegression(), x, y), tmp_path / "model.joblib")
    assert run(tmp_path, "model.joblib") == 0
    path = tmp_path / "sick.pfa"
    before = path.read_bytes()
    assert main(["verify", str(path)]) == 0
    assert "569 rows, largest relative difference" in capsys.readouterr().out
    assert path.read_bytes() == before
    other = json.loads(before)
    other["cells"]["regression"]["init"]["const"] += 1.0
    for content, code, message in (
        (json.dumps(other), 1, "Row 0: the document gives"),
        ('{"name": "m"}', 1, "no certificate"),
        ("{", 2, "error: "),
        (None, 2, "No such file"),
    ):
        path.unlink()
        if content is not None:
            path.write_text(content, "utf-8")
            assert main(["verify", str(path)]) == code
            assert path.read_text("utf-8") == content
        else:
            assert main(["verify", str(path)]) == code
        assert message in capsys.readouterr().err


def test_what_goes_wrong(data, tmp_path, capsys):
    x, y = data
    for name, content, more, code, message in (
        ("model.onnx", b"", (), 2, "models end in .joblib"),
        ("none.joblib", None, (), 2, "No such file"),
        ("half.joblib", b"\x80\x04", (), 2, "error: "),
        ("good.joblib", y, ("--drop", "no such"), 2, "no column 'no such'"),
        ("good.joblib", y, ("--tolerance", "-1"), 1, "Row 0"),
        ("good.joblib", y, ("--out", str(tmp_path / "no/such.pfa")), 2, "No such file"),
        ("other.joblib", None, (), 1, "cannot be exported"),
    ):
        if name == "good.joblib":
            joblib.dump(fitted(linear_model.LogisticRegression(), x, y), tmp_path / name)
        elif name == "other.joblib":
            joblib.dump({"no": "model"}, tmp_path / name)
        elif content is not None:
            (tmp_path / name).write_bytes(content)
        assert run(tmp_path, name, *more) == code, name
        assert message in capsys.readouterr().err
    assert not (tmp_path / "sick.pfa").exists()
