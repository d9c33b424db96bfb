import json
import math
from typing import Any

import pytest

import pfa
from pfa.check import MAX_DEPTH, checker
from pfa.scalars import MAX_ERRORS, MAX_POINTER
from tests.pfa.avro_types import avro


def check(schema: Any, value: Any) -> Any:
    return checker(avro(schema))(value)


def wrong(schema: Any, value: Any) -> dict[str, str]:
    """The places that the check names, with the details."""
    with pytest.raises(pfa.InputError) as caught:
        check(schema, value)
    assert caught.value.count == len(caught.value.errors)
    return {error["pointer"]: error["detail"] for error in caught.value.errors}


def record(*fields: Any, name: str = "Rec", **more: Any) -> dict[str, Any]:
    made = [
        {"name": f[0], "type": f[1], **({"default": f[2]} if len(f) == 3 else {})} for f in fields
    ]
    return {"type": "record", "name": name, "fields": made, **more}


ENUM = {"type": "enum", "name": "Colour", "symbols": ["red", "green"]}
FIXED = {"type": "fixed", "name": "Two", "size": 2}
INFINITY = float("inf")


@pytest.mark.parametrize(
    ("schema", "value", "made"),
    [
        ("null", None, None),
        ("boolean", True, True),
        ("boolean", False, False),
        ("int", 12, 12),
        ("int", -(2**31), -(2**31)),
        ("int", 2**31 - 1, 2**31 - 1),
        ("int", 1.0, 1),
        ("int", -0.0, 0),
        ("long", 2**63 - 1, 2**63 - 1),
        ("long", -(2**63), -(2**63)),
        ("long", 2.0**53 - 1, 2**53 - 1),
        ("float", 1, 1.0),
        ("float", 3.4028234663852886e38, 3.4028234663852886e38),
        ("double", 0.1, 0.1),
        ("double", 3, 3.0),
        ("double", 2**64, 2.0**64),
        ("double", 1.7976931348623157e308, 1.7976931348623157e308),
        ("string", "", ""),
        ("string", "null", "null"),
        ("string", "日本 \U0001f600", "日本 \U0001f600"),
        ("bytes", "\u00ff\u0000a", "\u00ff\u0000a"),
        (ENUM, "red", "red"),
        (FIXED, "\u00e9x", "\u00e9x"),
        ({"type": "array", "items": "double"}, [1, 2.5], [1.0, 2.5]),
        ({"type": "map", "values": "int"}, {"": 1, "a.b": 2.0}, {"": 1, "a.b": 2}),
        (record(("x", "int"), ("y", "double")), {"y": 1, "x": 2.0}, {"x": 2, "y": 1.0}),
        (record(), {}, {}),
    ],
)
def test_accepted(schema, value, made):
    got = check(schema, value)
    assert got == made
    assert json.dumps(got) == json.dumps(made)  # int or float, and the order of fields


