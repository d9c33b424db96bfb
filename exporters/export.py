"""The one door: a fitted model and its training data in, a certified PFA document out."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from exporters.boosters import wrapped
from exporters.certificate import SMALL, SMALL_IN_SINGLE, certify
from exporters.columns import avro_names, columns_of, records_of
from exporters.document import Document
from exporters.errors import ExportError, ParityError
from exporters.predictions import answers, rows_of
from exporters.supported import class_name, predict

EXACT = 1e-9  # relative, for libraries that compute in double precision
SINGLE = 1e-5  # and in single precision: they add the trees' values up in it
_SINGLE = ("xgboost",)
_COEFFICIENTS = ("coef_", "feature_log_prob_", "theta_")
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
    if [name] != (right := avro_names([str(name)])):
        raise ExportError(f"{name!r} is no name for a document: {right[0]!r} is one.")
    model = wrapped(model)
    rows = rows_of(model, X)
    columns = columns_of(rows)
    if not len(rows):
        raise ExportError("X has no rows: nothing proves that the document is right.")
    document = Document(columns)
    with _said_of(model, "cannot be read; is it fitted, and of a release that is supported?"):
        prediction = predict(model, document.features, document)
    if output == "auto":
        output = "predict" if prediction.probabilities is None else "both"
    made = document.finished(prediction, output)
    made = {"name": name, **({} if version is None else {"version": version}), **made}
    if doc is not None:
        made["doc"] = doc
    with _said_of(model, "fails at X:"):
        expected = answers(model, rows, output, prediction)
    library = class_name(model).partition(".")[0]
    package = _PACKAGES.get(library, library)
    single = _computes_in_single(model, rows)
    if tolerance is None:
        tolerance = SINGLE if single else EXACT
    try:
        return certify(
            made,
            records_of(rows, columns),
            expected,
            source=f"{package} {import_module(library).__version__}, {type(model).__name__}",
            columns=[column.name for column in columns],
            examples=examples,
            tolerance=tolerance,
            small=SMALL_IN_SINGLE if single else SMALL,
        )
    except ParityError as error:
        if not any(name.startswith("Neighbour") for name in document.names):
            raise
        raise ParityError(
            f"{error} Where neighbours are equally far, the document takes the first of the"
            " training data; scikit-learn takes any."
        ) from error


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


@contextmanager
def _said_of(model: Any, what: str) -> Iterator[None]:
    """Make an ExportError of what a library raises, or of what a model lacks."""
    try:
        yield
    except ExportError:
        raise
    except Exception as error:
        name = type(model).__name__
        raise ExportError(f"{name} {what} {type(error).__name__}: {error}") from error


def _computes_in_single(model: Any, rows: Any) -> bool:
    """Tell whether a library computes in single precision; scikit-learn does of such columns.

    They may come from a transformer, and a model that was fitted to them has such coefficients.
    """
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    kinds = [*rows.dtypes] if hasattr(rows, "columns") else [getattr(rows, "dtype", None)]
    fitted = [getattr(last, name, None) for name in _COEFFICIENTS]
    fitted += getattr(last, "coefs_", [])  # of a neural network, by layer
    kinds += [getattr(each, "dtype", None) for each in fitted]
    return class_name(last).partition(".")[0] in _SINGLE or any(
        str(kind).lower() in ("float16", "float32") for kind in kinds
    )
