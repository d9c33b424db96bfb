"""Mistakes that exporters and people make, recognised and named with what to do about them.

aurelius is R's exporter (https://github.com/opendatagroup/hadrian).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

# How files of other formats begin, and what they are.
_FORMATS: tuple[tuple[bytes, str], ...] = (
    (b"\xef\xbb\xbf", "begins with a byte order mark: save it as UTF-8 without one"),
    (b"\xff\xfe", "is UTF-16: save it as UTF-8"),
    (b"\xfe\xff", "is UTF-16: save it as UTF-8"),
    (b"\x1f\x8b", "is compressed (gzip, or R's saveRDS): upload the PFA text as it is"),
    (b"BZh", "is compressed (bzip2): upload the PFA text as it is"),
    (b"\xfd7zXZ", "is compressed (xz): upload the PFA text as it is"),
    (b"PK\x03\x04", "is a zip file (an H2O MOJO, a Keras or a numpy file?), not PFA"),
    (b"\x89HDF", "is an HDF5 file (a Keras model?), not PFA"),
    (b"RDX", "is an R workspace (save): write the model with aurelius' write_pfa"),
    (b"RDA", "is an R workspace (save): write the model with aurelius' write_pfa"),
    (b"Obj\x01", "is an Avro container file, not PFA"),
    (b"PAR1", "is a Parquet file, not PFA"),
    (b"binf", "is an XGBoost model in its binary format, not PFA"),
    (b"CBM1", "is a CatBoost model, not PFA"),
    (b"tree\nversion=", "is a LightGBM model in its text format, not PFA"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05](?:\x95|[c}(\]q])|\x78[\x01\x5e\x9c\xda]")
_TEXTS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\s*<[^>]*?(?:\?xml|PMML)"), "is XML (PMML?): convert the model to PFA"),
    (re.compile(rb"\s*<"), "is XML or HTML, not PFA"),
    (
        re.compile(rb"\s*(?:#[^\n]*\n\s*)*(?:name|input|output|action|types|cells|method)\s*:"),
        "is YAML or PrettyPFA: convert it to JSON (titus.prettypfa.jsonNode)",
    ),
)
# Bare words where JSON wants a value.
_WORDS = {
    "NA": "NA is R's: a missing value has to be modelled before exporting, or written as null",
    "NULL": "NULL is R's: JSON writes null",
    "Inf": "Inf is R's: JSON has no infinity",
    "inf": "JSON has no infinity",
    "nan": "JSON has no NaN: model missing values before exporting",
    "True": "this is Python's print of the values: write them with json.dump",
    "False": "this is Python's print of the values: write them with json.dump",
    "None": "this is Python's print of the values: write them with json.dump",
    "'": "this is Python's print of the values: write them with json.dump",
}
# Keys of other libraries' JSON.
_JSON = {
    "learner": "XGBoost's own JSON",
    "tree_info": "LightGBM's own JSON",
    "oblivious_trees": "CatBoost's own JSON",
    "PMML": "PMML as JSON",
    "jsonmodel": "jpmml's JSON",
    "class_name": "Keras' JSON",
}
_NO_NUMBERS = ("NaN", "Inf", "-Inf", "Infinity", "-Infinity", "inf", "-inf", "nan")
_ENOUGH = 20  # numbers of a document, to say that they were rounded
_SAMPLE = 5000
_NODES = 2_000_000  # values of a document that are looked at

ROUNDED = (
    "its numbers have at most 8 digits, as aurelius writes them: predictions differ from R's; write"
    " the document again with write_pfa(..., digits = NA)"
)
BOXED = (
    "R's jsonlite writes a single value as an array: write the examples with"
    " toJSON(auto_unbox = TRUE)"
)


def of_bytes(body: bytes) -> str | None:
    """Say what the bytes are, if they are a known format that is not JSON."""
    if not body.strip():
        return "The document is empty."
    for beginning, words in _FORMATS:
        if body.startswith(beginning):
            return f"The document {words}."
    if _PICKLE.match(body):
        return "The document is a Python pickle (joblib?), not PFA: export the model to PFA."
    head = body[:2000]
    if (b"onnx" in head and b"\x00" in head) or (head[:1] == b"\x08" and head[2:3] == b"\x12"):
        return "The document is an ONNX model, not PFA."
    for pattern, words in _TEXTS:
        if pattern.match(head):
            return f"The document {words}."
    return None


def of_json_error(error: BaseException) -> str | None:
    """Name what stands where JSON wants a value; `error` is json's, or what it caused."""
    cause = error if isinstance(error, json.JSONDecodeError) else error.__cause__
    if not isinstance(cause, json.JSONDecodeError):
        return None
    there = cause.doc[cause.pos : cause.pos + 10]
    for word, words in _WORDS.items():
        if there.startswith(word):
            return words
    return None