@pytest.mark.parametrize(
    ("schema", "value", "detail"),
    [
        ("null", "null", "expected null"),
        ("null", False, "expected null"),
        ("boolean", "true", "expected boolean (true or false)"),
        ("boolean", 1, "expected boolean (true or false)"),
        ("int", "12", "expected int (32-bit)"),
        ("int", " 12 ", "expected int (32-bit)"),
        ("int", True, "expected int (32-bit)"),
        ("int", 2**31, "expected int (32-bit); the number is out of range"),
        ("int", -(2**31) - 1, "expected int (32-bit); the number is out of range"),
        ("int", 1e300, "expected int (32-bit); the number is out of range"),
        ("int", 1.5, "expected int (32-bit); the number is not whole"),
        ("int", math.nan, "expected int (32-bit); NaN and Infinity are not accepted"),
        ("int", 10**400, "expected int (32-bit); the number is out of range"),
        ("long", 2**63, "expected long (64-bit); the number is out of range"),
        (
            "long",
            1e17,
            "expected long (64-bit); a number this large must be written without point or exponent",
        ),
        ("long", True, "expected long (64-bit)"),
        ("float", 1e39, "expected float (32-bit); the number is out of range"),
        ("float", -1e39, "expected float (32-bit); the number is out of range"),
        ("float", "1.5", "expected float (32-bit)"),
        ("double", "nan", "expected double"),
        ("double", True, "expected double"),
        ("double", None, "expected double"),
        ("double", [1.0], "expected double"),
        ("double", math.nan, "expected double; NaN and Infinity are not accepted"),
        ("double", INFINITY, "expected double; NaN and Infinity are not accepted"),
        ("double", -INFINITY, "expected double; NaN and Infinity are not accepted"),
        ("double", 10**400, "expected double; the number is out of range"),
        ("double", -(10**400), "expected double; the number is out of range"),
        ("string", 1, "expected string"),
        ("string", "\ud800", "expected string of Unicode; it holds half of a surrogate pair"),
        ("bytes", "\u0100", "expected bytes (text of characters up to U+00FF)"),
        ("bytes", [1, 2], "expected bytes (text of characters up to U+00FF)"),
        (ENUM, "blue", 'expected one of the symbols "red", "green"'),
        (ENUM, 0, 'expected one of the symbols "red", "green"'),
        (FIXED, "a", "expected fixed Two (text of exactly 2 characters up to U+00FF)"),
        (FIXED, "abc", "expected fixed Two (text of exactly 2 characters up to U+00FF)"),
        ({"type": "array", "items": "int"}, "12", "expected array of int"),
        ({"type": "array", "items": "int"}, {"0": 1}, "expected array of int"),
        ({"type": "map", "values": "int"}, [], "expected map of int"),
        ({"type": "map", "values": "int"}, "", "expected map of int"),
        (record(), "anything", "expected record Rec"),
        (record(("x", "int")), [1], "expected record Rec"),
    ],
)
def test_refused(schema, value, detail):
    assert wrong(schema, value) == {"": detail}


def test_every_wrong_place_is_named():
    inner = record(("n", "int"), ("m", {"type": "map", "values": "boolean"}), name="Inner")
    schema = record(("a", "double"), ("b", {"type": "array", "items": inner}), ("c", "string"))
    value = {
        "a": "1.5",
        "b": [{"n": 1, "m": {}}, {"n": True, "m": {"x/y": 1, "x~z": True}}, {"m": {}}],
        "d": 1,
        "e~/": 2,
    }
    assert wrong(schema, value) == {
        "/a": "expected double",
        "/b/1/n": "expected int (32-bit)",
        "/b/1/m/x~1y": "expected boolean (true or false)",
        "/b/2/n": "missing field of type int",
        "/c": "missing field of type string",
        "/d": "unknown field",
        "/e~0~1": "unknown field",
    }


def test_no_error_holds_a_value():
    schema = record(("a", "int"), ("b", ENUM), ("c", ["null", "double"]), ("d", FIXED))
    with pytest.raises(pfa.InputError) as caught:
        check(schema, {"a": "SECRET", "b": "SECRET", "c": "SECRET", "d": "SECRET"})
    assert "SECRET" not in str(caught.value) + repr(caught.value.errors)
    assert caught.value.count == 4


def test_errors_are_bounded():
    with pytest.raises(pfa.InputError) as caught:
        check({"type": "array", "items": record(("x", "int"))}, [{"x": "a", "y" * 10_000: 1}] * 500)
    assert caught.value.count == 1000
    assert len(caught.value.errors) == MAX_ERRORS
    assert max(len(error["pointer"]) for error in caught.value.errors) < 120
    assert str(caught.value).endswith("1000 places are wrong.")


def test_a_number_that_may_have_been_another():
    """2**53 + 1 with a point is read as 2**53."""
    tail = "; a number this large must be written without point or exponent"
    assert wrong("long", 9007199254740993.0) == {"": "expected long (64-bit)" + tail}
    assert wrong("long", -(2.0**53)) == {"": "expected long (64-bit)" + tail}


def test_a_long_pointer_is_cut():
    schema = record(("x", "int"), ("m", {"type": "map", "values": "Rec"}), name="Rec")
    value: Any = {"x": "bad", "m": {}}
    for _ in range(60):
        value = {"x": 1, "m": {"k" * 99: value}}
    (place,) = wrong(schema, value)
    assert len(place) <= MAX_POINTER + 10
    assert place.startswith("/…/")
    assert place.endswith("k/x")


def test_pointer_of_a_key_that_is_no_text():
    places = wrong({"type": "map", "values": "int"}, {"\ud800": 1})
    assert places == {"/\ufffd": "expected a key of Unicode text"}


