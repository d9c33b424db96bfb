"""What was made faster answers as titus's own routine does."""

import random
from functools import partial
from inspect import getclosurevars
from typing import Any

import pytest

from pfa import compat  # noqa: F401 - mends titus
from pfa.compat.loader import load

reader = load("titus.reader")
signature = load("titus.signature")
datatype = load("titus.datatype")
library = load("titus.pfaast").FunctionTable.blank().functions

CASES = [{"as": "int", "named": "x", "do": "x"}, {"as": "string", "named": "x", "do": 0}]
ARGUMENTS: list[Any] = [
    "x", "x y", "x.y", "x.y.z", "x.1", "x..y", ".x", "x.y z", "x\n", "x.y\n", "",
    0, -(2**31), 2**31, -(2**31) - 1, 2**63, True, None, 1.5,
    ["x"], ["x", "y"], [1], [],
    {"error": "no"}, {"error": "no", "code": -3}, {"error": 5}, {"error": "no", "code": "3"},
    {"fcn": "u.f"}, {"fcn": "f g"}, {"fcn": 3}, {"fcn": "m.exp", "fill": {"x": 1}},
    {"cast": "x", "cases": CASES}, {"cast": "x", "cases": CASES, "partial": True},
    {"cast": "x", "cases": CASES, "partial": 1}, {"code": 3},
    {"+": ["x.y", 1]}, {"s.len": [["text"]]}, {"a.map": ["x", {"fcn": "u.f"}]},
]  # fmt: skip


def read(routine: Any, argument: Any) -> Any:
    """The node of an argument, or the error."""
    try:
        return parts(routine(argument, "action -> 0", datatype.AvroTypeBuilder()))
    except Exception as error:
        return type(error), str(error)


def parts(node: Any) -> Any:
    """A node with all that is in it, positions included."""
    if isinstance(node, list):
        return [parts(each) for each in node]
    if isinstance(node, dict):
        return {key: parts(each) for key, each in node.items()}
    if hasattr(node, "collect"):
        return type(node), parts(vars(node))
    return repr(node)


@pytest.mark.parametrize("argument", ARGUMENTS, ids=repr)
def test_arguments(argument):
    quick = reader._readArgument
    stock = getclosurevars(quick).nonlocals["stock"]
    assert read(quick, argument) == read(stock, argument)


def a_type(depth: int = 3) -> Any:
    """A random type as JSON."""
    kinds = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
    kind = random.choice(
        [*kinds, "array", "map", "union", "record", "extra"][: None if depth else 8]
    )
    match kind:
        case "array":
            return {"type": kind, "items": a_type(depth - 1)}
        case "map":
            return {"type": kind, "values": a_type(depth - 1)}
        case "extra":
            return {"type": "array", "items": random.choice(kinds), "more": depth}
        case "union":
            return random.sample(kinds, random.randint(1, 3))
        case "record":
            fields = [{"name": "x", "type": a_type(depth - 1)}]
            return {"type": kind, "name": f"R{random.randrange(10**9)}", "fields": fields}
    return kind


def an_argument() -> Any:
    """A random type of titus's, now and then of a function or of an error."""
    of = datatype.jsonNodeToAvroType
    match random.randrange(8):
        case 0:
            count = random.randint(1, 2)
            return datatype.FcnType([of(a_type(1)) for _ in range(count)], of(a_type(1)))
        case 1:
            return datatype.ExceptionType()
    return of(a_type())


def outcome(accepts: Any, args: list[Any], version: Any) -> Any:
    """What a signature makes of types, as text; or the class of an error."""
    try:
        found = accepts(args, version)
    except TypeError as error:
        return type(error)
    return found and (found[0], repr(found[1:]))


def test_signatures():
    random.seed(5)
    stock_one = getclosurevars(signature.Sig.accepts).nonlocals["stock"]
    stock_many = getclosurevars(signature.Sigs.accepts).nonlocals["stock"]
    version = signature.PFAVersion(0, 8, 1)
    known = [[an_argument() for _ in range(random.randint(1, 3))] for _ in range(150)]
    accepted = 0
    for name in [*random.sample(sorted(library), 60), "+", "==", "a.map", "map.join", "max"]:
        sig = library[name].sig
        stock = stock_many if isinstance(sig, signature.Sigs) else stock_one
        for args in [*known, *known]:
            found = outcome(sig.accepts, args, version)
            assert found == outcome(partial(stock, sig), args, version)
            accepted += found is not None
        assert len(vars(sig)["pfa_known"]) <= 8
    assert accepted > 500


def test_a_signature_of_another_version():
    old, new = signature.PFAVersion(0, 7, 1), signature.PFAVersion(0, 8, 1)
    born = signature.Lifespan(new, None, None, None)
    sig = signature.Sig([{"x": load("titus.P").Int()}], load("titus.P").Int(), born)
    args = [datatype.AvroInt()]
    assert [sig.accepts(args, each) is None for each in (new, old, new, old)] == [
        False,
        True,
        False,
        True,
    ]


def test_types_that_say_more():
    version = signature.PFAVersion(0, 8, 1)
    for more in "ab":
        inner = {"type": "array", "items": "int", "more": more}
        given = datatype.jsonNodeToAvroType({"type": "array", "items": ["null", inner]})
        _, _, made = library["a.head"].sig.accepts([given], version)
        assert f'"more": "{more}"' in repr(made)


@pytest.mark.parametrize("kind", ["null", "int", "string", "bytes"])
def test_types_of_schemas(kind):
    made = datatype.jsonNodeToAvroType({"type": "map", "values": [kind, "double"]})
    assert [type(each).__name__.lower() for each in made.values.types] == [
        f"avro{kind}",
        "avrodouble",
    ]