def of_document(document: dict[str, Any]) -> list[str]:
    """Name what looks wrong in the values of a document that is JSON."""
    words = []
    if not document.keys() & {"input", "output", "action"}:
        known = [name for key, name in _JSON.items() if key in document]
        words += [f"this is {known[0]}, not PFA" for _ in known[:1]]
    texts: list[str] = []
    digits: list[float] = []
    for place, value in _stored(document):
        if isinstance(value, float):
            if len(digits) < _SAMPLE and not value.is_integer():
                digits.append(value)
        elif value in _NO_NUMBERS:
            texts.append(place)
    if texts:
        words.append(
            f'the text "NaN" or "Inf" stands for a number in {texts[0]} ({len(texts)} in all):'
            " model missing and infinite values before exporting"
        )
    if rounded(digits):
        words.append(ROUNDED)
    return words


def rounded(numbers: list[float]) -> bool:
    """Say whether numbers look as if they were rounded to 8 digits, or to 8 after the point.

    Of numbers that were rounded, 9 in 10 have all 8 digits; prices or percents have fewer.
    """
    different = set(numbers)
    if len(different) < _ENOUGH:
        return False
    whole, after = zip(*map(_digits, different), strict=True)
    return any(max(it) == 8 and 2 * it.count(8) >= len(it) for it in (whole, after))


def _digits(number: float) -> tuple[int, int]:
    """Give how many digits a number has, and how many of them after the point."""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = fraction.rstrip("0")
    return len((whole + fraction).strip("0")), max(0, len(fraction) - int(exponent or 0))


def _stored(document: dict[str, Any]) -> Iterator[tuple[str, float | str]]:
    """Give the numbers and texts that the document's cells and pools begin with, and where."""
    left = _NODES
    for kind in ("cells", "pools"):
        cells = document.get(kind)
        for name, cell in cells.items() if isinstance(cells, dict) else ():
            todo: list[Any] = [cell.get("init")] if isinstance(cell, dict) else []
            while todo and left:
                value = todo.pop()
                left -= 1
                if isinstance(value, dict):
                    todo.extend(value.values())
                elif isinstance(value, list):
                    todo.extend(value)
                elif isinstance(value, float | str):
                    yield f'{kind[:-1]} "{name[:80]}"', value


_UNION = re.compile(r"does not match schema .*union\(|union\(.*does not match", re.DOTALL)
_RECORD = re.compile(r"(\[.*\]) does not match schema record\(", re.DOTALL)


def of_load_error(message: str) -> str | None:
    """Name the mistake behind what the engine says of a document."""
    if _RECORD.search(message):
        return 'a record is written with its fields by name, {"x": 1.0}, and not by position'
    if _UNION.search(message):
        return (
            'a value of a union is null or carries its type as a tag, {"double": 3.0}: exporters'
            " that leave the tags out write bare values"
        )
    if "within its time" in message:
        return "make the model smaller, or raise GATE_LOAD_SECONDS"
    if "more memory than it may have" in message:
        return "make the model smaller, or raise GATE_MEMORY_MB"
    if "unknown symbol" in message:
        return "R's and Python's variables are not in the document: pass them as cells or literals"
    return None


def of_input(record: Any, input_schema: Any) -> str | None:
    """Name the mistake behind an example's input that the model refuses."""
    if not isinstance(input_schema, dict) or input_schema.get("type") != "record":
        return None
    if isinstance(record, list):
        return "a record is an object with its fields by name, and not an array by position"
    if not isinstance(record, dict):
        return None
    fields = {made["name"]: made["type"] for made in input_schema["fields"]}
    for name, value in record.items():
        renamed = re.sub(r"[^A-Za-z0-9_]", "_", name)
        if name not in fields and renamed in fields:
            return (
                f'R calls the column "{name[:80]}", the document "{renamed[:80]}", as Avro names'
                " have no dots: callers must send the document's name"
            )
        if _is_boxed(value) and isinstance(fields.get(name), str):
            return BOXED
    return None


def of_answer(expected: Any, answer: Any) -> str | None:
    """Name the mistake behind an expected answer that the model does not give."""
    if _is_boxed(expected) and type(answer) in (bool, int, float, str):
        return BOXED
    if isinstance(answer, dict) and len(answer) == 1 and not isinstance(expected, dict | list):
        return "a value of a union comes with its type as a tag"
    if type(expected) is type(answer) is float and abs(expected - answer) <= 0.5001e-4:
        after = _digits(expected)[1]
        if after <= 4:
            return "R's jsonlite writes 4 digits: write the examples with toJSON(digits = NA)"
    return None


def _is_boxed(value: Any) -> bool:
    """Say whether a value may be one that R has put into an array."""
    return isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list | dict)
