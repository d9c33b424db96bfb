"""Forests that are read from their text: what is found there, and what goes the usual way."""

import itertools
import json
import random
import re
import time
from typing import Any

import pytest

import pfa
from pfa import compat, document
from pfa.forest import Forest, cut_out

FIELDS = ("x", "yx", "long name")
LEAVES: dict[str, list[Any]] = {
    "string": ["a", "b: c", "1", "-0", "", "d }", "e, f"],
    "int": [0, -0, 1, -7, 2**31 - 1],
    "Vote": ["yes", "no"],
}
MARK = b'"mark"'


def tree(
    random_: random.Random, depth: int, missing: bool, tagged: bool, leaf: str
) -> dict[str, Any]:
    """A split, and what is below it."""
    cut = random_.choice([round(random_.gauss(0, 3), 3), 2, -0.0, 1e-7, 3.5e30])
    node: dict[str, Any] = {
        "field": random_.choice(FIELDS[:2]),
        "operator": random_.choice(["<", ">="]),
        "value": {"double": cut} if tagged else cut,
    }
    for way in ("pass", "fail", "missing") if missing else ("pass", "fail"):
        if depth and random_.random() < 0.7:
            node[way] = {"Tree": tree(random_, depth - 1, missing, tagged, leaf)}
        elif leaf != "double":
            node[way] = {leaf: random_.choice(LEAVES[leaf])}
        else:
            node[way] = {"double": random_.choice([1, 0.0, -0.0, random_.random(), 1e3])}
    return node


def forest(
    seed: int,
    trees: int = 20,
    depth: int = 5,
    missing: bool = False,
    tagged: bool = True,
    leaf: str = "double",
) -> dict[str, Any]:
    """A document that gives the answers of all trees."""
    random_ = random.Random(seed)
    number = ["null", "double"] if missing else "double"
    vote = {"type": "enum", "name": "Vote", "symbols": LEAVES["Vote"]}
    ways = [
        {"name": way, "type": ["Tree", vote if leaf == "Vote" and way == "pass" else leaf]}
        for way in (("pass", "fail", "missing") if missing else ("pass", "fail"))
    ]
    test: Any = {"model.tree.simpleTree": ["input", "tree"]}
    if missing:
        params = [{"d": "Row"}, {"t": "Tree"}]
        compare = {"model.tree.missingTest": ["d", "t"]}
        given = {"params": params, "ret": ["null", "boolean"], "do": compare}
        test = {"model.tree.missingWalk": ["input", "tree", given]}
    return {
        "input": {
            "type": "record",
            "name": "Row",
            "fields": [{"name": name, "type": number} for name in FIELDS[:2]],
        },
        "output": {"type": "array", "items": leaf},
        "cells": {
            "forest": {
                "type": {
                    "type": "array",
                    "items": {
                        "type": "record",
                        "name": "Tree",
                        "fields": [
                            {
                                "name": "field",
                                "type": {"type": "enum", "name": "F", "symbols": ["x", "yx"]},
                            },
                            {"name": "operator", "type": "string"},
                            {"name": "value", "type": ["double"] if tagged else "double"},
                            *ways,
                        ],
                    },
                },
                "init": [tree(random_, depth, missing, tagged, leaf) for _ in range(trees)],
            }
        },
        "action": {
            "a.map": [
                {"cell": "forest"},
                {"params": [{"tree": "Tree"}], "ret": leaf, "do": test},
            ]
        },
    }


def written(value: Any, spaces: bool, indent: Any = None) -> bytes:
    return json.dumps(value, separators=None if spaces else (",", ":"), indent=indent).encode()


def outcome(text: bytes | str, rows: list[dict[str, Any]]) -> Any:
    """What a document answers, or why it is refused."""
    try:
        model = pfa.load(text)
    except pfa.DocumentError as error:
        return "refused", str(error), error.position
    answers = []
    for row in rows:
        try:
            answers.append(json.dumps(model.score(row)))
        except pfa.ScoringError as error:
            answers.append(f"{error} {error.code} {error.position}")
    return answers


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    random_ = random.Random(5)
    return [{name: random_.gauss(0, 3) for name in FIELDS[:2]} for _ in range(8)]


@pytest.mark.parametrize(
    ("spaces", "indent"), [(False, None), (True, None), (True, 2), (False, "\t"), (False, 0)]
)
@pytest.mark.parametrize(("missing", "tagged"), [(False, True), (False, False), (True, True)])
@pytest.mark.parametrize("leaf", ["double", *LEAVES])
@pytest.mark.parametrize("trees", [2, 20])
def test_as_the_reference(rows, spaces, indent, missing, tagged, leaf, trees, monkeypatch):
    monkeypatch.setattr(document, "_FOREST", 0)
    made = forest(1, trees, missing=missing, tagged=tagged, leaf=leaf)
    text = written(made, spaces, indent)
    found = cut_out(text, text, MARK)
    assert found
    assert found[1].value() == made["cells"]["forest"]["init"]
    assert json.loads(found[0])["cells"]["forest"]["init"] == "mark"
    with monkeypatch.context() as patch:
        patch.setattr(Forest, "value", lambda _: pytest.fail("read again"))
        model = pfa.load(text)
    assert model.fallback is None
    engine = compat.engine(json.loads(text))
    for row in rows:
        given = {name: {"double": value} for name, value in row.items()} if missing else row
        assert repr(model.score(given)) == repr(engine.action(given))


