"""What can go wrong, as four exceptions; each message may be shown to the caller.

No message holds a value of a caller's record: answers end up in logs, and records in them
would be personal data where nobody expects it. Names and types of the model's schema are fine.
"""

from collections.abc import Sequence
from typing import TypedDict


class FieldError(TypedDict):
    """One wrong place of a record."""

    pointer: str  # RFC 6901 JSON pointer into the record; "" is the whole record
    detail: str  # what was expected there


class PfaError(Exception):
    """The base of all that this package raises on purpose."""


class DocumentError(PfaError):
    """The document cannot be loaded; the message tells its author what to change.

    ``position`` is where, when that is known: a line and column of the JSON text, or a path into
    the document.
    """

    def __init__(self, message: str, position: str | None = None) -> None:
        """Take the message and where in the document it applies."""
        super().__init__(message)
        self.position = position


class InputError(PfaError):
    """The record does not fit the model's input schema.

    ``errors`` names each wrong place, the first ``len(errors)`` of ``count``.
    """

    def __init__(self, errors: Sequence[FieldError], count: int | None = None) -> None:
        """Take the errors to show, and how many there are in all."""
        self.errors: list[FieldError] = list(errors)
        self.count = len(self.errors) if count is None else count
        places = "1 place is" if self.count == 1 else f"{self.count} places are"
        super().__init__(f"The record does not fit the model's input schema: {places} wrong.")

    def __reduce__(self) -> tuple[type["InputError"], tuple[list[FieldError], int]]:
        """Copy, and pickle: what it is made of is not what Exception keeps."""
        return InputError, (self.errors, self.count)


class ScoringError(PfaError):
    """The model could not answer for this record.

    ``code`` is the PFA error code: the library's, or the one that the document's own ``error``
    gives; None where PFA has none. ``position`` is where in the document the expression is that
    failed, or that was stopped, with the document's own locator ("@") if it has one; None if that
    is not known.
    """

    def __init__(self, message: str, code: int | None = None, position: str | None = None) -> None:
        """Take the message, the PFA error code and the place in the document."""
        super().__init__(message)
        self.code = code
        self.position = position


class ScoringTimeout(ScoringError):  # noqa: N818 - the name is part of the package's contract
    """The model did not answer in the time it was given."""
