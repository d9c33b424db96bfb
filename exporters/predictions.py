"""How each library is asked: the rows that it takes, and what it says to them."""

from typing import Any

import numpy as np

from exporters.document import Prediction
from exporters.errors import UnsupportedError
from exporters.supported import class_name


def rows_of(model: Any, data: Any) -> Any:
    """Return the rows that the document's input is made of, as a DataFrame or an array."""
    if class_name(model).startswith("pyspark."):
        from exporters.spark.frames import rows_of as rows_of_spark

        return rows_of_spark(model, data)
    return data


def answers(model: Any, rows: Any, output: str, prediction: Prediction) -> list[Any]:
    """Return what the source library says to each row, as JSON values."""
    if class_name(model).startswith("pyspark."):
        from exporters.spark.frames import asked

        labels, shares = asked(model, rows, prediction.classes)
    else:
        labels = list(_labels(model, rows)) if output != "predict_proba" else []
        shares = [] if output == "predict" else np.asarray(model.predict_proba(rows)).tolist()
    made = {"double": float, "string": str, "boolean": bool}.get(prediction.type, int)
    labels = [made(value) for value in labels]
    if output == "predict":
        return labels
    names = [
        str(label).lower() if isinstance(label, bool) else str(label)
        for label in prediction.classes
    ]
    if len(shares) and len(shares[0]) != len(names):
        raise UnsupportedError(f"{len(shares[0])} probabilities of {len(names)} classes.")
    probabilities = [dict(zip(names, map(float, row), strict=True)) for row in shares]
    if output == "predict_proba":
        return list(probabilities)
    return [
        {"label": label, "probability": row}
        for label, row in zip(labels, probabilities, strict=True)
    ]


def _labels(model: Any, rows: Any) -> list[Any]:
    found = np.asarray(model.predict(rows))
    if found.ndim > 1 and found.shape[1] != 1:
        raise UnsupportedError("A model with several outputs cannot be exported.")
    return list(found.ravel().tolist())
