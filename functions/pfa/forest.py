"""The trees of a large forest, from their JSON text to flat lists.

Python takes 86 ms and 40 MB to make objects of 8 MB of trees, and as long again to look at them
one by one. But what is between the numbers of a forest is the same few texts again and again::

    [{"field":"x","operator":"<","value":{"double":1.5},"pass":{"Tree":{...}},"fail":{"double":2}},

So the text is split at its numbers, and at leaves that are strings, and each text between them is
read once. That leaves lists of values and the form of the trees, a character for each node and for
its end, which has to come down to a row of whole trees when splits with nothing but leaves are
replaced by leaves again and again. Where anything else is found the trees are not taken, and go the
usual way.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from itertools import compress, count
from typing import Any

_CHUNK = 50_000  # bytes that are split at a time, so that the pieces stay in the processor's cache
_DEEPEST = 200  # splits in each other: deeper JSON may be too deep for Python
_MOST_WORK = 30  # times the length of the form, which falls quickly unless the trees are vines

# The form of trees is written in ASCII: leaves and splits by the way to them, roots, and the ends
# of both kinds of nodes. After a split or a root comes the code of its field and operator.
_WAYS, _LEAVES, _SPLITS = (b"pass", b"fail", b"missing"), b"pfm", b"PFM"
_ROOT, _END, _ROOT_END, _TREE = b"(", b".", b")", b"T"
_ASCII, _CODES = bytes(range(128)), bytes(range(128, 256))
_FROM_CODE = bytes(128) + _ASCII
_IS_SPLIT = bytes(128) + b"\1" * 128
_IS_LEAF = b"\1" * 128 + bytes(128)
_NEITHER = _SPLITS + _ROOT + _END + _ROOT_END

# Patterns for `_json`, each compiled when it is needed: all of them take 0.7 ms.
_BEGIN = rb'"init": \[ \{ "field"'
_STRING_LEAF = rb'"(?:pass|fail|missing)": \{ "N": "'
_PLAIN = rb'[^\x00-\x1f"\\]*+'  # what is in a string without escapes
_STRING, _NUMBER = rb'"' + _PLAIN + rb'"(?= \})|', rb"[-0-9][-+.0-9Ee]*"
_BETWEEN = (  # ends; then the way to a node or leaf, and its tag; then a node
    rb' ((?:\} )*+)(,?) (?:"(pass|fail|missing)": \{ "N"(?:\Z|: (?=\{)))?'
    rb'(?:\{ "field": "T" , "operator": "T" , "value"(?:: \{ "N")?)?'
)


@cache
def _json(pattern: bytes) -> re.Pattern[bytes]:
    """Compile a pattern where a space is any white space, N a name, T a string without escapes."""
    space, name, string = rb"[ \t\n\r]*+", rb"([\w.]+)", b"(" + _PLAIN + b")"
    return re.compile(pattern.replace(b" ", space).replace(b"N", name).replace(b"T", string))


class Forest:
    """Trees as flat lists, in the order of the text: splits before what is below them.

    ``heads`` are fields with their operators, ``codes`` says for each split which it has, ``cuts``
    what that compares with. ``leaves`` are those that are not alike, ``numbers`` says for each leaf
    which it is; ``order`` has 1 for a split and 0 for a leaf. The tags are None where there is no
    tag, or nothing that has one.
    """

    def __init__(self, source: bytes | str, start: int, end: int) -> None:
        """Take where the text of the array is."""
        self._text = source, start, end
        self._value: Any = None
        self.heads: list[tuple[str, str]] = []
        self.codes = self.order = b""
        self.cuts: list[float] = []
        self.leaves: list[float | int | str] = []
        self.numbers: list[int] = []
        self.ways = 2  # below a split: 3 with "missing"
        self.value_tag: str | None = None
        self.node_tag: str | None = None
        self.leaf_tag: str | None = None

    def value(self) -> Any:
        """Return the trees as JSON values, always the same."""
        if self._value is None:
            source, start, end = self._text
            self._value = json.loads(source[start:end])
        return self._value


def cut_out(source: bytes | str, encoded: bytes, mark: bytes) -> tuple[bytes, Forest] | None:
    """Return a document with a text in place of the forest in it, and the forest.

    Args:
        source: the document.
        encoded: its text in UTF-8.
        mark: the text, in quotes, that is not in the document.

    None if there is no forest that is written in the usual way.
    """
    begin = _json(_BEGIN).search(encoded)
    if begin is None:
        return None
    start = encoded.index(b"[", begin.start())
    end = encoded.find(b"]", start) + 1

    def place(at: int) -> int:
        return at if isinstance(source, bytes) or source.isascii() else len(encoded[:at].decode())

    try:
        forest = Forest(source, place(start), place(end))
        _read(forest, encoded, start + 1, end - 1)
    except (ValueError, ArithmeticError, LookupError, TypeError):
        return None
    return encoded[:start] + mark + encoded[end:], forest


def _read(forest: Forest, text: bytes, start: int, end: int) -> None:
    """Read the trees of an array; raises ValueError for others than the usual."""
    values = _values(text, start)
    between = _Between()
    forms: list[bytes] = []
    leaves: defaultdict[bytes, int] = defaultdict(count().__next__)
    stop = start
    while stop != end:
        stop = text.find(b'"', start + _CHUNK, end)  # which is not within a number
        stop = end if stop < 0 else stop
        *pieces, rest = values.split(text[start:stop])
        if not pieces:
            raise ValueError
        start = stop - len(rest)
        here = b"".join(map(between.__getitem__, pieces[::2]))
        forms.append(here)
        given, order = pieces[1::2], here.translate(_IS_SPLIT, _NEITHER)
        if len(given) != len(order):
            raise ValueError
        cuts = _listed(compress(given, order))
        if "-0," in cuts or "-0]" in cuts:  # as an integer it is 0
            raise ValueError
        forest.cuts += json.loads(cuts, parse_int=float)
        of_leaves = compress(given, here.translate(_IS_LEAF, _NEITHER))
        forest.numbers += map(leaves.__getitem__, of_leaves)
    form = b"".join([*forms, between[rest]])
    forest.ways = 3 if _LEAVES[2] in form else 2
    _check_form(form.translate(None, _CODES), forest.ways)
    forest.heads = [(field.decode(), operator.decode()) for field, operator in between.heads]
    forest.codes = form.translate(_FROM_CODE, _ASCII)
    forest.order = form.translate(_IS_SPLIT, _NEITHER)
    forest.leaves = json.loads(_listed(leaves))
    for numbers in forest.cuts, [leaf for leaf in forest.leaves if type(leaf) is float]:
        if not math.isfinite(sum(numbers)):
            raise ValueError
    forest.value_tag, forest.node_tag, forest.leaf_tag = [
        tag.decode() if (tag := between.tags.get(of)) else None for of in ("value", "node", "leaf")
    ]


def _values(text: bytes, start: int) -> re.Pattern[bytes]:
    """Return the pattern of the values of trees: white space and strings only if there are some."""
    colon = b": " if text[text.index(b":", start) + 1] in b" \t\n\r" else b":"
    has_strings = _json(_STRING_LEAF).search(text, start, start + _CHUNK)
    return _json(colon + b"(" + (_STRING if has_strings else b"") + _NUMBER + b")")


def _listed(values: Iterable[bytes]) -> str:
    return (b"[" + b",".join(values) + b"]").decode()


class _Between(dict[bytes, bytes]):
    """Of each text between two values, and before and after all, what of the form it is."""

    def __init__(self) -> None:
        super().__init__()
        self.heads: dict[tuple[bytes, bytes], bytes] = {}
        self.tags: dict[str, bytes | None] = {}

    def __missing__(self, text: bytes) -> bytes:
        """Read one more; raises ValueError for others than the usual."""
        found = _json(_BETWEEN).fullmatch(text)
        if found is None:
            raise ValueError
        ends, comma, way, tag, field, operator, value = found.groups()
        is_first, is_split, tags = not self, field is not None, self.tags
        is_usual = (
            (not is_split or tags.setdefault("value", value) == value)
            and (not way or tags.setdefault("node" if is_split else "leaf", tag) == tag)
            and bool(comma) == (not is_first and bool(is_split or way))
        )
        # First ends a value, if it has a tag, or a leaf; then nodes with their tags. Between trees,
        # and at the end, a leaf and a root, which has none.
        own = tags.get("value") is not None if way == b"pass" else 1 if way else 2
        nodes, odd = divmod(ends.count(b"}") - (0 if is_first else own), 2)
        if not is_usual or nodes < 0 or odd:
            raise ValueError
        form = _END * nodes
        if way:
            form += (_SPLITS if is_split else _LEAVES)[_WAYS.index(way) :][:1]
        else:
            form += (b"" if is_first else _ROOT_END) + (_ROOT if is_split else b"")
        if is_split:
            code = self.heads.setdefault((field, operator), _CODES[len(self.heads) :][:1])
            if not code:
                raise ValueError
            form += code
        return self.setdefault(text, form)


def _check_form(form: bytes, ways: int) -> None:
    """Refuse what is not a row of trees; raises ValueError."""
    leaves = _LEAVES[:ways]
    left = _MOST_WORK * len(form)
    for _ in range(_DEEPEST):
        size = len(form)
        left -= size
        if left < 0:
            raise ValueError
        for way in range(ways):
            split = _SPLITS[way : way + 1] + leaves + _END
            form = form.replace(split, leaves[way : way + 1])
        if len(form) == size:
            break
    row = form.replace(_ROOT + leaves + _ROOT_END, _TREE)
    if row != _TREE * len(row):
        raise ValueError
