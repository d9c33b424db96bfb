"""Proof that a document gives what the source library gives, and the examples that travel in it.

The certificate is metadata of the document: texts, as PFA has it.

source         library and version, class of the model
columns        names of the training columns, a JSON list
examples       JSON list of {"input": record, "expected": what the source library predicts}, and a
               "tolerance" of its own where one with small numbers needs it
tolerance      relative difference within which the examples must agree
rows           rows of X that were compared at the export
largest-error  the largest relative difference among them; absolute-error the largest absolute one
"""

import json
import math
from collections.abc import Sequence
from typing import Any

import pfa
from exporters.errors import ExportError, ParityError

# Numbers much smaller than the largest of their kind are compared with a share of that one: a
# log-odds of 1e-17 is a zero. In single precision 1 - p has the absolute error of 1.
SMALL, SMALL_IN_SINGLE = 1e-3, 1.0
NOTHING = 1e-12  # an absolute difference that is none in an example, as the gate has it
TIED = 1e-13  # a difference of two probabilities that is none: rounding in the sum of 500 trees
MOST = 0.1  # relative difference of small numbers, from which on a row is no example


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
    own: Sequence[float] = (),
) -> dict[str, Any]:
    """Return the document with its certificate, or raise ParityError with the row that differs.

    ``own`` are tolerances of the rows, where these are larger.
    """
    text = json.dumps(document)  # once: of a large forest it takes a second
    try:
        model = pfa.load(text)
    except pfa.DocumentError as error:  # an infinity among the parameters, for one
        raise ExportError(f"The model's parameters make no valid document: {error}") from error
    answers = model.score_batch(list(records))
    largest = {"": 0.0}
    for value in expected:
        _largest(value, "", largest, small)
    worst, absolute = 0.0, 0.0
    for row, (answer, value) in enumerate(zip(answers, expected, strict=True)):
        most = max(tolerance, own[row]) if own else tolerance
        if isinstance(answer, pfa.PfaError):
            raise ParityError(f"Row {row}: the document fails: {answer}")
        if _is_tied(answer, value):
            answer = {**answer, "label": value["label"]}
        relative, difference = _difference(answer, value, "", largest)
        if not relative <= most:
            raise ParityError(
                f"Row {row}: the document gives {json.dumps(answer)}, the model"
                f" {json.dumps(value)}: off by {relative:.3g}, more than {most:g}."
            )
        worst, absolute = max(worst, relative), max(absolute, difference)
    shown = []
    for i in _spread(len(records), examples):
        example = {"input": records[i], "expected": expected[i]}
        # who replays an example knows no other row: it is held to its own numbers, however small
        near = _difference(answers[i], expected[i], "", {}, NOTHING)[0]
        if near > tolerance:
            example["tolerance"] = 2.0 * near
        if near < MOST:
            shown.append(example)
    metadata = {
        "source": source,
        "columns": json.dumps(list(columns)),
        "examples": json.dumps(shown, allow_nan=False),
        "tolerance": repr(tolerance),
        "rows": str(len(records)),
        "largest-error": repr(worst),
        "absolute-error": repr(absolute),
    }
    _check_reference(text, shown, tolerance, largest)
    return {**document, "metadata": metadata}


def verified(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document that R has written with what its certificate lacks, by its examples.

    Of one that has been certified the certificate stays as it is. Raises ParityError; ExportError
    if there are no examples with what is expected.
    """
    metadata = document.get("metadata", {})
    try:
        examples = json.loads(metadata["examples"])
        inputs = [each["input"] for each in examples]
        expected = [each["expected"] for each in examples]
        tolerance = float(metadata["tolerance"])
        own = [float(each.get("tolerance", tolerance)) for each in examples]
        columns = json.loads(metadata["columns"])
        source = metadata["source"]
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"The document has no certificate of an exporter: {error!r}") from error
    certified = certify(
        document,
        inputs,
        expected,
        source=source,
        columns=columns,
        examples=len(examples),
        tolerance=tolerance,
        small=SMALL_IN_SINGLE if "xgboost" in source else SMALL,
        own=own,
    )
    return {**document, "metadata": {**certified["metadata"], **metadata}}


def _check_reference(
    text: str,
    shown: Sequence[dict[str, Any]],
    tolerance: float,
    largest: dict[str, float],
) -> None:
    """Score the examples with titus2 itself."""
    model = pfa.load(text, compiled=False)
    for number, answer in enumerate(model.score_batch([each["input"] for each in shown])):
        if isinstance(answer, pfa.PfaError):
            raise ParityError(f"Example {number}: titus2 fails: {answer}")
        most = max(tolerance, shown[number].get("tolerance", tolerance))
        if not _difference(answer, shown[number]["expected"], "", largest)[0] <= most:
            raise ParityError(f"Example {number}: titus2 gives {json.dumps(answer)}.")


def _spread(rows: int, wanted: int) -> list[int]:
    """Return so many row numbers, from the first to the last."""
    count = min(rows, wanted)
    return [round(i * (rows - 1) / max(count - 1, 1)) for i in range(count)]


def _largest(value: Any, place: str, found: dict[str, float], share: float) -> None:
    """Note this share of the largest number of each place in an answer."""
    if isinstance(value, dict):
        numbers = [abs(inner) for inner in value.values() if isinstance(inner, float)]
        for key, inner in value.items():
            # in single precision one of the probabilities is 1 minus the others
            is_single = share == SMALL_IN_SINGLE and isinstance(inner, float)
            _largest(max(numbers) if is_single else inner, f"{place}/{key}", found, share)
    elif isinstance(value, float):
        found[place] = max(found.get(place, 0.0), share * abs(value))


def _is_tied(answer: Any, expected: Any) -> bool:
    """Tell whether only rounding decides between the labels of two answers."""
    if not isinstance(expected, dict) or not isinstance(expected.get("probability"), dict):
        return False
    names = [str(each["label"]) for each in (answer, expected)]
    if isinstance(expected["label"], bool):
        names = [name.lower() for name in names]
    first, second = (expected["probability"].get(name, math.inf) for name in names)
    return bool(abs(first - second) <= TIED)


def _difference(
    answer: Any, expected: Any, place: str, largest: dict[str, float], nothing: float = 0.0
) -> tuple[float, float]:
    """Return the largest relative and absolute difference of two answers; infinite: not alike.

    An absolute difference of ``nothing`` is none.
    """
    if isinstance(answer, dict) and isinstance(expected, dict):
        if answer.keys() != expected.keys():
            return float("inf"), float("inf")
        parts = [
            _difference(answer[key], expected[key], f"{place}/{key}", largest, nothing)
            for key in expected
        ]
        return max(each for each, _ in parts), max(each for _, each in parts)
    if isinstance(answer, float) and isinstance(expected, float):
        off = abs(answer - expected)
        scale = max(abs(expected), largest.get(place, 0.0))
        if off <= nothing:
            return 0.0, off
        return off / scale if scale else float("inf"), off
    same = type(answer) is type(expected) and answer == expected
    return (0.0, 0.0) if same else (float("inf"), float("inf"))
