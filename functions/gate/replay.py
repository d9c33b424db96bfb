"""The examples of a document: read from its metadata, replayed, and compared.

`metadata.examples` is JSON text: a list of

{"input": record, "expected": answer, "tolerance": 1e-9}
{"input": record, "error": {"code": -1, "message": "…", "pointer": "/x"}}

`tolerance` is relative, for doubles; without it the document's `metadata.tolerance`, else 1e-6. A
difference of 1e-12 or less is none. All else has to be exactly as expected: texts, booleans, keys,
the order of arrays, whole numbers (an int where the answer is a double is fine). The answer of a
document with the method "emit" is the list of what it emits.

Each key of `error` may be left out: `code` is the PFA code (null: none), `message` the whole text,
and `pointer` is where the record does not fit the input schema. An answer that does not come in
time is never expected.

Each example is a call of its own: it begins with the document's initial cells.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pfa
from gate import mistakes

TOLERANCE = 1e-6
NOTHING = 1e-12  # an absolute difference that counts as none: next to 0 there is no relative one
# titus2 leaves sums of products to numpy, which adds in the order that suits the processor.
ENGINES = 1e-9
_KEYS = {"input", "expected", "error", "tolerance"}
_ERROR_KEYS = {"code", "message", "pointer"}


class ExamplesError(Exception):
    """The examples are not what they should be; the message says which one, and how."""


@dataclass(frozen=True, slots=True)
class Example:
    """One example: what comes in, and what is to come out of it."""

    record: Any
    expected: Any
    error: dict[str, Any] | None  # what is expected instead of an answer
    tolerance: float


def read(metadata: dict[str, str]) -> list[Example]:
    """Read the examples of a document's metadata; raises ExamplesError."""
    text = metadata.get("examples")
    if text is None:
        return []
    try:
        listed = json.loads(text, parse_constant=_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise ExamplesError(f"metadata.examples is not JSON: {error.msg} at {where}.") from error
    except (ValueError, RecursionError) as error:
        raise ExamplesError("metadata.examples holds values that cannot be read.") from error
    if not isinstance(listed, list):
        raise ExamplesError("metadata.examples must be the JSON text of a list.")
    usual = _tolerance(metadata.get("tolerance"), "metadata.tolerance", TOLERANCE)
    return [_example(each, f"example {i}", usual) for i, each in enumerate(listed, 1)]


def _example(each: Any, name: str, usual: float) -> Example:
    if not isinstance(each, dict) or "input" not in each:
        raise ExamplesError(f'{name} must be an object with "input" and "expected" (or "error").')
    if unknown := sorted(each.keys() - _KEYS):
        raise ExamplesError(f'{name} has the unknown key "{unknown[0][:80]}".')
    if ("expected" in each) == ("error" in each):
        raise ExamplesError(f'{name} must have either "expected" or "error".')
    error = each.get("error")
    if "error" in each and not (isinstance(error, dict) and error.keys() <= _ERROR_KEYS):
        raise ExamplesError(f'the "error" of {name} may have "code", "message" and "pointer" only.')
    tolerance = _tolerance(each.get("tolerance"), f"the tolerance of {name}", usual)
    return Example(each["input"], each.get("expected"), error, tolerance)


def _constant(_word: str) -> Any:
    raise ValueError


def _tolerance(given: Any, what: str, usual: float) -> float:
    if given is None:
        return usual
    try:
        tolerance = -1.0 if isinstance(given, bool) else float(given)
    except (ValueError, TypeError, OverflowError):
        tolerance = -1.0
    if not 0 <= tolerance < 1:
        raise ExamplesError(f"{what} must be a number from 0 to below 1.")
    return tolerance


def answers(
    model: pfa.Model, examples: list[Example], ends: float, memory: int
) -> list[Any | pfa.PfaError]:
    """Score each example in a call of its own: its answer, or the error.

    Raises ExamplesError at the time `ends` of the monotonic clock.
    """
    out: list[Any] = []
    for count, example in enumerate(examples):
        left = ends - time.monotonic()
        try:
            out.append(model.score(example.record, max(left, 0.001), memory))
        except pfa.PfaError as error:
            # the document may give itself less time than there is: that is its own error
            if isinstance(error, pfa.ScoringTimeout) and time.monotonic() >= ends:
                raise ExamplesError(
                    f"there was no time left for {model.engine} after {count} of {len(examples)}"
                    " examples: give fewer, make the model faster, or raise GATE_EXAMPLE_SECONDS."
                ) from None
            out.append(error)
    return out


def same(one: Any, other: Any, tolerance: float = 0.0) -> bool:
    """Say whether two engines gave the same answer or error, doubles to a relative tolerance."""
    if isinstance(one, pfa.PfaError) or isinstance(other, pfa.PfaError):
        return type(one) is type(other) and _told(one) == _told(other)
    try:
        differences = _different(one, other, tolerance, exact=not tolerance)
        return not any(words for _, words, _ in differences)
    except RecursionError:
        return bool(one == other)


def _told(error: Any) -> Any:
    if isinstance(error, pfa.InputError):
        return error.errors, error.count
    return str(error), getattr(error, "code", None)


def judge(example: Example, answer: Any) -> tuple[str | None, float]:
    """Compare an answer, or an error, with what is expected.

    Gives what is wrong (None: nothing), and the largest relative error of the numbers.
    """
    if example.error is not None:
        return _judge_error(example.error, answer), 0.0
    if isinstance(answer, pfa.PfaError):
        return f"an answer was expected, it gave the error: {words_of(answer)}", 0.0
    largest = 0.0
    for place, words, error in _different(example.expected, answer, example.tolerance):
        if words:
            return f"{f'at {place}: ' if place else ''}{words}", error
        largest = max(largest, error)
    return None, largest


def _judge_error(expected: dict[str, Any], answer: Any) -> str | None:
    if not isinstance(answer, pfa.PfaError):
        return f"an error was expected, the answer is {shown(answer)}"
    if isinstance(answer, pfa.ScoringTimeout):
        return words_of(answer)
    if "pointer" in expected:
        places = (
            [each["pointer"] for each in answer.errors]
            if isinstance(answer, pfa.InputError)
            else []
        )
        if expected["pointer"] not in places:
            return (
                f"an error at {shown(expected['pointer'])} was expected, it is: {words_of(answer)}"
            )
    elif isinstance(answer, pfa.InputError) and expected:
        return f"an error of the model was expected, but {words_of(answer)}"
    code = getattr(answer, "code", None)
    if "code" in expected and expected["code"] != code:
        return f"the code {shown(expected['code'])} was expected, it is {shown(code)}"
    if "message" in expected and expected["message"] != str(answer):
        return f"the message {shown(expected['message'])} was expected, it is {shown(str(answer))}"
    return None


def words_of(error: pfa.PfaError) -> str:
    """Say what an error says, with its code or its places."""
    if isinstance(error, pfa.InputError):
        places = "; ".join(
            f"{it['pointer'] or 'the record'}: {it['detail']}" for it in error.errors[:3]
        )
        return f"the record does not fit the input schema ({places})"
    code = getattr(error, "code", None)
    return str(error) if code is None else f"{error} (code {code})"


def _different(
    expected: Any, answer: Any, tolerance: float, place: str = "", exact: bool = False
) -> Iterator[tuple[str, str, float]]:
    """Give for each number its pointer and error, and words where something differs too much.

    With `exact` a float is a float, and a difference of any size too large.
    """
    if isinstance(answer, float) and isinstance(expected, float if exact else float | int):
        if isinstance(expected, bool):
            yield place, _unequal(expected, answer), 0.0
            return
        error = relative_error(expected, answer)
        if exact and expected != answer:
            yield place, f"{expected!r} and {answer!r}", error
        elif error > tolerance:
            sizes = f"(relative error {error:.2g}, tolerance {tolerance:g})"
            yield place, _unequal(expected, answer, sizes), error
        else:
            yield place, "", error
    elif type(expected) is not type(answer):
        yield place, _unequal(expected, answer), 0.0
    elif isinstance(answer, dict):
        if expected.keys() != answer.keys():
            lacks = sorted(expected.keys() - answer.keys())[:5]
            more = sorted(answer.keys() - expected.keys())[:5]
            said = [
                f"{what} {shown(keys)}" for what, keys in (("lacks", lacks), ("also has", more))
            ]
            words = " and ".join(
                text for text, keys in zip(said, (lacks, more), strict=True) if keys
            )
            yield place, f"the answer {words}", 0.0
            return
        for key, value in expected.items():
            below = f"{place}/{key.replace('~', '~0').replace('/', '~1')}"
            yield from _different(value, answer[key], tolerance, below, exact)
    elif isinstance(answer, list):
        if len(expected) != len(answer):
            yield place, f"expected {len(expected)} items, the answer has {len(answer)}", 0.0
            return
        for i, value in enumerate(expected):
            yield from _different(value, answer[i], tolerance, f"{place}/{i}", exact)
    elif expected != answer:
        yield place, _unequal(expected, answer), 0.0


def _unequal(expected: Any, answer: Any, sizes: str = "") -> str:
    words = f"expected {shown(expected)}, the answer is {shown(answer)} {sizes}".rstrip()
    hint = mistakes.of_answer(expected, answer)
    return f"{words} ({hint})" if hint else words


def relative_error(expected: float, answer: float) -> float:
    """Give the relative error of an answer; 0 for a difference of 1e-12 or less."""
    try:
        difference = 0.0 if expected == answer else abs(answer - expected)
        if difference <= NOTHING:
            return 0.0
        return difference / max(abs(expected), abs(answer)) if difference < math.inf else 1.0
    except OverflowError:  # an int that is larger than any double
        return 1.0


def shown(value: Any, limit: int = 120) -> str:
    """Give a value as JSON text, cut where it is long."""
    text = ""
    for part in json.JSONEncoder(ensure_ascii=False).iterencode(value):
        text += part
        if len(text) > limit:
            return text[:limit] + "…"
    return text
