"""Spark's pipelines: stages that read columns by name and make others."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from exporters.document import Document, Feature, Prediction
from exporters.spark.stages import given, labels, path
from exporters.supported import predict, step

UNKNOWN = "__unknown"  # what Spark calls the label that StringIndexer(handleInvalid="keep") adds


def pipeline(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The stages that the model's features are made by, and the model."""
    stages, _ = path(model, [feature.name for feature in features])
    columns = {feature.name: [feature] for feature in features}
    for stage in stages[:-1]:
        columns |= step(stage, columns, document)
    last = stages[-1]
    made = predict(last, columns[given(last, "featuresCol")], document)
    texts = labels(model)
    if texts is None or not made.classes:
        return made
    texts = [*texts, *[UNKNOWN] * (len(made.classes) - len(texts))][: len(made.classes)]
    document.cells[made.value["cell"]] = {
        "type": {"type": "array", "items": "string"},
        "init": texts,
    }
    return replace(made, type="string", classes=tuple(texts))
