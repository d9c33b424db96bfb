"""Which stages of a fitted pipeline make a prediction, and which columns they read."""

from collections.abc import Sequence
from typing import Any

from exporters.errors import ExportError, UnsupportedError


def flattened(model: Any) -> list[Any]:
    """Return the stages of a pipeline, those of pipelines in it among them."""
    if hasattr(model, "bestModel"):
        return flattened(model.bestModel)
    if type(model).__name__ != "PipelineModel":
        return [model]
    return [stage for each in model.stages for stage in flattened(each)]


def given(stage: Any, name: str) -> Any:
    """Return the value of a parameter, or None if it has none."""
    if not stage.hasParam(name) or not stage.isDefined(stage.getParam(name)):
        return None
    return stage.getOrDefault(stage.getParam(name))


def reads(stage: Any) -> list[str]:
    """Return the names of the columns that a transformer reads."""
    several = given(stage, "inputCols")
    return list(several) if several is not None else [given(stage, "inputCol")]


def makes(stage: Any) -> list[str]:
    """Return the names of the columns that a transformer makes."""
    if stage.hasParam("outputCols") and given(stage, "inputCols") is not None:
        return list(given(stage, "outputCols"))
    return [given(stage, "outputCol")]


def path(model: Any, names: Sequence[str]) -> tuple[list[Any], list[str]]:
    """Return the stages that make the prediction, and the columns that the first ones read.

    ``names`` are the columns that there are. Of a model alone they are all its features, by their
    order: it gets a VectorAssembler.
    """
    stages = flattened(model)
    while len(stages) > 1 and type(stages[-1]).__name__ == "IndexToString":
        stages.pop()
    last = stages.pop()
    if given(last, "featuresCol") is None:
        raise UnsupportedError(f"{type(last).__name__} is no model: a pipeline must end in one.")
    if not stages:
        from pyspark.ml.feature import VectorAssembler

        column = given(last, "featuresCol")
        first = VectorAssembler(inputCols=list(names), outputCol=column, handleInvalid="keep")
        return [first, last], list(names)
    wanted = {given(last, "featuresCol")}
    needed = [last]
    for stage in reversed(stages):
        made = makes(stage) if given(stage, "inputCols") or given(stage, "inputCol") else []
        if wanted.isdisjoint(made):
            continue
        wanted = (wanted - set(made)) | set(reads(stage))
        needed.append(stage)
    absent = sorted(wanted - set(names))
    if absent:
        raise ExportError(f"X has no column {absent[0]!r}, which the pipeline reads.")
    return needed[::-1], [name for name in names if name in wanted]


def labels(model: Any) -> list[str] | None:
    """Return the texts of the classes: of an IndexToString, or of the label's StringIndexer."""
    stages = flattened(model)
    if type(stages[-1]).__name__ == "IndexToString" and len(stages) > 1:
        found = given(stages[-1], "labels")
        if found:
            return list(found)
        stages = [each for each in stages if type(each).__name__ != "IndexToString"]
    column = given(stages[-1], "labelCol")
    for stage in stages:
        if type(stage).__name__ == "StringIndexerModel" and column in makes(stage):
            return list(stage.labelsArray[makes(stage).index(column)])
    return None
