"""How Spark's classifiers choose: by the largest share, by thresholds, or by a margin."""

from typing import Any

from exporters.classes import chosen
from exporters.document import DOUBLES, Document, Prediction
from exporters.errors import UnsupportedError
from exporters.spark.stages import given


def likeliest(
    document: Document, model: Any, scores: str, probabilities: str, count: int
) -> Prediction:
    """Return the class of the largest score, or of the largest probability over its threshold."""
    thresholds = given(model, "thresholds")
    if thresholds is None:
        index: Any = {"a.argmax": [scores]}
    elif min(thresholds) > 0:
        cell = document.cell("thresholds", DOUBLES, [float(each) for each in thresholds])
        over = {
            "params": [{"p": "double"}, {"threshold": "double"}],
            "ret": "double",
            "do": {"/": ["p", "threshold"]},
        }
        index = {"a.argmax": [{"a.zipmap": [probabilities, cell, over]}]}
    else:
        raise UnsupportedError(f"{type(model).__name__}: a threshold of 0 cannot be exported.")
    return chosen(document, numbers(count), index, probabilities)


def of_margin(
    document: Document, margin: str, threshold: float, probability: Any = None
) -> Prediction:
    """Return the second class where the margin is larger than a threshold.

    ``probability`` is PFA of the second one's.
    """
    least = document.cell("threshold", "double", threshold)
    index = {"if": {">": [margin, least]}, "then": 1, "else": 0}
    both = None
    if probability is not None:
        second = document.let("second", probability)
        values = {"type": DOUBLES, "new": [{"-": [1.0, second]}, second]}
        both = document.let("probability", values)
    return chosen(document, numbers(2), index, both)


def numbers(count: int) -> list[float]:
    """Return the classes, which Spark counts from 0.0 on."""
    return [float(i) for i in range(count)]
