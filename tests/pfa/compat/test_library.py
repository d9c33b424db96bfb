"""Maps and regular expressions."""

import pytest

from pfa.compat import engine
from pfa.compat.loader import load

PFARuntimeException = load("titus.errors").PFARuntimeException
INTS = {"type": "map", "values": "int"}
PAIR = {
    "type": "record",
    "name": "Pair",
    "fields": [{"name": "a", "type": INTS}, {"name": "b", "type": INTS}],
}
ADD = {"params": [{"x": "int"}, {"y": "int"}], "ret": "int", "do": [{"+": ["x", "y"]}]}
ADD_WITH_KEY = {**ADD, "params": [{"k": "string"}, *ADD["params"]]}


@pytest.mark.parametrize(
    ("function", "with_", "code"),
    [("map.zipmap", ADD, 26370), ("map.zipmapWithKey", ADD_WITH_KEY, 26380)],
)
def test_zipmap_goes_by_keys_not_by_their_order(function, with_, code):
    made = engine(
        {"input": PAIR, "output": INTS, "action": [{function: ["input.a", "input.b", with_]}]}
    )
    result = made.action({"a": {"x": 1, "y": 2}, "b": {"y": 10, "x": 20}})
    assert result == {"x": 21, "y": 12}
    assert list(result) == ["x", "y"]
    for other in ({"x": 1}, {"x": 1, "z": 2}, {}):
        with pytest.raises(PFARuntimeException) as caught:
            made.action({"a": {"x": 1, "y": 2}, "b": other})
        assert caught.value.code == code


STRINGS = {"type": "array", "items": "string"}
SPANS = {"type": "array", "items": {"type": "array", "items": "int"}}
GROUPS = {"type": "array", "items": STRINGS}
ALL_GROUPS = {"type": "array", "items": SPANS}


@pytest.mark.parametrize(
    ("call", "output", "text", "expected"),
    [
        ({"re.count": ["input", {"string": "x*"}]}, "int", "abc", 3),
        ({"re.count": ["input", {"string": "x*"}]}, "int", "", 0),
        ({"re.count": ["input", {"string": "x*"}]}, "int", "axxb", 3),
        ({"re.rindex": ["input", {"string": "x*"}]}, SPANS["items"], "abc", [2, 2]),
        ({"re.indexall": ["input", {"string": "x*"}]}, SPANS, "axb", [[0, 0], [1, 2], [2, 2]]),
        ({"re.findall": ["input", {"string": "x*"}]}, STRINGS, "axb", ["", "x", ""]),
        ({"re.findgroupsall": ["input", {"string": "(x*)"}]}, GROUPS, "ab", [["", ""], ["", ""]]),
        (
            {"re.groupsall": ["input", {"string": "(x*)"}]},
            ALL_GROUPS,
            "ab",
            [[[0, 0], [0, 0]], [[1, 1], [1, 1]]],
        ),
        ({"re.split": ["input", {"string": "x*"}]}, STRINGS, "abc", ["a", "b", "c"]),
        ({"re.replaceall": ["input", {"string": "x*"}, {"string": "-"}]}, "string", "abc",
         "-a-b-c"),
        ({"re.replacelast": ["input", {"string": "x*"}, {"string": "-"}]}, "string", "abc",
         "ab-c"),
        ({"re.replacefirst": ["input", {"string": "x*"}, {"string": "-"}]}, "string", "abc",
         "-abc"),
    ],
)  # fmt: skip
def test_a_match_of_nothing_does_not_match_there_again(call, output, text, expected):
    assert engine({"input": "string", "output": output, "action": [call]}).action(text) == expected


def test_after_a_match_of_nothing_the_search_goes_on_at_the_next_character():
    call = {"re.replaceall": ["input", {"string": "x*"}, {"string": "-"}]}
    made = engine({"input": "string", "output": "string", "action": [call]})
    assert made.action("日é😀") == "-日-é-😀"
    pattern = {"bytes.encodeAscii": [{"string": "x*"}]}
    made = engine({"input": "bytes", "output": "int", "action": [{"re.count": ["input", pattern]}]})
    assert made.action(b"a\x80\x80b") == 4
