"""One call of a model: an engine of its own, begin, each record, end; and the errors of it."""

import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

from pfa.deadline import DeadlineExceeded, deadline
from pfa.errors import InputError, PfaError, ScoringError, ScoringTimeout
from pfa.memory import release
from pfa.scalars import unicode

_MESSAGE = 1000  # characters of an error's message: parts of it come from the document

NO_MEMORY = "The model's computation needs more memory than it may have."

_WHAT_FAILED: dict[type[BaseException], str] = {
    RecursionError: "The model's functions call each other too deeply for this record.",
    OverflowError: "A number of the model's computation grew too large.",
    ZeroDivisionError: "The model's computation divides by zero for this record.",
    MemoryError: NO_MEMORY,
}


class Call:
    """One call of score_batch: an engine of its own and the results so far."""

    def __init__(self, model: Any, timeout: float | None) -> None:
        """Take the pfa.Model, and the seconds that the call may take."""
        self.model = model
        self.timeout = timeout
        self.ends = None if timeout is None else time.monotonic() + timeout
        self.late = False  # the time of the call was up before a record was done
        self.results: list[Any] = []
        self.emitted: list[Any] = []
        self.engine = model.engines.start(self.emitted.append)
        self.own_limit = self.engine.options.timeout_action  # the document's, in milliseconds

    def all(self, records: Sequence[Any]) -> list[Any]:
        """Give for each record its answer or its error."""
        if records:
            try:
                with deadline(self.timeout):
                    self.run(records)
            except DeadlineExceeded as error:
                if self.timeout is None:  # it is that of the batch which this call is a part of
                    raise
                self.stop(len(records), timed_out(self.timeout, self.model.where(error)))
            except MemoryError as error:  # a second one, while the first was seen to
                self.stop(len(records), self.error(error))
        self.engine.f = None  # see Source.start
        return self.results

    def run(self, records: Sequence[Any]) -> None:
        """Begin, score each record, end; ``results`` grows as records are done."""
        try:
            self.limit_time()
            self.engine.begin()
        except Exception as error:
            failed = self.error(error)
            self.results.extend(failed for _ in records)
            return
        for record in records:
            kept = len(self.emitted)  # what begin emitted, until a record takes it
            try:
                self.limit_time()
                value = self.model.check(record)
                result = self.answer(self.engine.action(value, check=False))
            except Exception as error:
                result = self.error(error)
                del self.emitted[kept:]
            self.results.append(result)
        self.finish()

    def answer(self, value: Any) -> Any:
        """What the engine gave for a record, as JSON values."""
        if self.model.method != "emit":
            return self.model.write(value, "")
        result = [self.model.write(out, f"/{i}") for i, out in enumerate(self.emitted)]
        self.emitted.clear()
        return result

    def finish(self) -> None:
        """Run ``end``; what it emits, or an error of it, is the last answer's.

        Not when the time was up before the last record: answers that were done are kept.
        """
        if not self.model._has_end or self.late:
            return
        try:
            self.limit_time()
            self.engine.end()
            more = self.answer(None) if self.model.method == "emit" else []
        except Exception as error:
            more = self.error(error)
        self.add_to_last(more)

    def add_to_last(self, more: list[Any] | PfaError) -> None:
        """Add what came after the last record to the last answer, or let it take its place."""
        for index in range(len(self.results) - 1, -1, -1):
            if not isinstance(self.results[index], PfaError):
                if isinstance(more, PfaError):
                    self.results[index] = more
                elif more:
                    self.results[index] = self.results[index] + more
                return

    def stop(self, count: int, told: PfaError) -> None:
        """Time or memory is up: answer for the records that are not done, or for ``end``."""
        late = count - len(self.results)
        if not late:
            self.add_to_last(told)
        self.results.extend([told] * late)

    def limit_time(self) -> None:
        """Tell the engine how many milliseconds are left; it looks at the clock in loops."""
        if self.ends is None:
            return
        left = (self.ends - time.monotonic()) * 1000
        if left <= 0:
            self.late = True
            raise timed_out(self.timeout)
        if self.own_limit > 0:
            left = min(left, self.own_limit)
        options = self.engine.options
        options.timeout = options.timeout_begin = left
        options.timeout_action = options.timeout_end = left

    def error(self, error: Exception) -> PfaError:
        """What the caller is told; the original is kept as the cause, for the log."""
        if isinstance(error, MemoryError):
            release(error)  # before anything else, which may need memory
        if isinstance(error, InputError | ScoringError):
            error.__traceback__ = None
            return error
        titus: Any = sys.modules["titus.errors"]  # there, since the engine has run
        told: ScoringError
        where = place(getattr(error, "pos", None)) or self.model.where(error)
        if isinstance(error, titus.PFATimeoutException):
            told = timed_out(self.timeout, where)
            self.late = self.ends is not None and time.monotonic() >= self.ends
            if not self.late and self.own_limit > 0:
                limit = f"{self.own_limit / 1000:g} s"
                message = f"The document gives itself {limit} a record: not enough."
                told = ScoringTimeout(message, None, where)
        elif isinstance(error, titus.PFARuntimeException):
            message = f"{error.message} in {error.fcnName}"
            told = ScoringError(told_in_full(message), error.code, where)
        elif isinstance(error, titus.PFAUserException):
            told = ScoringError(told_in_full(str(error.message)), error.code, where)
        else:
            failed = "The model's computation failed for this record."
            told = ScoringError(_WHAT_FAILED.get(type(error), failed), None, where)
        told.__cause__ = error
        _let_go(error)
        return told


def _let_go(error: BaseException | None) -> None:
    """Let go of what a failed record made, up to gigabytes.

    It is in the variables of the traceback's frames, and they hold the results with this error in
    them, so that it would stay until the garbage collector comes. Where an error came through is
    asked only of those that should not be.
    """
    known = isinstance(error, ArithmeticError) or type(error).__module__.startswith("titus.")
    while error is not None:
        if known:
            error.__traceback__ = None
        else:
            traceback.clear_frames(error.__traceback__)
        error = error.__context__


def timed_out(seconds: float | None, position: str | None = None) -> ScoringTimeout:
    """Return the error of a record that is not done in time, and was stopped there."""
    limit = "" if seconds is None else f" ({seconds:g} s)"
    return ScoringTimeout(f"The model did not answer within its time{limit}.", None, position)


def told_in_full(text: str) -> str:
    """What a document says, fit for an answer: bounded, and of Unicode characters only."""
    return unicode(text[:_MESSAGE])


def place(position: Any) -> str | None:
    """Where in a document an error comes from, as titus says it; None if it does not."""
    return told_in_full(position) if isinstance(position, str) and position else None
