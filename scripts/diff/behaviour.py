"""Score the rows with both models and count what changes; memory does not grow with the rows."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from gate.replay import NOTHING as NO_DIFFERENCE
from pfa import InputError, Model, PfaError, ScoringError
from scripts.diff.rows import Row
from scripts.diff.spread import Spread

CHUNK_ROWS = 1_000
CHUNK_BYTES = 64_000_000  # of rows: a thousand of the longest would be gigabytes
PLACES = 50  # of an answer that are told of; a map may have a key of its own for each row
LABELS = 20  # of one place
LABEL_CHARACTERS = 60
LARGEST = 10
BAD_SHOWN = 10

OTHER = "(other)"
NOTHING = object()  # where only one of two answers has a place


@dataclass(slots=True)
class Numbers:
    """The numbers at one place of the answers; sizes are of those that change."""

    compared: int = 0
    up: Spread = field(default_factory=Spread)  # absolute, where the new is larger
    down: Spread = field(default_factory=Spread)
    absolute: Spread = field(default_factory=Spread)
    relative: Spread = field(default_factory=Spread)  # to the larger of both

    @property
    def changed(self) -> int:
        """How many differ by more than the tolerance."""
        return self.absolute.count


@dataclass(order=True, slots=True)
class Large:
    """A row that changes much; ``old`` and ``new`` are answers or PfaErrors.

    Rows of which only one has an answer come first, then those where a text or a kind changes,
    then numbers by how far they are apart.
    """

    kind: int
    size: float
    minus_number: int  # of two alike the first stays
    old: Any = field(compare=False)
    new: Any = field(compare=False)


@dataclass(slots=True)
class Behaviour:
    """What happened to the rows."""

    tolerance: float
    rows: int = 0
    same: int = 0
    changed: int = 0
    answers_differ: int = 0  # both answer
    errors_come: int = 0  # only the old answers
    errors_go: int = 0
    errors_differ: int = 0  # neither answers, for different reasons
    only_old_accepts: int = 0  # the record fits only the old input type
    only_new_accepts: int = 0
    neither_accepts: int = 0
    bad: int = 0
    bad_rows: list[Row] = field(default_factory=list)
    numbers: dict[str, Numbers] = field(default_factory=dict)
    labels: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    largest: list[Large] = field(default_factory=list)

    def add(self, number: int, old: Any, new: Any) -> None:
        """Count a row's two results: answers, or PfaErrors."""
        self.rows += 1
        refused, now_refused = isinstance(old, InputError), isinstance(new, InputError)
        self.only_old_accepts += now_refused and not refused
        self.only_new_accepts += refused and not now_refused
        self.neither_accepts += refused and now_refused
        failed, now_fails = isinstance(old, PfaError), isinstance(new, PfaError)
        if not failed and not now_fails:
            kind, size = self._answers(old, new)
            self.answers_differ += kind >= 0
        else:
            before, after = outcome(old), outcome(new)
            kind, size = (2 if failed != now_fails else 1, 0.0) if before != after else (-1, 0.0)
            self.errors_come += now_fails and not failed
            self.errors_go += failed and not now_fails
            self.errors_differ += failed and now_fails and kind >= 0
            if kind >= 0:
                few = len(self.errors) < LABELS or (before, after) in self.errors
                self.errors[(before, after) if few else (OTHER, OTHER)] += 1
        if kind < 0:
            self.same += 1
            return
        self.changed += 1
        self._keep(kind, size, number, old, new)

    def _keep(self, kind: int, size: float, number: int, old: Any, new: Any) -> None:
        large = Large(kind, size, -number, old, new)
        if len(self.largest) < LARGEST:
            heapq.heappush(self.largest, large)
        elif large > self.largest[0]:
            heapq.heapreplace(self.largest, large)

    def _answers(self, old: Any, new: Any) -> tuple[int, float]:
        """Compare two answers: (-1 for the same, 0 numbers or 1 more than these change, by...)."""
        kind, largest = -1, 0.0
        todo = [("", old, new)]
        while todo:
            place, one, other = todo.pop()
            if type(one) is dict and type(other) is dict:
                todo += reversed(_pairs(place, one, other))
            elif type(one) is list and type(other) is list:
                pairs = _pairs(place, dict(enumerate(one)), dict(enumerate(other)))
                todo += reversed(pairs)  # so that places come in the answer's order
            elif type(one) in (int, float) and type(other) in (int, float):
                size = self._number(place, one, other)
                if size is not None:
                    kind, largest = max(kind, 0), max(largest, size)
            else:
                self._label(place, _label(one), _label(other))
                if type(one) is not type(other) or one != other:
                    kind = 1
        return kind, largest

    def _number(self, place: str, one: float, other: float) -> float | None:
        """Count two numbers; return None if they are the same, else how far they are apart.

        That is absolute for numbers below 1 and relative for larger ones: of answers that hold
        probabilities and prices, both come into the ten largest. What is the same is told as the
        gate tells it of examples.
        """
        found = self.numbers.get(place)
        if found is None:
            place = place if len(self.numbers) < PLACES else OTHER
            found = self.numbers.setdefault(place, Numbers())
        found.compared += 1
        apart = abs(other - one)
        if apart <= NO_DIFFERENCE:
            return None
        larger = float(max(abs(one), abs(other)))
        relative = min(apart / larger, 2.0)  # the difference of two doubles may be infinite
        if relative <= self.tolerance:
            return None
        found.absolute.add(apart)
        found.relative.add(relative)
        (found.up if other > one else found.down).add(apart)
        return relative * min(larger, 1.0)

    def _label(self, place: str, one: str, other: str) -> None:
        """Count two texts, or what else is no number."""
        found = self.labels.get(place)
        if found is None:
            place = place if len(self.labels) < PLACES else OTHER
            found = self.labels.setdefault(place, Counter())
        pair = (one, other)
        if pair in found or len(found) < LABELS * LABELS:
            found[pair] += 1
        else:
            found[(OTHER, OTHER)] += 1


