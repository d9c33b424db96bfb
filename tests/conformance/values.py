"""Values of the corpus: their JSON form, and when two of them are the same.

JSON cannot write bytes, NaN and infinity: they are ``{"$bytes": base64}`` and
``{"$float": "nan"}``, ``"inf"``, ``"-inf"``. A value of a union is ``{"type": value}``.
"""

import base64
import math
from typing import Any

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "string", "bytes")
NAMED = ("record", "enum", "fixed")
SMALLEST = 1e-300  # numbers closer than this are the same, whatever their ratio


class WrongType(Exception):  # noqa: N818 - a verdict
    """An engine's answer that is no value of the output type."""


def named_types(document: Any, found: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give the definitions of records, enums and fixed in a document, by short and full name."""
    found = {} if found is None else found
    if isinstance(document, dict):
        name, namespace = document.get("name"), document.get("namespace")
        if document.get("type") in NAMED and isinstance(name, str):
            found.setdefault(name, document)
            if namespace:
                found.setdefault(f"{namespace}.{name}", document)
        document = list(document.values())
    if isinstance(document, list):
        for part in document:
            named_types(part, found)
    return found


def resolved(schema: Any, names: dict[str, Any]) -> Any:
    """Give a schema without references and needless ``{"type": …}`` around it."""
    while True:
        if isinstance(schema, str) and schema in names:
            schema = names[schema]
            continue
        inner = schema.get("type") if isinstance(schema, dict) else None
        is_wrapper = isinstance(inner, (dict, list)) or inner in PRIMITIVES
        is_reference = isinstance(inner, str) and inner in names and inner not in NAMED
        if not (is_wrapper or is_reference):
            return schema
        schema = inner


def tag(schema: Any) -> str:
    """Give the tag of a branch of a union: its type, or its name without the namespace."""
    if isinstance(schema, str):
        return schema.split(".")[-1]
    return schema["name"] if schema["type"] in NAMED else tag(schema["type"])


def decoded(value: Any, bytes_as_text: bool = True) -> Any:
    """Give an input of the corpus as an engine takes it; bytes as latin-1 text or as bytes."""
    if isinstance(value, dict):
        if value.keys() == {"$float"}:
            return float(value["$float"])
        if value.keys() == {"$bytes"}:
            raw = base64.b64decode(value["$bytes"])
            return raw.decode("latin-1") if bytes_as_text else raw
        return {key: decoded(item, bytes_as_text) for key, item in value.items()}
    if isinstance(value, list):
        return [decoded(item, bytes_as_text) for item in value]
    return value


def encoded(value: Any, schema: Any, names: dict[str, Any], strict: bool = False) -> Any:
    """Give an engine's answer in the form of the corpus.

    With ``strict`` an int is no double. Raises WrongType if it is not of the type of the schema.
    """
    schema = resolved(schema, names)
    kind = "union" if isinstance(schema, list) else schema
    kind = kind["type"] if isinstance(kind, dict) else kind
    encode = _ENCODERS.get(kind)
    if encode is not None:
        return encode(value, schema, names, strict)
    right = {
        "null": value is None,
        "boolean": isinstance(value, bool),
        "int": _is_int(value),
        "long": _is_int(value),
        "string": isinstance(value, str),
        "enum": isinstance(schema, dict) and isinstance(value, str) and value in schema["symbols"],
    }
    if not right[kind]:
        raise WrongType(f"{value!r:.80} is not {schema!r:.80}")
    return value


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _double(value: Any, schema: Any, names: dict[str, Any], strict: bool) -> Any:
    if not isinstance(value, float) and (strict or not _is_int(value)):
        raise WrongType(f"{value!r:.80} is not a double")
    try:
        value = float(value)
    except OverflowError:
        raise WrongType("the integer is too large for a double") from None
    return value if math.isfinite(value) else {"$float": str(value)}


def _bytes(value: Any, schema: Any, names: dict[str, Any], strict: bool) -> Any:
    if isinstance(value, str):
        try:
            value = value.encode("latin-1")
        except UnicodeEncodeError:
            raise WrongType("bytes with characters above U+00FF") from None
    if not isinstance(value, (bytes, bytearray)):
        raise WrongType(f"{value!r:.80} is not bytes")
    return {"$bytes": base64.b64encode(value).decode()}


def _array(value: Any, schema: Any, names: dict[str, Any], strict: bool) -> Any:
    if not isinstance(value, (list, tuple)):
        raise WrongType(f"{value!r:.80} is not an array")
    return [encoded(item, schema["items"], names, strict) for item in value]


def _map(value: Any, schema: Any, names: dict[str, Any], strict: bool) -> Any:
    if not isinstance(value, dict):
        raise WrongType(f"{value!r:.80} is not a map")
    return {key: encoded(item, schema["values"], names, strict) for key, item in value.items()}


def _record(value: Any, schema: Any, names: dict[str, Any], strict: bool) -> Any:
    types = {field["name"]: field["type"] for field in schema["fields"]}
    if not isinstance(value, dict) or value.keys() != types.keys():
        raise WrongType(f"{value!r:.80} is not a {schema['name']}")
    return {name: encoded(value[name], kind, names, strict) for name, kind in types.items()}


def _union(value: Any, schema: Any, names: dict[str, Any], strict: bool) -> Any:
    if value is None and any(resolved(branch, names) == "null" for branch in schema):
        return None
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        for branch in schema:
            if tag(branch) == name.split(".")[-1]:
                try:
                    return {tag(branch): encoded(inner, branch, names, strict)}
                except WrongType:
                    continue
    for branch in schema:
        try:
            return {tag(branch): encoded(value, branch, names, strict)}
        except WrongType:
            continue
    raise WrongType(f"{value!r:.80} is no branch of {schema!r:.80}")


_ENCODERS = {
    "float": _double,
    "double": _double,
    "bytes": _bytes,
    "fixed": _bytes,
    "array": _array,
    "map": _map,
    "record": _record,
    "union": _union,
}


def _number(value: Any) -> float | None:
    if isinstance(value, dict) and value.keys() == {"$float"}:
        return float(value["$float"])
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return None


def same(expected: Any, got: Any, tolerance: float) -> bool:
    """Tell if two values in the corpus's form are the same; doubles within a relative tolerance."""
    if isinstance(expected, int) and isinstance(got, int):
        return expected == got and isinstance(expected, bool) == isinstance(got, bool)
    a, b = _number(expected), _number(got)
    if a is not None and b is not None:
        if not (math.isfinite(a) and math.isfinite(b)):
            return a == b or (math.isnan(a) and math.isnan(b))
        return abs(a - b) <= max(tolerance * max(abs(a), abs(b)), SMALLEST)
    if isinstance(expected, list) and isinstance(got, list):
        pairs = zip(expected, got, strict=False)
        return len(expected) == len(got) and all(same(x, y, tolerance) for x, y in pairs)
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(
            same(expected[key], got[key], tolerance) for key in expected
        )
    return type(expected) is type(got) and expected == got


def same_in_any_order(expected: Any, got: Any, tolerance: float) -> bool:
    """Tell if two arrays hold the same values, each as often."""
    if not (isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got)):
        return False
    rest = list(got)
    for value in expected:
        index = next((i for i, other in enumerate(rest) if same(value, other, tolerance)), None)
        if index is None:
            return False
        del rest[index]
    return True
