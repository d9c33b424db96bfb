"""Reading records: which file is what, where a row is wrong, and in how much memory."""

import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.diff import rows

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text() | st.floats(0, 1e300),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=5,
)


def read(path: Path, content: bytes | str) -> list[Any]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [(row.number, row.problem or row.record) for row in rows.read(path)]


@pytest.mark.parametrize(
    ("content", "word", "found"),
    [
        ('{"a": 1}\n{"a": 2}', "line", [(1, {"a": 1}), (2, {"a": 2})]),
        ("\n1\r\n\n2\n", "line", [(2, 1), (4, 2)]),
        ("\ufeff1\n2\n", "line", [(1, 1), (2, 2)]),
        ("[1, 2]\n[3]\n", "line", [(1, [1, 2]), (2, [3])]),
        ('["]"]\n["["]\n', "line", [(1, ["]"]), (2, ["["])]),
        ("[1, 2]\n", "item", [(1, 1), (2, 2)]),
        ("\ufeff\n [1,\n 2]\n", "item", [(1, 1), (2, 2)]),
        ('[\n{"a": "]"},\n{"a": "\\"["}\n]', "item", [(1, {"a": "]"}), (2, {"a": '"['})]),
        ("[]", "item", []),
        ("", "line", []),
    ],
)
def test_lines_or_an_array(tmp_path: Path, content: str, word: str, found: list[Any]) -> None:
    path = tmp_path / "rows"
    assert read(path, content) == found
    assert rows.word(path) == word


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"a" 1}', "it is not JSON: Expecting ':' delimiter at column 6"),
        (b"1 2", "it is not JSON: Extra data at column 3"),
        (b"\xff", "it is not UTF-8"),
        (b"[1, -Infinity]", "it holds -Infinity, which is not JSON"),
        (b"1" * 5000, "it holds a number of too many digits"),
        (b"[" * 200_000, "it is nested too deeply"),
    ],
)
def test_a_bad_line_is_told_and_the_next_is_read(tmp_path: Path, line: bytes, problem: str) -> None:
    assert read(tmp_path / "rows", b"1\n" + line + b"\n3\n") == [(1, 1), (2, problem), (3, 3)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[1, 2", "item 2: there is no comma or ] after it"),
        (b"[1 2]", "item 1: there is no comma or ] after it"),
        (b"[1, 2]]", "there is something after the array, behind item 2"),
        (b"[1,]", "item 2: it is not JSON: Expecting value"),
        (b'[1, "\xff"]', "it is not UTF-8"),
        (b"[1, NaN]", "item 2: it holds NaN, which is not JSON"),
        (b"[1, " + b"[" * 200_000, "item 2: it is nested too deeply"),
    ],
)
def test_a_bad_array_ends(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(rows.RowsError, match="rows, ") as raised:
        read(tmp_path / "rows", content)
    assert words in str(raised.value)


@given(st.lists(VALUES, min_size=2, max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_whatever_the_pieces(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], indent: int | None, ascii_: bool
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows"
    numbered = list(enumerate(values, 1))
    array = json.dumps(values, indent=indent, ensure_ascii=ascii_)
    lines = "\n".join(json.dumps(value, ensure_ascii=ascii_) for value in values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "PIECE_BYTES", 1)
        for content in (array, lines):
            path.write_text(content, encoding="utf-8", errors="surrogatepass", newline="")
            assert [(row.number, row.record) for row in rows.read(path)] == numbered


@pytest.mark.parametrize("array", [False, True])
def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, array: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "ROW_BYTES", 1_000_000)
    path = tmp_path / "rows"
    row = json.dumps({"text": "x" * 1000})
    with path.open("w") as file:
        file.write("[" if array else "")
        for index in range(20_000):
            file.write(("," if array and index else "") + row + ("" if array else "\n"))
        file.write("]" if array else "")
    tracemalloc.start()
    try:
        assert rows.word(path) == ("item" if array else "line")
        assert sum(1 for _ in rows.read(path)) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 20_000_000
    assert peak < 6_000_000


def test_a_line_without_end_is_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROW_BYTES", 10)
    found = read(tmp_path / "rows", '1\n"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"\n3\n')
    assert found == [(1, 1), (2, "it is longer than 10 bytes"), (3, 3)]


def test_a_pipe_cannot_be_read_twice(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)  # else opening it for reading would wait
    try:
        with pytest.raises(rows.RowsError, match="is a pipe: the rows must be in a file"):
            rows.word(pipe)
    finally:
        os.close(writer)
