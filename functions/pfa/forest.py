"""The trees of a large forest, from their JSON text to flat lists.

Python takes 86 ms and 40 MB to make objects of 8 MB of trees, and as long again to look at them
one by one. Text that was written by a program is all alike, though::

    [{"field":"x","operator":"<","value":{"double":1.5},"pass":{"Tree":{...}},"fail":{"double":2}},

so that each constant part of it can be replaced by one character. What is left is read as two
things: the numbers, as one flat JSON array, and the form of the trees, which has to come down to a
row of whole trees when splits with two leaves are replaced by leaves again and again. Text in
which anything else is found is not taken, and goes the usual way.
"""

import json
import math
import re
from itertools import compress
from typing import Any

# What stands for the parts of the text; characters that JSON has nowhere, so that none is there.
# Of each way below a split: one for a leaf there, and one for a split.
_SPLIT, _TREE = b"\x01", b"\x02"
_LEAVES, _SPLITS = b"\x03\x04\x05", b"\x06\x07\x08"
_WAYS = (b"pass", b"fail", b"missing")
_OPERATOR, _HEAD = 0x80, 0x90  # the first of several: of the operators, of fields with operators
_FIRST = 100_000  # bytes in which each part of the text has to be
_DEEPEST = 200  # splits in each other: deeper JSON may be too deep for Python
_MOST_WORK = 30  # times the length of the text, which falls quickly unless the trees are vines
_NUMBER = b"0123456789.eE+-"

# A colon and a comma as json.dumps writes them, with and without separators of one's own.
_STYLES = ((b":", b","), (b": ", b", "))
_BEGIN = re.compile(rb'"init":( ?)\[\{"field":\1"')
_VALUE = re.compile(rb'"value": ?(?:\{"(\w+)": ?)?[-0-9]')
_NODE = re.compile(rb'"(?:pass|fail|missing)": ?\{"([\w.]+)": ?\{"field"')
_END = re.compile(rb'"(?:pass|fail|missing)": ?\{"(\w+)": ?[-0-9]')


class Forest:
    """Trees as flat lists, in the order of the text: splits before what is below them.

    ``heads`` are fields with their operators, ``codes`` says for each split which it has, ``cuts``
    what that compares with; ``order`` has 1 for a split and 0 for a leaf. The tags are None where
    there is no tag, or nothing that has one.
    """

    def __init__(self, source: bytes | str, start: int, end: int) -> None:
        """Take where the text of the array is."""
        self._text = source, start, end
        self.heads: list[tuple[str, str]] = []
        self.codes = self.order = b""
        self.cuts: list[float] = []
        self.leaves: list[float] = []
        self.ways = 2  # below a split: 3 with "missing"
        self.value_tag: str | None = None
        self.node_tag: str | None = None
        self.leaf_tag: str | None = None

    def value(self) -> Any:
        """Return the trees as JSON values."""
        source, start, end = self._text
        return json.loads(source[start:end])


def cut_out(source: bytes | str, encoded: bytes, mark: bytes) -> tuple[bytes, Forest] | None:
    """Return a document with a text in place of the forest in it, and the forest.

    Args:
        source: the document.
        encoded: its text in UTF-8.
        mark: the text, in quotes, that is not in the document.

    None if there is no forest that is written in the usual way.
    """
    begin = _BEGIN.search(encoded)
    if begin is None:
        return None
    start = encoded.index(b"[", begin.start())
    end = encoded.find(b"]", start) + 1
    body = encoded[start + 1 : end - 1]
    try:
        first = start if isinstance(source, bytes) else len(encoded[:start].decode())
        forest = Forest(source, first, first + end - start)
        _read(forest, body, *_STYLES[len(begin[1])])
    except (ValueError, ArithmeticError, LookupError):
        return None
    return encoded[:start] + mark + encoded[end:], forest


