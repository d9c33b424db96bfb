"""Read the records of a file one after another: NDJSON, or one JSON array.

Of the file no more is in memory than one record and a piece of the next, whatever its size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

ROW_BYTES = 16_000_000  # a longer row is no record but a file of another kind
PIECE_BYTES = 1 << 20

_BOM = b"\xef\xbb\xbf"
_BEHIND = tuple(" \t\n\r,]")  # what may be behind an item
_SPACE = re.compile(r"[ \t\n\r]*")
_NO_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


class Row(NamedTuple):
    """One record and its number, from 1: the line of NDJSON, the item of an array.

    ``size`` is its bytes or characters. ``problem`` says why there is no record.
    """

    number: int
    size: int
    record: Any = None
    problem: str | None = None


class RowsError(Exception):
    """The file cannot be read (on); the message says where and why."""


def word(path: Path) -> str:
    """Return what the rows of a file are: "line", or "item" if it is one JSON array.

    Raises RowsError.
    """
    with _open(path) as file:
        return "item" if _is_array(file) else "line"


def read(path: Path) -> Iterator[Row]:
    """Give the rows of a file; a line that is no JSON is a row with a ``problem``.

    Raises RowsError: the file cannot be read, or an array is no JSON (where its next item begins
    cannot be told then).
    """
    with _open(path) as file:
        array = _is_array(file)
        _rewind(file)
        try:
            yield from _items(file) if array else _lines(file)
        except RowsError as error:
            raise RowsError(f"{path}, {error}") from error


def _open(path: Path) -> BinaryIO:
    try:
        file = path.open("rb")
    except OSError as error:
        raise RowsError(f"{path}: {error.strerror}") from error
    if not file.seekable():  # it is read twice
        file.close()
        raise RowsError(f"{path} is a pipe: the rows must be in a file")
    return file


def _rewind(file: BinaryIO) -> None:
    file.seek(0)
    if file.read(len(_BOM)) != _BOM:
        file.seek(0)


def _is_array(file: BinaryIO) -> bool:
    """Say whether the file is one JSON array, and not lines of which each is one."""
    _rewind(file)
    line = b" "
    while line and not line.strip():
        line = file.readline(ROW_BYTES)
    if not line.lstrip().startswith(b"["):
        return False
    if len(line) == ROW_BYTES:
        return True  # a line that long is no record
    # An array that ends on its line is a record, if there is another line.
    texts = _NO_STRING.sub(b"", line)
    if texts.count(b"[") != texts.count(b"]"):
        return True
    while line := file.readline(ROW_BYTES):
        if line.strip():
            return False
    return True


def _lines(file: BinaryIO) -> Iterator[Row]:
    number = 0
    while line := file.readline(ROW_BYTES):
        number += 1
        if len(line) == ROW_BYTES and not line.endswith(b"\n"):
            while (rest := file.readline(ROW_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield Row(number, 0, problem=f"it is longer than {ROW_BYTES:,} bytes")
        elif line.strip():
            yield _row(number, line)


def _row(number: int, line: bytes) -> Row:
    try:
        record = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError:
        problem = "it is not UTF-8"
    except json.JSONDecodeError as error:
        problem = f"it is not JSON: {error.msg} at column {error.colno}"
    except (ValueError, RecursionError) as error:
        problem = _why(error)
    else:
        return Row(number, len(line), record)
    return Row(number, len(line), problem=problem)


def _refuse(name: str) -> Any:
    raise ValueError(f"it holds {name}, which is not JSON")


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if "which is not JSON" in str(error):
        return str(error)
    return "it holds a number of too many digits"  # an integer longer than Python converts


class _Text:
    """The text of a file, of which what was read is let go of."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.tail = b""  # of a character that the last piece cut in two
        self.text = ""
        self.at = 0
        self.ended = False

    def more(self) -> bool:
        """Add as much as there is already, a piece at least, so that long rows take few tries."""
        size = max(PIECE_BYTES, len(self.text) - self.at)
        piece = self.file.read(size)
        self.ended = not piece
        whole = self.tail + piece
        cut = _whole_characters(whole) if piece else len(whole)
        self.tail = whole[cut:]
        self.text = self.text[self.at :] + whole[:cut].decode("utf-8")
        self.at = 0
        return not self.ended

    def peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            found = _SPACE.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""


def _whole_characters(data: bytes) -> int:
    """How many bytes of UTF-8 there are up to the last character that is whole."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:  # the first byte of a character of 2, 3 or 4
            wanted = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) - back if wanted > back else len(data)
        if byte < 0x80:
            break
    return len(data)


def _items(file: BinaryIO) -> Iterator[Row]:
    source = _Text(file)
    decoder = json.JSONDecoder(parse_constant=_refuse)
    number = 0
    try:
        source.peek()
        source.at += 1  # "["
        after = source.peek()
        if after == "]":
            source.at += 1
        while after != "]":
            number += 1
            yield _item(number, source, decoder)
            after = source.peek()
            if after not in ("]", ","):
                raise RowsError(f"item {number}: there is no comma or ] after it")
            source.at += 1
        if source.peek():
            raise RowsError(f"there is something after the array, behind item {number}")
    except UnicodeDecodeError as error:
        raise RowsError(f"item {number}, or soon after it: it is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        message = f"it is not JSON: {error.msg}" if isinstance(error, _NOT_JSON) else _why(error)
        raise RowsError(f"item {number}: {message}") from error


_NOT_JSON = json.JSONDecodeError


def _item(number: int, source: _Text, decoder: json.JSONDecoder) -> Row:
    """The item that begins here; of a number the rest may be in the next piece."""
    source.peek()
    while True:
        try:
            value, end = decoder.raw_decode(source.text, source.at)
        except json.JSONDecodeError:
            if len(source.text) - source.at > ROW_BYTES or not source.more():
                raise
            continue
        ends = source.text[end : end + 1] in _BEHIND or len(source.text) - source.at > ROW_BYTES
        if ends or not source.more():
            row = Row(number, end - source.at, value)
            source.at = end
            return row