def test_text_with_other_characters_before_it(rows, monkeypatch):
    monkeypatch.setattr(document, "_FOREST", 0)
    made = {"doc": 'é 𝄞 \\ "init":[{"field":"', **forest(3)}
    text = json.dumps(made, separators=(",", ":"), ensure_ascii=False)
    found = cut_out(text, text.encode(), MARK)
    assert found
    assert found[1].value() == made["cells"]["forest"]["init"]
    assert outcome(text.encode(), rows) == outcome(written(made, True), rows)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"pass":', b'"pass" :'),
        (b'"pass":', b'"else":'),
        (b'{"double":', b'{"double":1,"double":'),
        (b'{"double":', b'{"double":-'),
        (b'{"double":', b'{"double":1e999,'),
        (b'{"double":', b'{"double":0'),
        (b'{"double":', b'{"double":NaN'),
        (b'{"double":', b'{"double":-0},"other":{"double":'),
        (b'{"double":', b'{"double":true},"other":{"double":'),
        (b'{"double":', b'{"double":"1"},"other":{"double":'),
        (b'{"double":', b'{"string":'),
        (b'"fail":{"double":', b'"fail":{"string":"1"},"missing":{"double":'),
        (b'"value":{"double":', b'"value":{"double":"x"},"other":{"double":'),
        (b'"pass":', b'"fail":'),
        (b'"pass":', b'"missing":'),
        (b'"pass":{"Tree":', b'"pass":{"Tree":{"Tree":'),
        (b'{"double":', b'{"float":'),
        (b'{"double":', b'{"double": '),
        (b'"fail":', b'"fail":null,"fail":'),
        (b"}}", b"}"),
        (b"}}", b"}}}"),
        (b"},", b"},,"),
        (b'"operator":"<"', b'"operator":"="'),
        (b'"operator":"<"', b'"operator":"in"'),
        (b'"operator":"<"', b'"operator":"<\n"'),
        (b'"operator":"<"', b'"operator":"<\x05"'),
        (b'"operator":"<"', b'"operator":"<\\u003d"'),
        (b'"field":"x"', b'"field":"z"'),
        (b'"field":"x"', b'"field":"long name"'),
        (b'"field":"x"', b'"@":"here","field":"x"'),
        (b'{"Tree":', b'{"Bush":'),
        (b'{"Tree":{"field"', b'{"field"'),
        (b'"init":[', b'"init":[[],'),
        (b'"init":[', b'"init":[],"init":['),
        (b'"cells":', b'"cells":{},"cells":'),
    ],
)
@pytest.mark.parametrize("place", [0, 7, -1])
def test_other_text(rows, old, new, place, monkeypatch):
    text = written(forest(4), False)
    start, pieces = text.index(b'"cells":'), text[text.index(b'"cells":') :].split(old)
    at = min(place % (len(pieces) - 1), len(pieces) - 2) + 1
    changed = text[:start] + old.join(pieces[:at]) + new + old.join(pieces[at:])
    assert changed != text
    usual = outcome(changed, rows)
    monkeypatch.setattr(document, "_FOREST", 0)
    assert outcome(changed, rows) == usual


@pytest.mark.parametrize("chunk", [1, 40, 200, 2_000])
@pytest.mark.parametrize(("missing", "spaces"), [(False, False), (True, False), (True, True)])
def test_text_of_many_chunks(rows, missing, spaces, chunk, monkeypatch):
    text = written(forest(4, missing=missing), spaces)
    given = [{name: {"double": row[name]} for name in row} if missing else row for row in rows]
    usual = outcome(text, given)
    monkeypatch.setattr(document, "_FOREST", 0)
    monkeypatch.setattr("pfa.forest._CHUNK", chunk)
    monkeypatch.setattr(Forest, "value", lambda _: pytest.fail("read again"))
    assert outcome(text, given) == usual


@pytest.mark.parametrize("leaf", ["double", *LEAVES])
def test_text_changed_at_random(rows, leaf, monkeypatch):
    text = written(forest(6, trees=12, depth=3, leaf=leaf), False)
    start, end = text.index(b'"init"'), text.index(b"]", text.index(b'"init"')) + 2
    random_ = random.Random(7)
    alike = 0
    for _ in range(400):
        place = random_.randrange(start, end)
        length = random_.choice([0, 0, 1, 1, 2, 9])
        other = random_.randrange(start, end)
        piece = random_.choice(
            [
                b"",
                b"}",
                b"{",
                b",",
                b"1",
                b"-",
                b"e5",
                b'"',
                b" ",
                b"\x01",
                b"P",
                b"\x80",
                text[other : other + 12],
            ]
        )
        changed = text[:place] + piece + text[place + length :]
        monkeypatch.setattr(document, "_FOREST", 1_000_000)
        usual = outcome(changed, rows)
        monkeypatch.setattr(document, "_FOREST", 0)
        assert outcome(changed, rows) == usual, changed
        alike += usual[0] != "refused"
    assert alike > 10


