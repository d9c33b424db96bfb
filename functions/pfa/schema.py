"""Avro types as plain nodes: read from the engine's resolved schemas, and written as Avro JSON.

The engine resolves names over the whole document (the input may name a record that a cell
defines), so nodes are made from its resolved schema objects (avro-python3) and not from the
document's text. Format: Avro 1.11 specification, "Schema Declaration".
"""

import re
from dataclasses import dataclass, field
from typing import Any

from pfa.errors import DocumentError

NO_DEFAULT: Any = object()  # a field without default; null is a default of its own

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
NAMED = ("record", "enum", "fixed")
_STRUCTURE = {"type", "name", "namespace", "fields", "symbols", "size", "items", "values"}


@dataclass(slots=True, eq=False)
class Type:
    """One Avro type; which attributes mean something depends on ``kind``."""

    kind: str  # an Avro type name, or "union"
    full_name: str = ""  # of a named type, with its namespace
    items: "Type | None" = None  # of an array: its items; of a map: its values
    fields: "list[Field]" = field(default_factory=list)  # of a record
    branches: "list[Type]" = field(default_factory=list)  # of a union
    symbols: tuple[str, ...] = ()  # of an enum
    size: int = 0  # of a fixed, in bytes
    extras: dict[str, Any] = field(default_factory=dict)  # doc, aliases, logicalType...

    @property
    def short_name(self) -> str:
        """The name without its namespace; the kind where a type has no name."""
        return self.full_name.rpartition(".")[2] or self.kind

    @property
    def tag(self) -> str:
        """The key that marks this type in Avro's JSON encoding of a union: the full name."""
        return self.full_name or self.kind


@dataclass(slots=True, eq=False)
class Field:
    """One field of a record; ``default`` is Avro JSON, or NO_DEFAULT."""

    name: str
    type: Type
    default: Any
    extras: dict[str, Any]


def from_avro(schema: Any) -> Type:
    """Make a node of an avro-python3 schema object; a recursive type gives a cyclic node.

    Raises DocumentError for a name that Avro does not allow (avro-python3 lets field names pass).
    """
    return _read(schema, {})


def _read(schema: Any, named: dict[str, Type]) -> Type:
    kind = schema.type
    props = schema.props
    extras = {k: props[k] for k in props if k not in _STRUCTURE} if len(props) > 1 else {}
    if kind in _PRIMITIVES:
        return Type(kind, extras=extras)
    if kind == "union":
        return _union([_read(branch, named) for branch in schema.schemas])
    if kind == "array":
        return Type(kind, items=_read(schema.items, named), extras=extras)
    if kind == "map":
        return Type(kind, items=_read(schema.values, named), extras=extras)
    if kind not in NAMED:
        raise DocumentError(f"The Avro type {kind!r} cannot be scored.")
    return _read_named(schema, named, extras)


def _union(branches: list[Type]) -> Type:
    """Make a union; the engine tells its branches by their short names."""
    seen: dict[str, Type] = {}
    for branch in branches:
        other = seen.setdefault(branch.short_name, branch)
        if other is not branch:
            raise DocumentError(
                f"A union has the branches {_quote(other.tag)} and {_quote(branch.tag)}, which the"
                " engine cannot tell apart: give them names that differ without the namespace."
            )
    return Type("union", branches=branches)


def _read_named(schema: Any, named: dict[str, Type], extras: dict[str, Any]) -> Type:
    full_name = schema.fullname.lstrip(".")
    if full_name in named:
        return named[full_name]
    for part in full_name.split("."):
        _check_name(part, f"The name of the {schema.type} {_quote(full_name)}")
    node = named[full_name] = Type(schema.type, full_name=full_name, extras=extras)
    if schema.type == "enum":
        node.symbols = tuple(schema.symbols)
    elif schema.type == "fixed":
        node.size = schema.size
    else:
        for made in schema.fields:
            _check_name(made.name, f"The field {_quote(made.name)} of record {full_name}")
            default = made.default if made.has_default else NO_DEFAULT
            more = {k: v for k, v in made.props.items() if k not in ("type", "name", "default")}
            node.fields.append(Field(made.name, _read(made.type, named), default, more))
    return node


def _check_name(name: str, what: str) -> None:
    if _NAME.fullmatch(name):
        return
    why = "Avro names are letters, digits and underscores, and do not begin with a digit"
    if "." in name:
        why = (
            "Avro names cannot have dots: rename the column before exporting"
            f" (for example to {_quote(name.replace('.', '_'))}), or take a map as input"
        )
    raise DocumentError(f"{what} is not allowed: {why}.")


def _quote(text: str, limit: int = 80) -> str:
    """Text of a document inside a message: bounded, control characters made visible."""
    return '"' + bounded(text.encode("unicode_escape").decode("ascii"), limit) + '"'


