"""The documents on which the engines are compared, with their records and what is promised.

Most are the sample models and R's own (data/r_models); the large ones, boosting and linear
discriminant analysis are made here, the same each time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import make_boosting, make_discriminant
from scripts.make_forest import forest, rows
from scripts.sample import DATA, MODELS, Document, examples

WARM = 20_000  # records after which ours is warm: by then numpy walks in forests


@dataclass(frozen=True)
class Case:
    """A document and what is asked of it.

    Attributes:
        name: as in the tables.
        make: gives the document's text and its records.
        faster: at least so many times stock titus2's records a second.
        microseconds: at most so many a record.
        loads: at least so many times faster from text to ready model.
        memory: at most this share of stock's peak memory.
        numpy: whether the engine may import numpy for it.
        close: largest relative difference of answers where titus2 itself, through BLAS, is not
            reproducible; 0 where every bit must be the same.
    """

    name: str
    make: Callable[[], tuple[str, list[Any]]]
    faster: float | None = None
    microseconds: float | None = None
    loads: float = 1.0
    memory: float | None = None
    numpy: bool = False
    close: float = 0.0


def from_r(name: str) -> Callable[[], tuple[str, list[Any]]]:
    """Document and rows of data/r_models."""

    def make() -> tuple[str, list[Any]]:
        cases = json.loads((DATA / f"r_models/{name}.cases.json").read_text("utf-8"))
        return (DATA / f"r_models/{name}.pfa").read_text("utf-8"), cases["inputs"]

    return make


def sample(name: str) -> Callable[[], tuple[str, list[Any]]]:
    """A sample model and its examples."""

    def make() -> tuple[str, list[Any]]:
        text = (MODELS / f"{name}.pfa").read_text("utf-8")
        return text, [record for record, _ in examples(json.loads(text))]

    return make


def large_forest(trees: int) -> Callable[[], tuple[str, list[Any]]]:
    """The forest of scripts/make_forest.py and the homes of its data."""
    return lambda: (written(forest(trees)), [home for home, _ in rows()])


def written(document: Document) -> str:
    """A document as text, without spaces: as R's exporter writes it."""
    return json.dumps(document, separators=(",", ":"))


def boosted() -> tuple[str, list[Any]]:
    """Boosted trees, and homes some of which lack a value."""
    return written(make_boosting.boosting()), list(make_boosting.records())


def discriminant() -> tuple[str, list[Any]]:
    """A linear discriminant and the irises."""
    document, irises = make_discriminant.discriminant()
    return written(document), irises


def credit() -> tuple[str, list[Any]]:
    """The sample model and 200 applicants."""
    cases = json.loads((DATA / "credit/cases.json").read_text("utf-8"))
    return (MODELS / "credit.pfa").read_text("utf-8"), cases["inputs"]


CASES = (
    Case("forest, 500 trees", large_forest(500), faster=150, loads=20, memory=0.5),
    Case("forest, 100 trees", large_forest(100), faster=150),
    Case("boosting, 1000 deep trees", boosted, faster=300),
    Case("boosting, 1000 trees (pima_gbm)", from_r("pima_gbm"), faster=300),
    Case("forest, 500 trees of votes (sonar_rf)", from_r("sonar_rf"), faster=150),
    Case("forest, 100 trees (iris_rf)", from_r("iris_rf"), faster=150),
    Case("naive Bayes, 60 fields (sonar_nb)", from_r("sonar_nb"), faster=80),
    Case("rpart tree (iris_rpart)", from_r("iris_rpart"), faster=60),
    Case("rpart tree and checks (credit)", credit),
    Case("linear discriminant", discriminant, faster=15, close=1e-12),
    Case("k-means (iris_kmeans)", from_r("iris_kmeans"), faster=8),
    Case("logistic regression (pima_glm)", from_r("pima_glm"), faster=10, close=1e-12),
    Case("linear regression (boston_lm)", from_r("boston_lm"), faster=10, close=1e-12),
    Case("a + b·log(x) (real_estate)", sample("real_estate"), microseconds=1.5),
    Case("one addition (hello)", sample("hello"), microseconds=1.5),
)


def write(case: Case, folder: Path) -> tuple[Path, Path]:
    """Write a case's document and records into `folder`; give both paths."""
    text, records = case.make()
    document, inputs = folder / "document.pfa", folder / "records.json"
    document.write_text(text, "utf-8")
    inputs.write_text(json.dumps(records), "utf-8")
    return document, inputs
