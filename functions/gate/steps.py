"""Run checks one after the other, each in its time; whatever one raises is a finding."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from gate.verdict import Finding, Status
from pfa.deadline import DeadlineExceeded, deadline
from pfa.memory import release


class Result(NamedTuple):
    """What a check says when it did not fail."""

    message: str
    status: Status = "passed"


class CheckError(Exception):
    """A check failed; `position` is where in the document, if that is known."""

    def __init__(self, message: str, position: str | None = None) -> None:
        """Take what is wrong, in words for the document's author, and where."""
        super().__init__(message)
        self.position = position


Step = tuple[str, Callable[[], Result], float]  # name, check, seconds


def run(steps: list[Step]) -> tuple[Finding, ...]:
    """Run checks (name, function, seconds) until one fails; the others are skipped."""
    findings: list[Finding] = []
    failed = ""
    for name, check, seconds in steps:
        if failed:
            findings.append(Finding(name, "skipped", f"not checked, as {failed} failed."))
            continue
        findings.append(_finding(name, check, seconds))
        if findings[-1].status == "failed":
            failed = name
    return tuple(findings)


def _finding(name: str, check: Callable[[], Result], seconds: float) -> Finding:
    """Run one check in its time; whatever it raises is a finding."""
    started = time.monotonic()
    position = None
    status: Status = "failed"
    try:
        with deadline(seconds):
            message, status = check()
    except CheckError as error:
        message, position = str(error), error.position
    except DeadlineExceeded:
        if time.monotonic() - started < seconds:  # it is that of who called
            raise
        message = f"The check did not end within its time ({seconds:g} s)."
    except MemoryError as error:
        release(error)
        message = "The check needs more memory than it may have: make the document smaller."
    except RecursionError:
        message = "The document is nested too deeply to be checked."
    except Exception as error:
        # Not the document's doing, but it has not passed either.
        message = f"The check itself failed ({type(error).__name__}): please report this document."
    return Finding(name, status, message, position, time.monotonic() - started)