def to_avro(node: Type) -> Any:
    """The type as Avro JSON, complete in itself: each named type is written where first used."""
    return _write(node, set(), "")


def _write(node: Type, written: set[str], enclosing: str) -> Any:
    if node.kind == "union":
        return [_write(branch, written, enclosing) for branch in node.branches]
    if node.kind in _PRIMITIVES:
        return {"type": node.kind, **node.extras} if node.extras else node.kind
    if node.kind == "array":
        return {"type": "array", **node.extras, "items": _write(items_of(node), written, enclosing)}
    if node.kind == "map":
        return {"type": "map", **node.extras, "values": _write(items_of(node), written, enclosing)}
    if node.full_name in written:
        return node.full_name
    written.add(node.full_name)
    namespace = node.full_name.rpartition(".")[0]
    out: dict[str, Any] = {"type": node.kind, "name": node.short_name}
    if namespace or enclosing:  # "" keeps a nested type from inheriting the outer one's
        out["namespace"] = namespace
    out |= node.extras
    if node.kind == "enum":
        out["symbols"] = list(node.symbols)
    elif node.kind == "fixed":
        out["size"] = node.size
    else:
        out["fields"] = [_write_field(made, written, namespace) for made in node.fields]
    return out


def _write_field(made: Field, written: set[str], enclosing: str) -> dict[str, Any]:
    out = {"name": made.name, "type": _write(made.type, written, enclosing)}
    if made.default is not NO_DEFAULT:
        out["default"] = made.default
    return {**out, **made.extras}


def from_json(schema: Any) -> Type:
    """Make a node of what ``to_avro`` gave."""
    return _parse(schema, {}, "")


def _parse(schema: Any, named: dict[str, Type], enclosing: str) -> Type:
    if isinstance(schema, list):
        return Type("union", branches=[_parse(branch, named, enclosing) for branch in schema])
    if isinstance(schema, str):
        return named[schema] if schema in named else Type(schema)
    kind = schema["type"]
    extras = {key: value for key, value in schema.items() if key not in _STRUCTURE}
    if kind not in NAMED:
        items = schema.get("items", schema.get("values"))
        inner = None if items is None else _parse(items, named, enclosing)
        return Type(kind, items=inner, extras=extras)
    namespace = schema.get("namespace", enclosing)
    full_name = f"{namespace}.{schema['name']}" if namespace else schema["name"]
    node = named[full_name] = Type(kind, full_name=full_name, extras=extras)
    node.symbols, node.size = tuple(schema.get("symbols", ())), schema.get("size", 0)
    for made in schema.get("fields", ()):
        more = {key: made[key] for key in made if key not in ("type", "name", "default")}
        of = _parse(made["type"], named, namespace)
        node.fields.append(Field(made["name"], of, made.get("default", NO_DEFAULT), more))
    return node


def items_of(node: Type) -> Type:
    """The type of an array's items or of a map's values."""
    if node.items is None:
        raise TypeError("only arrays and maps have items")
    return node.items


def expected(node: Type) -> str:
    """What a value of this type is, for an error's detail: at most about 300 characters."""
    name = bounded(node.full_name)
    match node.kind:
        case "null" | "string" | "double":
            return node.kind
        case "boolean":
            return "boolean (true or false)"
        case "int" | "float":
            return f"{node.kind} (32-bit)"
        case "long":
            return "long (64-bit)"
        case "bytes":
            return "bytes (text of characters up to U+00FF)"
        case "fixed":
            return f"fixed {name} (text of exactly {node.size} characters up to U+00FF)"
        case "enum":
            return f"one of the symbols {_listing(list(map(_quote, node.symbols)), ', ')}"
        case "array" | "map":
            return f"{node.kind} of {brief(items_of(node))}"
        case "union":
            return _listing([brief(branch) for branch in node.branches], " or ")
        case _:
            return f"record {name}"


def brief(node: Type) -> str:
    """The type's name: at most about 300 characters."""
    if node.kind == "union":
        return "values (" + _listing([brief(b) for b in node.branches], " or ") + ")"
    return f"{node.kind} {bounded(node.full_name)}".strip()


def _listing(parts: list[str], between: str, limit: int = 200) -> str:
    """Join as many parts as fit ``limit`` characters, and say how many more there are."""
    shown: list[str] = []
    for part in parts:
        if shown and sum(map(len, shown)) + len(part) > limit:
            return between.join(shown) + f" and {len(parts) - len(shown)} more"
        shown.append(part)
    return between.join(shown)


def bounded(text: str, limit: int = 80) -> str:
    """The text, cut where it is longer than ``limit`` characters."""
    return text if len(text) <= limit else text[:limit] + "…"