def compare(
    old: Model, new: Model, rows: Iterable[Row], tolerance: float, skip_bad: bool = False
) -> Behaviour:
    """Score all rows with both models, a thousand at a time.

    Raises BadRowError for a row that is no record, unless these are to be skipped.
    """
    found = Behaviour(tolerance)
    for chunk in _chunks(_good(rows, found, skip_bad)):
        records = [row.record for row in chunk]
        pairs = zip(chunk, old.score_batch(records), new.score_batch(records), strict=True)
        for row, before, after in pairs:
            found.add(row.number, before, after)
    return found


class BadRowError(Exception):
    """A row is no record."""

    def __init__(self, row: Row) -> None:
        """Take the row; its ``problem`` is the message."""
        super().__init__(row.problem)
        self.row = row


def _good(rows: Iterable[Row], found: Behaviour, skip_bad: bool) -> Iterator[Row]:
    for row in rows:
        if row.problem is None:
            yield row
            continue
        if not skip_bad:
            raise BadRowError(row)
        found.bad += 1
        if len(found.bad_rows) < BAD_SHOWN:
            found.bad_rows.append(row)


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += row.size
        if len(chunk) == CHUNK_ROWS or size > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def outcome(result: Any) -> str:
    """Name what came of a row: "answer", "refused" by the input type, or an error by its code.

    Two errors without a code are the same if their messages are.
    """
    if isinstance(result, InputError):
        return "refused"
    if isinstance(result, ScoringError):
        return f"error: {result}" if result.code is None else f"error {result.code}"
    return "error" if isinstance(result, PfaError) else "answer"


def _pairs(place: str, one: dict[Any, Any], other: dict[Any, Any]) -> list[tuple[str, Any, Any]]:
    """The values of two objects, or of two arrays, by their keys."""
    if len(one) == len(other) and one.keys() == other.keys():
        return [(below(place, key), value, other[key]) for key, value in one.items()]
    return [
        (below(place, key), one.get(key, NOTHING), other.get(key, NOTHING))
        for key in {**one, **other}
    ]


def below(place: str, key: Any) -> str:
    """The JSON pointer (RFC 6901) of what is below a place."""
    return f"{place}/{key}" if type(key) is int else f"{place}/{_escaped(key)}"


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def _label(value: Any) -> str:
    if type(value) is str:
        return value if len(value) <= LABEL_CHARACTERS else _cut(value)
    if value is None or type(value) is bool:
        return json.dumps(value)
    if value is NOTHING:
        return "(nothing)"
    if type(value) is dict:
        return "(an object)"
    return "(an array)" if type(value) is list else "(a number)"


def _cut(text: str) -> str:
    """The beginning of a long text, and what tells two of the same beginning apart."""
    told = crc32(text.encode("utf-8", "surrogatepass"))
    return f"{text[:LABEL_CHARACTERS]}… ({len(text)} characters, {told:08x})"
