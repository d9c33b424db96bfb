import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, reject, seed, settings
from hypothesis import strategies as st

import pfa
from pfa.check import MAX_DEPTH, checker
from pfa.convert import make_reader, make_writer, read_names, reader, writer_code
from pfa.convert_text import MAX_DEPTH as DEEPEST_TEXT
from pfa.convert_text import MAX_TYPES, types_in
from pfa.errors import DocumentError
from pfa.output import writer
from pfa.scalars import as_double, as_key
from pfa.schema import Type
from tests.pfa.avro_types import avro, json_values, types, values
from tests.pfa.test_check import ENUM, FIXED, record

NAN, INF = float("nan"), float("inf")
# What is right for some types and wrong for others, or only nearly right.
ODD = [None, True, False, 0, 1, -1, 1.0, -0.0, 1.5, NAN, INF, -INF, 1e39, 2**31, -(2**31) - 1]
ODD += [2**53 + 1, 2**63, 10**400, 1e17, "", "A", "red", "ab", "é", "\u0100", "\ud800", [], {}]
ODD += [[1], {"double": 1}, {"double": NAN}, {"int": 1.0}, {"string": "é"}, {"null": None}, b"ab"]
ODD += [(1.0,), {"x": 1.0}]


def told(convert: Callable[..., Any], *arguments: Any) -> Any:
    """What a conversion gives, with types and order of keys, or its error in full."""
    try:
        return repr(convert(*arguments))
    except pfa.InputError as error:
        return error.errors, error.count
    except pfa.ScoringError as error:
        return str(error), error.code, error.position


def by_fields(node: Type) -> Callable[[Any], Any]:
    """The reading into one variable per field, put together again."""
    made = reader(node, "record", whole=False)
    body = [*made.lines, f"return {made.value}"]
    names = read_names(node)
    exec("\n".join([*made.prelude, "def read(record):", *("    " + line for line in body)]), names)
    return names["read"]


def same(schema: Any, value: Any) -> None:
    node = avro(schema)
    expected = told(checker(node), value)
    assert told(make_reader(node), value) == expected
    assert told(by_fields(node), value) == expected
    written = told(writer(node), value, "/7")
    assert told(make_writer(node), value, "/7") == written


def doubles(*names: str, **more: Any) -> dict[str, Any]:
    return record(*((name, "double") for name in names), **more)


def alike(count: int, kind: Any) -> dict[str, Any]:
    return record(*((f"f{i}", kind) for i in range(count)))


RIGHT = {
    "null": None,
    "boolean": True,
    "int": 5,
    "long": 2**40,
    "float": 1.5,
    "double": 2.5,
    "string": "text",
    "bytes": "ab",
}
SCALARS = [*RIGHT, ENUM, FIXED]
UNIONS = [
    *(["null", kind] for kind in SCALARS[1:]),
    ["double"],
    ["null"],
    ["int", "double"],
    ["float", "double", "null"],
    ["float", "long"],
    ["null", "boolean", "int", "long", "float", "double", "string", "bytes"],
    ["null", ENUM, FIXED],
    ["bytes", "string"],
    ["null", {"type": "array", "items": "double"}, doubles("x")],
    ["double", {"type": "map", "values": "double"}],
]


@pytest.mark.parametrize("kind", [*SCALARS, *UNIONS], ids=json.dumps)
@pytest.mark.parametrize(
    "around",
    [
        lambda kind: (kind, lambda value: value),
        lambda kind: ({"type": "array", "items": kind}, lambda value: [value]),
        lambda kind: ({"type": "map", "values": kind}, lambda value: {"k": value}),
        lambda kind: (record(("f", kind), name="Outer"), lambda value: {"f": value}),
        lambda kind: (
            record(("f", record(("g", kind), name="Inner")), name="Outer"),
            lambda value: {"f": {"g": value}},
        ),
    ],
    ids=["alone", "array", "map", "record", "records"],
)
def test_odd_values(kind, around):
    schema, put = around(kind)
    node = avro(schema)
    pairs = [
        (checker(node), make_reader(node)),
        (checker(node), by_fields(node)),
        (writer(node), make_writer(node)),
    ]
    for value in [*ODD, *RIGHT.values(), *({k: v} for k, v in RIGHT.items())]:
        for reference, made in pairs:
            assert told(made, put(value)) == told(reference, put(value)), value


