"""Many records of a document without state: by chunks.

The model goes through the records of a chunk in one function, and its answers are checked together
(columns.py). What is not usual is left to the short way of one record, or to the long way. So each
answer is what ``Model.score`` gives, and what a batch takes besides its answers is that of a chunk.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pfa.columns import Column, Rows, UnusualError
from pfa.errors import PfaError

if TYPE_CHECKING:
    from pfa.steps import Together

CHUNK = 200  # records: more are no faster
FEW = 10  # records for which no more code is made


class Code:
    """What scores the records of a batch; made once for a model."""

    def __init__(
        self,
        score: Callable[..., None],
        rows: Rows,
        write: Column | None,
        together: "Together | None",
    ) -> None:
        """Take what appends the answers to rows until one fails, see ``direct.Loop``.

        And what makes rows of records, what checks answers, None if ``score`` does, and what
        scores rows side by side, if that is faster.
        """
        self.score, self.rows, self.write, self.together = score, rows, write, together


class Batch:
    """One call of score_batch."""

    def __init__(self, model: Any, records: Sequence[Any]) -> None:
        """Take the pfa.Model, and the records."""
        self.model = model
        self.records = records
        self.results: list[Any] = []  # grows as records are done
        self.written = 0  # so many of the results are JSON values or errors
        self.together: Together | None = None

    def prepare(self, code: Code) -> None:
        """Get ready what takes time once."""
        together = code.together
        if together is not None and together.is_ready(len(self.records)):
            self.together = together

    def run(self, code: Code | None) -> None:
        """Score all records; one by one without ``code``."""
        for start in range(0, len(self.records), CHUNK):
            self.chunk(code, start, min(start + CHUNK, len(self.records)))

    def chunk(self, code: Code | None, start: int, end: int) -> None:
        """Score the records from ``start`` to ``end``."""
        chunk = self.records[start:end]
        rows = None
        if code is not None:
            with suppress(MemoryError):
                rows = code.rows(chunk)
        if code is None or rows is None:
            for record in chunk:
                self.add(self.model._answer(record))
            return
        if self.together is not None:
            answers = None
            with suppress(MemoryError):
                answers = self.together.answers([*_each(rows, len(chunk))])
            if answers is not None:
                self.take(code, answers, chunk)
                return
            rows = code.rows(chunk)
        while True:
            try:
                code.score(rows, self.results.append)  # goes on after the row that failed
            except Exception:  # noqa: S110 - and what it made goes with it, gigabytes perhaps
                pass
            else:
                break
            self.alone(code, chunk[len(self.results) - start])
        self.write(code)

    def take(self, code: Code, answers: list[Any], chunk: Sequence[Any]) -> None:
        """Add the answers of a chunk, and those of its records that failed."""
        for record, answer in zip(chunk, answers, strict=True):
            if answer is UnusualError:
                self.alone(code, record)
            else:
                self.results.append(answer)
        self.write(code)

    def alone(self, code: Code, record: Any) -> None:
        """Score the next record, after the answers before it are written."""
        self.write(code)
        self.add(self.model._answer(record))

    def add(self, answer: Any) -> None:
        """Add a JSON value or an error."""
        self.results.append(answer)
        self.written = len(self.results)

    def write(self, code: Code) -> None:
        """Make JSON values of the results that are as the engine gave them."""
        try:
            if code.write is not None:
                code.write(self.results[self.written :])
        except Exception:
            for place in range(self.written, len(self.results)):
                self.results[place] = self.rewritten(place)
                self.written = place + 1
        self.written = len(self.results)

    def rewritten(self, place: int) -> Any:
        """Make a JSON value, or the error, of one result; an error stays what it is."""
        answer = self.results[place]
        if isinstance(answer, PfaError):
            return answer
        try:
            return self.model.write(answer, "")
        except Exception:
            return self.model._long(self.records[place])

    def end(self, code: Code | None, late: PfaError) -> None:
        """The time is up: keep what is done, and give the rest this error.

        Of the answers of the last chunk that are not written, all or none are kept: how long one
        by one would take is not known.
        """
        if code is not None and code.write is not None:
            try:
                code.write(self.results[self.written :])
            except Exception:
                del self.results[self.written :]
        self.results.extend([late] * (len(self.records) - len(self.results)))


def _each(rows: Iterator[Any], count: int) -> Iterator[Any]:
    """Give all rows, None for one that there is none of."""
    for _ in range(count):
        try:
            yield next(rows)
        except Exception:
            yield None