def test_names_with_commas(rows, monkeypatch):
    monkeypatch.setattr(document, "_FOREST", 0)
    text = written(forest(9), True).replace(b'"yx"', b'"y, x"')
    found = cut_out(text, text, MARK)
    assert found
    assert {name for name, _ in found[1].heads} == {"x", "y, x"}


@pytest.mark.parametrize("place", range(1, 12))
def test_first_text_again(rows, place, monkeypatch):
    text = written(forest(6), False)
    start = text.index(b'{"field"')
    first = text[start : text.index(b'{"double"', start)]
    *before, after = text.split(b"}}," + first, place)
    changed = (b"}}," + first).join(before) + b"}}:6" + first + after
    usual = outcome(changed, rows)
    assert usual[0] == "refused"
    monkeypatch.setattr(document, "_FOREST", 0)
    assert outcome(changed, rows) == usual


@pytest.mark.parametrize("leaf", ["é", "\ud800", "𝄞", " :"])
@pytest.mark.parametrize("encoded", [False, True])
def test_leaves_beyond_ascii(rows, leaf, encoded, monkeypatch):
    made = forest(6, leaf="string")
    made["action"] = {"do": [{"a.len": [{"cell": "forest"}]}, made["action"]]}
    text: Any = json.dumps(made, ensure_ascii=False).replace('"string": "a"', f'"string": "{leaf}"')
    if encoded:
        text = text.encode("utf-8", "surrogatepass")
    usual = outcome(text, rows)
    monkeypatch.setattr(document, "_FOREST", 0)
    assert outcome(text, rows) == usual
    assert (usual[0] == "refused") == (encoded and leaf == "\ud800")


@pytest.mark.parametrize("old", ['"value":{"double":', '"pass":{"double":', '{"Tree":'])
def test_marks(rows, old, monkeypatch):
    text = written(forest(6), False).decode()
    start = text.index('"init"')
    tag = old.split('"')[-2]
    changed = text[:start] + text[start:].replace(old, old.replace(tag, "@"))
    usual = outcome(changed.encode(), rows)
    monkeypatch.setattr(document, "_FOREST", 0)
    assert outcome(changed.encode(), rows) == usual


def test_space_before_a_colon_goes_the_usual_way():
    # it says that keys are not counted in the whole document (document.py), nor are they in a part
    text = written(forest(6), True)
    start = text.index(b'"init"')
    assert cut_out(text, text, MARK)
    spaced = text[:start] + text[start:].replace(b'":', b'" :')
    assert cut_out(spaced, spaced, MARK) is None


def test_is_parsed_no_more_than_once():
    text = written(forest(6), False)
    found = cut_out(text, text, MARK)
    assert found
    assert found[1].value() is found[1].value()


def test_an_integer_zero_has_no_sign(rows, monkeypatch):
    monkeypatch.setattr(document, "_FOREST", 0)
    text = written(forest(9), False).replace(b'{"double":-0.0}', b'{"double":-0}')
    assert "-0.0" in repr(outcome(text.replace(b"-0}", b"-0.0}"), rows))
    assert "-0.0" not in repr(outcome(text, rows))


@pytest.mark.parametrize(("fields", "are_too_many"), [(128, False), (129, True)])
def test_more_fields_than_there_are_codes(fields, are_too_many):
    text = written(forest(9), False).replace(b'">="', b'"<"')
    numbers = itertools.cycle(range(fields))
    text = re.sub(rb'(?<="field":)"[xy]+"', lambda _: b'"x%d"' % next(numbers), text)
    assert (cut_out(text, text, MARK) is None) == are_too_many


@pytest.mark.parametrize("long", [b" ", b"}", b"} ", b'"', b"\\", b":", b": ", b"[", b"{", b"1"])
def test_long_text_takes_no_longer(long, monkeypatch):
    text = written(forest(9), False)
    for place in (b'"init":[', b'"operator":', b'"pass":', b'"fail":{', b'"double":'):
        changed = text.replace(place, place + long * 1_000_000, 1)
        started = time.process_time()
        cut_out(changed, changed, MARK)
        assert time.process_time() - started < 2


def test_deep(monkeypatch):
    made = forest(8, trees=1, depth=0)
    node = made["cells"]["forest"]["init"][0]
    for _ in range(300):
        node = {**node, "pass": {"Tree": node}}
    made["cells"]["forest"]["init"] = [node]
    text = written(made, False)
    assert cut_out(text, text, MARK) is None
