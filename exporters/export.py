"""The one door: a fitted model and its training data in, a certified PFA document out."""

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from exporters.certificate import SMALL, SMALL_IN_SINGLE, certify
from exporters.columns import avro_names, columns_of, records_of
from exporters.document import Document
from exporters.errors import ExportError
from exporters.predictions import answers, rows_of
from exporters.supported import class_name, predict

EXACT = 1e-9  # relative, for libraries that compute in double precision
SINGLE = 1e-5  # and in single precision: they add the trees' values up in it
_SINGLE = ("xgboost",)
_PACKAGES = {"sklearn": "scikit-learn"}


def to_pfa(
    model: Any,
    X: Any,  # noqa: N803 - as scikit-learn names it
    *,
    name: str,
    version: int | None = None,
    output: str = "auto",
    doc: str | None = None,
    examples: int = 32,
    tolerance: float | None = None,
) -> dict[str, Any]:
    """Return a fitted model as a PFA document.

    ``X`` is a DataFrame, or a two-dimensional array, as the model was fitted to: it gives the
    names and types of the fields, and all of its rows are scored by both sides; a model of Spark's
    takes a DataFrame of either, of which it leaves out what the model does not read. ``output`` is
    "predict", "predict_proba" (a map from class to probability), "both" (a record of them), or
    "auto": both for a classifier that has probabilities. ``examples`` rows travel in the document.
    ``tolerance`` is the largest relative difference, by default 1e-9, and 1e-5 for libraries of
    single precision.

    Raises UnsupportedError for a class or an option that cannot be exported, ParityError if the
    document does not give what the model gives, ExportError for other reasons.
    """
    if avro_names([name]) != [name]:
        raise ExportError(f"{name!r} is no name for a document: {avro_names([name])[0]!r} is one.")
    rows = rows_of(model, X)
    if not len(rows):
        raise ExportError("X has no rows: nothing proves that the document is right.")
    columns = columns_of(rows)
    document = Document(columns)
    prediction = predict(model, document.features, document)
    if output == "auto":
        output = "predict" if prediction.probabilities is None else "both"
    made = document.finished(prediction, output)
    made = {"name": name, **({} if version is None else {"version": version}), **made}
    if doc is not None:
        made["doc"] = doc
    library = class_name(model).partition(".")[0]
    package = _PACKAGES.get(library, library)
    single = _computes_in_single(model)
    if tolerance is None:
        tolerance = SINGLE if single else EXACT
    return certify(
        made,
        records_of(rows, columns),
        answers(model, rows, output, prediction),
        source=f"{package} {import_module(library).__version__}, {type(model).__name__}",
        columns=[column.name for column in columns],
        examples=examples,
        tolerance=tolerance,
        small=SMALL_IN_SINGLE if single else SMALL,
    )


def write_pfa(document: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a document to a file, whole or not at all."""
    target = Path(path)
    half = target.with_name(f".{target.name}.{os.getpid()}")
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        half.write_text(text + "\n", "utf-8")
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)


def _computes_in_single(model: Any) -> bool:
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    return class_name(last).partition(".")[0] in _SINGLE
