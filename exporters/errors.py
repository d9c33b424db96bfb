"""What can go wrong with an export."""


class ExportError(Exception):
    """The model cannot be written as PFA; the message says what to do."""


class UnsupportedError(ExportError):
    """There is no PFA for this class, or for this option of it."""


class ParityError(ExportError):
    """The PFA does not give what the source library gives, so it was not handed out."""
