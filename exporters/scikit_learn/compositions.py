"""Pipelines, ColumnTransformer and FeatureUnion."""

from collections.abc import Sequence
from typing import Any

from exporters.classes import chosen
from exporters.document import Document, Feature, Prediction
from exporters.errors import UnsupportedError
from exporters.supported import predict, transform


def pipeline(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """Transformers, and then a model."""
    return predict(model.steps[-1][1], _through(model.steps[:-1], features, document), document)


def pipeline_of_transformers(
    model: Any, features: Sequence[Feature], document: Document
) -> list[Feature]:
    """Transformers, one after the other."""
    return _through(model.steps, features, document)


def _through(
    steps: Sequence[Any], features: Sequence[Feature], document: Document
) -> list[Feature]:
    made = list(features)
    for _, step in steps:
        if step is not None and step != "passthrough":
            made = transform(step, made, document)
    return made


def by_columns(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """Each transformer has its columns; what they make is put side by side."""
    made: list[Feature] = []
    names = [feature.name for feature in features]
    own = list(getattr(model, "feature_names_in_", names))
    if {*own} <= {*names}:
        features = [features[names.index(name)] for name in own]  # positions are those of the fit
    if len(own) == len(features):  # set_output has names of its own
        names = own
    for name, step, columns in model.transformers_:
        if step == "drop":
            continue
        taken = [features[i] for i in _positions(columns, names)]
        if taken:
            made += _weighted(model, name, step, taken, document)
    return made


def _weighted(
    model: Any, name: str, step: Any, features: Sequence[Feature], document: Document
) -> list[Feature]:
    """Return what a transformer makes, times its weight if it has one."""
    made = list(features) if isinstance(step, str) else transform(step, features, document)
    weight = (model.transformer_weights or {}).get(name)
    if weight is None or not made:
        return made
    scaled = {"la.scale": [document.doubles(made), float(weight)]}
    variable = document.let(f"{name}_weighted", scaled)
    return document.elements(variable, [feature.name for feature in made])


def _positions(columns: Any, names: Sequence[str]) -> list[int]:
    """Return the positions of the columns that a transformer has."""
    if isinstance(columns, slice):
        start, stop = columns.start, columns.stop
        if isinstance(start, str) or isinstance(stop, str):  # as pandas has it: with the last one
            first = None if start is None else names.index(start)
            columns = slice(first, None if stop is None else names.index(stop) + 1, columns.step)
        return list(range(len(names))[columns])
    listed = [columns] if isinstance(columns, str | int) else list(columns)
    if all(isinstance(each, bool) or type(each).__name__ == "bool" for each in listed):
        return [i for i, each in enumerate(listed) if each]
    try:
        return [names.index(each) if isinstance(each, str) else int(each) for each in listed]
    except ValueError:
        raise UnsupportedError("A column of the ColumnTransformer is not in X.") from None


def union(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """Several transformers of the same columns; what they make is put side by side."""
    made: list[Feature] = []
    for name, step in model.transformer_list:
        if step != "drop":
            made += _weighted(model, name, step, features, document)
    return made


def searched(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The best model of a search, fitted again to all rows."""
    if not model.refit:
        raise UnsupportedError(f"{type(model).__name__}(refit=False) has no model to export.")
    return predict(model.best_estimator_, features, document)


def thresholded(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """A classifier of two classes with a threshold of its own on a probability."""
    inner = predict(model.estimator_, features, document)
    if inner.probabilities is None or model.response_method == "decision_function":
        raise UnsupportedError("A threshold can be exported on a probability only.")
    classes = list(model.classes_)
    if hasattr(model, "best_threshold_"):
        threshold, positive = model.best_threshold_, model._curve_scorer._get_pos_label()
    else:
        threshold = 0.5 if model.threshold == "auto" else model.threshold
        positive = model.pos_label
    place = 1 if positive is None else classes.index(positive)
    cell = document.cell("threshold", "double", float(threshold))
    probability = {"attr": inner.probabilities, "path": [place]}
    index = {"if": {">=": [probability, cell]}, "then": place, "else": 1 - place}
    return chosen(document, model.classes_, index, inner.probabilities)
