"""Proof that a document gives what the source library gives, and the examples that travel in it.

The certificate is metadata of the document: texts, as PFA has it.

source         library and version, class of the model
columns        names of the training columns, a JSON list
examples       JSON list of {"input": record, "expected": what the source library predicts}
tolerance      relative difference within which the examples must agree
rows           rows of X that were compared at the export
largest-error  the largest relative difference among them; absolute-error the largest absolute one
"""

import json
from collections.abc import Sequence
from typing import Any

import pfa
from exporters.errors import ExportError, ParityError

# Numbers much smaller than the largest of their kind are compared with a share of that one: a
# log-odds of 1e-17 is a zero. In single precision 1 - p has the absolute error of 1.
SMALL, SMALL_IN_SINGLE = 1e-3, 1.0


def certify(
    document: dict[str, Any],
    records: Sequence[Any],
    expected: Sequence[Any],
    *,
    source: str,
    columns: Sequence[str],
    examples: int,
    tolerance: float,
    small: float = SMALL,
) -> dict[str, Any]:
    """Return the document with its certificate, or raise ParityError with the row that differs."""
    try:
        model = pfa.load(document)
    except pfa.DocumentError as error:  # an infinity among the parameters, for one
        raise ExportError(f"The model's parameters make no valid document: {error}") from error
    answers = model.score_batch(list(records))
    largest = {"": 0.0}
    for value in expected:
        _largest(value, "", largest, small)
    worst, absolute = 0.0, 0.0
    for row, (answer, value) in enumerate(zip(answers, expected, strict=True)):
        if isinstance(answer, pfa.PfaError):
            raise ParityError(f"Row {row}: the document fails: {answer}")
        relative, difference = _difference(answer, value, "", largest)
        if not relative <= tolerance:
            raise ParityError(
                f"Row {row}: the document gives {json.dumps(answer)}, the model"
                f" {json.dumps(value)}: off by {relative:.3g}, more than {tolerance:g}."
            )
        worst, absolute = max(worst, relative), max(absolute, difference)
    chosen = _spread(len(records), examples)
    shown = [{"input": records[i], "expected": expected[i]} for i in chosen]
    metadata = {
        "source": source,
        "columns": json.dumps(list(columns)),
        "examples": json.dumps(shown, allow_nan=False),
        "tolerance": repr(tolerance),
        "rows": str(len(records)),
        "largest-error": repr(worst),
        "absolute-error": repr(absolute),
    }
    certified = {**document, "metadata": metadata}
    _check_reference(certified, shown, tolerance, largest)
    return certified


def _check_reference(
    document: dict[str, Any],
    shown: Sequence[dict[str, Any]],
    tolerance: float,
    largest: dict[str, float],
) -> None:
    """Score the examples with titus2 itself."""
    model = pfa.load(document, compiled=False)
    for number, answer in enumerate(model.score_batch([each["input"] for each in shown])):
        if isinstance(answer, pfa.PfaError):
            raise ParityError(f"Example {number}: titus2 fails: {answer}")
        if not _difference(answer, shown[number]["expected"], "", largest)[0] <= tolerance:
            raise ParityError(f"Example {number}: titus2 gives {json.dumps(answer)}.")


def _spread(rows: int, wanted: int) -> list[int]:
    """Return so many row numbers, from the first to the last."""
    count = min(rows, wanted)
    return [round(i * (rows - 1) / max(count - 1, 1)) for i in range(count)]


def _largest(value: Any, place: str, found: dict[str, float], share: float) -> None:
    """Note this share of the largest number of each place in an answer."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _largest(inner, f"{place}/{key}", found, share)
    elif isinstance(value, float):
        found[place] = max(found.get(place, 0.0), share * abs(value))


def _difference(
    answer: Any, expected: Any, place: str, largest: dict[str, float]
) -> tuple[float, float]:
    """Return the largest relative and absolute difference of two answers; infinite: not alike."""
    if isinstance(answer, dict) and isinstance(expected, dict):
        if answer.keys() != expected.keys():
            return float("inf"), float("inf")
        parts = [
            _difference(answer[key], expected[key], f"{place}/{key}", largest) for key in expected
        ]
        return max(each for each, _ in parts), max(each for _, each in parts)
    if isinstance(answer, float) and isinstance(expected, float):
        off = abs(answer - expected)
        scale = max(abs(expected), largest.get(place, 0.0))
        return (off / scale if scale else (0.0 if off == 0 else float("inf"))), off
    same = type(answer) is type(expected) and answer == expected
    return (0.0, 0.0) if same else (float("inf"), float("inf"))