def test_long_enum_is_cut():
    symbols = [f"symbol_{i:04}" for i in range(1000)]
    (detail,) = wrong({"type": "enum", "name": "E", "symbols": symbols}, "x").values()
    assert detail.startswith('expected one of the symbols "symbol_0000", ')
    assert detail.endswith(" more")
    assert len(detail) < 300


class TestDefaults:
    def test_missing_fields_get_them(self):
        inner = record(("n", "int", 7), name="Inner")
        schema = record(
            ("a", "double", 1),
            ("b", "string", "x"),
            ("c", {"type": "array", "items": "int"}, [1, 2]),
            ("d", inner, {}),
            ("e", ["null", "double"], None),
            ("f", ["double", "null"], 3),
            ("g", ["int", "string"], "new Avro lets it be of any branch"),
            ("h", "bytes", "\u00ff"),
            ("i", "null", None),
        )
        assert check(schema, {}) == {
            "a": 1.0,
            "b": "x",
            "c": [1, 2],
            "d": {"n": 7},
            "e": None,
            "f": {"double": 3.0},
            "g": {"string": "new Avro lets it be of any branch"},
            "h": "\u00ff",
            "i": None,
        }

    def test_a_union_default_is_of_the_first_branch(self):
        schema = record(("x", ["double", "int"], 5))
        assert check(schema, {}) == {"x": {"double": 5.0}}
        assert check(schema, {"x": 5}) == {"x": {"int": 5}}

    def test_a_given_value_counts(self):
        assert check(record(("a", "double", 1)), {"a": 2}) == {"a": 2.0}
        assert wrong(record(("a", "double", 1)), {"a": None}) == {"/a": "expected double"}

    def test_no_two_records_share_one(self):
        checked = checker(avro(record(("c", {"type": "array", "items": "int"}, [1]))))
        first = checked({})
        first["c"].append(2)
        assert checked({}) == {"c": [1]}

    def test_null_without_default_is_required(self):
        assert wrong(record(("x", "null")), {}) == {"/x": "missing field of type null"}

    @pytest.mark.parametrize(
        ("schema", "default"),
        [("int", "1"), ("int", None), ("string", None), (["null", "int"], "x"), (ENUM, "blue")],
    )
    def test_a_wrong_one_is_the_documents_error(self, schema, default):
        with pytest.raises(pfa.DocumentError, match="The default of field x of record Rec"):
            checker(avro(record(("x", schema, default))))

    def test_one_that_contains_itself_is_the_documents_error(self):
        with pytest.raises(pfa.DocumentError, match="The default of field x"):
            checker(avro(record(("x", "Rec", {}))))


class TestDepth:
    LIST = record(("n", "int"), ("next", ["null", "Rec"]))

    def nested(self, levels: int) -> Any:
        made = None
        for i in range(levels):
            made = {"n": i, "next": made}
        return made

    def test_recursive_records(self):
        got = check(self.LIST, self.nested(MAX_DEPTH))
        assert got["next"]["Rec"]["next"]["Rec"]["n"] == MAX_DEPTH - 3

    def test_many_side_by_side_are_not_deep(self):
        tree = record(("sub", {"type": "array", "items": "Rec"}))
        value = {"sub": [{"sub": [{"sub": []}]} for _ in range(3 * MAX_DEPTH)]}
        assert check(tree, value) == value

    @pytest.mark.parametrize("levels", [MAX_DEPTH + 2, 2000, 100_000])
    def test_too_deep(self, levels):
        ((place, detail),) = wrong(self.LIST, self.nested(levels)).items()
        assert detail == f"expected at most {MAX_DEPTH} levels of nesting"
        assert place == "/next" * (MAX_DEPTH + 1)

    def test_beyond_pythons_stack(self):
        tree = record(
            ("a", {"type": "array", "items": ["null", "Rec", {"type": "map", "values": "Rec"}]})
        )
        value: Any = {"a": []}
        for _ in range(10 * MAX_DEPTH):
            value = {"a": [value]}
        assert set(wrong(tree, value).values()) <= {
            f"expected at most {MAX_DEPTH} levels of nesting",
            "expected less deeply nested values",
        }