@pytest.mark.parametrize("kind", [*RIGHT, ["null", "double"], ["null", "string"]], ids=json.dumps)
@pytest.mark.parametrize("count", [1, 5, 6, 7, 15, 16, 17, 60])
def test_many_fields_of_one_type(kind, count):
    schema = alike(count, kind)
    right = {f"f{i}": RIGHT[kind if isinstance(kind, str) else kind[1]] for i in range(count)}
    same(schema, right)
    same(schema, dict(reversed(right.items())))
    last = f"f{count - 1}"
    for value in ODD:
        same(schema, right | {last: value})
    same(schema, {**right, "more": 1.0})
    same(schema, {key: value for key, value in right.items() if key != last})
    same(schema, {("other" if key == last else key): value for key, value in right.items()})


@pytest.mark.parametrize("value", [1e308, -1e308, 10**308, 2**70])
def test_doubles_whose_sum_is_too_large(value):
    same(alike(20, "double"), {f"f{i}": value for i in range(20)})
    same({"type": "array", "items": "double"}, [value] * 3)


@pytest.mark.parametrize(
    "defaults",
    [
        [("a", "double", 1)],
        [("a", ["null", "double"], None), ("b", ["double", "null"], 1.5)],
        [("a", {"type": "array", "items": "int"}, [1, 2]), ("b", ENUM, "red")],
        [("a", ["int", "double"], 1.0), ("b", ["double", "int"], 1)],
        [("a", doubles("x", name="In"), {"x": 1}), ("b", ["null", "In"], {"x": 1})],
        [("a", "string", "x" * 1000)],
        [("a", ["null", {"type": "map", "values": "double"}], {"map": 1})],
        [("a", [{"type": "map", "values": "double"}, "null"], {"map": 1})],
    ],
    ids=repr,
)
def test_defaults(defaults):
    schema = record(("n", "double"), *defaults, ("o", ["null", "double"]))
    node = avro(schema)
    names = [name for name, _, _ in defaults]
    for value in (
        {"n": 1, "o": None},
        {"o": 1, "n": 1.5},
        {"n": 1},
        {"n": 1.5, "o": 1, "more": 1},
        {"n": 1.5, "o": 1, "more": 1} | dict.fromkeys(names[1:]),
        *({"n": 1.5, "o": None, name: odd} for name in names for odd in ODD),
    ):
        assert told(make_reader(node), value) == told(checker(node), value)
        assert told(by_fields(node), value) == told(checker(node), value)
    made = make_reader(node)
    one, other = made({"n": 1.5, "o": None}), made({"n": 1.5, "o": None})
    for key in one:
        assert one[key] is not other[key] or not isinstance(one[key], list | dict)


def test_a_wrong_default_is_an_error_of_the_document():
    with pytest.raises(DocumentError, match="default of field a"):
        make_reader(avro(record(("a", "int", "no"))))


TREE = record(("v", "double"), ("l", ["null", "Tree"]), ("r", ["null", "Tree"]), name="Tree")
LIST = record(("v", "double"), ("of", {"type": "array", "items": "List"}), name="List")
MUTUAL = record(
    ("u", ["null", record(("b", {"type": "array", "items": record(
        ("a", {"type": "array", "items": "A"}), name="B")}), name="A")]),
    ("y", "B"),
    ("z", {"type": "map", "values": "A"}),
    name="C",
)  # fmt: skip


@pytest.mark.parametrize("levels", [0, 1, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 5000])
def test_recursive_types(levels):
    tree: Any = None
    lists: Any = {"v": 1, "of": []}
    pair: Any = {"b": []}
    for i in range(levels):
        tree = {"v": 1 if i % 2 else 0.5, "l": tree if i % 3 else {"Tree": tree}, "r": None}
        lists = {"of": [lists], "v": 1.5}
        pair = {"a": [pair]} if "b" in pair else {"b": [pair]}
    for schema, value in ((TREE, tree), (LIST, lists), (LIST, {"v": True, "of": [lists]})):
        node = avro(schema)
        assert told(make_reader(node), value) == told(checker(node), value)
        assert told(make_writer(node), value) == told(writer(node), value)
    inner, outer = (pair, {"a": [pair]}) if "b" in pair else ({"b": [pair]}, pair)
    node = avro(MUTUAL)
    for value in (
        {"u": None, "y": outer, "z": {}},
        {"u": inner, "y": {"a": []}, "z": {}},
        {"u": None, "y": {"a": []}, "z": {"k": inner}},
    ):
        assert told(make_reader(node), value) == told(checker(node), value)


def test_types_too_large_for_text():
    wide = alike(MAX_TYPES + 1, "double")
    assert len(list(types_in(avro(wide)))) > MAX_TYPES
    value = {f"f{i}": i for i in range(MAX_TYPES + 1)}
    same(wide, value)
    same(wide, value | {"f7": True})
    deep: Any = "double"
    inner: Any = 1
    for _ in range(DEEPEST_TEXT + 20):
        deep, inner = {"type": "array", "items": deep}, [inner]
        same(deep, inner)
    same(deep, inner * 2)


