"""What the types of a tree walk say: which comparisons there can be, and what they compare.

titus asks this anew for every node that a record passes; it depends on the types only.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pfa.kernels.prepared import Call, call_of
from pfa.specialise import Site

NUMBERS = {"int": int, "long": int, "float": float, "double": float}
ORDERED = ("<=", "<", ">=", ">")
# Types of which a value in a union always has a tag or is no dict.
_PLAIN = {*NUMBERS, "string", "enum", "boolean"}

# Codes of "bad value type" and "invalid comparison operator".
_CODES = {
    "model.tree.simpleTree": (32061, 32060),
    "model.tree.simpleTest": (32001, 32000),
    "model.tree.missingTest": (32011, 32010),
}


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk down trees of one type, and how it compares.

    ``call`` is of the function that compares: simpleTree, or the simpleTest or missingTest in the
    predicate of a simpleWalk or missingWalk. ``three_way``: a node has a child "missing".
    """

    call: Call
    datum: Any
    node: Any
    three_way: bool = False

    @property
    def missing(self) -> bool:
        """Whether a comparison with a missing value has no result."""
        return self.call[0] == "model.tree.missingTest"


def walk_of(site: Site) -> Walk | None:
    """Return the walk of a call of simpleTree, simpleWalk or missingWalk.

    None where the predicate is anything but one comparison of the record with the node.
    """
    if site.name == "model.tree.simpleTree":
        return Walk(call_of(site), site.types[0], site.types[1])
    predicate = site.function(2)
    test: Any = getattr(predicate, "call", None)
    if test is None or test.name not in _CODES or test.name == "model.tree.simpleTree":
        return None
    params = getattr(predicate, "given", getattr(predicate, "params", ()))
    if list(test.args) != list(params):
        return None
    return Walk(call_of(test), test.types[0], test.types[1], site.name == "model.tree.missingWalk")


def error_of(call: Call, is_operator: bool) -> tuple[str, int]:
    """Return message and code of the two errors of a comparison."""
    bad_value, bad_operator = _CODES[call[0]]
    if is_operator:
        return "invalid comparison operator", bad_operator
    return "bad value type", bad_value


def field_type(walk: Walk, name: str) -> tuple[Any, bool] | None:
    """Return the type that a field is compared as, and whether its value has to be untagged.

    None where that depends on more than the type.
    """
    avro_type = walk.datum.fieldsDict[name].avroType
    if not walk.missing:
        return avro_type, False
    if avro_type.schema.type != "union":
        return (avro_type, False) if avro_type.schema.type in _PLAIN else None
    others = [branch for branch in avro_type.types if branch.name != "null"]
    if len(others) != 1 or others[0].schema.type not in _PLAIN:
        return None
    return others[0], True


def value_type(walk: Walk) -> Any:
    """Return the type of the nodes' values."""
    return walk.node.fieldsDict["value"].avroType


def branches(avro_type: Any) -> dict[str, Any]:
    """Return the types of a union by their tags; none of another type."""
    if avro_type.schema.type != "union":
        return {}
    return {branch.name: branch for branch in avro_type.types}


def is_number(avro_type: Any) -> bool:
    """Whether a type is one of numbers."""
    return avro_type.schema.type in NUMBERS


def comparable(values: Any, field: Any) -> bool:
    """Whether titus lets values of a type be compared with a field's."""
    return bool(values.accepts(field)) or (is_number(values) and is_number(field))


def reference(call: Call) -> Callable[[Any, Any], Any]:
    """Return titus's own comparison: True, False, or None for a missing value.

    titus is imported when it is first called.
    """
    name, pos, types = call
    made: Callable[[Any, Any], Any] | None = None

    def make() -> Callable[[Any, Any], Any]:
        from pfa import compat  # noqa: F401  mends titus
        from pfa.compat.loader import load

        compare = load("titus.lib.model.tree").simpleComparison
        declared: list[Any] = json.loads(types) if isinstance(types, str) else types
        parsers = [load("titus.datatype").ForwardDeclarationParser() for _ in range(2)]
        for parser, declaration in zip(parsers, declared, strict=False):
            parser.parse([json.dumps(declaration)])
        parsers[0].names.names.update(parsers[1].names.names)
        simple = name != "model.tree.missingTest"

        def test(datum: Any, node: Any) -> Any:
            return compare(declared, datum, node, simple, parsers[0], *_CODES[name], name, pos)

        return test

    def first(datum: Any, node: Any) -> Any:
        nonlocal made
        if made is None:
            made = make()
        return made(datum, node)

    return first
