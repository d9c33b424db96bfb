"""Models of what other models say: stacking, and calibrated probabilities.

Formulas: scikit-learn's user guide, 1.11.5 and 1.16.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from exporters.classes import chosen, of_two, sigmoid, softmax
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.errors import UnsupportedError
from exporters.forests import sum_of_arrays
from exporters.scikit_learn.ensembles import ARRAYS
from exporters.scikit_learn.nonlinear import interpolation
from exporters.supported import predict


def frozen(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """A model that is not fitted again."""
    return predict(model.estimator, features, document)


def stacking_regressor(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """A model of the values of others."""
    return predict(model.final_estimator_, _answers(model, features, document), document)


def stacking_classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """A model of the probabilities of others."""
    inner = predict(model.final_estimator_, _answers(model, features, document), document)
    if list(inner.classes) != list(range(len(model.classes_))):
        raise UnsupportedError("StackingClassifier: its final model does not know all classes.")
    place = {"cast.int": [inner.value]}
    made = chosen(document, model.classes_, place, inner.probabilities)
    return replace(made, margins=inner.margins)


def _answers(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """Return what the first models say, and the features if these are passed on."""
    made: list[Feature] = []
    count = len(getattr(model, "classes_", ()))
    for number, (each, method) in enumerate(
        zip(model.estimators_, model.stack_method_, strict=True)
    ):
        name = f"model_{number}"
        inner = predict(each, features, document)
        if method == "predict":
            made.append(Feature(name, document.let(name, {"cast.double": [inner.value]})))
            continue
        found = inner.probabilities if method == "predict_proba" else inner.margins
        if found is None:
            raise UnsupportedError(f"{type(each).__name__}.{method} cannot be exported.")
        if count > 2:
            made += document.elements(
                document.let(name, found), [f"{name}_{k}" for k in range(count)]
            )
        elif method == "predict_proba":
            made.append(Feature(name, document.let(name, {"attr": found, "path": [1]})))
        else:
            made.append(Feature(name, found))
    return [*made, *features] if model.passthrough else made


def calibrated(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The mean of calibrated probabilities."""
    count = len(model.classes_)
    found = [_calibrated(each, features, document, count) for each in model.calibrated_classifiers_]
    rows = document.let("calibrated", {"type": ARRAYS, "new": found})
    total = sum_of_arrays(document, rows)
    mean = document.let("mean", {"la.scale": [total, 1.0 / len(found)]})
    if count == 2:
        second = document.let("second", {"attr": mean, "path": [1]})
        margin = document.let("margin", {"-": [second, 0.5]})
        return of_two(document, model.classes_, margin, second)
    return chosen(document, model.classes_, {"a.argmax": [mean]}, mean)


def _calibrated(model: Any, features: Sequence[Feature], document: Document, count: int) -> str:
    """Return PFA of the probabilities by one model and its calibrators."""
    inner = predict(model.estimator, features, document)
    by_margin = hasattr(model.estimator, "decision_function")
    scores = inner.margins if by_margin else inner.probabilities
    if scores is None:
        method = "decision_function" if by_margin else "predict_proba"
        raise UnsupportedError(f"{type(model.estimator).__name__}.{method} cannot be exported.")
    if len(model.estimator.classes_) != count:
        raise UnsupportedError("CalibratedClassifierCV: a part of the data lacks a class.")
    if model.method == "temperature":
        return _tempered(model.calibrators[0], document, scores, by_margin, count)
    if count == 2:
        score = scores if by_margin else {"attr": scores, "path": [1]}
        second = document.let("one", _calibration(model.calibrators[0], document, score))
        both = {"type": DOUBLES, "new": [{"-": [1.0, second]}, second]}
        return document.let("both", both)
    new = [
        _calibration(each, document, {"attr": scores, "path": [k]})
        for k, each in enumerate(model.calibrators)
    ]
    each = document.let("each", {"type": DOUBLES, "new": new})
    total = document.let("total", {"a.sum": [each]})
    share = {"if": {">": [total, 0.0]}, "then": {"/": ["v", total]}, "else": 1.0 / count}
    step = {"params": [{"v": "double"}], "ret": "double", "do": share}
    return document.let("all", {"a.map": [each, step]})


def _calibration(calibrator: Any, document: Document, score: Any) -> Any:
    """Return PFA of a probability: a sigmoid of the score, or steps with lines between."""
    if hasattr(calibrator, "a_"):
        slope = document.cell("slope", "double", float(calibrator.a_))
        offset = document.cell("offset", "double", float(calibrator.b_))
        return sigmoid({"u-": [{"+": [{"*": [slope, score]}, offset]}]})
    edges = np.asarray(calibrator.X_thresholds_, dtype=float)
    steps = np.asarray(calibrator.y_thresholds_, dtype=float)
    cells = [
        document.cell("scores", DOUBLES, edges.tolist()),
        document.cell("steps", DOUBLES, steps.tolist()),
    ]
    return {interpolation(document): [score, *cells]}


def _tempered(calibrator: Any, document: Document, scores: Any, by_margin: bool, count: int) -> str:
    """Return PFA of the softmax of the scores over a temperature."""
    beta = document.cell("beta", "double", float(calibrator.beta_))
    if by_margin and count == 2:
        scores = {"type": DOUBLES, "new": [{"u-": [scores]}, scores]}
    log = "v" if by_margin else {"m.ln": [{"+": ["v", 1e-12]}]}
    step = {"params": [{"v": "double"}], "ret": "double", "do": {"*": [beta, log]}}
    logits = document.let("logits", {"a.map": [scores, step]})
    return softmax(document, logits)