def test_a_record_that_many_fields_have_is_written_once():
    inner: Any = doubles("x", "y", name="R0")
    for i in range(30):  # 2**30 places
        inner = record(("a", inner), ("b", f"R{i}"), name=f"R{i + 1}")
    made = reader(avro(inner), "record")
    assert len("\n".join(made.prelude + made.lines)) < 20_000


def test_nothing_of_the_value_is_shared():
    node = avro(
        record(
            ("a", {"type": "array", "items": "double"}), ("b", alike(20, "double")), name="Outer"
        )
    )
    value = {"a": [1.5], "b": {f"f{i}": 1.5 for i in range(20)}}
    for convert in (make_reader(node), by_fields(node), make_writer(node)):
        made = convert(value)
        assert made == value
        assert made is not value
        assert made["a"] is not value["a"]
        assert made["b"] is not value["b"]


def test_text_is_the_same_for_the_same_type():
    for schema in (TREE, MUTUAL, alike(60, "double"), record(("class", ENUM), ("x", FIXED))):
        assert reader(avro(schema), "record") == reader(avro(schema), "record")
        assert writer_code(avro(schema), "out") == writer_code(avro(schema), "out")


def test_fields_are_named_after_the_record():
    made = reader(avro(record(("class", "int"), ("age", "double"))), "record", whole=False)
    assert list(made.fields) == ["class", "age"]
    assert all(text.endswith(f"_{name}") for name, text in made.fields.items())
    assert made.value == "{" + ", ".join(f"{k!r}: {v}" for k, v in made.fields.items()) + "}"


def test_the_error_stands_alone():
    """No KeyError of the fast path in the log."""
    node = avro(doubles("x", "y"))
    for read in (make_reader(node), by_fields(node)):
        with pytest.raises(pfa.InputError) as caught:
            read({"x": 1})
        assert caught.value.__suppress_context__


def test_as_double():
    assert repr(as_double(2**53 + 1)) == repr(2.0**53)
    for value in (True, 10**400, "1", None, NAN):
        with pytest.raises(KeyError):
            as_double(value)


def test_as_key():
    assert as_key("é") == "é"
    for value in ("\ud800", 1):
        with pytest.raises(KeyError):
            as_key(value)


@st.composite
def changed(draw: st.DrawFn, value: Any) -> Any:
    """The value with something odd at a place of it."""
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value)))
        match draw(st.integers(0, 7)):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return value | {draw(st.sampled_from(["a", "zz", "", "é", "\ud800"])): 1}
            case _:
                return value | {key: draw(changed(value[key]))}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], draw(changed(value[index])), *value[index + 1 :]]
    return draw(st.sampled_from(ODD) | json_values())


def with_defaults(draw: st.DrawFn, schema: Any) -> Any:
    """Give some fields a default that fits, or not."""
    if isinstance(schema, list):
        return [with_defaults(draw, branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    made = {k: with_defaults(draw, v) if k in ("items", "values") else v for k, v in schema.items()}
    for each in made.get("fields", []):
        if each["name"] != "again" and draw(st.integers(0, 3)) == 0:
            try:
                node = avro(each["type"])
            except Exception:  # a name that is defined elsewhere
                continue
            head = node.branches[0] if node.kind == "union" else node
            default = draw(values(head, depth=1, tagged=True))
            if "\ud800" not in json.dumps(default, ensure_ascii=False):
                each["default"] = default
        each["type"] = with_defaults(draw, each["type"])
    return made


@seed(20260730)
@settings(max_examples=400, deadline=None, database=None)
@given(st.data())
def test_random_types_and_values(data):
    schema = data.draw(types(depth=3))
    if data.draw(st.booleans()):
        schema = with_defaults(data.draw, schema)
    try:
        node = avro(schema)
        check = checker(node)
    except Exception:
        reject()  # a default that Avro or we refuse
    readers = [make_reader(node), by_fields(node)]
    write, written = make_writer(node), writer(node)
    right = data.draw(values(node))
    odd = [data.draw(changed(right)) for _ in range(3)]
    for value in (right, *odd, data.draw(json_values())):
        expected = told(check, value)
        assert [told(read, value) for read in readers] == [expected] * 2
        assert told(write, value, "/0") == told(written, value, "/0")
    try:
        engine = check(right)
    except pfa.InputError:
        return  # of several branches, or nested too deeply
    assert told(write, engine, "") == told(written, engine, "")
    assert told(write, engine, "")[:1] != "("
