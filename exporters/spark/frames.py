"""Rows of Spark, and what its models say to them."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from exporters.columns import columns_of, records_of
from exporters.errors import ExportError, UnsupportedError
from exporters.spark.session import session
from exporters.spark.stages import given, path


def rows_of(model: Any, data: Any) -> Any:
    """Return those columns that a model reads as a pandas DataFrame; the rows are collected."""
    import pandas as pd

    _, names = path(model, list(map(str, data.columns)))
    if isinstance(data, pd.DataFrame):
        return data[names]
    rows = data.select([f"`{name}`" for name in names]).collect()
    return pd.DataFrame([tuple(row) for row in rows], columns=names, dtype=object)


def frame(rows: Any) -> Any:
    """Return rows as a DataFrame of Spark's; a missing number of floating point is NaN."""
    from pyspark.sql import types

    kinds = {
        "double": types.DoubleType(),
        "long": types.LongType(),
        "boolean": types.BooleanType(),
        "string": types.StringType(),
    }
    columns = columns_of(rows)
    fields = [types.StructField(each.name, kinds[each.type]) for each in columns]
    blank = [float("nan") if each.type == "double" else None for each in columns]
    listed = [
        [
            none if value is None else value
            for value, none in zip(record.values(), blank, strict=True)
        ]
        for record in records_of(rows, columns)
    ]
    return session().createDataFrame(listed, types.StructType(fields))


def asked(model: Any, rows: Any, classes: Sequence[Any]) -> tuple[list[Any], list[list[float]]]:
    """Return labels (or numbers) and probabilities for each row; no probabilities: empty."""
    from pyspark.errors import PySparkException

    failures = PySparkException, import_module("py4j.protocol").Py4JJavaError
    data = frame(rows)
    stages, _ = path(model, data.columns)
    for stage in stages:
        data = stage.transform(data)
    wanted = [given(stages[-1], "predictionCol")]
    if classes and given(stages[-1], "probabilityCol"):
        wanted.append(given(stages[-1], "probabilityCol"))
    try:
        found = data.select(wanted).collect()
    except failures as error:
        java = getattr(error, "java_exception", None)
        said = str(error if java is None else java.getMessage()).partition("\n")[0]
        raise ExportError(f"Spark fails at a row of X: {said}") from error
    if len(found) != len(rows):
        raise UnsupportedError("A stage with handleInvalid='skip' leaves rows of X out.")
    labels = [row[0] for row in found]
    if classes:
        labels = [classes[int(label)] for label in labels]
    return labels, [row[1].tolist() for row in found] if len(wanted) == 2 else []
