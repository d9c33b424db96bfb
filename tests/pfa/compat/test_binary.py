"""Bytes and fixed have one form in the engine, whatever they come from."""

import pytest

from pfa.compat import engine

ABC = {"base64": "YWJj"}
FIXED = {"type": "fixed", "name": "F", "size": 3}
BYTES_OR_NULL = ["null", "bytes"]


def run(action, value, given="bytes", output="boolean", **more):
    return engine({"input": given, "output": output, "action": action, **more}).action(value)


@pytest.mark.parametrize("given", [b"abc", "abc", bytearray(b"abc")])
def test_input_comes_out_as_latin1_text(given):
    assert run(["input"], given, output="bytes") == "abc"
    assert run(["input"], given, FIXED, FIXED) == "abc"


@pytest.mark.parametrize("given", ["日本", 12, None, ["a"]])
def test_what_is_no_bytes_is_refused(given):
    with pytest.raises(TypeError):
        run(["input"], given, output="bytes")


@pytest.mark.parametrize(
    ("function", "less", "equal", "more"),
    [
        ("==", False, True, False),
        ("!=", True, False, True),
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
    ],
)
def test_input_compares_with_a_literal(function, less, equal, more):
    results = [run([{function: ["input", ABC]}], given) for given in (b"", b"abc", b"\xff")]
    assert results == [less, equal, more]


def test_input_is_ordered_among_literals():
    assert run([{"cmp": ["input", ABC]}], b"abd", output="int") == 1
    assert run([{"max": ["input", ABC]}], b"\x80", output="bytes") == "\x80"
    assert run([{"min": ["input", ABC]}], b"\x80", output="bytes") == "abc"


ARRAY = {"type": "array", "items": "bytes"}
LITERALS = {"type": ARRAY, "new": [ABC, {"base64": "eno="}]}


@pytest.mark.parametrize(
    ("action", "output", "expected"),
    [
        ({"a.contains": ["input", ABC]}, "boolean", True),
        ({"a.count": ["input", ABC]}, "int", 2),
        ({"a.index": ["input", ABC]}, "int", 1),
        ({"a.rindex": ["input", ABC]}, "int", 2),
        ({"a.sort": ["input"]}, ARRAY, ["abc", "abc", "zz"]),
        ({"a.max": ["input"]}, "bytes", "zz"),
        ({"a.min": ["input"]}, "bytes", "abc"),
        ({"a.mode": ["input"]}, "bytes", "abc"),
        ({"a.seteq": ["input", LITERALS]}, "boolean", True),
        ({"a.union": ["input", LITERALS]}, ARRAY, ["zz", "abc"]),
        (
            {"map.toset": ["input"]},
            {"type": "map", "values": "bytes"},
            {"BHp6": "zz", "BmFiYw==": "abc"},
        ),
    ],
)
def test_arrays_of_bytes(action, output, expected):
    assert run([action], [b"zz", b"abc", b"abc"], ARRAY, output) == expected


def test_a_map_contains_bytes():
    given = {"type": "map", "values": "bytes"}
    assert run([{"map.containsValue": ["input", ABC]}], {"a": b"abc"}, given) is True


def test_a_cast_block_finds_bytes_and_fixed():
    none = {"as": "null", "named": "z", "do": [{"base64": ""}]}
    cases = [{"as": "bytes", "named": "y", "do": ["y"]}, none]
    assert run([{"cast": "input", "cases": cases}], {"bytes": b"\xff"}, BYTES_OR_NULL, "bytes") == (
        "\xff"
    )
    cases = [{"as": "F", "named": "y", "do": [{"fixed.toBytes": "y"}]}, none]
    assert run([{"cast": "input", "cases": cases}], {"F": b"abc"}, ["null", FIXED], "bytes") == (
        "abc"
    )


@pytest.mark.parametrize(
    "made", [ABC, {"bytes.encodeUtf8": {"string": "abc"}}, {"bytes.subseq": [ABC, 0, 3]}]
)
def test_made_bytes_unpack_and_decode(made):
    unpack = {"unpack": made, "format": [{"x": "raw3"}], "then": ["x"], "else": [{"base64": ""}]}
    assert run([unpack], None, "null", "bytes") == "abc"
    assert run([{"bytes.isAscii": [made]}], None, "null") is True
    assert run([{"bytes.decodeAscii": [made]}], None, "null", "string") == "abc"
    assert run([{"==": [unpack, ABC]}], None, "null") is True


def test_pack_makes_what_a_literal_is():
    packed = {"pack": [{"raw": ABC}, {"byte": 200 - 256}, {"null terminated": ABC}]}
    assert run([packed], None, "null", "bytes") == "abc\xc8abc\0"


def test_casts():
    assert run([{"cast.json": ["input"]}], b"abc", output="string") == '"abc"'
    assert run([{"cast.avro": ["input"]}], b"\xff", output="bytes") == "\x02\xff"
    assert run([{"cast.avro": [ABC]}], None, "null", "bytes") == "\x06abc"
    # a branch of a union that is inside something
    inside = {"type": "array", "items": ["string", "bytes"]}
    assert run([{"cast.avro": ["input"]}], [{"bytes": b"a"}, {"string": "b"}], inside, "bytes") == (
        "\x04\x02\x02a\x00\x02b\x00"
    )


@pytest.mark.parametrize("text", ["a", "abcde", "YQ", "YQ=", "****"])
def test_malformed_base64_is_error_16220(text):
    from titus.errors import PFARuntimeException

    with pytest.raises(PFARuntimeException) as caught:
        run([{"bytes.fromBase64": ["input"]}], text, "string", "bytes")
    assert caught.value.code == 16220


def test_a_cell_of_bytes_equals_input():
    cells = {"c": {"type": "bytes", "init": "\u00ff"}}
    assert run([{"==": ["input", {"cell": "c"}]}], b"\xff", cells=cells) is True


def test_random_bytes_from_a_population():
    action = [{"rand.bytes": [4, "input"]}]
    assert run(action, b"\xff", output="bytes", randseed=1) == "\xff" * 4


def test_conversion_lets_other_errors_out():
    """A bare ``except:`` made them TypeErrors, MemoryError and watchdogs among them."""
    from titus.util import bytesToString, stringToBytes

    class Watchdog(BaseException):
        pass

    class Interrupted(str):
        def encode(self, *args):
            raise Watchdog

    with pytest.raises(Watchdog):
        stringToBytes(Interrupted("abc"))
    assert bytesToString(b"\x80abc") == "\x80abc"
    assert stringToBytes("\x80abc") == b"\x80abc"
    for wrong in (12, None, ["a"]):
        with pytest.raises(TypeError):
            bytesToString(wrong)
        with pytest.raises(TypeError):
            stringToBytes(wrong)
