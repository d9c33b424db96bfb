"""What titus does with Avro types, in a time that grows with the document and no faster."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from itertools import permutations as all_permutations
from math import inf
from types import SimpleNamespace
from typing import Any

from pfa.compat.loader import mends

MAX_ORDERS = 720  # of a union's branches: all of six
MAX_DEFAULTS = 10_000  # values that a record's defaults make of defaults inside them


@mends("titus.datatype")
def _same_type(datatype: Any) -> None:
    """Let a record type accept itself at once.

    titus compares all fields, and those of records in them, with no memory of what it has
    compared: 30 records, each with two fields of the next, take 2**30 comparisons. Each name has
    one definition in a document, so that equal records there are the same object.
    """
    record, compare = datatype.AvroRecord, datatype.AvroType.accepts

    def accepts(self: Any, other: Any, memo: Any = None, checkRecord: bool = True) -> Any:  # noqa: N803
        if isinstance(other, record) and self.schema is other.schema:
            return True
        return compare(self, other, memo, checkRecord)

    record.accepts = accepts


@mends("titus.P")
def _named_patterns(patterns: Any) -> None:
    """Keep a record type in the pattern that stands for it in a function's signature.

    titus makes a pattern of all its fields, and a type of that again: 28 records, each with two
    fields of the next, took 2**28 patterns and all memory. It compares their names only.
    """
    stock_from, stock_to = patterns.fromType, patterns.toType

    def from_type(avro_type: Any, memo: Any = None) -> Any:
        if not isinstance(avro_type, patterns.AvroRecord):
            return stock_from(avro_type, memo)
        pattern = patterns.Record({}, avro_type.fullName.lstrip("."))
        pattern.avro_type = avro_type
        return pattern

    def to_type(pattern: Any) -> Any:
        return getattr(pattern, "avro_type", None) or stock_to(pattern)

    patterns.fromType, patterns.toType = from_type, to_type


@mends("titus.signature")
def _signatures(signature: Any) -> None:
    """Match unions in a bounded time.

    titus tries every order of a union's branches: 12 of them take hours to be refused. Without
    generics in the pattern the first order is as good as any.
    """

    def permutations(branches: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        return islice(all_permutations(branches), MAX_ORDERS)

    signature.itertools = SimpleNamespace(permutations=permutations)


@mends("titus.datatype")
def _fields_once(datatype: Any) -> None:
    """Keep a record type's fields with its schema.

    titus makes an object of each field whenever it looks for one: 5000 fields, each read once,
    took 11 s to load.
    """
    field = datatype.AvroField

    def fields(self: Any) -> Any:
        kept = vars(self.schema)
        if "pfa_fields" not in kept:
            kept["pfa_fields"] = [field.fromSchema(each) for each in self.schema.fields]
        return kept["pfa_fields"]

    def fields_dict(self: Any) -> Any:
        kept = vars(self.schema)
        if "pfa_fields_dict" not in kept:
            kept["pfa_fields_dict"] = {each.name: each for each in self.fields}
        return kept["pfa_fields_dict"]

    datatype.AvroRecord.fields = property(fields)
    datatype.AvroRecord.fieldsDict = property(fields_dict)


@mends("titus.datatype")
def _text_once(datatype: Any) -> None:
    """Keep a type's text with its schema: each call of the library shows its types."""

    def text(self: Any) -> str:
        kept = vars(self.schema)
        if "pfa_text" not in kept:
            kept["pfa_text"] = str(self.schema)
        return str(kept["pfa_text"])

    datatype.AvroType.__repr__ = text


@mends("titus.datatype")
def _maps_by_name(datatype: Any) -> None:
    """Find the type of a map in a ``cast``: titus takes it for an array, and no case fits."""
    parser = datatype.ForwardDeclarationParser
    stock = parser.getAvroType

    def get_type(self: Any, description: Any) -> Any:
        if isinstance(description, dict) and description.get("type") == "map":
            return datatype.AvroMap(self.getAvroType(description["values"]))
        return stock(self, description)

    parser.getAvroType = get_type


