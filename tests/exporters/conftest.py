"""Real data that comes with scikit-learn, and what every exported model is tried with."""

from __future__ import annotations

import json
import math
import warnings
from typing import Any

import pytest

import pfa
from gate import replay
from tests.exporters import stock

try:
    import numpy as np
    import pandas as pd
    from sklearn import datasets
except ImportError:  # then every module of these tests skips itself, and says so
    pass


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename(columns=lambda name: name.replace(" (cm)", "").replace(" ", "_"))


@pytest.fixture(scope="session")
def iris() -> tuple[pd.DataFrame, np.ndarray]:
    """150 flowers, four numbers, three classes with names."""
    found = datasets.load_iris(as_frame=True)
    return _plain(found.data), found.target_names[found.target]


@pytest.fixture(scope="session")
def cancer() -> tuple[pd.DataFrame, np.ndarray]:
    """569 tumours, ten numbers, two classes 0 and 1."""
    found = datasets.load_breast_cancer(as_frame=True)
    return _plain(found.data).iloc[:, :10], found.target.to_numpy()


@pytest.fixture(scope="session")
def diabetes() -> tuple[pd.DataFrame, np.ndarray]:
    """442 patients, ten numbers, and a number to be predicted."""
    found = datasets.load_diabetes(as_frame=True)
    return found.data, found.target.to_numpy()


@pytest.fixture(scope="session")
def people() -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers, whole numbers, texts and truth values, some of them missing."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, 400),
            "income": np.where(rng.random(400) < 0.1, np.nan, rng.normal(50, 10, 400)),
            "sex": rng.choice(["f", "m"], 400),
            "city": rng.choice(["Aachen", "Basel", "Córdoba", None], 400),
            "member": rng.random(400) < 0.3,
        }
    )
    wanted = (frame["age"] > 50) ^ (frame["sex"] == "m") ^ frame["member"]
    return frame, wanted.to_numpy().astype(int)


def holes(frame: pd.DataFrame, share: float = 0.1) -> pd.DataFrame:
    """The same with some values missing."""
    return frame.mask(np.random.default_rng(3).random(frame.shape) < share)


def edges(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of zeros, of extremes, and of what is in the data, mixed anew."""
    rng = np.random.default_rng(11)
    mixed = pd.DataFrame({name: rng.permutation(frame[name].to_numpy()) for name in frame})
    special = [0.0, -0.0, 1.0, -1.0, 1e-12, 1e6, -1e6, 16777217.0, 0.1]
    rows = [dict.fromkeys(frame.columns, value) for value in special]
    return pd.concat([mixed, pd.DataFrame(rows)], ignore_index=True)


def fitted(model: Any, *data: Any) -> Any:
    """The model, fitted without a word about convergence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(*data)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as a request has them."""
    rows = json.loads(frame.to_json(orient="records", double_precision=15))
    exact = frame.to_dict(orient="records")
    for row, values in zip(rows, exact, strict=True):
        for name, value in values.items():
            if isinstance(value, float):
                row[name] = None if math.isnan(value) else value
    return rows


def same(answer: Any, expected: Any, tolerance: float = 1e-9, floor: float = 1e-12) -> bool:
    """Whether two answers agree, numbers to within a relative tolerance."""
    if isinstance(expected, dict):
        return answer.keys() == expected.keys() and all(
            same(answer[key], expected[key], tolerance, floor) for key in expected
        )
    if isinstance(expected, float):
        return math.isclose(answer, expected, rel_tol=tolerance, abs_tol=floor)
    return type(answer) is type(expected) and answer == expected


def check(document: dict[str, Any], model: Any, frame: pd.DataFrame, **near: float) -> None:
    """Both engines say to these rows what the model says."""
    labels = np.ravel(model.predict(frame)).tolist()
    probabilities = None
    if isinstance(document["output"], dict) and document["output"]["type"] == "record":
        rows = np.asarray(model.predict_proba(frame), dtype=float).tolist()
        names = [str(label) for label in model.classes_.tolist()]
        probabilities = [dict(zip(names, row, strict=True)) for row in rows]
    text = json.dumps(document, allow_nan=False)
    given = records(frame)
    compiled, reference = pfa.load(text), pfa.load(text, compiled=False)
    assert compiled.fallback is None
    answers = compiled.score_batch(given)
    for row, answer in enumerate(answers):
        expected = labels[row]
        if probabilities is not None:
            expected = {"label": expected, "probability": probabilities[row]}
        assert same(answer, expected, **near), (row, given[row], answer, expected)
    # Sums of products are the processor's in titus2: docs/semantics.md.
    for answer, other in zip(answers, reference.score_batch(given[:40]), strict=False):
        assert same(answer, other, 1e-9 if near else 1e-11)
    few = [*range(min(20, len(given))), *range(max(20, len(given) - 20), len(given))]
    on_stock(text, [given[i] for i in few], [answers[i] for i in few])


def on_stock(text: str, given: list[Any], answers: list[Any]) -> None:
    """Stock titus2, as it is installed, says the same."""
    for record, answer, other in zip(given, answers, stock.scored(text, given), strict=True):
        assert same(other, answer), ("stock titus2", record, answer, other)


@pytest.fixture(autouse=True)
def every_document_on_stock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each document that a test exports, stock titus2 and the gate score the examples too."""
    from exporters import export

    certify = export.certify

    def certified(*given: Any, **options: Any) -> dict[str, Any]:
        document = certify(*given, **options)
        records = [each["input"] for each in json.loads(document["metadata"]["examples"])]
        text = json.dumps(document)
        answers = pfa.load(text).score_batch(records)
        on_stock(text, records, answers)
        for example, answer in zip(replay.read(document["metadata"]), answers, strict=True):
            assert replay.judge(example, answer)[0] is None
        return document

    monkeypatch.setattr(export, "certify", certified)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the libraries warn: what they say of convergence and of each other is not ours."""
    for item in items:
        if "exporters" in item.path.parts:
            item.add_marker(pytest.mark.filterwarnings("ignore"))
