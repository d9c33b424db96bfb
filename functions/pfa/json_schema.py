"""Avro types as JSON Schema (draft 2020-12), for people and tools that call a model.

The schema of an input says what the input check accepts, so far as JSON Schema can: it cannot say
that an untagged value fits two records of a union and needs its tag, that a whole number beyond
2**53 must be written without an exponent, or that text must not hold half of a surrogate pair.
Source: https://json-schema.org/draft/2020-12/json-schema-core and -validation.
"""

import sys
from typing import Any

from pfa.scalars import FLOAT_MAX, INT_LIMIT, LONG_LIMIT
from pfa.schema import NAMED, NO_DEFAULT, Type, items_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DOUBLE_MAX = sys.float_info.max
# Written with escapes that both JSON Schema's regular expressions and Python's understand.
_LATIN_1 = r"^[\u0000-\u00ff]*$"

_PRIMITIVES: dict[str, dict[str, Any]] = {
    "null": {"type": "null"},
    "boolean": {"type": "boolean"},
    "int": {"type": "integer", "minimum": -INT_LIMIT, "maximum": INT_LIMIT - 1},
    "long": {"type": "integer", "minimum": -LONG_LIMIT, "maximum": LONG_LIMIT - 1},
    "float": {"type": "number", "minimum": -FLOAT_MAX, "maximum": FLOAT_MAX},
    "double": {"type": "number", "minimum": -_DOUBLE_MAX, "maximum": _DOUBLE_MAX},
    "bytes": {"type": "string", "pattern": _LATIN_1},
    "string": {"type": "string"},
}


def input_schema(node: Type) -> dict[str, Any]:
    """What a caller may send: defaults may be missing, unions may be tagged or not."""
    return _Writer(accepts=True).document(node)


def output_schema(node: Type) -> dict[str, Any]:
    """What a model answers: all fields are there, unions are tagged with the full name."""
    return _Writer(accepts=False).document(node)


class _Writer:
    def __init__(self, accepts: bool) -> None:
        self.accepts = accepts
        self.definitions: dict[str, dict[str, Any]] = {}

    def document(self, node: Type) -> dict[str, Any]:
        out = {"$schema": DIALECT, **self.write(node)}
        if self.definitions:
            out["$defs"] = self.definitions
        return out

    def write(self, node: Type) -> dict[str, Any]:
        if node.kind == "array":
            return {"type": "array", "items": self.write(items_of(node))}
        if node.kind == "map":
            return {"type": "object", "additionalProperties": self.write(items_of(node))}
        if node.kind == "union":
            return self.union(node)
        if node.kind not in NAMED:
            return dict(_PRIMITIVES[node.kind])
        if node.full_name not in self.definitions:
            self.definitions[node.full_name] = {}  # a recursive type refers to itself
            self.definitions[node.full_name] |= self.named(node)
        return {"$ref": f"#/$defs/{node.full_name}"}

    def named(self, node: Type) -> dict[str, Any]:
        out = _description(node.extras)
        if node.kind == "enum":
            return {**out, "enum": list(node.symbols)}
        if node.kind == "fixed":
            return {
                **out,
                "type": "string",
                "pattern": _LATIN_1,
                "minLength": node.size,
                "maxLength": node.size,
            }
        properties = {}
        for made in node.fields:
            properties[made.name] = {**self.write(made.type), **_description(made.extras)}
            if self.accepts and made.default is not NO_DEFAULT:
                properties[made.name]["default"] = made.default
        required = [
            made.name for made in node.fields if not self.accepts or made.default is NO_DEFAULT
        ]
        out |= {"type": "object", "properties": properties, "additionalProperties": False}
        if required:
            out["required"] = required
        return out

    def union(self, node: Type) -> dict[str, Any]:
        choices: list[dict[str, Any]] = []
        for branch in node.branches:
            plain = self.shared(branch)
            if self.accepts or branch.kind == "null":
                choices.append(plain)
            if self.accepts:
                choices += [_tagged(tag, plain) for tag in sorted({branch.short_name, branch.tag})]
            elif branch.kind != "null":
                choices.append(_tagged(branch.tag, plain))
        return {"anyOf": choices}

    def shared(self, node: Type) -> dict[str, Any]:
        """A branch, to be written several times: were it not by reference, unions in arrays in
        unions would double with each level."""
        if node.kind not in ("array", "map"):
            return self.write(node)
        name = f"{node.kind}-{len(self.definitions) + 1}"  # no Avro name has a hyphen
        self.definitions[name] = {}
        self.definitions[name] |= self.write(node)
        return {"$ref": f"#/$defs/{name}"}


def _tagged(tag: str, inner: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {tag: inner},
        "required": [tag],
        "additionalProperties": False,
    }


def _description(extras: dict[str, Any]) -> dict[str, Any]:
    doc = extras.get("doc")
    return {"description": doc} if isinstance(doc, str) else {}
