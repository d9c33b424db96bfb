"""Fit five models with scikit-learn and write each for every engine: ours, and its peers'.

    python -m benchmarks.train FOLDER        (with the Python of .cache/peers)

Seeded: the same versions write the same files. A folder per model gets `sklearn.pickle`,
`model.pfa`, `model.onnx`, `treelite.bin` and `model.py` (m2cgen's) as far as each engine has such
a model; `records.json`, the rows as a caller sends them; `expected.json`, scikit-learn's answers.
Its own answer is one number a row: of a classifier the probability of its second class.

All numbers of the rows are exact in single precision, in which ONNX Runtime and treelite compute,
so that no row falls to another side of a tree's cut there.
"""

from __future__ import annotations

import csv
import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from benchmarks import train_peers, train_pfa

ROOT = Path(__file__).resolve().parent.parent
SEED = 1
TREES, STAGES = 500, 1000
FIELDS = 41  # of the logistic regression: as many as KDD Cup 1999 has

Data = tuple[list[str], np.ndarray, np.ndarray]  # names of the columns, rows, what to learn


def sonar() -> Data:
    """60 energies of a sonar's echo; whether it came from a mine (M) or a rock (R)."""
    with (ROOT / "data/sonar/sonar.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    head = [] if is_number(rows[0][0]) else rows.pop(0)[:60]
    names = head or [f"V{number}" for number in range(1, 61)]
    return names, single([row[:60] for row in rows]), np.array([row[60] for row in rows])


def homes() -> Data:
    """Six columns on homes, their prices."""
    with (ROOT / "data/real_estate/real_estate.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = ["date", "age", "distance", "stores", "latitude", "longitude"]
    values = [list(row.values())[-7:] for row in rows]
    return names, single([row[:6] for row in values]), np.array([float(row[6]) for row in values])


def distances() -> Data:
    """Metres from a home to the metro, its price."""
    names, rows, prices = homes()
    at = names.index("distance")
    return ["distance"], rows[:, at : at + 1], prices


def connections() -> Data:
    """Made up: 41 numbers, two classes that overlap."""
    rows, classes = make_classification(
        n_samples=2000, n_features=FIELDS, n_informative=12, flip_y=0.1, random_state=SEED
    )
    return [f"x{number}" for number in range(1, FIELDS + 1)], single(rows), classes


def is_number(text: str) -> bool:
    """Whether a field of a CSV file is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def single(rows: Any) -> np.ndarray:
    """Doubles that hold numbers of single precision."""
    return np.array(rows, dtype=np.float64).astype(np.float32).astype(np.float64)


# name -> data, estimator, PFA of the fitted estimator, and which peers have such a model
Plan = tuple[Callable[[], Data], Any, Callable[..., dict[str, Any]], tuple[str, ...]]
PLANS: dict[str, Plan] = {
    "naive_bayes": (sonar, GaussianNB(), train_pfa.naive_bayes, ("onnx",)),
    "logistic": (
        connections,
        LogisticRegression(C=0.1, max_iter=1000),
        train_pfa.logistic,
        ("onnx", "m2cgen"),
    ),
    "forest": (
        homes,
        RandomForestRegressor(TREES, min_samples_split=5, random_state=SEED),
        train_pfa.forest,
        ("onnx", "treelite", "m2cgen"),
    ),
    "boosting": (
        homes,
        GradientBoostingRegressor(
            n_estimators=STAGES, max_depth=3, learning_rate=0.05, random_state=SEED
        ),
        train_pfa.boosting,
        ("onnx", "treelite", "m2cgen"),
    ),
    "logarithm": (
        distances,
        make_pipeline(FunctionTransformer(np.log), LinearRegression()),
        train_pfa.logarithm,
        ("onnx", "m2cgen"),
    ),
}


def train(folder: Path, plan: Plan) -> None:
    """Fit one model and write its files into `folder`."""
    data, estimator, to_pfa, peers = plan
    names, rows, wanted = data()
    estimator.fit(rows, wanted)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sklearn.pickle").write_bytes(pickle.dumps(estimator))
    records = [dict(zip(names, row, strict=True)) for row in rows.tolist()]
    (folder / "records.json").write_text(json.dumps(records), "utf-8")
    expected = (
        estimator.predict_proba(rows)[:, 1]
        if hasattr(estimator, "predict_proba")
        else estimator.predict(rows)
    )
    (folder / "expected.json").write_text(json.dumps(expected.tolist()), "utf-8")
    document = json.dumps(to_pfa(estimator, names), separators=(",", ":"))
    (folder / "model.pfa").write_text(document, "utf-8")
    for peer in peers:
        getattr(train_peers, f"write_{peer}")(estimator, len(names), folder)


def main() -> None:
    """Write all of them."""
    folder = Path(sys.argv[1])
    for name, plan in PLANS.items():
        train(folder / name, plan)
        sizes = {path.name: path.stat().st_size for path in sorted((folder / name).iterdir())}
        print(name, sizes, flush=True)


if __name__ == "__main__":
    main()