@mends("titus.datatype")
def _types_in_order(datatype: Any) -> None:
    """Give the Avro library a document's types in an order in which it knows the names in them.

    titus tries all types again as long as some name is unknown: 1000 types, each naming one that
    comes later, took 12 s.
    """
    parser, schema_module = datatype.ForwardDeclarationParser, datatype.avro.schema
    stock = parser.parse
    primitive = {
        f'"{name}"': datatype.schemaToAvroType(schema_module.PrimitiveSchema(name))
        for name in _PRIMITIVE
    }

    def parse(self: Any, texts: Sequence[str]) -> Any:
        texts = list(dict.fromkeys(texts))
        known = dict(self.names.names)
        try:
            for text in texts:
                if text not in primitive:
                    made = schema_module.SchemaFromJSONData(json.loads(text), self.names)
                    self.lookupTable[text] = datatype.schemaToAvroType(made)
                else:
                    self.lookupTable[text] = primitive[text]
        except schema_module.SchemaParseException:  # a name that comes later, it may be
            self.names = schema_module.Names(names=known)
            stock(self, in_order(texts))
        for schema in self.names.names.values():
            if schema.type == "record" and default_values(schema) > MAX_DEFAULTS:
                raise datatype.titus.errors.AvroException(
                    f"the defaults of record {schema.fullname.lstrip('.')[:80]} have defaults in"
                    f" them, and make more than {MAX_DEFAULTS} values"
                )
        return {text: self.lookupTable[text] for text in texts}

    parser.parse = parse


def default_values(record: Any) -> float:
    """Count the values that a record's defaults make beyond those that they say themselves.

    A default ``{}`` of a record makes all of that record's defaults: 40 records with two such
    fields of the next make 2**40 values. Where a default is of a type that contains itself, and
    leaves it to its default, that is infinite. Memory and time for a value made of defaults, of a
    cell or of a request, are bounded by this.
    """
    return sum(
        _made_of(field.type, field.default) - _written(field.default)
        for field in record.fields
        if field.has_default
    )


def _made_of(schema: Any, value: Any) -> float:
    """Count the values that a JSON value makes when it is read as a type; a union's at most."""
    if not isinstance(value, dict | list):
        return 1
    # kept with the type; the key is the value's identity, which lives as long: in the type
    known: dict[int, float] = vars(schema).setdefault("pfa_default_values", {})
    if id(value) not in known:
        known[id(value)] = inf  # until it is known: it is asked for if it contains itself
        known[id(value)] = _made_of_parts(schema, value)
    return known[id(value)]


def _made_of_parts(schema: Any, value: Any) -> float:
    if schema.type == "union":
        tagged = list(value.values()) if isinstance(value, dict) and len(value) == 1 else []
        return max(_made_of(of, each) for of in schema.schemas for each in [value, *tagged])
    if schema.type == "array" and isinstance(value, list):
        return 1 + sum(_made_of(schema.items, each) for each in value)
    if schema.type == "map" and isinstance(value, dict):
        return 1 + sum(_made_of(schema.values, each) for each in value.values())
    if schema.type == "record" and isinstance(value, dict):
        return 1 + sum(
            _made_of(field.type, value.get(field.name, field.props.get("default")))
            for field in schema.fields
            if field.name in value or field.has_default
        )
    return 1


def _written(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_written, parts))


_PRIMITIVE = ("null", "boolean", "int", "long", "float", "double", "string", "bytes")
_WITHOUT_NAMES = {f'"{name}"' for name in _PRIMITIVE}


def in_order(texts: Sequence[str]) -> list[str]:
    """Sort schemas, as JSON text, so that a name is defined before it is used, where possible.

    Names are compared without their namespaces: at worst that is not the best order.
    """
    if sum(text not in _WITHOUT_NAMES for text in texts) < 2:
        return list(texts)
    defines: dict[str, str] = {}
    uses: dict[str, list[str]] = {}
    for text in texts:
        uses[text] = []
        for name, is_definition in _names(json.loads(text)):
            if is_definition:
                defines[name] = text
            else:
                uses[text].append(name)
    ordered: dict[str, None] = {}
    entered: set[str] = set()
    todo = list(reversed(texts))
    while todo:
        text = todo[-1]
        if text in entered:
            todo.pop()
            ordered.setdefault(text)
            continue
        entered.add(text)
        needed = (defines[name] for name in uses[text] if name in defines)
        todo.extend(other for other in needed if other not in entered)
    return list(ordered)


def _names(schema: Any) -> Iterator[tuple[str, bool]]:
    """Give the names in a schema, without namespace, and whether they are defined there."""
    todo = [schema]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            yield part.rpartition(".")[2], False
        elif isinstance(part, list):
            todo.extend(part)
        elif isinstance(part, dict):
            if isinstance(part.get("name"), str) and part.get("type") in (
                "record",
                "enum",
                "fixed",
            ):
                yield part["name"].rpartition(".")[2], True
            todo.extend(part[key] for key in ("type", "items", "values") if key in part)
            if isinstance(part.get("fields"), list):
                todo.extend(part["fields"])