def _read(forest: Forest, text: bytes, colon: bytes, comma: bytes) -> None:
    """Read the trees of an array; raises ValueError for others than the usual."""
    if not text.isascii() or any(code in text for code in _SPLIT + _TREE + _LEAVES + _SPLITS):
        raise ValueError
    forest.ways = 3 if b'"missing"' in text[:_FIRST] else 2
    value, node, leaf = [
        found[1] if (found := pattern.search(text, 0, _FIRST)) else None
        for pattern in (_VALUE, _NODE, _END)
    ]
    if leaf is None:
        raise ValueError

    def opening(tag: bytes | None) -> bytes:
        return b'{"' + tag + b'"' + colon if tag else b""

    field = b'{"field"' + colon + b'"'
    before = b'"' + comma + b'"operator"' + colon + b'"'
    after = b'"' + comma + b'"value"' + colon + opening(value)
    text, operators = _coded(text, before, rb"[!=<>\w]*", after, _OPERATOR, _FIRST)
    for way in range(forest.ways):
        start = (b"}" if value and not way else b"") + comma + b'"' + _WAYS[way] + b'"' + colon
        if node:
            text = text.replace(start + opening(node) + field, _SPLITS[way : way + 1] + _SPLIT)
        text = text.replace(start + opening(leaf), _LEAVES[way : way + 1])
    text = text.replace(field, _SPLIT)
    name = rb"[^\x00-\x1f\"\\\x80-\xff]*[\x80-\x8f]"
    text, fields = _coded(text, _SPLIT, name, b"", _HEAD, len(text))
    text = text.replace(comma, b",")  # that between trees
    _check_form(text, forest.ways)
    numbers = _numbers(text)
    forest.heads = [
        (name[:-1].decode(), operators[name[-1] - _OPERATOR].decode()) for name in fields
    ]
    forest.codes = text.translate(_FROM_HEAD, bytes(range(_HEAD)))
    forest.order = text.translate(_IS_HEAD, bytes(c for c in range(_HEAD) if c not in _LEAVES))
    forest.cuts = list(compress(numbers, forest.order))
    forest.leaves = list(compress(numbers, forest.order.translate(b"\1" + bytes(255))))
    forest.value_tag, forest.node_tag, forest.leaf_tag = [
        tag.decode() if tag else None for tag in (value, node, leaf)
    ]


def _coded(
    text: bytes, before: bytes, name: bytes, after: bytes, code: int, first: int
) -> tuple[bytes, list[bytes]]:
    """Put a character for each name between two texts, from ``code`` on; return the names.

    Each has to be in the ``first`` characters of what is left of the text.
    """
    names: list[bytes] = []
    pattern = re.compile(re.escape(before) + b"(" + name + b")" + re.escape(after))
    while found := pattern.search(text, 0, first):
        if len(names) == _MOST[code]:
            raise ValueError
        text = text.replace(found[0], bytes([code + len(names)]))
        names.append(found[1])
    return text, names


def _check_form(text: bytes, ways: int) -> None:
    """Refuse what is not a row of trees; raises ValueError."""
    form = text.translate(_ONE_HEAD, _NUMBER)
    leaves = [_LEAVES[way : way + 1] + b"}" for way in range(ways)]
    tree = _SPLIT + b"".join(leaves) + b"}"
    left = _MOST_WORK * len(form)
    for _ in range(_DEEPEST):
        size = len(form)
        left -= size
        if left < 0:
            raise ValueError
        for way in range(ways):
            form = form.replace(_SPLITS[way : way + 1] + tree + b"}", leaves[way])
        if len(form) == size:
            break
    row = form.replace(tree, _TREE)
    if row != b",".join([_TREE] * row.count(_TREE)):
        raise ValueError


def _numbers(text: bytes) -> list[float]:
    """Return the numbers of splits and leaves; each is there directly after what it belongs to."""
    listed = text.translate(_AS_LIST)
    if b", " in listed or listed[:1] != b",":
        raise ValueError
    numbers: list[float] = json.loads(b"[0" + listed + b"]")[1:]
    if not math.isfinite(sum(numbers)):
        raise ValueError
    return numbers


_MOST = {_OPERATOR: _HEAD - _OPERATOR, _HEAD: 256 - _HEAD}
_ONE_HEAD = bytes(_SPLIT[0] if code >= _HEAD else code for code in range(256))
_IS_HEAD = bytes(int(code >= _HEAD) for code in range(256))
_FROM_HEAD = bytes(max(code - _HEAD, 0) for code in range(256))
_AS_LIST = bytes(
    code if code in _NUMBER else 44 if code >= _HEAD or code in _LEAVES else 32
    for code in range(256)
)
