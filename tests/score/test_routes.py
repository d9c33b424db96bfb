import json
import math

import pytest

from score import routes
from score.routes import NONE, Routes, RoutesError, is_chosen, parse, value_at


def parsed(value: object) -> Routes:
    return parse(json.dumps(value).encode())


def test_routes_that_are_as_they_should_be() -> None:
    assert parsed({}) == NONE
    assert parsed({"shadows": []}) == NONE
    assert parsed({"shadows": [{"version": "a"}, {"version": "a"}]}) == Routes(shadows=("a",))
    canary = {"version": "v.1_-", "share": 1}
    assert parsed({"canary": canary}) == Routes("v.1_-", 1.0)
    by_header = {**canary, "key": {"header": "X-User-Id"}}
    assert parsed({"canary": by_header}) == Routes("v.1_-", 1.0, "X-User-Id")
    for pointer, parts in {"": (), "/": ("",), "/a~1b/~0/0": ("a/b", "~", "0")}.items():
        found = parsed({"canary": {**canary, "key": {"pointer": pointer}}})
        assert found == Routes("v.1_-", 1.0, "", parts)


CANARY = {"version": "v", "share": 0.5}
BROKEN = [
    None,
    [],
    {"more": 1},
    {"canary": None},
    {"canary": {"share": 0.5}},
    {"canary": {"version": "v"}},
    {"canary": {**CANARY, "version": "a/b"}},
    {"canary": {**CANARY, "version": 7}},
    {"canary": {**CANARY, "version": "x" * 129}},
    *({"canary": {**CANARY, "share": share}} for share in (-0.1, 1.1, True, "0.5", None, math.nan)),
    {"canary": {**CANARY, "more": 1}},
    *(
        {"canary": {**CANARY, "key": key}}
        for key in (
            None,
            "X-User",
            {"header": ""},
            {"header": "a b"},
            {"header": "a\r\nb"},
            {"header": 1},
            {"pointer": "a"},
            {"pointer": "/~2"},
            {"pointer": 1},
            {"pointer": "/" * 1001},
            {"header": "a", "pointer": ""},
            {"cookie": "a"},
        )
    ),
    {"shadows": {}},
    {"shadows": ["v"]},
    {"shadows": [{"version": ""}]},
    {"shadows": [{"version": v} for v in "abc"]},
]


@pytest.mark.parametrize("value", BROKEN, ids=lambda value: json.dumps(value)[:60])
def test_routes_that_are_not(value: object) -> None:
    with pytest.raises(RoutesError):
        parsed(value)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"shadows": [], "shadows": []}', b"[" * 100_000]
)
def test_routes_that_are_no_json(body: bytes) -> None:
    with pytest.raises(RoutesError):
        parse(body)


RECORD = {"a": {"b/c": [1, "x", None, {}]}, "t": True, "n": 0.5, "": "empty", "0": "zero"}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        (("a", "b/c", "0"), "1"),
        (("a", "b/c", "1"), "x"),
        (("a", "b/c", "2"), None),
        (("a", "b/c", "3"), None),
        (("a", "b/c", "4"), None),
        (("a", "b/c", "00"), None),
        (("a", "b/c", "-1"), None),
        (("a", "b/c", "9" * 5000), None),
        (("t",), "true"),
        (("n",), "0.5"),
        (("",), "empty"),
        (("0",), "zero"),
        (("a",), None),
        (("nope", "x"), None),
        ((), None),
    ],
)
def test_pointers(pointer: tuple[str, ...], value: str | None) -> None:
    assert value_at(RECORD, pointer) == value
    assert value_at("plain", ()) == "plain"


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("name", ["hello", "sonar"])
def test_the_share_is_kept_and_every_key_stays(name: str, share: float) -> None:
    keys = [f"user-{n}" for n in range(10_000)]
    chosen = {key for key in keys if is_chosen(name, key, share)}
    sigma = math.sqrt(share * (1 - share) / len(keys))
    assert abs(len(chosen) / len(keys) - share) <= 3 * sigma
    assert chosen == {key for key in keys if is_chosen(name, key, share)}
    assert chosen <= {key for key in keys if is_chosen(name, key, min(1.0, share + 0.1))}


def test_the_names_of_models_choose_apart_from_each_other() -> None:
    keys = [f"{n}" for n in range(10_000)]
    both = sum(is_chosen("a", key, 0.5) and is_chosen("b", key, 0.5) for key in keys)
    assert abs(both / len(keys) - 0.25) <= 3 * math.sqrt(0.25 * 0.75 / len(keys))
    assert is_chosen("a", "\ud800", 1.0)
    assert not is_chosen("a", "x", 0.0)
    assert routes.MAX_SHADOWS == 2
