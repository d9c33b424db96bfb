"""The bytes of a PFA document -> JSON values and a sha256, or words on what is wrong with them."""

import gc
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pfa import forest
from pfa.errors import DocumentError

# Only numbers with an exponent of three digits or some hundred digits can overflow to infinity.
# To look for them first is ten times cheaper than to look at each number as it is parsed, and two
# patterns that begin with a letter are ten times faster than one that begins with [eE].
_EXPONENTS = (re.compile(r"e\+?0*[0-9]{3}"), re.compile(r"E\+?0*[0-9]{3}"))
_FOREST = 20_000  # bytes of a document in which a forest is looked for
_LARGE = 500_000  # characters of a document of which keys are counted, if they can be
_SPACED = (" :", "\t:", "\n:", "\r:")  # as after a key, or in a text
_BLOCK = 150  # 300 digits in a row hold a block of 150 that begins at a multiple of 150


class Read(NamedTuple):
    """A parsed document, the hex sha256 of its bytes, and what is left to be found out.

    ``keys`` is the number of keys in its text; None if it is known that no object has one twice.
    ``has_marks`` is false if no key is "@", which marks where a part of a document comes from.
    """

    parsed: dict[str, Any]
    sha256: str
    keys: int | None
    has_marks: bool = True


def read(document: bytes | str | dict[str, Any]) -> Read:
    """Parse a document.

    For a dict the sha256 is that of its JSON text with sorted keys and no spaces.

    Raises DocumentError, with the line and column where there are such.
    """
    if isinstance(document, dict):
        try:
            canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
            text = json.dumps(document)  # the order of keys may mean something, as in a new map
        except RecursionError as error:
            raise DocumentError("The document is nested too deeply.") from error
        except (ValueError, TypeError) as error:
            raise DocumentError("The document cannot be written as JSON.") from error
        return Read(parse(text), hashlib.sha256(canonical.encode()).hexdigest(), None)
    if isinstance(document, str):
        encoded = document.encode("utf-8", "surrogatepass")
        sha256 = hashlib.sha256(encoded).hexdigest()
        return _with_forest(document, encoded, sha256) or _read(document, sha256)
    sha256 = hashlib.sha256(document).hexdigest()
    return _with_forest(document, document, sha256) or _read(_decode(document), sha256)


def _read(text: str, sha256: str) -> Read:
    keys = _count_keys(text) if len(text) >= _LARGE else None
    return Read(parse(text, keys is None), sha256, keys, _may_have_marks(text))


def _with_forest(source: bytes | str, encoded: bytes, sha256: str) -> Read | None:
    """Read a document with a Forest as what a cell begins with; None if it is none of these.

    The forest is cut out, and what is left is read as other documents are.
    """
    if len(encoded) < _FOREST:
        return None
    mark = f"forest {sha256}"  # which no document has in it
    found = forest.cut_out(source, encoded, f'"{mark}"'.encode())
    if found is None:
        return None
    text, trees = found
    try:
        rest = _read(_decode(text), sha256)
    except DocumentError:
        return None  # to be said of the whole
    cells = rest.parsed.get("cells")
    for cell in cells.values() if type(cells) is dict else ():
        if type(cell) is dict and cell.get("init") == mark:
            cell["init"] = trees
            return rest
    return None


def _count_keys(text: str) -> int | None:
    """Return the number of keys in a JSON text; None if it is not that easily told.

    A quote before a colon ends a key. It is no quote but a character of a text after a backslash,
    unless that is one itself.
    """
    if '\\\\":' in text or any(map(text.__contains__, _SPACED)):
        return None
    return text.count('":') - text.count('\\":')


def check_keys(read: Read, known: dict[str, int], document: bytes | str) -> None:
    """Refuse a document in which an object has a key twice, if that is left to be found out.

    ``known`` is how many keys there are in the values of cells.

    Raises DocumentError.
    """
    if read.keys is None:
        return
    cells = read.parsed.get("cells", {})
    counted = sum(known.values())
    todo: list[Any] = [read.parsed]
    skipped = {id(cells[name]["init"]) for name in known}
    while todo:
        part = todo.pop()
        if id(part) in skipped:
            continue
        if type(part) is dict:
            counted += len(part)
            todo.extend(part.values())
        elif type(part) is list:
            todo.extend(part)
    if counted != read.keys:
        parse(document if isinstance(document, str) else _decode(document))


def encoded(document: bytes | str | dict[str, Any]) -> bytes:
    """Return a document that was read as the bytes of its JSON text."""
    if isinstance(document, dict):
        document = json.dumps(document)
    return document if isinstance(document, bytes) else document.encode("utf-8", "surrogatepass")


def _may_have_marks(text: str) -> bool:
    return '"@"' in text or "\\u0040" in text


def _decode(document: bytes) -> str:
    if document.startswith(b"\xef\xbb\xbf"):
        raise DocumentError(
            "The document begins with a byte order mark: save it as UTF-8 without one."
        )
    if document.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DocumentError("The document is UTF-16: save it as UTF-8.")
    if document.startswith(b"\x1f\x8b"):
        raise DocumentError("The document is compressed (gzip): store it uncompressed.")
    try:
        return document.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError("The document is not UTF-8.", f"byte {error.start}") from error


def parse(text: str, refuse_twice: bool = True) -> dict[str, Any]:
    """Parse the JSON text of a document.

    Refuses what JSON does not have (NaN, Infinity), numbers too large for a double, a key that an
    object has twice (0.5 of 1.2 s for 8 MB, so that it can be left out), and anything but an
    object.
    """
    if not text.strip():
        raise DocumentError("The document is empty.")
    check_number = _finite if _may_overflow(text) else None
    try:
        with collection_paused():
            found = json.loads(
                text,
                parse_constant=_constant,
                parse_float=check_number,
                object_pairs_hook=_object if refuse_twice else None,
            )
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"The document is not JSON: {error.msg}.", f"line {error.lineno} column {error.colno}"
        ) from error
    except RecursionError as error:
        raise DocumentError("The document is nested too deeply.") from error
    except ValueError as error:  # an integer of more digits than Python converts
        raise DocumentError("The document holds a number of too many digits.") from error
    if not isinstance(found, dict):
        raise DocumentError(
            'The document is not a PFA document: that is a JSON object with "input", "output" and'
            ' "action".'
        )
    return found


def _may_overflow(text: str) -> bool:
    if any(pattern.search(text) for pattern in _EXPONENTS):
        return True
    return any(text[i : i + _BLOCK].isdigit() for i in range(0, len(text) - _BLOCK, _BLOCK))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen = set()
        for key, _ in pairs:
            if key in seen:
                break
            seen.add(key)
        raise DocumentError(f"An object of the document has the key {json.dumps(key[:80])} twice.")
    return made


def _constant(name: str) -> Any:
    raise DocumentError(
        f"The document holds {name}, which is not JSON: a missing value or an infinite one has to"
        " be modelled before exporting."
    )


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise DocumentError(f"The document holds a number too large for a double: {digits[:40]}.")
    return number


_MANY = 20_000  # objects, which take the collector 0.3 ms


@contextmanager
def collection_paused() -> Iterator[None]:
    """Keep the garbage collector from walking a large document while it grows (-40 % time).

    Afterwards all of it is made old, or the next collection of the young would walk it. A small one
    is left to that: of a process that does nothing but load, nothing else would be collected.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if gc.get_count()[0] > _MANY:
                gc.freeze()
                gc.unfreeze()
            gc.enable()
